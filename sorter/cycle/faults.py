"""Which incident an error is. Pure."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from sorter.camera.errors import CameraError
from sorter.cycle.incidents import IncidentKind
from sorter.errors import SorterError
from sorter.rig import MotorPowerCut, RigError


@runtime_checkable
class Actionable(Protocol):
    """An error that an operator can act on, whichever package it is of; any other is a mistake in the program."""

    message: str
    remedy: str


def kind_of(error: Exception) -> IncidentKind:
    """The kind of incident that an ``Actionable`` error is; what is none of ours comes from the board."""
    if isinstance(error, MotorPowerCut):
        return IncidentKind.MOTOR_POWER_CUT
    if isinstance(error, CameraError):
        return IncidentKind.CAMERA_LOST
    return IncidentKind.RIG_FAULT if isinstance(error, SorterError) else IncidentKind.BOARD_LOST


def is_refusal(error: Exception) -> bool:
    """Whether it only says that a move must not be: nothing was sent, and all is as it was."""
    if isinstance(error, RigError):
        return not isinstance(error, MotorPowerCut)
    return isinstance(error, ValueError)  # the board's Refused
