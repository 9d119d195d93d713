"""``sorter inventory``: what was sorted, for Rebrickable and BrickLink."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli.console import JsonOption, report
from sorter.cli.exit_codes import ExitCode
from sorter.cli.files import write_report
from sorter.cli.ledger_common import ConfigOption, StateOption, check_bins, parts_in_words, source_of

if TYPE_CHECKING:
    from sorter.ledger.inventory import Counted, Missing

app = typer.Typer(help="What was sorted, for Rebrickable and BrickLink.", no_args_is_help=True)


class Format(enum.StrEnum):
    """What can be written; the same as ``sorter.ledger.inventory.FileFormat``, which is heavy."""

    REBRICKABLE = "rebrickable"
    BRICKLINK = "bricklink"
    BRICKLINK_WANTED = "bricklink-wanted"


@app.command()
def export(
    *,
    format_: Annotated[Format, typer.Option("--format", help="CSV of Rebrickable, or XML of BrickLink.")],
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help="The file to write.")],
    run: Annotated[int | None, typer.Option("--run", min=1, help="All that was sorted in this run.")] = None,
    bin_: Annotated[str | None, typer.Option("--bin", help="What is in this bin now.")] = None,
    config: ConfigOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Write what is in all bins now, in one of them, or what a run sorted: part, colour, how many.

    Rejected parts have no number and are not in it. Parts or colours that the catalogue does not have are named, and
    the exit code is 5.
    """
    from sorter.ledger import open_reader
    from sorter.ledger.inventory import FileFormat, as_text, count_parts, parts_in_bins, parts_of_run
    from sorter.types import BinId, RunId

    if run is not None and bin_ is not None:
        raise typer.BadParameter("one of --run and --bin", param_hint="--run")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    source = source_of(config, state)
    with open_reader(source.ledger) as reader:
        if bin_ is not None:
            check_bins(source, reader, [bin_])
        if run is not None:
            if not any(each.run == run for each in reader.runs(after=run + 1, limit=1).rows):
                raise typer.BadParameter(f"there is no run {run}", param_hint="--run")
            counted = count_parts(parts_of_run(reader, RunId(run)))
        else:
            counted = count_parts(parts_in_bins(reader, None if bin_ is None else BinId(bin_)))
    text, translation = as_text(counted.whole, FileFormat(format_.value))
    write_report(out, text)
    quantity = sum(lot.quantity for lot in translation.lots)
    data = {
        "file": str(out),
        "format": format_.value,
        "lots": len(translation.lots),
        "parts": quantity,
        "bins": _bins(counted),
        "unsure_colours": counted.unsure_colours,
        "unseen_colours": counted.unseen_colours,
        "suspects": counted.suspects,
        "rejected": counted.rejected,
        "not_in_a_bin": counted.not_in_a_bin,
        "missing": _missing(translation.missing),
        "notes": list(translation.notes),
    }
    lines = [f"{out}: {parts_in_words(quantity)}, kinds: {len(translation.lots)}", *_told(counted)]
    lines += [f"note: {each}" for each in translation.notes]
    lines += [f"left out: {each}" for each in translation.missing]
    _report(data, lines)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A CSV of Rebrickable or an XML of BrickLink.")],
    *,
    json: JsonOption = False,
) -> None:
    """Read a list of parts and say what is in it, in this project's numbers and colours. Nothing is changed.

    A damaged file is refused with its line (exit code 3); colours that the palette does not have are named (5).
    """
    from sorter.ledger.inventory import read_inventory

    read = read_inventory(file)
    inventory = read.inventory
    data = {
        "file": str(file),
        "catalogue": read.catalogue.name,
        "lots": read.lots,
        "parts": inventory.part_count,
        "kinds": [
            {"part": kind.part, "colour": kind.colour, "quantity": quantity}
            for kind, quantity in inventory.quantities.items()
        ],
        "missing": _missing(read.missing),
    }
    count = f"{parts_in_words(inventory.part_count)}, kinds: {len(inventory.quantities)}"
    lines = [f"{file}: a list of {read.catalogue.name}, {count}"]
    lines += [
        f"  {quantity} × {kind.part} {kind.colour or 'of no colour'}" for kind, quantity in inventory.quantities.items()
    ]
    lines += [f"left out: {each}" for each in read.missing]
    _report(data, lines)


def _report(data: dict[str, Any], lines: list[str]) -> None:
    report(data, "\n".join(lines))
    if data["missing"]:
        raise typer.Exit(ExitCode.FINDINGS)


def _told(counted: Counted) -> list[str]:
    told = (
        (counted.unsure_colours, "of a colour that was a close call, counted as the likelier one"),
        (counted.unseen_colours, "of which nobody saw the colour, listed without one"),
        (counted.suspects, "that may have fallen elsewhere (`sorter parts --suspect`), listed"),
        (counted.rejected, "without a class, as rejected ones are, not listed"),
        (counted.not_in_a_bin, "in no bin, not listed"),
    )
    return [f"{parts_in_words(count)} {text}" for count, text in told if count]


def _bins(counted: Counted) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {"part": kind.part, "colour": kind.colour, "quantity": quantity}
            for kind, quantity in inventory.quantities.items()
        ]
        for name, inventory in counted.bins.items()
    }


def _missing(missing: tuple[Missing, ...]) -> list[dict[str, Any]]:
    return [{"what": each.what, "quantity": each.quantity, "line": each.line} for each in missing]
