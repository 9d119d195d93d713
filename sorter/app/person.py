"""The operator of ``sorter run``: a person who types, and what the options said is to be done without him.

Where nobody can type, the rig waits for nobody: what only a person could resolve ends the run.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sorter.app.errors import RigUnreachable
from sorter.cycle.incidents import Choice, IncidentKind
from sorter.errors import CommandRefused
from sorter.types import RigState

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.app.typed import Typed
    from sorter.types import Commands, Incident, Snapshot

_RUNNING = (RigState.RUNNING, RigState.PAUSING, RigState.PAUSED, RigState.STOPPING)
_BUSY = (RigState.CONNECTING, RigState.HOMING, RigState.JOGGING)


class Keyboard(Protocol):
    """Where lines come from."""

    @property
    def has_ended(self) -> bool:
        """Nobody will type any more, or ever could."""

    def lines(self) -> list[str]:
        """What was typed since the last call, without waiting."""


class Ending(enum.Enum):
    """Why a session is over."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    FAULT = "fault"
    UNRESOLVED = "unresolved"  # an incident is open that nobody was there to resolve


@dataclass(frozen=True)
class Wishes:
    """What is to be done without a word.

    Args:
        homes: home as soon as the rig is connected.
        starts: start as soon as it is homed.
        until_empty: an empty hopper is the end.
        parts: so many are enough; None for no end.
    """

    homes: bool = False
    starts: bool = False
    until_empty: bool = False
    parts: int | None = None


class Person:
    """See ``Operator``; ``interrupt`` may be called from a signal's handler.

    Args:
        commands: of the rig.
        typed: does what is typed.
        keyboard: where that comes from.
        wishes: what is to be done without it.
        say: shows answers.

    ``ending`` says why the session is over, once it is.
    """

    def __init__(
        self, commands: Commands, typed: Typed, keyboard: Keyboard, wishes: Wishes, say: Callable[[str], None]
    ) -> None:
        self._commands = commands
        self._typed = typed
        self._keyboard = keyboard
        self._wishes = wishes
        self._say = say
        self._has_homed = not wishes.homes
        self._has_started = not wishes.starts
        self._has_run = False
        self._was_connected = False
        self._interrupts = 0
        self._is_leaving = False
        self.ending = Ending.DONE

    def interrupt(self) -> None:
        """Ctrl-C: the first one ends the run after the part under way, the second one stops everything at once."""
        self._interrupts += 1
        if self._interrupts > 1:
            self._commands.emergency_stop()

    def attend(self, snapshot: Snapshot) -> bool:
        """See ``Operator``.

        Raises:
            RigUnreachable: board or camera could not be connected to begin with.
        """
        self._check_connection(snapshot)
        for line in self._keyboard.lines():
            answer = self._typed.do(line, snapshot)
            if answer:
                self._say(answer)
        if self._interrupts and not self._is_leaving:
            self._leave(Ending.INTERRUPTED)
        if self._typed.wants_to_quit and not self._is_leaving:
            self._leave(Ending.FAULT if snapshot.state is RigState.FAULT else Ending.DONE)
        try:
            self._act(snapshot)
        except CommandRefused:  # the rig has gone on since the snapshot was taken: there will be a newer one
            return False
        return self._is_leaving and self._may_leave(snapshot)

    def _act(self, snapshot: Snapshot) -> None:
        state = snapshot.state
        self._has_run = self._has_run or state in _RUNNING
        if self._is_leaving:
            if state in _RUNNING and state is not RigState.STOPPING:
                self._commands.stop()
            return
        if state is RigState.UNHOMED and not self._has_homed:
            self._has_homed = True
            self._commands.home()
        elif state is RigState.IDLE and not self._has_started:
            self._has_started = True
            self._commands.start()
        elif self._is_enough(snapshot):
            self._leave(Ending.DONE)
        elif self._keyboard.has_ended:
            self._act_alone(snapshot)

    def _is_enough(self, snapshot: Snapshot) -> bool:
        """Whether what the options ask for is reached."""
        if snapshot.state not in _RUNNING:
            return False
        is_empty = any(incident.kind == IncidentKind.HOPPER_EMPTY for incident in snapshot.incidents)
        if is_empty and (self._wishes.until_empty or self._keyboard.has_ended):
            return True
        run, most = snapshot.run, self._wishes.parts
        return most is not None and run is not None and run.part_count >= most

    def _act_alone(self, snapshot: Snapshot) -> None:
        """Nobody can type: what needs somebody is the end, and so is having nothing left to do."""
        if snapshot.state in (RigState.FAULT, RigState.ESTOPPED):
            self._leave(Ending.FAULT)
        elif _needs_somebody(snapshot):
            self._leave(Ending.UNRESOLVED)
        elif snapshot.state in (RigState.IDLE, RigState.UNHOMED) and self._has_nothing_left(snapshot.state):
            self._leave(Ending.DONE)

    def _has_nothing_left(self, state: RigState) -> bool:
        return self._has_homed and (self._has_started or state is RigState.UNHOMED)

    def _leave(self, ending: Ending) -> None:
        self._is_leaving = True
        self.ending = ending

    def _may_leave(self, snapshot: Snapshot) -> bool:
        """Whether the part under way is done, or nobody is there to help it to be."""
        if snapshot.state not in _RUNNING:
            return True
        return snapshot.state is RigState.STOPPING and self._keyboard.has_ended and _needs_somebody(snapshot)

    def _check_connection(self, snapshot: Snapshot) -> None:
        if snapshot.state not in (RigState.OFFLINE, RigState.CONNECTING):
            self._was_connected = True
        elif snapshot.state is RigState.OFFLINE and snapshot.state_reason and not self._was_connected:
            raise RigUnreachable(snapshot.state_reason)


def _needs_somebody(snapshot: Snapshot) -> bool:
    """Whether the rig waits for a person."""
    return any(incident.choices and not _waits_not(incident) for incident in snapshot.incidents)


def _waits_not(incident: Incident) -> bool:
    """The rig does not wait for what is only to be noted; and an empty hopper is the end of a run, not a want."""
    return Choice.NOTED in incident.choices or incident.kind == IncidentKind.HOPPER_EMPTY
