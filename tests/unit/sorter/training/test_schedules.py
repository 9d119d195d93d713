"""A learning rate that goes where nobody wrote it wastes a training, and nothing but the result shows it."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.training.recipe import ScheduleRecipe
from sorter.training.schedules import rate_at

HIGHEST = 0.02
NAMES = ("constant", "cosine", "one_cycle", "cyclical")
unhurried = settings(deadline=None)
shares = st.one_of(st.just(0.0), st.floats(0.0, 1.0))


def rates(schedule: ScheduleRecipe, steps: int, highest: float = HIGHEST) -> list[float]:
    return [rate_at(schedule, highest, step, steps) for step in range(steps)]


def rises(values: list[float]) -> bool:
    return all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(values))


def falls(values: list[float]) -> bool:
    return rises(values[::-1])


@st.composite
def schedules(draw: st.DrawFn, names: tuple[str, ...] = NAMES) -> ScheduleRecipe:
    name = draw(st.sampled_from(names))
    settings: dict[str, Any] = {}
    if name in ("cosine", "one_cycle"):
        settings["warm_up"] = draw(shares)
    if name in ("cosine", "cyclical"):
        settings["least"] = draw(shares)
    if name == "cyclical":
        settings["cycles"] = draw(st.integers(1, 1000))
    return ScheduleRecipe(name=name, **settings)


@unhurried
@given(schedules(), st.integers(1, 400), st.floats(1e-9, 10.0))
def test_no_step_is_above_the_highest_rate_or_below_zero(schedule: ScheduleRecipe, steps: int, highest: float) -> None:
    for rate in rates(schedule, steps, highest):
        assert math.isfinite(rate)
        assert 0.0 <= rate <= highest * (1 + 1e-12)


@unhurried
@given(schedules(), st.integers(1, 400))
def test_no_training_stands_still_from_its_first_step_to_its_last(schedule: ScheduleRecipe, steps: int) -> None:
    assert max(rates(schedule, steps)) > 0.0


@unhurried
@given(schedules(), st.integers(1, 50), st.integers(0, 50))
def test_a_step_that_is_none_of_the_phase_has_no_rate(schedule: ScheduleRecipe, steps: int, beyond: int) -> None:
    for step in (-1 - beyond, steps + beyond):
        with pytest.raises(ValueError, match=f"step {step} is not one of {steps}"):
            rate_at(schedule, HIGHEST, step, steps)


@unhurried
@given(st.integers(1, 300))
def test_constant_is_constant(steps: int) -> None:
    assert set(rates(ScheduleRecipe(name="constant"), steps)) == {HIGHEST}


@unhurried
@given(st.integers(2, 400), st.floats(0.0, 1.0))
def test_cosine_begins_at_the_highest_and_falls_to_the_least(steps: int, least: float) -> None:
    found = rates(ScheduleRecipe(name="cosine", least=least), steps)
    assert found[0] == HIGHEST
    assert found[-1] == pytest.approx(HIGHEST * least, abs=1e-15)
    assert falls(found)


def test_cosine_is_half_way_down_in_the_middle() -> None:
    found = rates(ScheduleRecipe(name="cosine"), 101)
    assert found[50] == pytest.approx(HIGHEST / 2)
    assert found[25] == pytest.approx(HIGHEST * (1 + math.cos(math.pi / 4)) / 2)


@unhurried
@given(st.integers(10, 400), st.floats(0.05, 0.9))
def test_a_warm_up_rises_in_even_steps_before_the_fall(steps: int, warm_up: float) -> None:
    found = rates(ScheduleRecipe(name="cosine", warm_up=warm_up), steps)
    top = found.index(max(found))
    assert top / (steps - 1) == pytest.approx(warm_up, abs=1.0 / (steps - 1))
    assert rises(found[: top + 1])
    assert falls(found[top:])
    assert found[0] > 0.0, "a first step at rate 0 is a step for nothing"
    assert found[-1] == pytest.approx(0.0, abs=1e-15)
    assert found[: top - 1] == pytest.approx([found[0] * (step + 1) for step in range(top - 1)])


@unhurried
@given(st.integers(20, 400), st.one_of(st.just(0.0), st.floats(0.1, 0.8)))
def test_one_cycle_begins_at_a_25th_rises_once_and_falls_to_a_ten_thousandth(steps: int, warm_up: float) -> None:
    found = rates(ScheduleRecipe(name="one_cycle", warm_up=warm_up), steps)
    assert found[0] == pytest.approx(HIGHEST / 25)
    assert found[-1] == pytest.approx(HIGHEST * 1e-4)
    top = found.index(max(found))
    assert rises(found[: top + 1])
    assert falls(found[top:])
    assert top / (steps - 1) == pytest.approx(warm_up or 0.3, abs=1.5 / (steps - 1))
    assert found[top] > 0.9 * HIGHEST


@unhurried
@given(st.integers(1, 12), st.integers(4, 40), st.floats(0.0, 0.9))
def test_cyclical_rises_and_falls_as_often_as_the_recipe_says(cycles: int, half: int, least: float) -> None:
    steps = 2 * half * cycles + 1
    found = rates(ScheduleRecipe(name="cyclical", cycles=cycles, least=least), steps)
    around = zip(found, found[1:], found[2:], strict=False)
    assert sum(before < rate > after for before, rate, after in around) == cycles
    assert found[half :: 2 * half] == pytest.approx([HIGHEST] * cycles)
    assert found[:: 2 * half] == pytest.approx([HIGHEST * least] * (cycles + 1), abs=1e-12)
    assert found[half // 2] == pytest.approx(HIGHEST * (least + (1 - least) * (half // 2) / half))


@unhurried
@given(st.integers(3, 60), st.integers(1, 1000))
def test_more_cycles_than_there_are_steps_for_still_rise(steps: int, cycles: int) -> None:
    """Ten steps of nine cycles would be nothing but their lowest points: a network that never learns."""
    found = rates(ScheduleRecipe(name="cyclical", cycles=cycles), steps)
    assert max(found) > 0.4 * HIGHEST
    assert found[0] == pytest.approx(0.0)


@pytest.mark.parametrize("name", NAMES)
def test_the_rate_grows_with_the_one_that_the_recipe_names(name: str) -> None:
    schedule = ScheduleRecipe(name=name)  # type: ignore[arg-type]
    one, double = rates(schedule, 40), rates(schedule, 40, 2 * HIGHEST)
    assert double == pytest.approx([2 * each for each in one])


@unhurried
@given(schedules(), st.integers(2, 200), st.integers(0, 199))
def test_a_run_that_goes_on_has_the_rates_of_one_that_was_never_interrupted(
    schedule: ScheduleRecipe, steps: int, first: int
) -> None:
    first %= steps
    assert [rate_at(schedule, HIGHEST, step, steps) for step in range(first, steps)] == rates(schedule, steps)[first:]
