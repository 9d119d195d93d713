"""Motors at work: what they know of their angle, and the one combined move in which they all turn.

Marlin runs one move after the other, so what is to turn at the same time goes into one line. And it does not make a
move of fewer than six steps: it says ``ok``, and the steps are made up for later, which is no use to somebody who looks
now. So a turn that is too short is made in two moves, a few steps past the goal and back, or away and then there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.axes import MIN_STEPS, planned
from firmware_bridge.errors import BoardError
from sorter.rig.errors import NotHomed, OutOfReach
from sorter.rig.turntable import REACH_DEG, SAME_DEG, apart_deg, nearest_coordinate, turned_deg
from sorter.types import AxisStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware_bridge.board import Board
    from sorter.rig.axes import RigAxis

FARTHEST_DEG = (
    36_000.0  # from 0, for jogs and feeders; there a float32 is still finer than half a hundredth of a degree
)
_DETOUR_STEPS = 8.0  # two more than the least, for what rounding takes at both ends


@dataclass(frozen=True)
class Goal:
    """Where a motor is to go: the board's coordinate, and the angle that this is to the rig."""

    coordinate: float
    angle_deg: float


class Motor:
    """An axis, and what is known of where it stands.

    Args:
        axis: what it is.
        board: what drives it.
    """

    def __init__(self, axis: RigAxis, board: Board) -> None:
        self.axis = axis
        self.is_homed = False
        self._angle_deg = 0.0
        self._origin_deg = axis.origin_deg
        self._board = board

    @property
    def name(self) -> str:
        """Of the axis."""
        return self.axis.name

    @property
    def angle_deg(self) -> float:
        """Where it was last sent. Raises NotHomed if that cannot be believed."""
        if not self.is_homed:
            raise NotHomed(f"the {self.name} does not know where it is")
        return self._angle_deg

    @property
    def status(self) -> AxisStatus:
        """For whoever watches; while it is not homed, with the last angle that was known."""
        return AxisStatus(self.name, self._angle_deg, self.is_homed)

    def forget(self) -> None:
        """Where it stands is not certain any more."""
        self.is_homed = False

    def home(self) -> None:
        """Home to its switch, or declare its present place to be the angle 0 if it has none; waits for the end."""
        self.is_homed = False
        if self.axis.home_deg is not None:
            self._board.home(self.name)
            self._origin_deg, self._angle_deg = self.axis.origin_deg, self._shown_deg(self.axis.home_deg)
        else:
            coordinate = coordinate_of(self._board, self.name)
            self._board.set_position(self.name, coordinate)
            self._origin_deg, self._angle_deg = -self.axis.sign * coordinate, 0.0
        self.is_homed = True

    def stands_at(self, angle_deg: float) -> bool:
        """Whether it was last sent there. Raises NotHomed, and OutOfReach if it cannot go there."""
        self.check(angle_deg)
        if self.axis.limits_deg is None:
            return apart_deg(angle_deg, self.angle_deg) < SAME_DEG
        return abs(angle_deg - self.angle_deg) < SAME_DEG

    def check(self, angle_deg: float) -> None:
        """Refuse an angle that is no number or beyond the limits, with OutOfReach."""
        if not math.isfinite(angle_deg):
            raise OutOfReach(f"the {self.name} cannot turn to {angle_deg} deg: that is no angle")
        limits_deg = self.axis.limits_deg
        if limits_deg is not None and not limits_deg[0] <= angle_deg <= limits_deg[1]:
            raise OutOfReach(
                f"the {self.name} cannot turn to {angle_deg:g} deg: it turns from {limits_deg[0]:g} to "
                f"{limits_deg[1]:g} deg"
            )

    def goals(self, angle_deg: float) -> dict[Motor, Goal]:
        """Its share of a combined move to an angle, by the shorter way; empty if it stands there.

        Raises:
            NotHomed: it does not know where it is.
            OutOfReach: it cannot go there.
        """
        if self.stands_at(angle_deg):
            return {}
        coordinate = self.axis.sign * (angle_deg - self._origin_deg)
        if self.axis.limits_deg is None:
            coordinate = nearest_coordinate(coordinate, self._board.commanded(self.name))
        return {self: Goal(coordinate, self._shown_deg(angle_deg))}

    def jog_goals(self, distance_deg: float) -> dict[Motor, Goal]:
        """Its share of a move by a distance, turn by turn; raises as ``goals``."""
        angle_deg = self.angle_deg + distance_deg
        self.check(angle_deg)
        if abs(distance_deg) < SAME_DEG:
            return {}
        coordinate = self._board.commanded(self.name) + self.axis.sign * distance_deg
        if self.axis.limits_deg is None and abs(coordinate) > FARTHEST_DEG:
            raise OutOfReach(
                f"the {self.name} cannot turn by {distance_deg:g} deg at once: it would be {abs(coordinate):g} deg "
                f"from where it was homed, and its angle is true up to {FARTHEST_DEG:g} deg"
            )
        return {self: Goal(coordinate, self._shown_deg(angle_deg))}

    @property
    def has_switch(self) -> bool:
        """Whether it is homed to a switch."""
        return self.axis.home_deg is not None

    @property
    def switch_coordinate(self) -> float:
        """The board's coordinate at which its switch closes, the one that is nearest to where it stands.

        Raises:
            NotHomed: it does not know where it is.
        """
        self.angle_deg  # noqa: B018  (raises as promised)
        home = self.axis.board_axis.home_position or 0.0
        return home if self.axis.limits_deg is not None else nearest_coordinate(home, self._board.commanded(self.name))

    def seek(self, coordinate: float) -> None:
        """Go to a coordinate of the board, beyond the limits if need be; waits for the end.

        Raises:
            NotHomed: it does not know where it is.
        """
        self.angle_deg  # noqa: B018  (raises as promised)
        angle_deg = self._origin_deg + self.axis.sign * coordinate
        move(self._board, {self: Goal(coordinate, self._shown_deg(angle_deg))})
        self._board.wait()

    def arrived(self, goal: Goal) -> None:
        """The board has taken a move to ``goal``."""
        self._angle_deg = goal.angle_deg

    def _shown_deg(self, angle_deg: float) -> float:
        return turned_deg(angle_deg) if self.axis.limits_deg is None else angle_deg


