"""A servo's time is counted from when it begins to turn, not from when the board answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from sorter.clock import ManualClock
from sorter.config import EjectorConfig
from sorter.rig.ejector import Ejector
from sorter.rig.servo import M280_S, Servo

if TYPE_CHECKING:
    from firmware_bridge.board import Board


class SlowBoard:
    """What of a board a servo needs: M280 takes its time."""

    def __init__(self, clock: ManualClock, answers_after_s: float) -> None:
        self.angles_deg: list[float] = []
        self._clock = clock
        self._answers_after_s = answers_after_s

    def servo(self, index: int, angle_deg: float) -> None:
        self.angles_deg.append(angle_deg)
        self._clock.advance(self._answers_after_s)


@pytest.mark.parametrize(
    ("answers_after_s", "began_s"),
    [
        (M280_S, 0.0),
        (0.05, 0.0),  # a firmware with a shorter SERVO_DELAY
        (2.0, 1.7),  # motion had to end first
    ],
)
def test_a_servo_turns_from_the_beginning_of_its_command_on(answers_after_s: float, began_s: float) -> None:
    clock = ManualClock()
    board = SlowBoard(clock, answers_after_s)
    assert Servo(0, cast("Board", board), clock).turn(90.0) == pytest.approx(began_s)
    assert board.angles_deg == [90.0]


def arm(clock: ManualClock, **changes: float) -> Ejector:
    config = EjectorConfig.model_validate({"travel_s": 0.4, "dwell_s": 0.1, **changes})
    return Ejector(config, cast("Board", SlowBoard(clock, M280_S)), clock)


def test_only_what_is_left_of_the_arms_time_is_waited_for() -> None:
    clock = ManualClock()
    ejector = arm(clock)
    assert ejector.push() == pytest.approx(0.4)
    assert clock.monotonic_s() == pytest.approx(0.4)
    ejector.dwell(0.4)
    assert clock.monotonic_s() == pytest.approx(0.5)
    ejector.park(is_place_known=True)
    assert clock.monotonic_s() == pytest.approx(0.9) == pytest.approx(ejector.push_s)
    assert ejector.is_parked


def test_an_arm_that_may_be_anywhere_is_given_time_for_its_longest_way() -> None:
    clock = ManualClock()
    ejector = arm(clock, park_deg=20.0, push_deg=100.0)
    ejector.park(is_place_known=False)
    assert clock.monotonic_s() == pytest.approx(0.4 * 160 / 80)


def test_an_arm_that_is_faster_than_its_command_still_dwells() -> None:
    clock = ManualClock()
    ejector = arm(clock, travel_s=0.1, dwell_s=0.5)
    arrived_s = ejector.push()
    assert arrived_s == pytest.approx(0.1)
    ejector.dwell(arrived_s)
    ejector.park(is_place_known=True)
    assert clock.monotonic_s() == pytest.approx(0.1 + 0.5 + M280_S) == pytest.approx(ejector.push_s)
