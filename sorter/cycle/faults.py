"""Which incident an error is. Pure."""

from __future__ import annotations

import errno
from typing import Protocol, runtime_checkable

from sorter.camera.errors import CameraError
from sorter.cycle.incidents import IncidentKind
from sorter.errors import SorterError
from sorter.rig import BoardTrouble, MotorPowerCut, RigError, board_trouble

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_KINDS = {
    BoardTrouble.RESET: IncidentKind.BOARD_RESET,
    BoardTrouble.HALTED: IncidentKind.BOARD_HALTED,
    BoardTrouble.LINK: IncidentKind.LINK_LOST,
}


@runtime_checkable
class Actionable(Protocol):
    """An error that an operator can act on, whichever package it is of; any other is a mistake in the program."""

    message: str
    remedy: str


def kind_of(error: Exception) -> IncidentKind:
    """The kind of incident that an ``Actionable`` error is."""
    if isinstance(error, MotorPowerCut):
        return IncidentKind.MOTOR_POWER_CUT
    if isinstance(error, CameraError):
        return IncidentKind.CAMERA_LOST
    if isinstance(error, SorterError):
        return IncidentKind.DISK_FULL if is_disk_full(error) else IncidentKind.RIG_FAULT
    trouble = board_trouble(error)
    return IncidentKind.RIG_FAULT if trouble is None else _KINDS.get(trouble, IncidentKind.RIG_FAULT)


def is_disk_full(error: BaseException) -> bool:
    """Whether it, or what it came from, says that there is no room left on a disk."""
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, "errno", None) in _NO_ROOM:
            return True
        seen = seen.__cause__
    return False


def is_refusal(error: Exception) -> bool:
    """Whether it only says that a move must not be: nothing was sent, and all is as it was."""
    if isinstance(error, RigError):
        return not isinstance(error, MotorPowerCut)
    return isinstance(error, ValueError)  # the board's Refused
