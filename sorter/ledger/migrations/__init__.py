"""Brings a ledger's tables up to the newest version; each step is a file in ``versions``.

A step is written for Alembic and never changed once it was released. All steps run in one transaction: a program that
is killed in the middle leaves the ledger as it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import Connection

SCRIPTS = Path(__file__).parent


def known_revisions(scripts: Path = SCRIPTS) -> tuple[str, ...]:
    """Every version that can be brought up to date, newest first."""
    directory = ScriptDirectory(str(scripts))
    return tuple(script.revision for script in directory.walk_revisions())


def upgrade(connection: Connection, scripts: Path = SCRIPTS) -> None:
    """Bring the tables up to the newest version, in the transaction that the caller has begun.

    Args:
        connection: to the ledger; must be in a transaction.
        scripts: the folder with ``versions``.
    """
    directory = ScriptDirectory(str(scripts))

    def steps(revision: str | tuple[str, ...] | Sequence[str], _context: MigrationContext) -> list[object]:
        return list(directory._upgrade_revs("head", revision))  # type: ignore[arg-type]

    with EnvironmentContext(Config(), directory, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=False)
        environment.run_migrations()
