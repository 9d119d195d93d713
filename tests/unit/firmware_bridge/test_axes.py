"""Nothing is sent that an axis cannot do, and the wait for a move is as long as the move."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from firmware_bridge.axes import AT_ONCE, MIN_STEPS, Axis, path_acceleration, planned, shares_that_start_at_once
from firmware_bridge.errors import Refused

TABLE = Axis("turntable", "Y", "deg", 8.88889, max_speed=360.0, acceleration=720.0)
CHUTE = Axis("chute", "X", "mm", 80.0, max_speed=100.0, acceleration=500.0, minimum=-5.0, maximum=200.0)


def axes(letter: str) -> st.SearchStrategy[Axis]:
    return st.builds(
        Axis,
        st.just(f"axis {letter}"),
        st.just(letter),
        st.just("mm"),
        st.floats(1.0, 3200.0),
        max_speed=st.floats(0.5, 1000.0),
        acceleration=st.floats(1.0, 10_000.0),
    )


@st.composite
def moves(draw: st.DrawFn) -> dict[Axis, float]:
    letters = draw(st.lists(st.sampled_from("XYZ"), min_size=1, max_size=3, unique=True))
    distance = st.floats(-2000.0, 2000.0)
    distances = {draw(axes(letter)): draw(distance) for letter in letters}
    assume(any(abs(d) * axis.steps_per_unit >= MIN_STEPS for axis, d in distances.items()))
    return distances


SHARES = st.floats(0.01, 1.0)


def trapezoid_s(length: float, speed: float, acceleration: float, parts: int = 2000) -> float:
    """How long a start and stop at rest takes: the sum of dx / v over the way, v as far as the ends allow."""
    total = 0.0
    for part in range(parts):
        # Equal parts of sin^2 from 0 to 1, so that the slow ends are cut finely.
        low = length * math.sin(math.pi / 2 * part / parts) ** 2
        high = length * math.sin(math.pi / 2 * (part + 1) / parts) ** 2
        middle = (low + high) / 2
        v = min(speed, math.sqrt(2 * acceleration * min(middle, length - middle)))
        total += (high - low) / v
    return total


@given(moves(), SHARES)
def test_a_combined_move_drives_no_axis_faster_than_it_may(distances: dict[Axis, float], share: float) -> None:
    plan = planned(distances, share)
    assert plan.length == pytest.approx(math.sqrt(sum(d * d for d in distances.values())))
    reached = []
    for axis, distance in distances.items():
        part = abs(distance) / plan.length
        assert plan.speed * part <= share * axis.max_speed * (1 + 1e-9)
        reached.append(plan.speed * part / (share * axis.max_speed))
    assert max(reached) == pytest.approx(1.0)  # and none is slower than it needs to be


@given(moves(), SHARES)
def test_a_combined_move_accelerates_no_axis_more_than_it_may(distances: dict[Axis, float], share: float) -> None:
    plan = planned(distances, share)
    # The acceleration that the duration implies, from the two formulas of a ramp.
    coasting_s = plan.length / plan.speed
    if plan.duration_s - coasting_s > 1e-6 * coasting_s and plan.duration_s < 2 * coasting_s * (1 - 1e-9):
        acceleration = plan.speed / (plan.duration_s - coasting_s)
        slack = 1 + 1e-6 + 1e-9 * coasting_s / (plan.duration_s - coasting_s)
    else:
        acceleration, slack = 4 * plan.length / plan.duration_s**2, 1 + 1e-6
    if plan.duration_s > coasting_s * (1 + 1e-6):
        for axis, distance in distances.items():
            assert acceleration * abs(distance) / plan.length <= axis.acceleration * slack


@given(moves(), SHARES)
def test_the_wait_for_a_move_is_as_long_as_the_move(distances: dict[Axis, float], share: float) -> None:
    plan = planned(distances, share)
    # M204 T is no limit to any path; M201 holds each axis to its own.
    steps = max(abs(d) for d in distances.values())
    path = path_acceleration(distances)
    for axis, distance in distances.items():
        part = abs(distance) / plan.length
        if path * part > axis.acceleration:
            path = axis.acceleration / part
    assert steps > 0
    assert plan.duration_s == pytest.approx(trapezoid_s(plan.length, plan.speed, path), rel=2e-3)


@pytest.mark.parametrize(
    ("distances", "duration_s"),
    [
        ({TABLE: 360.0}, 1.5),  # 0.5 s up, 0.5 s at 360, 0.5 s down
        ({TABLE: -180.0}, 1.0),  # just reaches full speed
        ({TABLE: 45.0}, 0.5),
        ({CHUTE: 100.0}, 1.2),
        ({CHUTE: 100.0, TABLE: 0.0}, 1.2),
    ],
)
def test_known_moves_take_their_known_time(distances: dict[Axis, float], duration_s: float) -> None:
    assert planned(distances).duration_s == pytest.approx(duration_s)


@given(st.floats(0.01, 5.98))
def test_a_move_that_marlin_would_swallow_is_refused(steps: float) -> None:
    with pytest.raises(Refused, match="makes no move of fewer than 6") as refusal:
        planned({CHUTE: -steps / CHUTE.steps_per_unit, TABLE: steps / 2 / TABLE.steps_per_unit})
    assert "chute (X)" in str(refusal.value)
    assert "0.075 mm" in str(refusal.value)


@given(axes("X"), st.sampled_from([1, -1]))
def test_the_least_move_that_is_named_can_be_made(axis: Axis, sign: int) -> None:
    planned({axis: sign * MIN_STEPS / axis.steps_per_unit})


@given(st.floats(0, 0.999), st.floats(6.0, 50.0))
def test_a_move_that_is_let_through_makes_six_steps_from_wherever_it_starts(start: float, steps: float) -> None:
    planned({CHUTE: steps / CHUTE.steps_per_unit})
    assert math.floor(start + steps + 0.5) - math.floor(start + 0.5) >= MIN_STEPS


@given(moves(), SHARES)
def test_no_piece_of_a_divided_move_is_swallowed_and_the_last_one_ends_where_it_should(
    distances: dict[Axis, float], share: float
) -> None:
    shares = shares_that_start_at_once(distances, planned(distances, share))
    assert shares[-1] == 1.0
    assert len(shares) in (1, AT_ONCE)
    lengths = [after - before for before, after in zip((0.0, *shares), shares, strict=False)]
    assert all(length > 0.0 for length in lengths)
    if len(shares) > 1:
        steps = max(abs(distance) * axis.steps_per_unit for axis, distance in distances.items())
        assert min(lengths) * steps >= MIN_STEPS + 2  # both ends are rounded to whole steps


def test_a_quarter_turn_is_divided_and_a_degree_is_not() -> None:
    quarter, degree = {TABLE: 90.0}, {TABLE: 1.0}
    assert len(shares_that_start_at_once(quarter, planned(quarter))) == AT_ONCE
    assert shares_that_start_at_once(degree, planned(degree)) == (1.0,)


def test_a_small_axis_moves_along_with_a_large_one() -> None:
    assert planned({CHUTE: 50.0, TABLE: 0.01}).duration_s > 0


@pytest.mark.parametrize("distances", [{}, {CHUTE: 0.0}, {CHUTE: 0.0, TABLE: -0.0}])
def test_a_move_without_any_motion_is_refused_by_name(distances: dict[Axis, float]) -> None:
    with pytest.raises(Refused):
        planned(distances)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_no_number_never_becomes_a_move(bad: float) -> None:
    with pytest.raises(Refused, match="no distance"):
        planned({CHUTE: 10.0, TABLE: bad})
    with pytest.raises(Refused, match="no position"):
        TABLE.check_target(0.0, bad)
    with pytest.raises(Refused, match="share"):
        planned({CHUTE: 10.0}, bad)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.0001])
def test_no_move_is_faster_than_full_speed_or_stands_still(share: float) -> None:
    with pytest.raises(Refused, match="share"):
        planned({CHUTE: 10.0}, share)


@given(st.floats())
def test_an_axis_is_never_sent_beyond_its_limits(target: float) -> None:
    if -5.0 <= target <= 200.0:
        CHUTE.check_target(0.0, target)
        return
    with pytest.raises(Refused) as refusal:
        CHUTE.check_target(12.5, target)
    message = str(refusal.value)
    assert "chute (X)" in message
    assert "12.5" in message
    assert f"{target:g} mm" in message
    if math.isfinite(target):
        assert ("-5 mm" if target < 0 else "200 mm") in message


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_an_endless_axis_turns_wherever_it_is_sent(target: float) -> None:
    TABLE.check_target(0.0, target)


@pytest.mark.parametrize("what", ["steps_per_unit", "max_speed", "acceleration", "home_travel_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_an_axis_that_cannot_be_is_refused_by_name(what: str, value: float) -> None:
    settings = {"steps_per_unit": 80.0, "max_speed": 10.0, "acceleration": 10.0, what: value}
    with pytest.raises(Refused, match=rf"chute: {what}"):
        Axis("chute", "X", "mm", **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"minimum": 5.0, "maximum": 5.0},
        {"minimum": 5.0, "maximum": 1.0},
        {"minimum": math.nan},
        {"maximum": math.inf},
        {"home_position": math.nan},
    ],
)
def test_limits_that_allow_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(Refused, match="chute"):
        Axis("chute", "X", "mm", 80.0, 10.0, 10.0, **settings)


@pytest.mark.parametrize("letter", ["E", "x", "", "XY", "A"])
def test_a_motor_that_marlin_cannot_move_as_an_axis_is_refused(letter: str) -> None:
    with pytest.raises(Refused, match="X, Y or Z"):
        Axis("feeder", letter, "mm", 80.0, 10.0, 10.0)
