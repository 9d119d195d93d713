"""What may come of each of the twin's faults: which incidents, within which time, and what ends it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sorter.app.accounts import Fate
from sorter.cycle.incidents import FAULTS as TROUBLE
from sorter.cycle.incidents import IncidentKind
from sorter.types.faults import FAULTS
from sorter.types.hands import CLEAR_CHUTE, EMPTY_BINS, MEND_CAMERA, MEND_LIGHT, WIPE_LENS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DOUBLE_FEED", "EXPECTED", "PART_FAULTS", "PUSHED_AGAIN", "RULES", "SLACK_S", "TROUBLE", "FaultRule"]

SLACK_S, LINK_SLACK_S = 3.0, 20.0
"""Of the host's clock: what answers late because the host is busy; the link waits by the host's clock for long."""

DOUBLE_FEED = "double-feed"
PART_FAULTS = (DOUBLE_FEED, "stuck", "slide", "ejector-miss", "jam", "bin-overflow")
"""These happen to a part."""

PUSHED_AGAIN = ("stuck", "ejector-miss")
"""Of these, pushing again is what the rig does."""

EXPECTED = (
    IncidentKind.HOPPER_EMPTY,
    IncidentKind.BIN_FULL,
    IncidentKind.EMERGENCY_STOP,
    IncidentKind.MODEL_REJECTED,
    IncidentKind.MOVE_REFUSED,
)
"""Incidents that need no fault: they are part of a day's work, or somebody's doing."""


@dataclass(frozen=True)
class FaultRule:
    """What may come of a fault.

    Args:
        kinds: of incidents.
        slack_s: so much longer, in seconds of the host.
        window_s: until when, in seconds of the rig: after the fault, after the part is gone to which it happened, or
            after its end where it lasts.
        is_noted: the link may say that it met it.
        is_lasting: it lasts until somebody ends it.
        ends_with_hand: what hands do to end it.
        ends_with: incidents whose closing ends it.
        misplaces: while it lasts, parts of these fates are put down to it.
    """

    kinds: tuple[IncidentKind, ...] = ()
    window_s: float = 30.0
    slack_s: float = SLACK_S
    is_noted: bool = False
    is_lasting: bool = False
    ends_with_hand: tuple[str, ...] = ()
    ends_with: tuple[IncidentKind, ...] = ()
    misplaces: tuple[Fate, ...] = ()


_LINK = (
    IncidentKind.BOARD_RESET,
    IncidentKind.BOARD_HALTED,
    IncidentKind.LINK_LOST,
    IncidentKind.RIG_FAULT,
    IncidentKind.STEPS_LOST,
)
_GONE = (IncidentKind.PART_LOST, IncidentKind.NOTHING_ARRIVES, IncidentKind.JAM, IncidentKind.HOPPER_EMPTY)
_STAYS = (IncidentKind.PART_STUCK, IncidentKind.CONFIRM_TABLE_EMPTY, IncidentKind.STEPS_LOST)
_DIM = (
    IncidentKind.NO_TABLE,
    IncidentKind.LIGHT_CHANGED,
    IncidentKind.CAMERA_LOST,
    *_STAYS,
    *_GONE,
)
_HOMED = (*TROUBLE, IncidentKind.STEPS_LOST)
_NOWHERE = (Fate.MISSING, Fate.UNSEEN)
_BLIND = (*_NOWHERE, Fate.MISROUTED, Fate.UNKNOWN_ACCEPTED)
_TURNED = (Fate.ASTRAY, Fate.MISSING)
_ANYWHERE = (*_BLIND, Fate.ASTRAY)

_OF_THE_TWIN = {
    DOUBLE_FEED: FaultRule((*_GONE, *_STAYS), misplaces=_ANYWHERE),
    "stuck": FaultRule((*_GONE, *_STAYS), misplaces=_NOWHERE),
    "slide": FaultRule((*_GONE, *_STAYS), misplaces=(*_NOWHERE, Fate.ASTRAY)),
    "ejector-miss": FaultRule((*_GONE, *_STAYS), misplaces=(*_NOWHERE, Fate.ASTRAY)),
    "jam": FaultRule(
        (IncidentKind.JAM, IncidentKind.PART_LOST),
        window_s=5.0,
        is_lasting=True,
        ends_with_hand=(CLEAR_CHUTE,),
        misplaces=_TURNED,
    ),
    "bin-overflow": FaultRule(window_s=0.0, is_lasting=True, ends_with_hand=(EMPTY_BINS,), misplaces=(Fate.ASTRAY,)),
    "lost-steps-table": FaultRule((IncidentKind.STEPS_LOST, *_STAYS), is_lasting=True, ends_with=_HOMED),
    "lost-steps-chute": FaultRule(
        (IncidentKind.STEPS_LOST, IncidentKind.PART_LOST, IncidentKind.JAM),
        is_lasting=True,
        ends_with=_HOMED,
        misplaces=_TURNED,
    ),
    "power-cut": FaultRule(
        (IncidentKind.MOTOR_POWER_CUT, IncidentKind.STEPS_LOST, IncidentKind.RIG_FAULT, IncidentKind.PART_LOST),
        is_lasting=True,
        ends_with=_HOMED,
        misplaces=_TURNED,
    ),
    "light-fails": FaultRule(_DIM, is_lasting=True, ends_with_hand=(MEND_LIGHT,), misplaces=_BLIND),
    "tint-drifts": FaultRule(_DIM, is_lasting=True, ends_with_hand=(MEND_LIGHT,), misplaces=_BLIND),
    "camera-hangs": FaultRule(
        (IncidentKind.CAMERA_LOST,),
        window_s=200.0,  # half of them hang on after a new connection
        is_lasting=True,
        ends_with_hand=(MEND_CAMERA,),
        ends_with=(IncidentKind.CAMERA_LOST,),
        misplaces=_NOWHERE,
    ),
    "dust": FaultRule(_DIM, is_lasting=True, ends_with_hand=(WIPE_LENS,), misplaces=_BLIND),
}
_OF_THE_BOARD = FaultRule(_LINK, window_s=60.0, slack_s=LINK_SLACK_S, is_noted=True)
_LATE = FaultRule((*_LINK, IncidentKind.PART_LOST, IncidentKind.JAM), is_noted=True)
_OF_THE_LATE = dict.fromkeys(("slow-moves", "busy-block", "ok-behind-moves", "delay"), _LATE)

RULES: Mapping[str, FaultRule] = MappingProxyType(
    {name: (_OF_THE_TWIN | _OF_THE_LATE).get(name, _OF_THE_BOARD) for name in FAULTS}
)
"""By the fault's name."""
