"""The states of the rig and what leads from one to another: one table, and nothing else decides. Pure.

``docs/cycle.md`` draws the same table; a test holds the two together.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from sorter.cycle.errors import NoSuchTransition
from sorter.types import RigState

if TYPE_CHECKING:
    from collections.abc import Mapping


class RigEvent(enum.StrEnum):
    """What can happen to a rig: commands, and what the rig meets by itself."""

    CONNECT = "connect"  # the rig tries by itself
    CONNECTED = "connected"
    NO_CONNECTION = "no connection"
    HOME = "home"
    JOG = "jog"
    READY = "ready"  # motion is over, every axis is homed and the table is known to be empty
    UNSURE = "unsure"  # motion is over, and one of these is not so
    START = "start"
    PAUSE = "pause"
    HOLD = "hold"  # the rig pauses by itself: an operator has to do something first
    RESUME = "resume"
    STOP = "stop"
    PART_DONE = "part done"  # no part is under way any more
    FAIL = "fail"
    RECONNECT = "reconnect"  # the operator's way out of a fault
    EMERGENCY_STOP = "emergency stop"
    RESET = "reset"  # the operator's way out of an emergency stop


_ORDINARY: Mapping[RigState, Mapping[RigEvent, RigState]] = {
    RigState.OFFLINE: {RigEvent.CONNECT: RigState.CONNECTING},
    RigState.CONNECTING: {
        RigEvent.CONNECTED: RigState.UNHOMED,
        RigEvent.NO_CONNECTION: RigState.OFFLINE,
    },
    RigState.UNHOMED: {RigEvent.HOME: RigState.HOMING, RigEvent.JOG: RigState.JOGGING},
    RigState.HOMING: {RigEvent.READY: RigState.IDLE, RigEvent.UNSURE: RigState.UNHOMED},
    RigState.IDLE: {
        RigEvent.HOME: RigState.HOMING,
        RigEvent.JOG: RigState.JOGGING,
        RigEvent.START: RigState.RUNNING,
    },
    RigState.JOGGING: {RigEvent.READY: RigState.IDLE, RigEvent.UNSURE: RigState.UNHOMED},
    RigState.CAPTURING: {},
    RigState.RUNNING: {
        RigEvent.PAUSE: RigState.PAUSING,
        RigEvent.HOLD: RigState.PAUSED,
        RigEvent.STOP: RigState.STOPPING,
    },
    RigState.PAUSING: {
        RigEvent.PART_DONE: RigState.PAUSED,
        RigEvent.RESUME: RigState.RUNNING,
        RigEvent.STOP: RigState.STOPPING,
    },
    RigState.PAUSED: {RigEvent.RESUME: RigState.RUNNING, RigEvent.STOP: RigState.STOPPING},
    RigState.STOPPING: {RigEvent.PART_DONE: RigState.IDLE, RigEvent.UNSURE: RigState.UNHOMED},
    RigState.FAULT: {RigEvent.RECONNECT: RigState.CONNECTING},
    RigState.ESTOPPED: {RigEvent.RESET: RigState.CONNECTING},
}
CAN_FAIL = frozenset(RigState) - {RigState.OFFLINE, RigState.CONNECTING, RigState.ESTOPPED}


def _with_stops(state: RigState, ordinary: Mapping[RigEvent, RigState]) -> dict[RigEvent, RigState]:
    fails = {RigEvent.FAIL: RigState.FAULT} if state in CAN_FAIL else {}
    return {**ordinary, **fails, RigEvent.EMERGENCY_STOP: RigState.ESTOPPED}


TRANSITIONS: Mapping[tuple[RigState, RigEvent], RigState] = MappingProxyType(
    {
        (state, event): target
        for state, ordinary in _ORDINARY.items()
        for event, target in _with_stops(state, ordinary).items()
    }
)
"""State and event to the next state. What is not here does not happen."""

RUN_STATES = frozenset({RigState.RUNNING, RigState.PAUSING, RigState.PAUSED, RigState.STOPPING})
"""The states of a run."""

_REMEDIES = {
    RigState.OFFLINE: "Wait until the board and the camera are found; the reason stands beside the state.",
    RigState.CONNECTING: "Wait until the board and the camera are connected.",
    RigState.UNHOMED: "Home the rig first.",
    RigState.HOMING: "Wait until homing is over; look whether it asks for something.",
    RigState.IDLE: "Start a run first.",
    RigState.JOGGING: "Wait until the axis stands.",
    RigState.CAPTURING: "Wait until the pictures are taken.",
    RigState.RUNNING: "Stop the run first.",
    RigState.PAUSING: "Wait until the part under way is done.",
    RigState.PAUSED: "Resume or stop the run first.",
    RigState.STOPPING: "Wait until the part under way is done.",
    RigState.FAULT: "Resolve the open incident first.",
    RigState.ESTOPPED: "Make sure that the machine is safe, then resolve the emergency stop with: reset.",
}


def after(state: RigState, event: RigEvent) -> RigState:
    """The state that ``event`` leads to.

    Raises:
        NoSuchTransition: the table has none; a ``CommandRefused`` that says from which states there is one.
    """
    target = TRANSITIONS.get((state, event))
    if target is None:
        sources = ", ".join(each for each in RigState if (each, event) in TRANSITIONS)
        raise NoSuchTransition(
            f"{event!s} is not possible while the rig is {state!s}, only from: {sources}", remedy=_REMEDIES[state]
        )
    return target
