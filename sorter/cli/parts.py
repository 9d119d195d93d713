"""``sorter parts``: every part and what became of it, and what a person says of one afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sorter.cli.console import JsonOption, report
from sorter.cli.ledger_common import (
    BY,
    LIMIT,
    AfterOption,
    ByOption,
    ConfigOption,
    LimitOption,
    StateOption,
    check_alone,
    check_bins,
    going_on,
    source_of,
    table,
    written,
)
from sorter.cli.part_report import LIST_HEAD, list_cells, part_data, say_csv, tell
from sorter.types import OutcomeKind, RejectReason

if TYPE_CHECKING:
    from sorter.ledger import LedgerReader, Page, PartDetails, PartFilter, PartRow

app = typer.Typer(help="Every part, and what became of it.", invoke_without_command=True)

_PAGE = 1000  # rows, where all are wanted
_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]

PartArgument = Annotated[int, typer.Argument(min=1, help="The part's number.")]


@app.callback()
def parts(
    context: typer.Context,
    *,
    run: Annotated[int | None, typer.Option("--run", min=1, help="Of this run.")] = None,
    class_: Annotated[str | None, typer.Option("--class", help="Of this class, by the present record.")] = None,
    bin_: Annotated[str | None, typer.Option("--bin", help="That fell into this bin.")] = None,
    present: Annotated[bool, typer.Option("--present", help="With --bin: since it was emptied.")] = False,
    colour: Annotated[str | None, typer.Option("--colour", help="Of this LEGO colour, such as 'Dark Red'.")] = None,
    rejected: Annotated[RejectReason | None, typer.Option("--rejected", help="Rejected for this reason.")] = None,
    outcome: Annotated[OutcomeKind | None, typer.Option("--outcome", help="Of which this became.")] = None,
    suspect: Annotated[
        bool | None, typer.Option("--suspect/--not-suspect", help="That may have fallen elsewhere, or not.")
    ] = None,
    least: Annotated[
        float | None, typer.Option("--least", min=0, max=1, help="With this probability or more; the least sure first.")
    ] = None,
    most: Annotated[
        float | None, typer.Option("--most", min=0, max=1, help="With this probability or less; the least sure first.")
    ] = None,
    since: Annotated[datetime | None, typer.Option("--since", formats=_TIMES, help="Finished from then on.")] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=_TIMES, help="Finished before then.")] = None,
    after: AfterOption = None,
    limit: LimitOption = LIMIT,
    every: Annotated[bool, typer.Option("--all", help="With --csv: every page.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As a table for other programs, on stdout.")] = False,
    config: ConfigOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """List parts, newest first; all that is asked for must hold. Times are those of this machine's time zone."""
    from sorter.ledger import PartFilter, open_reader
    from sorter.types import BinId, RunId

    if not check_alone(context):
        return
    if csv and json:
        raise typer.BadParameter("one of --csv and --json", param_hint="--csv")
    if every and not csv:
        raise typer.BadParameter("goes with --csv", param_hint="--all")
    if present and bin_ is None:
        raise typer.BadParameter("goes with --bin", param_hint="--present")
    wanted = PartFilter(
        run=None if run is None else RunId(run),
        class_name=class_,
        bin=None if bin_ is None else BinId(bin_),
        is_in_bin=present,
        colour=colour,
        reject_reason=rejected,
        outcome=outcome,
        is_suspect=suspect,
        probability_from=least,
        probability_to=most,
        finished_from=None if since is None else since.astimezone(),
        finished_to=None if until is None else until.astimezone(),
    )
    source = source_of(config, state)
    with open_reader(source.ledger) as reader:
        if bin_ is not None:
            check_bins(source, reader, [bin_])
        pages = _pages(reader, wanted, after, _PAGE if every else limit, is_every=every)
        if csv:
            say_csv(pages)
            return
        rows, following = _filled(reader, wanted, after, limit)
    lines = table(LIST_HEAD, [list_cells(each) for each in rows]) if rows else ["no such parts"]
    data = {"parts": [part_data(each) for each in rows], "next": following}
    report(data, "\n".join([*lines, *going_on(following)]))


