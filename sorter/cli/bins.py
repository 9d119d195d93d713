"""``sorter bins``: what is in the bins, how pure they are, and what a person did with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli.console import JsonOption, report
from sorter.cli.ledger_common import (
    BY,
    LIMIT,
    AfterOption,
    ByOption,
    ConfigOption,
    LimitOption,
    Source,
    StateOption,
    check_alone,
    check_bins,
    going_on,
    iso,
    parts_in_words,
    share,
    source_of,
    table,
    wall,
    written,
)

if TYPE_CHECKING:
    from sorter.ledger import AuditRow, BinRow, EmptyingRow

app = typer.Typer(help="What is in the bins.", invoke_without_command=True)

_HEAD = ("bin", "parts", "estimated purity", "audited purity", "emptied", "classes")
_MOST_CLASSES = 6  # in a line of text


@app.callback()
def bins(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """List the bins: how full they are, of which classes, and two numbers of their purity.

    Estimated purity is what the network believes: the mean probability of the classes on record. Audited purity is what
    somebody counted by hand, with its 95 % interval.
    """
    from sorter.ledger import open_reader

    if not check_alone(context):
        return
    source = source_of(config, state)
    with open_reader(source.ledger) as reader:
        rows = {str(each.bin): each for each in reader.bins()}
    names = list(dict.fromkeys([*source.capacities, *rows]))
    data = [_data(name, rows.get(name), source) for name in names]
    lines = table(_HEAD, [_cells(each) for each in data]) if data else ["no bins"]
    report({"bins": data}, "\n".join(lines))


@app.command()
def empty(
    names: Annotated[list[str], typer.Argument(help="The bins that were emptied.", metavar="BIN...")],
    *,
    config: ConfigOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Write down that bins were emptied: they count from 0. `sorter bins undo` takes it back.

    While a rig runs, tell it to `sorter run` instead: one program writes at a time.
    """
    from sorter.ledger import open_reader
    from sorter.types import BinId

    source = source_of(config, state)
    wanted = list(dict.fromkeys(names))
    with open_reader(source.ledger) as reader:
        check_bins(source, reader, wanted)
        held = {each.bin: each.part_count for each in reader.bins()}
    with written(source) as ledger:
        ledger.empty_bins([BinId(name) for name in wanted])
    with open_reader(source.ledger) as reader:
        numbers = {name: reader.emptyings(BinId(name), limit=1).rows[0].emptying for name in wanted}
    taken = {name: held.get(BinId(name), 0) for name in wanted}
    data = [{"bin": name, "emptying": numbers[name], "parts_taken_out": taken[name]} for name in wanted]
    lines = [f"{name}: emptied of {parts_in_words(taken[name])} (number {numbers[name]})" for name in wanted]
    report({"emptied": data}, "\n".join(lines))


