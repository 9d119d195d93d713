"""Whether a ledger is whole: by SQLite's own check, and by what its tables say of each other."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.ledger import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sorter.ledger import LedgerReader, PartRow


@contextmanager
def copied(file: Path) -> Iterator[Path]:
    """A copy of a ledger and of SQLite's log beside it, to look at while nobody writes.

    A copy, so that the next program finds what the last one left, and not what the look did to it.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        for name in (file.name, f"{file.name}-wal"):
            if file.with_name(name).exists():
                shutil.copyfile(file.with_name(name), copy.with_name(name))
        yield copy


def integrity(file: Path) -> str:
    """What SQLite's integrity_check says of a ledger: ``ok``, or what is wrong."""
    with closing(sqlite3.connect(file)) as connection:
        return "\n".join(found for (found,) in connection.execute("PRAGMA integrity_check"))


def has_tables(file: Path) -> bool:
    """Whether its tables were made: that is one transaction, as everything is."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def rows_of(file: Path) -> list[PartRow]:
    """All rows of parts."""
    with open_reader(file) as reader:
        return list(reader.all_parts())


def disagreements(file: Path, interrupted: Sequence[tuple[datetime, datetime]]) -> list[str]:
    """Where the ledger's counts do not follow from its rows.

    Args:
        file: the ledger, which nobody writes.
        interrupted: beginning and end (by a kill) of programs, by the clock on the wall.
    """
    with open_reader(file) as reader:
        rows = list(reader.all_parts())
        return [*_numbers(rows), *_totals(reader, rows), *_bins(reader, rows), *_runs(reader, interrupted)]


def _numbers(rows: Sequence[PartRow]) -> list[str]:
    numbers = [row.part for row in rows]
    return [] if numbers == list(range(1, len(rows) + 1)) else [f"the rows' numbers are not 1 to {len(rows)}"]


def _totals(reader: LedgerReader, rows: Sequence[PartRow]) -> list[str]:
    counted, totals = Counter(str(row.outcome) for row in rows), reader.totals()
    expected = {name: counted[name] for name in ("confirmed", "lost", "stuck", "unresolved")} | {"parts": len(rows)}
    return [
        f"the totals say {getattr(totals, name)} {name}, and there are {number} rows"
        for name, number in expected.items()
        if getattr(totals, name) != number
    ]


def _bins(reader: LedgerReader, rows: Sequence[PartRow]) -> list[str]:
    problems = []
    for each in reader.bins():
        confirmed = [row for row in rows if row.bin == each.bin and row.finished_at is not None]
        since = [row for row in confirmed if each.emptied_at is None or row.finished_at > each.emptied_at]  # type: ignore[operator]
        if each.part_count != len(since):
            problems.append(
                f"bin {each.bin} counts {each.part_count}, and {len(since)} rows name it since it was emptied"
            )
        emptied = sum(emptying.part_count for emptying in reader.emptyings(each.bin).rows)
        if emptied + each.part_count != len(confirmed):
            problems.append(f"bin {each.bin} had {emptied + each.part_count} parts, and {len(confirmed)} rows name it")
    return problems


def _runs(reader: LedgerReader, interrupted: Sequence[tuple[datetime, datetime]]) -> list[str]:
    problems, after = [], None
    while True:
        page = reader.runs(after=after)
        for run in page.rows:
            killed_at = [end_at for begin_at, end_at in interrupted if begin_at <= run.began_at <= end_at]
            if run.ended_at is None:
                problems.append(f"run {run.run} has no end")
            elif run.was_interrupted and not killed_at:
                problems.append(f"run {run.run} says that it was interrupted, and it was not")
            elif run.was_interrupted and run.ended_at > killed_at[0]:
                problems.append(f"run {run.run} ended at {run.ended_at}, and its program was killed at {killed_at[0]}")
        if page.next is None:
            return problems
        after = page.next