@app.command()
def show(
    part: PartArgument, *, config: ConfigOption = None, state: StateOption = None, json: JsonOption = False
) -> None:
    """Tell all that is known of one part: its views, its pictures' names, and what was changed in its row."""
    from sorter.ledger import open_reader

    with open_reader(source_of(config, state).ledger) as reader:
        tell(_details(reader, part))


@app.command()
def correct(
    part: PartArgument,
    *,
    bin_: Annotated[str | None, typer.Option("--bin", help="Into which it fell.")] = None,
    no_bin: Annotated[bool, typer.Option("--no-bin", help="It is in no bin: lost.")] = False,
    class_: Annotated[str | None, typer.Option("--class", help="What it is: a design number.")] = None,
    no_class: Annotated[bool, typer.Option("--no-class", help="It is of none of the classes.")] = False,
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    by: ByOption = BY,
    config: ConfigOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Correct where a part is, or what it is; what its row said before is kept, and the counts follow."""
    from sorter.ledger import open_reader
    from sorter.types import BinId, PartId

    if bin_ is not None and no_bin:
        raise typer.BadParameter("one of --bin and --no-bin", param_hint="--bin")
    if class_ is not None and no_class:
        raise typer.BadParameter("one of --class and --no-class", param_hint="--class")
    if bin_ is None and class_ is None and not (no_bin or no_class):
        raise typer.BadParameter("say what is to be corrected: --bin, --no-bin, --class or --no-class")
    source = source_of(config, state)
    with open_reader(source.ledger) as reader:
        _details(reader, part)
        check_bins(source, reader, [] if bin_ is None else [bin_])
    with written(source) as ledger:
        ledger.correct(
            PartId(part),
            bin=BinId(bin_) if bin_ is not None else (None if no_bin else ...),
            class_name=class_ if class_ is not None else (None if no_class else ...),
            note=note,
            by=by,
        )
    with open_reader(source.ledger) as reader:
        tell(_details(reader, part))


@app.command()
def settle(
    part: PartArgument,
    *,
    bin_: Annotated[str | None, typer.Option("--bin", help="Where it was found.")] = None,
    lost: Annotated[bool, typer.Option("--lost", help="It was not found.")] = False,
    by: ByOption = BY,
    config: ConfigOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Say where an unresolved part was found: the rig was interrupted in mid-push and cannot know."""
    from sorter.ledger import open_reader
    from sorter.types import BinId, PartId

    if (bin_ is None) is not lost:
        raise typer.BadParameter("say where it was found: --bin BIN, or --lost", param_hint="--bin")
    source = source_of(config, state)
    with open_reader(source.ledger) as reader:
        _details(reader, part)
        check_bins(source, reader, [] if bin_ is None else [bin_])
    with written(source) as ledger:
        ledger.settle(PartId(part), None if bin_ is None else BinId(bin_), by)
    with open_reader(source.ledger) as reader:
        tell(_details(reader, part))


# --- inside ---------------------------------------------------------------------------------------------------------


def _pages(
    reader: LedgerReader, wanted: PartFilter, after: int | None, limit: int, *, is_every: bool
) -> Iterator[tuple[PartRow, ...]]:
    if not is_every:
        yield _filled(reader, wanted, after, limit)[0]
        return
    following = after
    while True:
        page = reader.parts(wanted, after=following, limit=limit)
        yield page.rows
        if page.next is None:
            return
        following = page.next


def _filled(
    reader: LedgerReader, wanted: PartFilter, after: int | None, limit: int
) -> tuple[tuple[PartRow, ...], int | None]:
    """So many rows if there are so many: a page of the ledger may be shorter, so that it never takes long."""
    rows: list[PartRow] = []
    page: Page[PartRow]
    while True:
        page = reader.parts(wanted, after=after, limit=limit - len(rows))
        rows += page.rows
        if page.next is None or len(rows) == limit:
            return tuple(rows), page.next
        after = page.next


def _details(reader: LedgerReader, part: int) -> PartDetails:
    details = reader.part(part)
    if details is None:
        raise typer.BadParameter(f"there is no part {part}", param_hint="PART")
    return details
