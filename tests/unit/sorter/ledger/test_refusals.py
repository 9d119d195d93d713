"""A ledger that cannot be used is named, with the way out, and left as it is; a disk that is full corrupts nothing."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sorter.ledger import (
    LEDGER_FILE,
    Ledger,
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    LedgerFull,
    LedgerMissing,
    LedgerReader,
    LedgerTooNew,
    LedgerTooOld,
    LedgerUnwritable,
    NoLedger,
    open_reader,
)
from sorter.ledger import files as ledger_files
from sorter.types import OutcomeKind
from tests.unit.sorter.ledger.kept import IN_A, PLAN, SURE, A, recorded

HOLDER = """
import sys
from pathlib import Path
from sorter.ledger import Ledger
with Ledger(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("made") / LEDGER_FILE
    with Ledger(file) as ledger:
        ledger.begin_run(PLAN, "tiny")
        for _ in range(30):
            recorded(ledger)
        ledger.end_run()
    return file


@pytest.fixture
def file(made: Path, tmp_path: Path) -> Path:
    """A ledger of a few parts that nobody has open."""
    (tmp_path / "state").mkdir()
    return shutil.copy(made, tmp_path / "state" / LEDGER_FILE)


def digests(file: Path) -> dict[str, str]:
    """Of the ledger and everything beside it that SQLite reads, but for the index that it makes anew."""
    return {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in file.parent.iterdir()
        if each.suffix != ".lock" and not each.name.endswith("-shm")
    }


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@contextmanager
def untouched(file: Path) -> Iterator[None]:
    before = digests(file)
    yield
    after = digests(file)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if name not in before and (file.parent / name).stat().st_size]


def refused(file: Path, kind: type[LedgerError], told: str) -> LedgerError:
    """How the writer refuses; nothing is changed by that."""
    with untouched(file), pytest.raises(kind, match=told) as caught:
        Ledger(file)
    assert caught.value.remedy
    assert str(file) in caught.value.as_dict()["message"]  # type: ignore[operator]
    assert caught.value.as_dict()["file"] == str(file)
    return caught.value


def test_a_second_writer_is_told_which_program_holds_the_ledger(file: Path, checkout: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=checkout, env={**os.environ, "PYTHONPATH": "."}
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(LedgerBusy, match=rf"written by another program: process {child.pid} \(-c .*\), since"):
            Ledger(file)
        with open_reader(file) as reader:  # reading is for everybody
            assert len(reader.parts().rows) == 30
        child.communicate()
    with Ledger(file), pytest.raises(LedgerBusy, match=f"process {os.getpid()}"):
        Ledger(file)
    Ledger(file).close()


def test_a_program_that_holds_the_file_itself_for_long_is_busy_and_then_it_goes_on(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_files, "BUSY_S", 0.05)
    with Ledger(file) as ledger:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerBusy):
                ledger.open_part()
            other.execute("ROLLBACK")
        assert recorded(ledger) == 31


def test_a_newer_ledger_is_left_to_the_newer_program(file: Path) -> None:
    change(file, "UPDATE alembic_version SET version_num = '9001'", "CREATE TABLE drones (drone INTEGER)")
    assert "Update this program" in refused(file, LedgerTooNew, "newer version").remedy
    with untouched(file), pytest.raises(LedgerTooNew, match="9001"):
        LedgerReader(file)


def test_an_older_ledger_is_not_read_before_it_was_brought_up_to_date(file: Path) -> None:
    change(file, "UPDATE alembic_version SET version_num = '0000'")
    with untouched(file), pytest.raises(LedgerTooOld, match="0000"):
        LedgerReader(file)


