"""Lines of the journal put together: one row a part. ``Book`` is pure; ``Lines`` reads the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sorter.ledger.entries import Finished, Intended, Opened, from_line
from sorter.ledger.errors import JournalRefused, JournalUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One part, as far as it is known.

    Args:
        opened: when it lay on the table.
        intentions: where it was to be pushed, in order; more than one where it was pushed again.
        finished: what became of it; None while it is under way.
    """

    opened: Opened
    intentions: tuple[Intended, ...] = ()
    finished: Finished | None = None

    @property
    def part(self) -> int:
        """Its number."""
        return self.opened.part

    @property
    def intended(self) -> Intended | None:
        """The last intention."""
        return self.intentions[-1] if self.intentions else None


class Book:
    """What is known while lines follow on each other: the parts under way, and the highest number so far."""

    def __init__(self) -> None:
        self.under_way: dict[int, Row] = {}
        self.last_part = 0

    def add(self, entry: Opened | Intended | Finished) -> Row:
        """Take the entry down; returns the part's row.

        Raises:
            ValueError: it cannot follow on what is there; nothing was changed.
        """
        row = self.row_with(entry)
        if row.finished is None:
            self.under_way[row.part] = row
        else:
            del self.under_way[row.part]
        self.last_part = max(self.last_part, row.part)
        return row

    def row_with(self, entry: Opened | Intended | Finished) -> Row:
        """The part's row as ``add`` would make it; raises ValueError as that does."""
        if isinstance(entry, Opened):
            if entry.part <= self.last_part:
                raise ValueError(f"part {entry.part} was opened already")
            return Row(entry)
        row = self.under_way.get(entry.part)
        if row is None:
            was = "is finished already" if 1 <= entry.part <= self.last_part else "was never opened"
            raise ValueError(f"part {entry.part} {was}")
        if isinstance(entry, Intended):
            return replace(row, intentions=(*row.intentions, entry))
        return replace(row, finished=entry)


class Lines:
    """The whole lines of a journal, in order.

    ``end`` is where the last whole line ends (bytes), ``torn`` what lies behind it: of a last line alone nobody says
    that it must be whole.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.end = 0
        self.torn = b""

    def add_to(self, book: Book) -> Iterator[Row]:
        """Add every line to ``book``; yields each row that has grown. A file that is not there has no lines.

        Raises:
            JournalRefused: a line before the last one is none, or one cannot follow on those before it.
            JournalUnwritable: the file cannot be read.
        """
        refused: JournalRefused | None = None
        try:
            with self._file.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    if refused is not None:
                        raise refused
                    try:
                        entry = from_line(line) if line.endswith(b"\n") else None
                    except ValueError as error:
                        entry, refused = None, JournalRefused(self._file, number, str(error))
                    if entry is None:
                        self.torn = line  # unless there is another one behind it
                        continue
                    yield self._added(entry, number, book)
                    self.end += len(line)
        except FileNotFoundError:
            return
        except OSError as error:
            raise JournalUnwritable(self._file, error) from error

    def _added(self, entry: Opened | Intended | Finished, number: int, book: Book) -> Row:
        try:
            return book.add(entry)
        except ValueError as error:
            raise JournalRefused(self._file, number, str(error)) from error


def read_rows(file: Path) -> tuple[Row, ...]:
    """Every part of a journal, in the order of their numbers; a torn last line is passed by.

    Raises:
        JournalRefused: a line is none, or cannot follow on those before it.
        JournalUnwritable: the file cannot be read.
    """
    rows = {row.part: row for row in Lines(file).add_to(Book())}
    return tuple(rows[part] for part in sorted(rows))
