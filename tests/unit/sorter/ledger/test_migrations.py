"""A ledger of an older version is brought up to date and keeps what is in it; tables are what the program thinks."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from sorter.ledger import LEDGER_FILE, Ledger, LedgerTooNew, migrations, open_reader, opening
from sorter.ledger.migrations import known_revisions
from sorter.ledger.schema import REVISION, metadata
from tests.unit.sorter.ledger.kept import PLAN, recorded

NEXT = """
from alembic import op
import sqlalchemy as sa
revision = "9999"
down_revision = "{newest}"
def upgrade() -> None:
    op.add_column("parts", sa.Column("weight_g", sa.Float))
    op.execute("UPDATE parts SET weight_g = 2.5 WHERE class_name IS NOT NULL")
    {more}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "state" / LEDGER_FILE
    with Ledger(file) as ledger:
        ledger.begin_run(PLAN, "tiny")
        for _ in range(3):
            recorded(ledger)
    return file


def with_a_next_version(folder: Path, monkeypatch: pytest.MonkeyPatch, more: str = "") -> None:
    """From here on the program is one version ahead."""
    scripts = folder / "scripts"
    shutil.rmtree(scripts, ignore_errors=True)
    shutil.copytree(migrations.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "r9999_weigh.py").write_text(NEXT.format(newest=REVISION, more=more))
    upgrade, known = migrations.upgrade, known_revisions
    monkeypatch.setattr(migrations, "upgrade", lambda connection: upgrade(connection, scripts))
    monkeypatch.setattr(migrations, "known_revisions", lambda: known(scripts))
    monkeypatch.setattr(opening, "REVISION", "9999")


def test_the_newest_version_makes_the_tables_that_the_program_writes(file: Path) -> None:
    assert known_revisions()[0] == REVISION
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert difference == []
    with closing(sqlite3.connect(file)) as connection:
        there = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        partial = {name for name, sql in there if " WHERE " in sql}
    wanted = {
        str(index.name)
        for table in metadata.sorted_tables
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert partial == wanted


def test_an_older_ledger_is_brought_up_to_date_with_all_that_is_in_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_reader(file) as reader:
        before = (list(reader.all_parts()), reader.stock(), reader.plans())
    notes: list[str] = []
    with monkeypatch.context() as patch:
        with_a_next_version(tmp_path, patch)
        with Ledger(file, on_note=notes.append) as ledger:
            assert ledger.first_part == 4
        assert [note for note in notes if f"from version {REVISION} to 9999" in note]
        Ledger(file).close()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT part, weight_g FROM parts").fetchall() == [(1, 2.5), (2, 2.5), (3, 2.5)]
        connection.execute(f"UPDATE alembic_version SET version_num = '{REVISION}'")
        connection.commit()
    with open_reader(file) as reader:
        assert (list(reader.all_parts()), reader.stock(), reader.plans()) == before


def test_an_older_program_leaves_a_newer_ledger_alone(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        with_a_next_version(tmp_path, patch)
        Ledger(file).close()
    before = file.read_bytes()
    with pytest.raises(LedgerTooNew, match="9999"):
        Ledger(file)
    assert file.read_bytes() == before


def test_a_step_that_fails_in_the_middle_leaves_the_ledger_as_it_was(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        with_a_next_version(tmp_path, patch, "raise ZeroDivisionError")
        with pytest.raises(ZeroDivisionError):
            Ledger(file)
    with closing(sqlite3.connect(file)) as connection:
        assert "weight_g" not in str(connection.execute("SELECT sql FROM sqlite_master").fetchall())
    with Ledger(file) as ledger:
        assert recorded(ledger) == 4


def test_a_start_that_was_killed_before_the_tables_were_made_is_made_good(tmp_path: Path) -> None:
    file = tmp_path / LEDGER_FILE
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    with Ledger(file) as ledger:
        assert recorded(ledger) == 1
