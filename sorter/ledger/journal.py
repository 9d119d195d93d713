"""The ledger as a file of lines: each is on the disk when the call that writes it returns.

A line is written by one call, so a program that is killed leaves whole lines, and a machine that loses its power at
most a torn last one, which the next start drops. What was under way then is finished by the next start: a part that was
about to be pushed is unresolved, one that was not lay on the table still.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from sorter.ledger.entries import Finished, Intended, Opened, to_line
from sorter.ledger.errors import JournalBusy, JournalUnwritable
from sorter.ledger.rows import Book, Lines
from sorter.types import OutcomeKind, PartId, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sorter.types import BinId, Decision, Outcome

JOURNAL_FILE = "journal.jsonl"  # in the rig's state folder


class Journal(Recorder):
    """A ``Recorder`` that writes into one file. Any thread may call it. Use it as a context manager, or ``close`` it.

    Args:
        file: is made, with its folder, if it is not there; is locked against other programs.
        on_note: called with a sentence about each thing that the last end of the program left undone.

    ``first_part`` is the number that the first part of this program gets.

    Raises:
        JournalBusy: another program writes into it.
        JournalRefused: a line of it is not what this program writes.
        JournalUnwritable: it cannot be read or written.
    """

    def __init__(self, file: Path, *, on_note: Callable[[str], None] | None = None) -> None:
        self._file = file
        self._note = on_note or (lambda _text: None)
        self._lock = threading.Lock()
        self._book = Book()
        self._failure: JournalUnwritable | None = None
        self._descriptor = self._opened()
        try:
            self._take_up()
        except BaseException:
            self.close()
            raise
        self.first_part = PartId(self._book.last_part + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; harmless if that is done."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    # --- Recorder -----------------------------------------------------------------------------------------------

    def open_part(self) -> PartId:
        """See ``Recorder``. Raises JournalUnwritable."""
        with self._lock:
            opened = Opened(self._book.last_part + 1, *_now())
            self._add(opened)
            return PartId(opened.part)

    def intend(self, part: PartId, decision: Decision, bin: BinId) -> None:  # noqa: A002  (the protocol's name)
        """See ``Recorder``. Raises ValueError as ``finish`` does, and JournalUnwritable."""
        likeliest, probability = decision.posterior.ranked[0] if decision.posterior is not None else (None, None)
        with self._lock:
            self._add(
                Intended(
                    part,
                    *_now(),
                    bin=bin,
                    class_name=decision.class_name,
                    reject_reason=decision.reject_reason,
                    likeliest=likeliest,
                    probability=probability,
                    colour=None if decision.colour is None else decision.colour.name,
                    views=decision.view_count,
                )
            )

    def finish(self, part: PartId, outcome: Outcome) -> None:
        """See ``Recorder``.

        Raises:
            ValueError: the part was never opened, or is finished already; nothing was written.
            JournalUnwritable: whether the line is on the disk is not known, and nothing more can be written.
        """
        with self._lock:
            self._add(Finished(part, *_now(), kind=outcome.kind, bin=outcome.bin, stage_s=dict(outcome.stage_s)))

    # --- inside -------------------------------------------------------------------------------------------------

    def _add(self, entry: Opened | Intended | Finished) -> None:
        self._book.row_with(entry)  # raises where the line must not be written
        self._write(to_line(entry))
        self._book.add(entry)

    def _write(self, line: bytes) -> None:
        """Put a line on the disk. After a failure nobody knows what is there, so nothing more is written."""
        if self._failure is not None:
            raise self._failure
        if self._descriptor < 0:
            raise ValueError(f"{self._file} was closed")
        try:
            while line:  # the disk may take a part of it, and then says why when it is given the rest
                line = line[os.write(self._descriptor, line) :]
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._failure = JournalUnwritable(self._file, error)
            raise self._failure from error

    def _opened(self) -> int:
        descriptor = -1
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sync_folder(self._file.parent)
        except BlockingIOError as error:
            os.close(descriptor)
            raise JournalBusy(self._file) from error
        except OSError as error:
            if descriptor >= 0:
                os.close(descriptor)
            raise JournalUnwritable(self._file, error) from error
        return descriptor

    def _take_up(self) -> None:
        """Read what is there, drop a torn last line, and finish what was under way."""
        lines = Lines(self._file)
        for _ in lines.add_to(self._book):
            pass
        if lines.torn:
            os.ftruncate(self._descriptor, lines.end)
            self._note(
                f"{self._file}: the last line was torn off in the middle and is dropped: "
                f"{lines.torn[:60].decode(errors='backslashreplace')!r}"
            )
        for row in list(self._book.under_way.values()):
            kind = OutcomeKind.UNRESOLVED if row.intentions else OutcomeKind.STUCK
            self._add(Finished(row.part, *_now(), kind=kind, bin=None, stage_s={}))
            self._note(f"{self._file}: part {row.part} was under way when the program ended; it is {_MEANING[kind]}")


_MEANING = {
    OutcomeKind.UNRESOLVED: "unresolved: it was to be pushed, and nobody knows whether it fell",
    OutcomeKind.STUCK: "written down as taken from the table by hand: it had not been pushed",
}


def _now() -> tuple[float, datetime]:
    return time.monotonic(), datetime.now(UTC)


def _sync_folder(folder: Path) -> None:
    """So that a file that was just made is found again after a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
