"""The incidents that are open, each of them a row in the records as well.

A recorder that cannot write, such as one whose disk is full, must not hide what it cannot write down: then the incident
is shown all the same, under a number below 0, and says that it is written down nowhere.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sorter.cycle.incidents import INCIDENTS, IncidentKind
from sorter.errors import SorterError
from sorter.types import Incident, IncidentId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sorter.cycle.incidents import Choice
    from sorter.types import Frame, PartId, Recorder

_ONE_AT_A_TIME = (IncidentKind.PART_LOST, IncidentKind.MODEL_REJECTED, IncidentKind.MOVE_REFUSED)


class OpenIncidents:
    """Oldest first. For one thread.

    Args:
        recorder: where they are written down.
        part: tells which part is under way.
        picture: gives what the camera saw last, if that is not long ago.
        now: tells the wall clock's time with zone.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        part: Callable[[], PartId | None] = lambda: None,
        picture: Callable[[], Frame | None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(tz=UTC),
    ) -> None:
        self._recorder = recorder
        self._part = part
        self._picture = picture
        self._now = now
        self._open: dict[IncidentId, Incident] = {}
        self._times: dict[IncidentId, int] = {}
        self._unwritten = 0
        self._unwritten_because: dict[IncidentId, str] = {}
        self._to_close: dict[IncidentId, Choice | None] = {}  # that could not be written down yet
        self._survived: type[Exception] = SorterError

    @property
    def all(self) -> tuple[Incident, ...]:
        """Oldest first."""
        return tuple(self._open.values())

    def open(self, kind: IncidentKind, message: str, choices: Sequence[Choice] | None = None) -> IncidentId:
        """Add one; a kind that needs nothing but a look is there once, and counts how often it happened.

        Args:
            kind: what happened.
            message: for a person.
            choices: its ways out, where they are not all of the kind's.
        """
        for known in self._open.values() if kind in _ONE_AT_A_TIME else ():
            if known.kind == kind:
                self._times[known.incident] += 1
                times = self._times[known.incident]
                self.update(known.incident, f"{message}\n(the last of {times} that nobody has noted yet)")
                return known.incident
        ways = tuple(str(each) for each in (INCIDENTS[kind].choices if choices is None else choices))
        picture = self._picture() if INCIDENTS[kind].has_picture else None
        try:
            number = self._recorder.open_incident(str(kind), message, ways, part=self._part(), picture=picture)
        except self._survived as error:
            self._unwritten += 1
            number = IncidentId(-self._unwritten)
            why = error.message if isinstance(error, SorterError) else f"{type(error).__name__}: {error}"
            self._unwritten_because[number] = f"\n(This is written down nowhere: {why}.)"
        shown = message + self._unwritten_because.get(number, "")
        self._open[number] = Incident(number, str(kind), self._now(), shown, ways)
        self._times[number] = 1
        return number

    def update(self, incident: IncidentId, message: str) -> None:
        """There is more to say; harmless if it is not on the list."""
        known = self._open.get(incident)
        if known is None:
            return
        shown = message + self._unwritten_because.get(incident, "")
        self._open[incident] = replace(known, message=shown, happened_at=self._now())
        if incident > 0:
            try:
                self._recorder.update_incident(incident, message)
            except self._survived:  # that it is open is written down; whoever looks at the list sees the rest
                return

    def close(self, incident: IncidentId, choice: Choice | None = None) -> None:
        """Take one off the list, by a choice or by itself; harmless if it is not on it."""
        if self._open.pop(incident, None) is None:
            return
        del self._times[incident]
        self._unwritten_because.pop(incident, None)
        if incident > 0:
            self._to_close[incident] = choice
        self._write_closed()

    def close_all(self, *kinds: IncidentKind) -> None:
        """Take all of these kinds off the list: they are over by themselves."""
        for each in self.all:
            if each.kind in kinds:
                self.close(each.incident)

    def survive(self) -> None:
        """From now on nothing that the recorder raises matters: a mistake in the program is to be told."""
        self._survived = Exception

    def _write_closed(self) -> None:
        """What could not be written down before is tried again with the next one."""
        while self._to_close:
            incident, choice = next(iter(self._to_close.items()))
            try:
                self._recorder.close_incident(incident, None if choice is None else str(choice))
            except self._survived:
                return
            del self._to_close[incident]
