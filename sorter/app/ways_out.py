"""What the demo's operator does about each kind of incident, and what when that did not help.

Each kind has a ladder: a rung for the first time, one for when it comes again before a part was sorted, and so on; the
last one is for all further times. A rung has one way or several, of which chance takes one. A way is what a person
would do at the machine, in this order, and then the choice. docs/demo.md has the same table.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sorter.cycle.incidents import Choice, IncidentKind
from sorter.types.hands import (
    CLEAR_CHUTE,
    EMPTY_BINS,
    MEND_CAMERA,
    MEND_LIGHT,
    PLUG_IN,
    RESTORE_POWER,
    TAKE_PARTS,
    UNPLUG,
    WIPE_LENS,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

MOST_IN_A_ROW = 8
"""So often a kind may come without a part being sorted in between; then the operator gives up."""


class Way(NamedTuple):
    """A way out: what hands do first, and the choice."""

    choice: Choice
    hands: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words."""
        return ", ".join((*self.hands, self.choice))


Ladder = tuple[tuple[Way, ...], ...]

_CABLE_ANEW = Way(Choice.RECONNECT, (TAKE_PARTS, UNPLUG, PLUG_IN))
_RECONNECT: Ladder = (
    (Way(Choice.RECONNECT), Way(Choice.RECONNECT, (TAKE_PARTS,))),
    (Way(Choice.RECONNECT, (TAKE_PARTS, PLUG_IN)),),
    (_CABLE_ANEW,),
)
_NOTED: Ladder = ((Way(Choice.NOTED),),)

LADDERS: Mapping[IncidentKind, Ladder] = MappingProxyType(
    {
        IncidentKind.BOARD_RESET: _RECONNECT,
        IncidentKind.BOARD_HALTED: _RECONNECT,
        IncidentKind.LINK_LOST: _RECONNECT,
        IncidentKind.MOTOR_POWER_CUT: (
            (Way(Choice.RECONNECT, (RESTORE_POWER,)), Way(Choice.RECONNECT, (RESTORE_POWER, TAKE_PARTS))),
            (Way(Choice.RECONNECT, (RESTORE_POWER, TAKE_PARTS, UNPLUG, PLUG_IN)),),
        ),
        IncidentKind.CAMERA_LOST: (
            (Way(Choice.RECONNECT), Way(Choice.RECONNECT, (MEND_CAMERA,)), Way(Choice.RECONNECT, (MEND_LIGHT,))),
            (Way(Choice.RECONNECT, (MEND_CAMERA, MEND_LIGHT, TAKE_PARTS)),),
        ),
        IncidentKind.DISK_FULL: ((Way(Choice.FREED), Way(Choice.RECONNECT)),),
        IncidentKind.RIG_FAULT: (
            (Way(Choice.RECONNECT), Way(Choice.RECONNECT, (TAKE_PARTS,))),
            (Way(Choice.RECONNECT, (TAKE_PARTS, RESTORE_POWER)),),
            (Way(Choice.RECONNECT, (TAKE_PARTS, CLEAR_CHUTE, RESTORE_POWER, UNPLUG, PLUG_IN)),),
        ),
        IncidentKind.PROGRAM_ERROR: (),
        IncidentKind.EMERGENCY_STOP: ((Way(Choice.RESET),),),
        IncidentKind.CONFIRM_TABLE_EMPTY: (
            (Way(Choice.SWEEP_AGAIN), Way(Choice.EMPTY, (TAKE_PARTS,))),
            (Way(Choice.EMPTY, (TAKE_PARTS,)),),
            (Way(Choice.EMPTY, (MEND_LIGHT, WIPE_LENS, TAKE_PARTS)),),
        ),
        IncidentKind.NO_TABLE: (
            (Way(Choice.LOOK_AGAIN), Way(Choice.LOOK_AGAIN, (MEND_LIGHT,))),
            (Way(Choice.LOOK_AGAIN, (MEND_LIGHT,)),),
            (Way(Choice.LOOK_AGAIN, (MEND_LIGHT, WIPE_LENS, TAKE_PARTS)),),
        ),
        IncidentKind.LIGHT_CHANGED: (
            (
                Way(Choice.LOOK_AGAIN),
                Way(Choice.LOOK_AGAIN, (MEND_LIGHT,)),
                Way(Choice.LEARN_ANEW, (TAKE_PARTS,)),
                Way(Choice.LEARN_ANEW, (MEND_LIGHT, TAKE_PARTS)),
            ),
            (Way(Choice.LOOK_AGAIN, (MEND_LIGHT,)), Way(Choice.LEARN_ANEW, (MEND_LIGHT, TAKE_PARTS))),
            (Way(Choice.LEARN_ANEW, (MEND_LIGHT, WIPE_LENS, TAKE_PARTS)),),
        ),
        IncidentKind.STEPS_LOST: ((Way(Choice.HOME_AGAIN, (TAKE_PARTS,)), Way(Choice.NOTED)),),
        IncidentKind.HOPPER_EMPTY: (
            (Way(Choice.REFILLED),),
            (Way(Choice.REFILLED, (TAKE_PARTS, CLEAR_CHUTE)),),
        ),
        IncidentKind.NOTHING_ARRIVES: (
            (Way(Choice.FEED_AGAIN), Way(Choice.FEED_AGAIN, (TAKE_PARTS,))),
            (Way(Choice.FEED_AGAIN, (MEND_LIGHT, WIPE_LENS, TAKE_PARTS)),),
        ),
        IncidentKind.BIN_FULL: ((Way(Choice.EMPTIED, (EMPTY_BINS,)), Way(Choice.NOTED)),),
        IncidentKind.PART_STUCK: (
            (Way(Choice.PUSH_AGAIN), Way(Choice.TAKEN, (TAKE_PARTS,))),
            (Way(Choice.TAKEN, (TAKE_PARTS,)),),
            (Way(Choice.TAKEN, (MEND_LIGHT, WIPE_LENS, TAKE_PARTS)),),
        ),
        IncidentKind.PART_LOST: _NOTED,
        IncidentKind.JAM: (
            (Way(Choice.CLEARED, (CLEAR_CHUTE,)),),
            (Way(Choice.CLEARED, (CLEAR_CHUTE, TAKE_PARTS)),),
        ),
        IncidentKind.MODEL_REJECTED: _NOTED,
        IncidentKind.MOVE_REFUSED: _NOTED,
    }
)
"""Every kind. One without a rung has no way out."""


def way_out(kind: str, choices: tuple[str, ...], times: int, chance: random.Random) -> Way | None:
    """What to do when a kind comes for the ``times``-th time in a row, of what this incident offers; None: nothing.

    Raises:
        ValueError: the incident offers nothing that its ladder knows: a mistake in the program.
    """
    if not choices:
        return None
    ladder = LADDERS[IncidentKind(kind)]
    from_here = ladder[min(times, len(ladder)) - 1 :]
    for rung in (*from_here, *ladder):
        offered = [way for way in rung if way.choice in choices]
        if offered:
            return chance.choice(offered)
    raise ValueError(f"{kind} offers {', '.join(choices)}, and the operator knows of none of these")
