"""The chute's angles for the bins."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.calibrate.bin_angles import apart_deg, spread, too_near

limits = st.tuples(st.floats(-300.0, 100.0), st.floats(20.0, 400.0)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(count=st.integers(1, 12), limits_deg=st.none() | limits, is_round=st.booleans())
def test_bins_are_as_far_from_each_other_as_they_can_be(
    count: int, limits_deg: tuple[float, float] | None, is_round: bool
) -> None:
    angles = spread(count, limits_deg, is_round=is_round)
    assert len(angles) == count
    assert list(angles) == sorted(angles)
    if limits_deg is not None:
        assert all(limits_deg[0] <= angle <= limits_deg[1] for angle in angles)
    nearest = [apart_deg(one, other, is_round=is_round) for one, other in itertools.combinations(angles, 2)]
    span = 360.0 if limits_deg is None else limits_deg[1] - limits_deg[0]
    if count > 1:
        most = min(span / (count - 1), 360.0 / count) if is_round else span / (count - 1)
        assert min(nearest) == pytest.approx(most, abs=1e-6)


def test_the_first_and_last_of_a_whole_turn_are_not_the_same_place() -> None:
    assert spread(4, (0.0, 360.0), is_round=True) == (0.0, 90.0, 180.0, 270.0)
    assert spread(4, (0.0, 180.0), is_round=False) == (0.0, 60.0, 120.0, 180.0)
    with pytest.raises(ValueError, match="1 or more, got 0"):
        spread(0, None, is_round=True)


@given(angle=st.floats(-360.0, 360.0), off=st.floats(-1.9, 1.9), turns=st.integers(-2, 2))
def test_two_bins_at_one_place_are_told_even_a_turn_apart(angle: float, off: float, turns: int) -> None:
    assert too_near(angle + off + 360.0 * turns, {"red": angle}, is_round=True, least_deg=2.0) == "red"
    assert (too_near(angle + off + 360.0 * turns, {"red": angle}, is_round=False, least_deg=2.0) == "red") == (
        turns == 0
    )


def test_bins_that_are_apart_are_left_alone() -> None:
    assert too_near(10.0, {"red": 12.5, "blue": 7.5}, is_round=True, least_deg=2.0) is None
    assert too_near(10.0, {}, is_round=True, least_deg=2.0) is None
