"""What an operator has to know or resolve: the kinds that there are, and the ways out of each.

``docs/cycle.md`` has the same table; a test holds the two together.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class IncidentKind(enum.StrEnum):
    """Everything that can happen."""

    BOARD_RESET = "board reset"
    BOARD_HALTED = "board halted"
    LINK_LOST = "link lost"
    MOTOR_POWER_CUT = "motor power cut"
    CAMERA_LOST = "camera lost"
    DISK_FULL = "disk full"
    RIG_FAULT = "rig fault"
    PROGRAM_ERROR = "program error"
    EMERGENCY_STOP = "emergency stop"
    CONFIRM_TABLE_EMPTY = "confirm table empty"
    NO_TABLE = "no table"
    LIGHT_CHANGED = "light changed"
    STEPS_LOST = "steps lost"
    HOPPER_EMPTY = "hopper empty"
    NOTHING_ARRIVES = "nothing arrives"
    BIN_FULL = "bin full"
    PART_STUCK = "part stuck"
    PART_LOST = "part lost"
    JAM = "jam"
    MODEL_REJECTED = "model rejected"
    MOVE_REFUSED = "move refused"


class Choice(enum.StrEnum):
    """The ways out, as ``Commands.resolve`` takes them."""

    RECONNECT = "reconnect"
    RESET = "reset"
    EMPTY = "empty"
    SWEEP_AGAIN = "sweep again"
    LOOK_AGAIN = "look again"
    LEARN_ANEW = "learn anew"
    HOME_AGAIN = "home again"
    REFILLED = "refilled"
    FEED_AGAIN = "feed again"
    EMPTIED = "emptied"
    FREED = "freed"
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
        choices: each way out, with what follows from it; an incident may have only some of them.
        has_picture: what the camera saw last belongs to it.
    """

    cause: str
    does: str
    choices: Mapping[Choice, str]
    has_picture: bool = True


_RECONNECT = {Choice.RECONNECT: "connects board and camera anew; then the rig has to be homed"}
_NOTED = {Choice.NOTED: "takes the incident off the list"}
_STOPS = "stops; nothing more is sent; the part under way is broken off"

INCIDENTS: Mapping[IncidentKind, IncidentRule] = MappingProxyType(
    {
        IncidentKind.BOARD_RESET: IncidentRule(
            "the board started anew by itself: its supply or its cable, mostly", _STOPS, _RECONNECT
        ),
        IncidentKind.BOARD_HALTED: IncidentRule(
            "Marlin killed itself and says why: a switch that homing does not find, mostly", _STOPS, _RECONNECT
        ),
        IncidentKind.LINK_LOST: IncidentRule(
            "the board cannot be reached: its cable was pulled, it is silent, or the line is too bad",
            _STOPS,
            _RECONNECT,
        ),
        IncidentKind.MOTOR_POWER_CUT: IncidentRule(
            "the contact of the motors' switch says that they have no power",
            "stops; every axis is unhomed; the part under way is broken off",
            _RECONNECT,
        ),
        IncidentKind.CAMERA_LOST: IncidentRule(
            "no usable frame came, however often the camera was restarted",
            "stops; the part under way is broken off",
            _RECONNECT,
        ),
        IncidentKind.DISK_FULL: IncidentRule(
            "the disk with the ledger is nearly full, or is full already in the middle of a part",
            "nearly full: pauses before the next part; full: stops, and the part under way is broken off",
            {Choice.FREED: "looks at the disk anew, and feeds on if there is room", **_RECONNECT},
            has_picture=False,
        ),
        IncidentKind.RIG_FAULT: IncidentRule(
            "anything else that the rig cannot go on with: a ledger that cannot be written, a board that refuses a "
            "command or is not where it was sent",
            "stops; the part under way is broken off",
            _RECONNECT,
        ),
        IncidentKind.PROGRAM_ERROR: IncidentRule(
            "a mistake in the program",
            "stops for good; only a new start of the program helps",
            {},
            has_picture=False,
        ),
        IncidentKind.EMERGENCY_STOP: IncidentRule(
            "somebody pressed stop",
            "writes M112 at once; nothing more is sent; the part under way is broken off",
            {Choice.RESET: "resets the board and connects anew; then the rig has to be homed"},
        ),
        IncidentKind.CONFIRM_TABLE_EMPTY: IncidentRule(
            "the empty table is to be learnt, and somebody has to say that nothing lies on it",
            "waits",
            {Choice.EMPTY: "takes the pictures of the empty table", Choice.SWEEP_AGAIN: "sweeps once more, asks again"},
        ),
        IncidentKind.NO_TABLE: IncidentRule(
            "no table can be made out: a hand, a lamp that went out, a camera that was moved",
            "waits, and moves nothing",
            {Choice.LOOK_AGAIN: "looks anew"},
        ),
        IncidentKind.LIGHT_CHANGED: IncidentRule(
            "the empty table is much brighter, darker or of another tint than when it was learnt",
            "pauses before the next part",
            {
                Choice.LEARN_ANEW: "looks at the empty table from every angle and learns it; nothing may lie on it",
                Choice.LOOK_AGAIN: "looks anew, and feeds on if the light is as it was",
            },
        ),
        IncidentKind.STEPS_LOST: IncidentRule(
            "an axis does not stand where it should, by its switch or by the table's marks",
            "flags the parts since the last good look; the axis is unhomed; pauses before the next part, or has homed "
            "already where it was found at homing",
            {
                Choice.HOME_AGAIN: "homes that axis, learns an endless table anew, looks once more, feeds on",
                **_NOTED,
            },
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
            "a bin is full to four fifths or more; or one that the plan may need is full, and there is nothing else to "
            "put its parts into",
            "warns and goes on; pauses before the next part only if there is no room left; takes the warning back when "
            "the bin is emptied",
            {Choice.EMPTIED: "counts the named bins from 0; goes on", **_NOTED},
            has_picture=False,
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
        IncidentKind.JAM: IncidentRule(
            "several parts in a row were not seen in the chute, or its beam is broken before a part is pushed",
            "pauses, and pushes nothing",
            {Choice.CLEARED: "goes on"},
        ),
        IncidentKind.MODEL_REJECTED: IncidentRule(
            "a model that was to be used cannot be loaded, or does not go with the rig's rules",
            "goes on with the model that it has",
            _NOTED,
            has_picture=False,
        ),
        IncidentKind.MOVE_REFUSED: IncidentRule(
            "a jog, or the homing of one axis, that must not be",
            "moves nothing, or stops where it was",
            _NOTED,
            has_picture=False,
        ),
    }
)
"""Every kind, its cause, what the rig does by itself, and the ways out."""

FAULTS = (
    IncidentKind.BOARD_RESET,
    IncidentKind.BOARD_HALTED,
    IncidentKind.LINK_LOST,
    IncidentKind.MOTOR_POWER_CUT,
    IncidentKind.CAMERA_LOST,
    IncidentKind.DISK_FULL,
    IncidentKind.RIG_FAULT,
    IncidentKind.EMERGENCY_STOP,
)
"""Those that connecting anew resolves."""
