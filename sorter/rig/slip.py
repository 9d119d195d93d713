"""Has an axis lost steps? Its own switch tells: a motor that slipped passes it elsewhere than the angle says.

Homing alone would hide that, for it ends at the switch wherever it began. So the axis is sent by its angle: to just
off the switch, where it must be open, and to just onto it, where it must be triggered. Only if one of the two is wrong
the axis goes on step by step until the switch says otherwise, to tell by how much.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sorter.rig.errors import NotFitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_bridge.board import Board
    from sorter.rig.motion import Motor

REACH_DEG = 20.0
"""So far beyond its home an axis is sent to find out by how much it slipped."""

_ASKED_TIMES = 3


def slip_by_switch(motor: Motor, board: Board, go: Callable[[float], None], tolerance_deg: float) -> float:
    """By how much the axis is not where it should be.

    Args:
        motor: an axis with a switch.
        board: what drives it.
        go: sends the axis to a coordinate of the board, and returns when it stands.
        tolerance_deg: less than that is nothing.

    Returns:
        Degrees by which it truly stands beyond where it is believed to stand; 0 within the tolerance, infinity if the
        switch was not found within ``REACH_DEG``.

    Raises:
        NotFitted: the board does not report the switch.
        BoardError: as whatever is sent.
    """
    home = motor.switch_coordinate
    go(home + tolerance_deg)
    if _is_triggered(motor, board):
        return -motor.axis.sign * _distance(motor, board, go, tolerance_deg, until_triggered=False)
    go(home - tolerance_deg)
    if _is_triggered(motor, board):
        return 0.0
    return motor.axis.sign * _distance(motor, board, go, tolerance_deg, until_triggered=True)


def _distance(
    motor: Motor, board: Board, go: Callable[[float], None], step_deg: float, *, until_triggered: bool
) -> float:
    """Go on away from home, towards where the switch must be, until it says what it should have said there."""
    way = -1.0 if until_triggered else 1.0
    distance_deg = step_deg
    while distance_deg + step_deg <= REACH_DEG:
        distance_deg += step_deg
        go(motor.switch_coordinate + way * distance_deg)
        if _is_triggered(motor, board) is until_triggered:
            return distance_deg - step_deg / 2
    return math.inf


def _is_triggered(motor: Motor, board: Board) -> bool:
    name = f"{motor.axis.board_axis.letter.lower()}_min"
    inputs: dict[str, bool] = {}
    for _ in range(_ASKED_TIMES):  # a line of the answer may be hit on its way: it has no checksum
        inputs = board.endstops()
        if name in inputs:
            return inputs[name]
    raise NotFitted(
        f"the {motor.name} is homed to {name}, and the board reports only {', '.join(inputs) or 'nothing'}",
        remedy="Enable the input in Marlin's Configuration.h; `sorter board endstops` shows what the board reports.",
    )