@pytest.mark.parametrize("text", [b"{}\n", b"SQLite format 3\0" + b"\xff" * 500, b"\0" * 8192])
def test_a_file_that_is_none_of_sqlites_is_named(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / LEDGER_FILE
    file.write_bytes(text)
    refused(file, LedgerError, "is no ledger: it is no SQLite file|is damaged")
    with untouched(file), pytest.raises((NoLedger, LedgerDamaged)):
        LedgerReader(file)


def test_a_database_of_another_program_is_named(tmp_path: Path) -> None:
    file = tmp_path / LEDGER_FILE
    change(file, "CREATE TABLE songs (song TEXT)")
    refused(file, NoLedger, "of another program")


def test_a_ledger_that_lost_its_version_is_damaged(file: Path) -> None:
    change(file, "DELETE FROM alembic_version")
    refused(file, LedgerDamaged, "which version")
    change(file, "DROP TABLE alembic_version")
    refused(file, LedgerDamaged, "which version")


def test_a_ledger_that_lost_a_column_is_damaged(file: Path) -> None:
    change(file, "ALTER TABLE audits DROP COLUMN wrong")
    with pytest.raises(LedgerDamaged, match=r"it has no audits\.wrong"):
        Ledger(file)


def test_a_file_that_was_cut_short_is_damaged(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2 // 4096 * 4096])
    refused(file, LedgerDamaged, "is damaged")


@pytest.mark.parametrize("small_bytes", [20_000_000, 0])
def test_pages_that_are_not_what_was_written_are_found_after_an_end_that_was_not_clean(
    file: Path, small_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_files, "_SMALL_BYTES", small_bytes)
    with closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'parts'").fetchone()
    data = bytearray(file.read_bytes())
    data[(page - 1) * 4096 + 8 : (page - 1) * 4096 + 200] = b"\xff" * 192
    file.write_bytes(data)
    file.with_name(f"{LEDGER_FILE}-wal").write_bytes(b"\0" * 4096)  # as a program that was killed leaves it
    refused(file, LedgerDamaged, "table parts|malformed")


def test_damage_that_is_met_later_is_named_and_nothing_goes_on_as_if_nothing_were(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'parts_by_class'").fetchone()
    data = bytearray(file.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    file.write_bytes(data)
    with Ledger(file) as ledger:
        part = ledger.open_part()
        ledger.intend(part, SURE, A)
        with pytest.raises(LedgerDamaged):
            ledger.finish(part, IN_A)


def test_a_ledger_that_is_not_there_is_not_made_by_whoever_reads(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissing, match="nothing was sorted"):
        LedgerReader(tmp_path / LEDGER_FILE)
    assert not list(tmp_path.iterdir())
    (tmp_path / LEDGER_FILE).touch()
    with pytest.raises(LedgerMissing):
        LedgerReader(tmp_path / LEDGER_FILE)
    Ledger(tmp_path / LEDGER_FILE).close()


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(LedgerUnwritable, match="cannot be written"):
        Ledger(tmp_path / "state" / LEDGER_FILE)
    (tmp_path / "other" / LEDGER_FILE).mkdir(parents=True)
    with pytest.raises(LedgerUnwritable):
        Ledger(tmp_path / "other" / LEDGER_FILE)


@pytest.fixture
def of_nobody(file: Path) -> Iterator[Path]:
    """The ledger where nobody in particular may read but not write; root, to whom nothing is forbidden, is nobody."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        copy = Path(folder) / LEDGER_FILE
        shutil.copy(file, copy)
        is_root = os.geteuid() == 0
        Path(folder).chmod(0o755)
        copy.chmod(0o444)
        if is_root:
            os.seteuid(65534)
        try:
            yield copy
        finally:
            if is_root:
                os.seteuid(0)


@pytest.mark.parametrize("is_folder_open", [True, False])
def test_a_read_only_ledger_is_named(of_nobody: Path, is_folder_open: bool) -> None:
    caller = os.geteuid()
    if caller == 65534:
        os.seteuid(0)
    of_nobody.parent.chmod(0o777 if is_folder_open else 0o555)
    os.seteuid(caller)
    with untouched(of_nobody), pytest.raises(LedgerUnwritable, match="cannot be written") as caught:
        Ledger(of_nobody)
    assert "who may write there" in caught.value.remedy


# --- the disk is full -----------------------------------------------------------------------------------------------


def largest_pages(ledger: Ledger, pages: int) -> None:
    """As if the disk had no room for more than these pages of the file."""
    ledger._opened().connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    ledger._opened().connection.rollback()


def test_after_a_full_disk_the_ledger_goes_on_when_there_is_room_again(file: Path) -> None:
    with Ledger(file) as ledger:
        before = ledger.contents()
        ledger.begin_run(PLAN, "tiny")
        under_way = ledger.open_part()
        largest_pages(ledger, 1)
        for _ in range(2):
            with pytest.raises(LedgerFull, match="no room left on the disk") as caught:
                ledger.open_incident("jam", "x" * 100_000, ())
            assert caught.value.errno == 28
        assert ledger.contents() == before
        largest_pages(ledger, 1_000_000)
        ledger.intend(under_way, SURE, A)
        ledger.finish(under_way, IN_A)
        assert ledger.contents()[A].class_counts == {"3001": 31}
        assert recorded(ledger) == under_way + 1
    with open_reader(file) as reader:
        assert [row.part for row in reader.all_parts()] == list(range(1, 33))
        assert reader.runs().rows[0].totals.parts == 2
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@contextmanager
def no_file_larger_than(bytes_: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_after_an_error_of_the_disk_the_file_is_looked_at_anew_and_nothing_is_counted_twice(file: Path) -> None:
    notes: list[str] = []
    with Ledger(file, on_note=notes.append) as ledger:
        ledger.begin_run(PLAN, "tiny")
        under_way = ledger.open_part()
        ledger.intend(under_way, SURE, A)
        wal = file.with_name(f"{LEDGER_FILE}-wal")
        with no_file_larger_than(wal.stat().st_size + 2000):
            with pytest.raises(LedgerUnwritable, match="cannot be written"):
                ledger.open_part()
            with pytest.raises(LedgerUnwritable, match="cannot be written"):
                ledger.finish(under_way, IN_A)
        ledger.finish(under_way, IN_A)
        following = recorded(ledger)
        assert ledger.contents()[A].class_counts == {"3001": 32}
    with open_reader(file) as reader:
        rows = list(reader.all_parts())
        assert [row.part for row in rows] == list(range(1, following + 1))
        assert [row.outcome for row in rows[30:]].count(OutcomeKind.CONFIRMED) == 2
        assert rows[-1].run == 2


def test_an_error_of_a_disk_without_room_is_that_it_is_full(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger(file) as ledger:
        wal = file.with_name(f"{LEDGER_FILE}-wal")
        with monkeypatch.context() as patch, no_file_larger_than(wal.stat().st_size + 2000):
            patch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(10**9, 10**9, 0))
            with pytest.raises(LedgerFull):
                ledger.open_part()
            assert "0 MB free" in (ledger.shortage() or "")
        assert recorded(ledger) == 31


def test_a_disk_with_too_little_room_asks_for_feeding_to_stop(file: Path) -> None:
    with Ledger(file) as ledger:
        assert ledger.shortage() is None
    with Ledger(file, least_free_bytes=10**18) as ledger:
        told = ledger.shortage()
        assert told is not None
        assert "MB free" in told
        assert recorded(ledger) == 31  # what is under way is still written down
    moved = file.parent.with_name("moved")
    with Ledger(file) as ledger:
        file.parent.rename(moved)
        assert "Nobody can say" in (ledger.shortage() or "")
        moved.rename(file.parent)


def test_an_old_journal_is_not_read_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"line":"opened"}\n')
    notes: list[str] = []
    with Ledger(tmp_path / LEDGER_FILE, on_note=notes.append) as ledger:
        assert ledger.first_part == 1
    assert len(notes) == 1
    assert "is not read any more" in notes[0]
    assert (tmp_path / "journal.jsonl").read_text() == '{"line":"opened"}\n'
