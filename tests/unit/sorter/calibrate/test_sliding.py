"""Has a part slid, and how fast may the table speed up?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.sliding import FASTER, FIRST, KEPT, MOST, find_grip, slip_between
from sorter.types import Frame
from tests.drawn_table import Brick, DrawnTable

BRICK = Brick(along=2, across=2, x_mm=12.0, y_mm=4.0)
TABLE = DrawnTable(brick=BRICK)


def test_a_part_that_stayed_has_not_slid() -> None:
    noise = slip_between(TABLE.frame(0.0, 1), TABLE.frame(0.0, 2))
    assert not slip_between(TABLE.frame(0.0, 3), TABLE.frame(0.0, 4)).is_slip(noise)


@pytest.mark.parametrize(
    "slid", [{"x_mm": 13.2}, {"y_mm": 2.8}, {"yaw_deg": 30.0}], ids=["outwards", "sideways", "turned"]
)
def test_a_part_that_slid_by_a_millimetre_or_turned_is_seen(slid: dict[str, float]) -> None:
    noise = slip_between(TABLE.frame(0.0, 1), TABLE.frame(0.0, 2))
    moved = TABLE.frame(0.0, 3, brick=replace(BRICK, **slid))
    assert slip_between(TABLE.frame(0.0, 4), moved).is_slip(noise)


def test_a_part_that_flew_off_has_slid() -> None:
    noise = slip_between(TABLE.frame(0.0, 1), TABLE.frame(0.0, 2))
    assert slip_between(TABLE.frame(0.0, 3), DrawnTable(marks=()).frame(0.0, 4)).is_slip(noise)


def test_without_a_part_nothing_can_be_told() -> None:
    empty = DrawnTable(marks=()).frame(0.0)
    with pytest.raises(NotMeasured, match="not one part on the table"):
        slip_between(empty, empty)
    dark = Frame(np.zeros((240, 320, 3), np.uint8), 0.0, 0)
    with pytest.raises(NotMeasured, match="not one part on the table"):
        slip_between(dark, dark)


@given(grip=st.floats(FIRST, 2.0 * MOST))
def test_the_highest_acceleration_that_holds_is_found_and_no_other_is_used(grip: float) -> None:
    tried: list[float] = []

    def shake(wanted: float) -> bool:
        tried.append(wanted)
        return wanted > grip

    found = find_grip(shake)
    assert found.held <= min(grip, MOST)
    assert tried == sorted(set(tried))
    assert tried[-1] == (found.held if found.slid is None else found.slid)
    assert found.slid is None or found.slid <= FASTER * found.held * (1.0 + 1e-9)
    assert 0.89 * KEPT * found.held < found.to_use <= KEPT * found.held
    if found.slid is None:
        assert found.held == MOST


def test_a_part_that_slides_at_once_is_told_so() -> None:
    with pytest.raises(NotMeasured, match="slides at 300 deg/s² already"):
        find_grip(lambda _wanted: True)