def coordinate_of(board: Board, name: str) -> float:
    """Where the board says that an axis stands or is planned to end, in its coordinate. Raises a BoardError if not."""
    position = board.position()
    if name not in position:
        raise BoardError(f"the board does not say where the {name} is", remedy="Reset the board, then home the rig.")
    return position[name]


def move(board: Board, goals: Mapping[Motor, Goal]) -> float:
    """Send motors to their goals in one combined move; returns its planned seconds, when the board has taken it.

    Raises:
        BoardError: as ``Board.move``.
    """
    seconds = 0.0
    for leg in _legs(board, goals):
        seconds += board.move({motor.name: place for motor, place in leg.items()})
    for motor, goal in goals.items():
        motor.arrived(goal)
    return seconds


def move_s(board: Board, goals: Mapping[Motor, Goal]) -> float:
    """What ``move`` would return; nothing is sent."""
    seconds = 0.0
    places = {motor: board.commanded(motor.name) for motor in goals}
    for leg in _legs(board, goals):
        distances = {motor.axis.board_axis: place - places[motor] for motor, place in leg.items()}
        seconds += planned(distances).duration_s
        places = leg
    return seconds


def _legs(board: Board, goals: Mapping[Motor, Goal]) -> list[dict[Motor, float]]:
    """The coordinates of each move that it takes: none, one, or two if it would be too short for Marlin."""
    last = {motor: goal.coordinate for motor, goal in goals.items()}
    if not last:
        return []
    starts = {motor: board.commanded(motor.name) for motor in goals}
    steps = [abs(last[motor] - starts[motor]) * motor.axis.board_axis.steps_per_unit for motor in last]
    if max(steps) >= MIN_STEPS:
        return [last]
    return [{motor: _detour(motor, starts[motor], place) for motor, place in last.items()}, last]


def _detour(motor: Motor, start: float, goal: float) -> float:
    """A place that is far enough from both for Marlin: beyond the goal, or behind the start where that is too far."""
    way = math.copysign(_DETOUR_STEPS / motor.axis.board_axis.steps_per_unit, goal - start)
    beyond = goal + way
    lowest, highest = motor.axis.ends or (-REACH_DEG, REACH_DEG)
    return beyond if lowest <= beyond <= highest else start - way
