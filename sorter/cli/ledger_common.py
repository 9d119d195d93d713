"""What commands share that read or write the ledger: where it is, which bins there are, and pages of lists."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sorter.cli.board_common import note
from sorter.errors import SorterError

if TYPE_CHECKING:
    from sorter.ledger import Ledger, LedgerReader

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The rig's own file, rig.toml if left out; it names the state folder.")
]
StateOption = Annotated[
    Path | None, typer.Option("--state", help="The state folder itself, in place of --config.", file_okay=False)
]
ByOption = Annotated[str, typer.Option("--by", help="Who says so.")]
BY = "command line"
AfterOption = Annotated[int | None, typer.Option("--after", min=0, help="Go on behind this one.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=1000, help="So many at most.")]
LIMIT = 50

_RIG_TOML = Path("rig.toml")


@dataclass(frozen=True)
class Source:
    """Where the ledger is, and what rig.toml says of the bins.

    Args:
        ledger: its file.
        capacities: of the bins of rig.toml, in their order there; empty if only a state folder was named.
    """

    ledger: Path
    capacities: Mapping[str, int]


def source_of(config: Path | None, state: Path | None) -> Source:
    """What ``--config`` or ``--state`` name; rig.toml of the present folder if neither was given.

    Raises:
        typer.BadParameter: both were given.
        sorter.errors.ConfigError: the config cannot be used.
    """
    from sorter.ledger import LEDGER_FILE

    if state is not None:
        if config is not None:
            raise typer.BadParameter("name a rig.toml or a state folder, not both", param_hint="--state")
        return Source(state / LEDGER_FILE, {})
    from sorter.config import read_rig_config

    rig = read_rig_config(config or _RIG_TOML)
    return Source(rig.paths.state / LEDGER_FILE, {each.id: each.capacity for each in rig.bins})


@contextlib.contextmanager
def written(source: Source) -> Iterator[Ledger]:
    """The ledger, to write into, and closed at the end; one that is not there is not begun.

    Raises:
        typer.BadParameter: the ledger refused what it was told; nothing was changed.
        sorter.ledger.LedgerError: there is none, or it cannot be written; such as while a rig runs.
    """
    from sorter.ledger import Ledger, LedgerMissing

    if not source.ledger.exists():
        raise LedgerMissing(source.ledger)
    with Ledger(source.ledger, on_note=note) as ledger:
        try:
            yield ledger
        except SorterError:
            raise
        except ValueError as error:
            raise typer.BadParameter(f"{error}; nothing was changed") from error


def check_bins(source: Source, reader: LedgerReader, names: Sequence[str]) -> None:
    """Raises typer.BadParameter for a bin that neither rig.toml nor the ledger knows, so that no typo makes one."""
    known = dict.fromkeys([*source.capacities, *(each.bin for each in reader.bins())])
    for name in names:
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "there are none yet"
            raise typer.BadParameter(f"there is no bin {name!r}; {there}", param_hint="bin")


def check_alone(context: typer.Context) -> bool:
    """Is it the bare command, without one of its subcommands?

    Raises:
        typer.BadParameter: there is a subcommand, and options before it, which it would not see.
    """
    if context.invoked_subcommand is None:
        return True
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                f"options stand behind {context.invoked_subcommand}, not before it", param_hint=f"--{name}"
            )
    return False


def wall(at: datetime | None) -> str:
    """A time for people, in the time zone of this machine."""
    return "-" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def iso(at: datetime | None) -> str | None:
    """A time for programs, in UTC."""
    return None if at is None else at.isoformat()


def parts_in_words(count: int) -> str:
    """So many parts."""
    return "1 part" if count == 1 else f"{count} parts"


def share(value: float | None) -> str:
    """A share for people."""
    return "-" if value is None else f"{value:.1%}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines in columns."""
    cells = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def going_on(following: int | None) -> list[str]:
    """What to type for the next page, if there is one."""
    return [] if following is None else [f"(more: --after {following})"]