@app.command()
def undo(
    emptying: Annotated[int, typer.Argument(min=1, help="Its number, as `sorter bins history` has it.")],
    *,
    config: ConfigOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Take back an emptying that was none: what was in the bin is in it again."""
    from sorter.ledger import EmptyingId

    with written(source_of(config, state)) as ledger:
        ledger.undo_emptying(EmptyingId(emptying))
    report({"undone": emptying}, f"emptying {emptying} is undone")


@app.command()
def audit(
    name: Annotated[str, typer.Argument(help="The bin.", metavar="BIN")],
    *,
    counted: Annotated[int, typer.Option("--counted", min=1, help="So many parts were looked at.")],
    wrong: Annotated[int, typer.Option("--wrong", min=0, help="So many of them did not belong there.")],
    by: ByOption = BY,
    config: ConfigOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Write down what was counted by hand in a bin, for its audited purity. Draw the parts blindly."""
    from sorter.ledger import open_reader
    from sorter.types import BinId

    if wrong > counted:
        raise typer.BadParameter(f"{wrong} of {counted} parts cannot be wrong", param_hint="--wrong")
    source = source_of(config, state)
    with open_reader(source.ledger) as reader:
        check_bins(source, reader, [name])
    with written(source) as ledger:
        ledger.audit(BinId(name), counted, wrong, by)
    with open_reader(source.ledger) as reader:
        row = reader.audits(BinId(name), limit=1).rows[0]
    data = _audit_data(row)
    report(
        {"bin": name, **data, "estimated_purity": row.estimated_purity},
        f"{name}: audited purity {_audited(data)}\n{name}: estimated purity {share(row.estimated_purity)}",
    )


@app.command()
def history(
    name: Annotated[str | None, typer.Argument(help="One bin; without it, all.", metavar="BIN")] = None,
    *,
    config: ConfigOption = None,
    state: StateOption = None,
    after: AfterOption = None,
    limit: LimitOption = LIMIT,
    json: JsonOption = False,
) -> None:
    """List when bins were emptied, newest first, and of what; and the audits of the same bins."""
    from sorter.ledger import open_reader
    from sorter.types import BinId

    source = source_of(config, state)
    with open_reader(source.ledger) as reader:
        if name is not None:
            check_bins(source, reader, [name])
        bin_ = None if name is None else BinId(name)
        page = reader.emptyings(bin_, after=after, limit=limit)
        audits = reader.audits(bin_, limit=limit).rows
    data = {
        "emptyings": [_emptying_data(each) for each in page.rows],
        "next": page.next,
        "audits": [
            {"bin": each.bin, **_audit_data(each), "estimated_purity": each.estimated_purity} for each in audits
        ],
    }
    head = ("emptying", "bin", "at", "parts", "estimated purity", "")
    cells = [
        (each.emptying, each.bin, wall(each.at), each.part_count, share(each.estimated_purity), _undone(each))
        for each in page.rows
    ]
    lines = [*(table(head, cells) if cells else ["never emptied"]), *going_on(page.next)]
    lines += [f"audit of {each.bin} at {wall(each.at)} by {each.by}: {_audited(_audit_data(each))}" for each in audits]
    report(data, "\n".join(lines))


def _undone(row: EmptyingRow) -> str:
    return "" if row.undone_at is None else f"undone at {wall(row.undone_at)}"


def _emptying_data(row: EmptyingRow) -> dict[str, Any]:
    return {
        "emptying": row.emptying,
        "bin": row.bin,
        "at": iso(row.at),
        "undone_at": iso(row.undone_at),
        "parts": row.part_count,
        "classes": dict(row.class_counts),
        "estimated_purity": row.estimated_purity,
    }


def _audit_data(row: AuditRow) -> dict[str, Any]:
    purity = row.audited_purity
    return {
        "audited_purity": purity.share,
        "audited_purity_low": purity.low,
        "audited_purity_high": purity.high,
        "counted": row.counted,
        "wrong": row.wrong,
        "audited_at": iso(row.at),
        "audited_by": row.by,
        "is_audit_of_present": row.is_of_present,
    }


def _data(name: str, row: BinRow | None, source: Source) -> dict[str, Any]:
    parts, capacity = (0 if row is None else row.part_count), source.capacities.get(name)
    counts = {} if row is None else row.class_counts
    return {
        "bin": name,
        "parts": parts,
        "capacity": capacity,
        "fill": None if capacity is None else parts / capacity,
        "classes": dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        "estimated_purity": None if row is None else row.estimated_purity,
        "emptied_at": None if row is None else iso(row.emptied_at),
        "last_audit": None if row is None or row.last_audit is None else _audit_data(row.last_audit),
    }


def _cells(data: dict[str, Any]) -> tuple[object, ...]:
    classes = [f"{name} {count}" for name, count in data["classes"].items()]
    more = [f"and {len(classes) - _MOST_CLASSES} more"] if len(classes) > _MOST_CLASSES else []
    capacity, emptied = data["capacity"], data["emptied_at"]
    return (
        data["bin"],
        data["parts"] if capacity is None else f"{data['parts']} of {capacity}",
        share(data["estimated_purity"]),
        "-" if data["last_audit"] is None else _audited(data["last_audit"]),
        "never" if emptied is None else wall(_time(emptied)),
        ", ".join([*classes[:_MOST_CLASSES], *more]) or "-",
    )


def _audited(audit_: dict[str, Any]) -> str:
    before = "" if audit_["is_audit_of_present"] else ", before it was emptied"
    right = audit_["counted"] - audit_["wrong"]
    return (
        f"{share(audit_['audited_purity'])} ({audit_['audited_purity_low']:.1%} to "
        f"{audit_['audited_purity_high']:.1%}; {right} of {audit_['counted']}{before})"
    )


def _time(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text)
