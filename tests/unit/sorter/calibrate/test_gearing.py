"""How far the table turns for a degree that it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.gearing import Gearing, explanations, measure_gearing
from sorter.calibrate.mark import TablePicture, table_picture
from sorter.calibrate.view import TableView
from sorter.config import TurntableConfig
from sorter.twin.eye import Eye
from tests.drawn_table import DrawnTable, Mark

STEPS_PER_DEG = 3200 / 360
SMALL = Eye(45.0, 300.0, 2.0, 208, 160)


class Turned:
    """A drawn table that turns ``ratio`` times as far as it is told, by whole steps.

    Args:
        table: to look at.
        ratio: see above.
        slips_deg: so much of each turn is lost.
    """

    def __init__(self, table: DrawnTable, ratio: float, slips_deg: float = 0.0) -> None:
        self.table, self.ratio, self.slips_deg = table, ratio, slips_deg
        self.told_deg = self.lost_deg = 0.0
        self.looks = 0

    def turn(self, distance_deg: float) -> None:
        self.told_deg += distance_deg
        self.lost_deg += self.slips_deg * (1.0 + self.looks % 3)

    def look(self) -> TablePicture:
        self.looks += 1
        real_deg = round(self.told_deg * STEPS_PER_DEG) / STEPS_PER_DEG * self.ratio - self.lost_deg
        return table_picture([self.table.frame(real_deg, seed=self.looks)])

    def measured(self) -> Gearing:
        eye = self.table.eye
        return measure_gearing(self.turn, self.look, TableView.guessed(eye.width_px, eye.height_px), STEPS_PER_DEG)


@pytest.mark.parametrize("ratio", [1.0, 1.125, 0.5, 1 / 16, 16.0])
def test_a_wrong_gearing_is_measured_to_a_twentieth_of_a_percent(ratio: float) -> None:
    gearing = Turned(DrawnTable(eye=SMALL, glare=True), ratio).measured()
    assert gearing.ratio == pytest.approx(ratio, rel=5e-4)
    assert abs(gearing.ratio - ratio) < 6.0 * gearing.deviation
    assert not gearing.is_clockwise
    assert gearing.is_right == (ratio == 1.0)
    assert gearing.is_implausible == (abs(ratio - 1.0) > 0.2)
    assert gearing.true_steps_per_deg(STEPS_PER_DEG) == pytest.approx(STEPS_PER_DEG / ratio, rel=5e-4)


def test_a_table_that_turns_the_other_way_is_seen() -> None:
    gearing = Turned(DrawnTable(eye=SMALL, is_clockwise=True), 0.97).measured()
    assert gearing.is_clockwise
    assert gearing.ratio == pytest.approx(0.97, rel=5e-4)


def test_a_camera_that_does_not_aim_at_the_axis_takes_longer_and_tells_the_same() -> None:
    turned = Turned(DrawnTable(eye=Eye(47.0, 90.0, 2.2, 160, 160, 5.0, -5.0)), 1.03)
    assert turned.measured().ratio == pytest.approx(1.03, rel=1e-3)
    assert turned.looks > 60  # it had to go all the way round by small turns


@pytest.mark.parametrize(
    ("table", "ratio", "words"),
    [
        (DrawnTable(eye=SMALL, marks=()), 1.0, "put a sticker"),
        (DrawnTable(eye=SMALL), 0.0, "sorter calibrate motors"),
    ],
)
def test_what_cannot_be_measured_says_why(table: DrawnTable, ratio: float, words: str) -> None:
    with pytest.raises(NotMeasured, match=words):
        Turned(table, ratio).measured()


def test_a_table_that_slips_on_its_shaft_is_not_called_a_gearing() -> None:
    with pytest.raises(NotMeasured, match="does not come back"):
        Turned(DrawnTable(eye=SMALL, marks=(Mark(), Mark(-12.0, 9.0, 3.0, 3.0))), 1.0, slips_deg=6.0).measured()


@given(told=st.sampled_from((1, 2, 4, 8, 16, 32, 64)), true=st.sampled_from((1, 2, 4, 8, 16, 32, 64)))
def test_wrong_jumpers_are_named(told: int, true: int) -> None:
    found = explanations(TurntableConfig(microsteps=told), told / true, 1e-3)
    assert [each.value for each in found if each.key == "microsteps"] == ([] if told == true else [true])
    for each in found:  # what is proposed gives the steps that a degree really has
        changed = TurntableConfig.model_validate({"microsteps": told, each.key: int(each.value)})
        assert changed.steps_per_deg == pytest.approx(TurntableConfig(microsteps=told).steps_per_deg / each.ratio)


def test_a_measured_gearing_has_nothing_to_explain() -> None:
    assert explanations(TurntableConfig(measured_steps_per_deg=8.9), 2.0, 0.3) == []
