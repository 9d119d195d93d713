"""A running rig as a person at a terminal sees it: a line for each thing, or a picture (``live_screen``)."""

from __future__ import annotations

import collections
import queue
from typing import TYPE_CHECKING, Protocol

from rich.console import Console

from sorter.types import RejectReason, RigState

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from sorter.types import Incident, PartSummary, Snapshot


class Screen(Protocol):
    """Shows how a rig does; ``say`` may be called from any thread."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the newest snapshot."""

    def say(self, text: str) -> None:
        """Show an answer or a note."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the terminal as it was, with the last picture on it."""


def make_screen(*, is_quiet: bool, title: str, typed: Callable[[], str] | None = None) -> Screen:
    """A picture on a terminal, lines elsewhere; nothing but incidents and notes if ``is_quiet``.

    Args:
        is_quiet: show little.
        title: what it is.
        typed: gives what is being typed, to be shown in the picture; None where nothing can be.
    """
    stderr = Console(stderr=True)
    if is_quiet or not stderr.is_terminal:
        return LineScreen(stderr, is_quiet=is_quiet)
    from sorter.cli.live_screen import LiveScreen  # it takes words of this file

    return LiveScreen(stderr, title, typed)


class LineScreen:
    """A line for each change of state, part and incident."""

    def __init__(self, console: Console, *, is_quiet: bool = False) -> None:
        self._console = console
        self._is_quiet = is_quiet
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._state: RigState | None = None
        self._told_parts: collections.deque[int] = collections.deque(maxlen=200)
        self._told_incidents: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._print_said()

    def say(self, text: str) -> None:
        """See ``Screen``."""
        self._said.put(text)

    def show(self, snapshot: Snapshot) -> None:
        """See ``Screen``."""
        self._print_said()
        for incident in snapshot.incidents:
            if incident.incident not in self._told_incidents:
                self._told_incidents.add(incident.incident)
                self._print(incident_line(incident))
        if self._is_quiet:
            return
        for part in reversed(snapshot.recent_parts):
            if part.outcome is not None and part.part not in self._told_parts:
                self._told_parts.append(part.part)
                self._print(_part_line(part))
        if snapshot.state is not self._state:
            self._state = snapshot.state
            self._print(f"{snapshot.state}" + (f": {snapshot.state_reason}" if snapshot.state_reason else ""))

    def _print_said(self) -> None:
        while not self._said.empty():
            self._print(self._said.get())

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def taken_for(part: PartSummary) -> str:
    """Its class, or why it is rejected."""
    decision = part.decision
    return decision.class_name if decision.class_name is not None else f"rejected, {decision.reject_reason}"


def sure_of(part: PartSummary) -> str:
    """How probable the class is; empty where that is no reason to believe it, as for a part of no known kind."""
    decision = part.decision
    if decision.posterior is None or decision.reject_reason is RejectReason.UNKNOWN_PART:
        return ""
    return f"{decision.posterior.ranked[0][1]:.1%}"


def outcome_of(part: PartSummary) -> str:
    """What became of it, so far."""
    return "under way" if part.outcome is None else str(part.outcome.kind)


def _part_line(part: PartSummary) -> str:
    decision = part.decision
    sure = f", {sure_of(part)}" if sure_of(part) else ""
    colour = "" if decision.colour is None else f", {decision.colour.name}"
    where = part.outcome.bin if part.outcome is not None and part.outcome.bin is not None else part.intended_bin
    return (
        f"part {part.part}: {taken_for(part)}{sure}{colour}, {decision.view_count} views → {where}, {outcome_of(part)}"
    )


def incident_line(incident: Incident) -> str:
    """All that there is to say of it, with its ways out."""
    ways = f"  →  {', '.join(incident.choices)}" if incident.choices else ""
    return f"incident {incident.incident}, {incident.kind}: {incident.message}{ways}"
