"""The table's angle stays true for ever: which coordinate is chosen, and what Marlin's float32 makes of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.axes import Axis, planned
from firmware_bridge.emulator.motion import Motion, float32
from firmware_bridge.emulator.settings import AxisSettings, BoardSettings
from firmware_bridge.emulator.words import parse
from firmware_bridge.gcode import command
from sorter.rig.turntable import REACH_DEG, apart_deg, nearest_coordinate, turned_deg

if TYPE_CHECKING:
    from collections.abc import Callable

angles = st.floats(-1e6, 1e6)
places = st.floats(-REACH_DEG, REACH_DEG)


@given(angles)
def test_an_angle_is_shown_within_one_turn(angle_deg: float) -> None:
    assert 0.0 <= turned_deg(angle_deg) < 360.0
    assert apart_deg(turned_deg(angle_deg), angle_deg) < 1e-6


def test_an_angle_just_below_nought_is_not_shown_as_a_whole_turn() -> None:
    assert turned_deg(-1e-20) == 0.0


@given(angles, angles)
def test_no_two_angles_are_more_than_half_a_turn_apart(one_deg: float, other_deg: float) -> None:
    assert 0.0 <= apart_deg(one_deg, other_deg) <= 180.0
    assert apart_deg(one_deg, other_deg) == pytest.approx(apart_deg(other_deg, one_deg), abs=1e-6)


@given(angles, angles)
def test_a_coordinate_is_the_angle_that_was_asked_for_and_stays_small(wanted: float, standing: float) -> None:
    chosen = nearest_coordinate(wanted, standing)
    assert abs(chosen) <= REACH_DEG
    assert apart_deg(chosen, wanted) < 1e-6


@given(places, places)
def test_the_short_way_is_taken_wherever_it_stays_within_reach(wanted: float, standing: float) -> None:
    chosen = nearest_coordinate(wanted, standing)
    short = min((standing - apart_deg(wanted, standing), standing + apart_deg(wanted, standing)), key=abs)
    if abs(short) <= REACH_DEG and apart_deg(short, wanted) < 1e-6:
        assert abs(chosen - standing) <= 180.0 + 1e-6
    assert abs(chosen - standing) <= 540.0 + 1e-6


def test_half_a_turn_leads_back_towards_nought() -> None:
    assert nearest_coordinate(270.0, 450.0) == 270.0
    assert nearest_coordinate(270.0, -270.0) == -90.0
    assert nearest_coordinate(180.0, 0.0) in (180.0, -180.0)


class Table:
    """A turntable as Marlin keeps it (the emulated board's own arithmetic), driven as the rig drives it."""

    def __init__(self, steps_per_deg: float, *, is_text: bool) -> None:
        axis = AxisSettings(8.0, 360.0, 1440.0)
        self.motion = Motion(BoardSettings(y=axis))
        self.motion.has_soft_endstops = False
        # As M92 brings them: five places, and a float32.
        self.motion.steps_per_unit[1] = float32(round(steps_per_deg, 5))
        self.steps_per_deg = steps_per_deg
        self.coordinate = 0.0
        self.made_steps = 0
        self.worst_steps = 0.0
        self._is_text = is_text

    def turn(self, angle_deg: float) -> None:
        """Turn to an angle, and hold the steps that were really made against it."""
        coordinate = nearest_coordinate(angle_deg, self.coordinate)
        if abs(coordinate - self.coordinate) * self.steps_per_deg < 6.0:
            return
        if self._is_text:
            target = self.motion.target(parse(command("G1", Y=coordinate, F=21600.0)))
        else:
            target = [0.0, float32(round(coordinate, 5)), 0.0, 0.0]
        self.coordinate = coordinate
        block, _ = self.motion.plan(target, None)
        self.made_steps += block.steps[1] if block is not None else 0
        exact_steps = self.coordinate * self.steps_per_deg
        self.worst_steps = max(self.worst_steps, abs(self.made_steps - exact_steps))

    @property
    def error_steps(self) -> float:
        """How far the table really is from the angle that it is believed to have."""
        return abs(self.made_steps - self.coordinate * self.steps_per_deg)


def sort_parts(table: Table, count: int, angles_deg: Callable[[random.Random], list[float]]) -> None:
    chance = random.Random(1)
    for _ in range(count):
        for angle_deg in angles_deg(chance):
            table.turn(angle_deg)
        assert abs(table.coordinate) <= REACH_DEG


def some_of_eight(chance: random.Random) -> list[float]:
    """Two to eight of the places that a part is looked at from, in any order."""
    return [place * 45.0 for place in chance.sample(range(8), chance.randint(2, 8))]


def anywhere(chance: random.Random) -> list[float]:
    return [chance.uniform(0.0, 360.0) for _ in range(chance.randint(2, 8))]


def round_and_round(chance: random.Random) -> list[float]:
    """Always the same way round: the worst for a coordinate that must not grow."""
    return [place * 45.0 for place in range(8)]


@pytest.mark.parametrize("views", [some_of_eight, anywhere, round_and_round])
@pytest.mark.parametrize("steps_per_deg", [3200 / 360, 6400 / 360 * 2.5, 80.0, 8.9123])
def test_after_ten_thousand_parts_an_angle_is_as_true_as_at_the_start(
    views: Callable[[random.Random], list[float]], steps_per_deg: float
) -> None:
    table = Table(steps_per_deg, is_text=False)
    sort_parts(table, 10_000 if views is some_of_eight else 1000, views)
    assert table.error_steps <= 1.0
    assert table.worst_steps <= 1.0


def mixed(chance: random.Random) -> list[float]:
    return (some_of_eight if chance.random() < 0.5 else anywhere)(chance)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_after_a_million_parts_an_angle_is_as_true_as_at_the_start() -> None:
    table = Table(3200 / 360, is_text=False)
    sort_parts(table, 1_000_000, mixed)
    assert table.error_steps <= 1.0
    assert table.worst_steps <= 1.0


def test_the_text_of_a_line_says_the_angle_as_truly_as_the_number_does() -> None:
    one, other = Table(3200 / 360, is_text=True), Table(3200 / 360, is_text=False)
    for table in (one, other):
        sort_parts(table, 300, anywhere)
    assert one.made_steps == other.made_steps
    assert one.worst_steps <= 1.0


def three_neighbours(chance: random.Random) -> list[float]:
    """Three places, one after the other, always the same way round."""
    first = chance.randrange(8)
    return [(first + place) % 8 * 45.0 for place in range(3)]


@pytest.mark.parametrize(
    ("views", "longer_share"),
    [(some_of_eight, 0.01), (anywhere, 0.02), (three_neighbours, 0.10), (round_and_round, 0.27)],
)
def test_staying_within_reach_costs_what_the_docs_say(
    views: Callable[[random.Random], list[float]], longer_share: float
) -> None:
    axis = Axis("turntable", "Y", "deg", 3200 / 360, max_speed=360.0, acceleration=1440.0)
    chance = random.Random(1)
    standing, short_s, real_s = 0.0, 0.0, 0.0
    for _ in range(3000):
        for angle_deg in views(chance):
            if apart_deg(angle_deg, standing) >= 1.0:
                coordinate = nearest_coordinate(angle_deg, standing)
                short_s += planned({axis: apart_deg(angle_deg, standing)}).duration_s
                real_s += planned({axis: coordinate - standing}).duration_s
                standing = coordinate
    assert real_s / short_s - 1.0 == pytest.approx(longer_share, abs=0.01)


def test_a_coordinate_that_only_grows_would_not_stay_true() -> None:
    """What the choice is good for: the same turns, added up as relative moves are, in the same arithmetic."""
    table = Table(3200 / 360, is_text=False)
    table.motion.position[1] = 1_000_000.0
    table.motion.planned_steps[1] = round(1_000_000.0 * table.motion.steps_per_unit[1])
    begun = table.motion.planned_steps[1]
    for _ in range(100):
        table.motion.plan([0.0, float32(table.motion.position[1] + 1.1), 0.0, 0.0], None)
    assert abs(table.motion.planned_steps[1] - begun - 110.0 * 3200 / 360) > 5.0
