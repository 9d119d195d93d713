"""The ledger's file, opened for writing: looked at first, brought up to date, and what was under way taken up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.ledger import incident_rows, part_rows, run_rows
from sorter.ledger.errors import LedgerTooNew, LedgerUnwritable
from sorter.ledger.files import check_tables, read_revision, told, writer_engine
from sorter.ledger.schema import APPLICATION_ID, REVISION
from sorter.types import Outcome, OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sqlalchemy import Connection

OLD_JOURNAL = "journal.jsonl"  # of versions before the first release

_MEANING = {
    OutcomeKind.UNRESOLVED: "unresolved: it was to be pushed, and nobody knows whether it fell",
    OutcomeKind.STUCK: "written down as taken from the table by hand: it had not been pushed",
}


class OpenFile:
    """A connection to a file that can be believed. ``close`` it.

    ``notes`` are sentences that a person should read, once what they tell of is on the disk.

    Raises:
        LedgerError: of any kind; the file was left as it is.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.notes: list[str] = []
        revision = read_revision(file, for_writing=True) if file.exists() else None
        if revision is not None:
            _check_is_known(file, revision)
        self._engine = writer_engine(file)
        self._connection: Connection | None = None
        try:
            with told(file, LedgerUnwritable):
                self._connection = self._engine.connect()
                if revision != REVISION:
                    self._bring_up_to_date(revision)
                with self.connection.begin():
                    check_tables(file, self.connection)
        except BaseException:
            self.close()
            raise

    @property
    def connection(self) -> Connection:
        """For one thread at a time."""
        assert self._connection is not None  # it is made first of all
        return self._connection

    def close(self) -> None:
        """Let go of it."""
        with told(self._file, LedgerUnwritable):
            if self._connection is not None:
                self._connection.close()
            self._engine.dispose()

    def take_up(self) -> int:
        """In a transaction: finish what the last program left undone; returns the highest number of a part so far."""
        connection = self.connection
        interrupted = run_rows.interrupt_runs(connection)  # before anything is written of its parts
        self._finish(part_rows.rows_under_way(connection), "when the program ended")
        for run in interrupted:
            self.notes.append(f"{self._file}: run {run} was under way when the program ended; it is over")
        incident_rows.close_all(connection)
        journal = self._file.with_name(OLD_JOURNAL)
        if journal.exists():
            self.notes.append(f"{journal} is of an older version and is not read any more; parts stand in {self._file}")
        return part_rows.last_part(connection)

    def go_on(self, known: Collection[int]) -> dict[str, int]:
        """In a transaction, after a failure: finish rows whose numbers nobody was told.

        Returns:
            What the next part's row says.
        """
        under_way = part_rows.rows_under_way(self.connection)
        self._finish([row for row in under_way if row[0] not in known], "when the ledger could not be written")
        return run_rows.present_settings(self.connection)

    def _finish(self, rows: list[tuple[int, int]], when: str) -> None:
        for part, intentions in rows:
            kind = OutcomeKind.UNRESOLVED if intentions else OutcomeKind.STUCK
            part_rows.finish_row(self.connection, part, Outcome(kind, None))
            self.notes.append(f"{self._file}: part {part} was under way {when}; it is {_MEANING[kind]}")

    def _bring_up_to_date(self, revision: str | None) -> None:
        from sorter.ledger.migrations import upgrade  # noqa: PLC0415  (Alembic, once in a ledger's life)

        with self.connection.begin():
            if revision is None:
                self.connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            upgrade(self.connection)
        if revision is not None:
            self.notes.append(f"{self._file}: its tables were brought from version {revision} to {REVISION}")


def _check_is_known(file: Path, revision: str) -> None:
    if revision == REVISION:
        return
    from sorter.ledger.migrations import known_revisions  # noqa: PLC0415  (Alembic, once in a ledger's life)

    if revision not in known_revisions():
        raise LedgerTooNew(file, revision)
