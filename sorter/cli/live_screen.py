"""A picture of a running rig on a terminal, kept up to date.

What needs a person is always in sight: incidents with their ways out, what was said last, and what is being typed. The
rows that are left go to the last parts and to the bins; what does not fit there is counted.
"""

from __future__ import annotations

import collections
import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sorter.cli.run_screen import incident_line, outcome_of, sure_of, taken_for
from sorter.types import OutcomeKind, RigState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from rich.console import Console, RenderableType

    from sorter.types import BinStatus, PartSummary, Snapshot

_MOST_PARTS, _LEAST_PARTS = 8, 3
_SAID_SHOWN = 6
_BAR_CELLS = 16
_WIDE = 76  # columns from which bins stand side by side, and parts with all that is known of them
_REFRESH_S = 0.12  # drawing takes time that the loop could use, and nobody reads faster
_STYLES = {
    RigState.RUNNING: "bold green",
    RigState.FAULT: "bold red",
    RigState.ESTOPPED: "bold red",
    RigState.OFFLINE: "bold yellow",
    RigState.PAUSED: "bold yellow",
}


class LiveScreen:
    """A ``Screen``: state, last parts, bins, incidents, what was said, what is being typed."""

    def __init__(self, console: Console, title: str, typed: Callable[[], str] | None) -> None:
        self._console = console
        self._title = title
        self._typed = typed
        self._said: collections.deque[str] = collections.deque(maxlen=_SAID_SHOWN)
        self._live = Live(console=console, auto_refresh=False, transient=False, vertical_overflow="crop")
        self._newest: Snapshot | None = None
        self._drawn_s = -_REFRESH_S

    def __enter__(self) -> Self:
        self._live.start()
        self._live.update(Text(f"{self._title}  starting"), refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._draw()
        self._live.stop()
        self._console.print()

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
        first: list[RenderableType] = [*self._head(snapshot), _axes(snapshot)]
        last = self._needs_a_person(snapshot)
        rows = self._console.height - 1 - self._rows(*first, *last)
        columns = 2 if self._console.width >= _WIDE else 1
        wanted = 1 + -(-len(snapshot.bins) // columns) if snapshot.bins else 0
        parts = min(_MOST_PARTS, max(_LEAST_PARTS, rows - wanted - 2), max(0, rows - 2), len(snapshot.recent_parts))
        if parts:
            first += [Text(""), _parts_table(snapshot.recent_parts[:parts], is_wide=self._console.width >= _WIDE)]
            rows -= parts + 2
        if snapshot.bins and rows >= 2:
            first += [Text(""), *_bins(snapshot.bins, rows - 1, columns)]
        return Group(*first, *last)

    def _needs_a_person(self, snapshot: Snapshot) -> list[RenderableType]:
        shown: list[RenderableType] = []
        if snapshot.incidents:
            shown += [Text(""), *(Text(incident_line(each), style="bold red") for each in snapshot.incidents)]
        if self._said:
            said = tuple(self._said)[-max(1, self._console.height // 5) :]
            shown += [Text(""), *(Text(line, style="dim") for line in said)]
        if self._typed is not None:
            shown.append(Text.assemble(("> ", "bold"), self._typed(), ("▏", "blink"), ("   help, quit", "dim")))
        return shown

    def _rows(self, *shown: RenderableType) -> int:
        return sum(len(self._console.render_lines(each, pad=False)) for each in shown)

    def _head(self, snapshot: Snapshot) -> list[Text]:
        head = Text.assemble(
            (self._title, "bold"), "  ", (str(snapshot.state).upper(), _STYLES.get(snapshot.state, "bold"))
        )
        run = snapshot.run
        if run is not None:
            head.append(f"  {run.part_count} parts, {run.reject_count} rejected, {run.parts_per_minute:.1f} a minute")
        if snapshot.model is not None:
            head.append(f"  {snapshot.model}", style="dim")
        return [head, Text(snapshot.state_reason, style="yellow")] if snapshot.state_reason else [head]


def _axes(snapshot: Snapshot) -> Text:
    angles = [
        f"{axis.name} {axis.position_deg:.1f}°" if axis.is_homed else f"{axis.name} not homed" for axis in snapshot.axes
    ]
    return Text("   ".join(angles), style="dim")


def _parts_table(parts: Sequence[PartSummary], *, is_wide: bool) -> Table:
    """A row for each, never two."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    names = ("part", "taken for", "sure", "colour", "views", "bin", "outcome")
    for name in names if is_wide else (name for name in names if name not in ("colour", "views")):
        justify = "right" if name in ("part", "sure", "views") else "left"
        table.add_column(name, justify=justify, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    for part in parts:
        decision, outcome = part.decision, outcome_of(part)
        colour = "" if decision.colour is None else decision.colour.name
        taken = Text(taken_for(part), style="" if decision.class_name is not None else "yellow")
        fate = Text(outcome, style="dim" if outcome in ("under way", str(OutcomeKind.CONFIRMED)) else "red")
        more = (colour, str(decision.view_count)) if is_wide else ()
        table.add_row(str(part.part), taken, sure_of(part), *more, part.intended_bin, fate)
    return table


def _bins(bins: Sequence[BinStatus], rows: int, columns: int) -> list[RenderableType]:
    """All bins in their order; if there is no room for that, the fullest, and how many more there are."""
    if len(bins) > rows * columns:
        shown = sorted(bins, key=lambda each: each.part_count / each.capacity, reverse=True)[: (rows - 1) * columns]
        left = f"and {len(bins) - len(shown)} bins that are less full"
        return [*([_bins_table(shown, columns)] if shown else []), Text(left, style="dim")]
    return [_bins_table(bins, columns)]


def _bins_table(bins: Sequence[BinStatus], columns: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    rows = -(-len(bins) // columns)
    for row in range(rows):
        cells: list[RenderableType] = []
        for each in bins[row::rows]:
            share = min(1.0, each.part_count / each.capacity)
            filled = round(share * _BAR_CELLS)
            bar = Text.assemble(
                ("█" * filled, "red" if share >= 1.0 else "green"), ("░" * (_BAR_CELLS - filled), "dim")
            )
            cells += [Text(each.label[:16], style="bold"), bar, f"{each.part_count}/{each.capacity}"]
        table.add_row(*cells)
    return table
