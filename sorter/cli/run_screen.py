"""A running rig as a person at a terminal sees it: a picture that is kept up to date, or a line for each thing."""

from __future__ import annotations

import collections
import queue
import time
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sorter.types import OutcomeKind, RigState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from rich.console import RenderableType

    from sorter.types import BinStatus, Incident, PartSummary, Snapshot

_PARTS_SHOWN = 8
_SAID_SHOWN = 6
_BAR_CELLS = 16
_REFRESH_S = 0.12  # drawing takes time that the loop could use, and nobody reads faster
_STYLES = {
    RigState.RUNNING: "bold green",
    RigState.FAULT: "bold red",
    RigState.ESTOPPED: "bold red",
    RigState.OFFLINE: "bold yellow",
    RigState.PAUSED: "bold yellow",
}


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
                self._print(_incident_line(incident))
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


class LiveScreen:
    """A picture: state, last parts, bins, incidents, what was said, what is being typed."""

    def __init__(self, console: Console, title: str, typed: Callable[[], str] | None) -> None:
        self._console = console
        self._title = title
        self._typed = typed
        self._said: collections.deque[str] = collections.deque(maxlen=_SAID_SHOWN)
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._newest: Snapshot | None = None
        self._drawn_s = -_REFRESH_S

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._draw()
        self._live.stop()

    def say(self, text: str) -> None:
        """See ``Screen``."""
        self._said.extend(text.splitlines())

    def show(self, snapshot: Snapshot) -> None:
        """See ``Screen``."""
        self._newest = snapshot
        if time.monotonic() >= self._drawn_s + _REFRESH_S:
            self._draw()

    def _draw(self) -> None:
        self._drawn_s = time.monotonic()
        if self._newest is not None:
            self._live.update(self._picture(self._newest), refresh=True)

    def _picture(self, snapshot: Snapshot) -> RenderableType:
        shown: list[RenderableType] = [self._head(snapshot), _axes(snapshot)]
        if snapshot.recent_parts:
            shown += [Text(""), _parts_table(snapshot.recent_parts[:_PARTS_SHOWN])]
        if snapshot.bins:
            shown += [Text(""), _bins_table(snapshot.bins, columns=2 if self._console.width >= 2 * 38 else 1)]
        if snapshot.incidents:
            shown.append(Text(""))
            shown += [Text(_incident_line(each), style="bold red") for each in snapshot.incidents]
        if self._said:
            shown += [Text(""), *(Text(line, style="dim") for line in tuple(self._said))]
        if self._typed is not None:
            shown.append(Text.assemble(("> ", "bold"), self._typed(), ("▏", "blink"), ("   help, quit", "dim")))
        return Group(*shown)

    def _head(self, snapshot: Snapshot) -> Text:
        head = Text.assemble(
            (self._title, "bold"), "  ", (str(snapshot.state).upper(), _STYLES.get(snapshot.state, "bold"))
        )
        run = snapshot.run
        if run is not None:
            head.append(f"  {run.part_count} parts, {run.reject_count} rejected, {run.parts_per_minute:.1f} a minute")
        if snapshot.model is not None:
            head.append(f"  {snapshot.model}", style="dim")
        if snapshot.state_reason:
            head.append(f"\n{snapshot.state_reason}", style="yellow")
        return head


def _axes(snapshot: Snapshot) -> Text:
    angles = [
        f"{axis.name} {axis.position_deg:.1f}°" if axis.is_homed else f"{axis.name} not homed" for axis in snapshot.axes
    ]
    return Text("   ".join(angles), style="dim")


def _parts_table(parts: Iterable[PartSummary]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("part", justify="right")
    for name in ("taken for", "sure", "colour", "views", "bin", "outcome"):
        table.add_column(name, justify="right" if name in ("sure", "views") else "left")
    for part in parts:
        decision = part.decision
        sure = "" if decision.posterior is None else f"{decision.posterior.ranked[0][1]:.1%}"
        colour = "" if decision.colour is None else decision.colour.name
        style = "" if decision.class_name is not None else "yellow"
        outcome = _outcome(part)
        table.add_row(
            str(part.part),
            Text(_taken_for(part), style=style),
            sure,
            colour,
            str(decision.view_count),
            part.intended_bin,
            Text(outcome, style="red" if outcome not in ("under way", str(OutcomeKind.CONFIRMED)) else "dim"),
        )
    return table


def _bins_table(bins: tuple[BinStatus, ...], columns: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    rows = -(-len(bins) // columns)
    for row in range(rows):
        cells: list[RenderableType] = []
        for bin_ in bins[row::rows]:
            share = min(1.0, bin_.part_count / bin_.capacity)
            filled = round(share * _BAR_CELLS)
            bar = Text.assemble(
                ("█" * filled, "red" if share >= 1.0 else "green"), ("░" * (_BAR_CELLS - filled), "dim")
            )
            cells += [Text(bin_.label[:16], style="bold"), bar, f"{bin_.part_count}/{bin_.capacity}"]
        table.add_row(*cells)
    return table


def _taken_for(part: PartSummary) -> str:
    decision = part.decision
    return decision.class_name if decision.class_name is not None else f"rejected, {decision.reject_reason}"


def _outcome(part: PartSummary) -> str:
    return "under way" if part.outcome is None else str(part.outcome.kind)


def _part_line(part: PartSummary) -> str:
    decision = part.decision
    sure = "" if decision.posterior is None else f", {decision.posterior.ranked[0][1]:.1%}"
    colour = "" if decision.colour is None else f", {decision.colour.name}"
    where = part.outcome.bin if part.outcome is not None and part.outcome.bin is not None else part.intended_bin
    return (
        f"part {part.part}: {_taken_for(part)}{sure}{colour}, {decision.view_count} views → {where}, {_outcome(part)}"
    )


def _incident_line(incident: Incident) -> str:
    ways = f"  →  {', '.join(incident.choices)}" if incident.choices else ""
    return f"incident {incident.incident}, {incident.kind}: {incident.message}{ways}"
