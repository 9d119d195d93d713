"""What an operator has to know or resolve: the kinds there are, and those that are open.

``docs/cycle.md`` has the same table; a test holds the two together.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from sorter.types import Incident, IncidentId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class IncidentKind(enum.StrEnum):
    """Everything that can happen."""

    BOARD_LOST = "board lost"
    CAMERA_LOST = "camera lost"
    MOTOR_POWER_CUT = "motor power cut"
    RIG_FAULT = "rig fault"
    PROGRAM_ERROR = "program error"
    EMERGENCY_STOP = "emergency stop"
    CONFIRM_TABLE_EMPTY = "confirm table empty"
    NO_TABLE = "no table"
    HOPPER_EMPTY = "hopper empty"
    NOTHING_ARRIVES = "nothing arrives"
    BIN_FULL = "bin full"
    PART_STUCK = "part stuck"
    PART_LOST = "part lost"
    CHUTE_BLOCKED = "chute blocked"
    MOVE_REFUSED = "move refused"


class Choice(enum.StrEnum):
    """The ways out, as ``Commands.resolve`` takes them."""

    RECONNECT = "reconnect"
    RESET = "reset"
    EMPTY = "empty"
    SWEEP_AGAIN = "sweep again"
    LOOK_AGAIN = "look again"
    REFILLED = "refilled"
    FEED_AGAIN = "feed again"
    EMPTIED = "emptied"
    TAKEN = "taken"
    PUSH_AGAIN = "push again"
    CLEARED = "cleared"
    NOTED = "noted"


@dataclass(frozen=True)
class IncidentRule:
    """One kind of incident.

    Args:
        cause: what leads to it.
        does: what the rig does by itself.
        choices: each way out, with what follows from it.
    """

    cause: str
    does: str
    choices: Mapping[Choice, str]


_RECONNECT = {Choice.RECONNECT: "connects board and camera anew; then the rig has to be homed"}
_NOTED = {Choice.NOTED: "takes the incident off the list"}

INCIDENTS: Mapping[IncidentKind, IncidentRule] = MappingProxyType(
    {
        IncidentKind.BOARD_LOST: IncidentRule(
            "the board does not answer, was reset, halted itself, or is not where it was sent",
            "stops; nothing more is sent; the part under way is broken off",
            _RECONNECT,
        ),
        IncidentKind.CAMERA_LOST: IncidentRule(
            "no usable frame came, however often the camera was restarted",
            "stops; the part under way is broken off",
            _RECONNECT,
        ),
        IncidentKind.MOTOR_POWER_CUT: IncidentRule(
            "the contact of the motors' switch says that they have no power",
            "stops; every axis is unhomed; the part under way is broken off",
            _RECONNECT,
        ),
        IncidentKind.RIG_FAULT: IncidentRule(
            "anything else that the rig cannot go on with, such as a ledger that cannot be written",
            "stops; the part under way is broken off",
            _RECONNECT,
        ),
        IncidentKind.PROGRAM_ERROR: IncidentRule(
            "a mistake in the program",
            "stops for good; only a new start of the program helps",
            {},
        ),
        IncidentKind.EMERGENCY_STOP: IncidentRule(
            "somebody pressed stop",
            "writes M112 at once; nothing more is sent; the part under way is broken off",
            {Choice.RESET: "resets the board and connects anew; then the rig has to be homed"},
        ),
        IncidentKind.CONFIRM_TABLE_EMPTY: IncidentRule(
            "homing: the table was swept, and somebody has to say that nothing lies on it",
            "waits",
            {Choice.EMPTY: "takes the pictures of the empty table", Choice.SWEEP_AGAIN: "sweeps once more, asks again"},
        ),
        IncidentKind.NO_TABLE: IncidentRule(
            "no table can be made out: a hand, a lamp that went out, a camera that was moved",
            "waits, and moves nothing",
            {Choice.LOOK_AGAIN: "looks anew"},
        ),
        IncidentKind.HOPPER_EMPTY: IncidentRule(
            "several tries in a row brought no part",
            "switches the feeder off and pauses",
            {Choice.REFILLED: "feeds on"},
        ),
        IncidentKind.NOTHING_ARRIVES: IncidentRule(
            "several times in a row the beam said that a part dropped, and the table stayed empty",
            "switches the feeder off and pauses",
            {Choice.FEED_AGAIN: "feeds on"},
        ),
        IncidentKind.BIN_FULL: IncidentRule(
            "a bin that the plan may need is full, and so is the overflow, or there is none",
            "pauses before the next part",
            {Choice.EMPTIED: "counts the named bins from 0 and goes on"},
        ),
        IncidentKind.PART_STUCK: IncidentRule(
            "the part still lies on the table after all pushes",
            "pauses with the part under way",
            {
                Choice.PUSH_AGAIN: "pushes as often once more",
                Choice.TAKEN: "the part's outcome is stuck; goes on",
            },
        ),
        IncidentKind.PART_LOST: IncidentRule(
            "the part left the table unseen by the sensor in the chute, or it vanished while it was looked at",
            "the part's outcome is lost; goes on",
            _NOTED,
        ),
        IncidentKind.CHUTE_BLOCKED: IncidentRule(
            "several parts in a row were not seen in the chute, or its beam is broken before a part is pushed",
            "pauses, and pushes nothing",
            {Choice.CLEARED: "goes on"},
        ),
        IncidentKind.MOVE_REFUSED: IncidentRule(
            "a jog, or the homing of one axis, that must not be",
            "moves nothing, or stops where it was",
            _NOTED,
        ),
    }
)
"""Every kind, its cause, what the rig does by itself, and the ways out."""

FAULTS = (
    IncidentKind.BOARD_LOST,
    IncidentKind.CAMERA_LOST,
    IncidentKind.MOTOR_POWER_CUT,
    IncidentKind.RIG_FAULT,
    IncidentKind.EMERGENCY_STOP,
)
"""Those that connecting anew resolves."""

_ONE_AT_A_TIME = (IncidentKind.PART_LOST, IncidentKind.MOVE_REFUSED)


class OpenIncidents:
    """Those that are open, oldest first. For one thread; ``now`` tells the wall clock's time with zone."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(tz=UTC)) -> None:
        self._now = now
        self._open: dict[IncidentId, Incident] = {}
        self._times: dict[IncidentId, int] = {}
        self._last = 0

    @property
    def all(self) -> tuple[Incident, ...]:
        """Oldest first."""
        return tuple(self._open.values())

    def open(self, kind: IncidentKind, message: str) -> IncidentId:
        """Add one; a kind that needs nothing but a look is there once, and counts how often it happened."""
        for known in self._open.values() if kind in _ONE_AT_A_TIME else ():
            if known.kind == kind:
                self._times[known.incident] += 1
                text = f"{message}\n(the last of {self._times[known.incident]} that nobody has noted yet)"
                self._open[known.incident] = replace(known, message=text, happened_at=self._now())
                return known.incident
        self._last += 1
        number = IncidentId(self._last)
        choices = tuple(str(choice) for choice in INCIDENTS[kind].choices)
        self._open[number] = Incident(number, str(kind), self._now(), message, choices)
        self._times[number] = 1
        return number

    def close(self, incident: IncidentId) -> None:
        """Take one off the list; harmless if it is not on it."""
        self._open.pop(incident, None)
        self._times.pop(incident, None)

    def close_all(self, *kinds: IncidentKind) -> None:
        """Take all of these kinds off the list."""
        for each in self.all:
            if each.kind in kinds:
                self.close(each.incident)
