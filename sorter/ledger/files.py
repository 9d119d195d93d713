"""The ledger's file: connections to it, whether it can be believed, and what SQLite's complaints mean.

Never open the file by other means in a process that holds a connection to it: closing it would drop SQLite's locks.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from sorter.ledger.errors import (
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    LedgerFull,
    LedgerMissing,
    LedgerUnreadable,
    LedgerUnwritable,
    NoLedger,
)
from sorter.ledger.schema import APPLICATION_ID, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

BUSY_S = 5.0  # for a lock that another program holds for a moment, such as one that copies the file
CHECK_S = 1.0  # at most, when the ledger is opened
_WAL_PAGES = 1000  # 4 MB, then they are moved into the file
_WAL_KEPT_BYTES = 16_000_000
_CACHE_KIB = 8_000
_SMALL_BYTES = 20_000_000  # a file that is read whole within a second or so, from a memory card, too
_PARTS_AT_ONCE = 200
_NO_ROOM_BYTES = 1_000_000  # with less, an error of the disk is that it is full
_LARGE_TABLES = ("parts", "views")


def writer_engine(file: Path) -> Engine:
    """One connection that may write and make the file; its transactions begin as writers at once."""

    def connect() -> sqlite3.Connection:
        connection = _connect(file, "rwc")
        try:
            for setting in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                f"wal_autocheckpoint = {_WAL_PAGES}",
                f"journal_size_limit = {_WAL_KEPT_BYTES}",
            ):
                connection.execute(f"PRAGMA {setting}")
        except BaseException:
            connection.close()
            raise
        return connection

    return _engine(create_engine("sqlite://", creator=connect, poolclass=StaticPool), "BEGIN IMMEDIATE")


def reader_engine(file: Path) -> Engine:
    """Connections that cannot write; each transaction sees the ledger as it is at one moment."""
    made = create_engine("sqlite://", creator=lambda: _connect(file, "ro"), poolclass=QueuePool, pool_size=2)
    return _engine(made, "BEGIN")


def _engine(engine: Engine, begin: str) -> Engine:
    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,  # transactions are begun by hand
        check_same_thread=False,
    )
    try:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection


# --- whether it can be believed -------------------------------------------------------------------------------------


def read_revision(file: Path, *, for_writing: bool) -> str | None:
    """Look at a file that is there without changing it; returns the version of its tables, None if it has none yet.

    Args:
        file: the ledger.
        for_writing: look at its pages too: those of the small tables, and after an end that was not clean, which
            SQLite's log beside the file shows, those of the large ones: all in a small file, else the newest parts, as
            many as can be read in ``CHECK_S`` seconds.

    Raises:
        NoLedger, LedgerDamaged, LedgerBusy: see there.
        LedgerUnreadable, or for writing LedgerUnwritable: it cannot be opened.
    """
    wal = file.with_name(f"{file.name}-wal")
    was_cut_off = wal.exists() and wal.stat().st_size > 0
    otherwise = LedgerUnwritable if for_writing else LedgerUnreadable
    with told(file, otherwise), closing(_connect(file, "ro")) as connection:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if application == 0 and not tables:
            return None
        if application != APPLICATION_ID:
            raise NoLedger(file, "it is a SQLite file of another program")
        if "alembic_version" not in tables:
            raise LedgerDamaged(file, "it does not say which version its tables are of")
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        if len(rows) != 1:
            raise LedgerDamaged(file, "it does not say which version its tables are of")
        (revision,) = rows[0]
        if for_writing:
            _check_pages(file, connection, tables, was_cut_off=was_cut_off)
    return str(revision)


def check_tables(file: Path, connection: Connection) -> None:
    """Hold the newest version's tables against those that are there. Raises LedgerDamaged."""
    found = connection.exec_driver_sql(
        "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
    )
    there = {(table, column) for table, column in found}
    missing = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if (table.name, column.name) not in there
    ]
    if missing:
        raise LedgerDamaged(file, f"it has no {', '.join(missing[:5])}")


def _check_pages(file: Path, connection: sqlite3.Connection, tables: set[str], *, was_cut_off: bool) -> None:
    """``quick_check`` cannot be stopped before it has read a table whole, so it is kept to what is small."""
    is_small = file.stat().st_size <= _SMALL_BYTES
    large = _LARGE_TABLES if was_cut_off and is_small else ()
    for table in [*sorted(tables.difference(_LARGE_TABLES)), *large]:
        (found,) = connection.execute(f'PRAGMA quick_check("{table}")').fetchone()
        if found != "ok":
            raise LedgerDamaged(file, f"table {table}: {' '.join(str(found).split())}")
    if was_cut_off and not is_small:
        _read_newest(connection)


def _read_newest(connection: sqlite3.Connection) -> None:
    """Read parts and their views, newest first; pages that are none make SQLite complain."""
    deadline_s = time.monotonic() + CHECK_S
    last: int | None = connection.execute("SELECT max(part) FROM parts").fetchone()[0]
    while last and time.monotonic() < deadline_s:
        for _ in connection.execute("SELECT * FROM parts WHERE part BETWEEN ? AND ?", (last - _PARTS_AT_ONCE, last)):
            pass
        for _ in connection.execute("SELECT * FROM views WHERE part BETWEEN ? AND ?", (last - _PARTS_AT_ONCE, last)):
            pass
        last = max(0, last - _PARTS_AT_ONCE - 1)


# --- what SQLite's complaints mean ----------------------------------------------------------------------------------


@contextmanager
def told(file: Path, otherwise: type[LedgerUnreadable] | type[LedgerUnwritable]) -> Iterator[None]:
    """SQLite's errors as a ledger's; ``otherwise`` for those that have no name of their own."""
    try:
        yield
    except OverflowError as error:  # SQLite's whole numbers have 64 bits, Python's have no end
        raise ValueError("there is no such number: it is beyond 64 bits") from error
    except DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise
        named = _named(file, error.orig, otherwise)
        if named is None:
            raise
        raise named from error
    except sqlite3.Error as error:
        named = _named(file, error, otherwise)
        if named is None:
            raise
        raise named from error


def _named(  # noqa: PLR0911  (one for each complaint)
    file: Path, error: sqlite3.Error, otherwise: type[LedgerUnreadable] | type[LedgerUnwritable]
) -> LedgerError | None:
    code = getattr(error, "sqlite_errorcode", None)  # missing where Python itself complains
    if code is None:
        return None
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return LedgerFull(file)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LedgerBusy(file)
        case sqlite3.SQLITE_NOTADB:
            return NoLedger(file, "it is no SQLite file")
        case sqlite3.SQLITE_CORRUPT:
            return LedgerDamaged(file, str(error))
        case sqlite3.SQLITE_CANTOPEN if otherwise is LedgerUnreadable and not file.exists():
            return LedgerMissing(file)
        case sqlite3.SQLITE_IOERR if _free_bytes(file) < _NO_ROOM_BYTES:
            return LedgerFull(file, is_rolled_back=False)
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return otherwise(file, f"{error} ({error.sqlite_errorname})")
        case _:
            return None


def _free_bytes(file: Path) -> int:
    try:
        return shutil.disk_usage(file.parent).free
    except OSError:
        return _NO_ROOM_BYTES  # nobody knows
