"""One part's way through the rig, again and again: states, loop, routing, incidents, and the commands to it all."""

from sorter.cycle.controller import Controller
from sorter.cycle.errors import CycleError, LoopStuck, NoSuchTransition
from sorter.cycle.incidents import INCIDENTS, Choice, IncidentKind
from sorter.cycle.states import RUN_STATES, TRANSITIONS, RigEvent

__all__ = [
    "INCIDENTS",
    "RUN_STATES",
    "TRANSITIONS",
    "Choice",
    "Controller",
    "CycleError",
    "IncidentKind",
    "LoopStuck",
    "NoSuchTransition",
    "RigEvent",
]
