"""What the lists that anybody may read are made with: pages, sums, and what belongs to a bin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from sorter.ledger.making import audit_row
from sorter.ledger.schema import audits, emptyings, rollups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Column, Connection, Row, Select

    from sorter.ledger.rows import AuditRow

LARGEST_PAGE = 1_000


def check_limit(limit: int) -> None:
    """Raises ValueError if no page has so many rows."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"a page has 1 to {LARGEST_PAGE} rows, not {limit}")


def page(
    connection: Connection, statement: Select[Any], key: Column[Any], after: int | None, limit: int
) -> tuple[Sequence[Row[Any]], int | None]:
    """One page, the largest keys first, and after which key the next one begins."""
    check_limit(limit)
    if after is not None:
        statement = statement.where(key < after)
    rows = connection.execute(statement.order_by(key.desc()).limit(limit + 1)).all()
    following = int(getattr(rows[limit - 1], key.name)) if len(rows) > limit else None
    return rows[:limit], following


def sums(by: Column[Any] | None) -> Select[Any]:
    """Everything that is summed up, for each run or hour, or over all."""
    keys = {"run", "hour", "first_part", "last_part"}
    summed = [
        func.coalesce(func.sum(column), 0).label(column.name) for column in rollups.columns if column.name not in keys
    ]
    return select(*summed) if by is None else select(by, *summed).group_by(by)


def audit_rows(
    connection: Connection, name: str | None, after: int | None, limit: int
) -> tuple[tuple[AuditRow, ...], int | None]:
    """One page of audits, newest first, of one bin or of all."""
    later = (
        select(emptyings.c.emptying)
        .where(
            emptyings.c.bin == audits.c.bin,
            emptyings.c.emptying > audits.c.after_emptying,
            emptyings.c.undone_at.is_(None),
        )
        .exists()
    )
    statement = select(audits, (~later).label("is_of_present"))
    if name is not None:
        statement = statement.where(audits.c.bin == name)
    found, following = page(connection, statement, audits.c.audit, after, limit)
    return tuple(audit_row(row) for row in found), following


def last_emptied(connection: Connection, name: str) -> datetime | None:
    """When a bin was emptied for the last time."""
    statement = (
        select(emptyings.c.at)
        .where(emptyings.c.bin == name, emptyings.c.undone_at.is_(None))
        .order_by(emptyings.c.emptying.desc())
        .limit(1)
    )
    return connection.scalars(statement).first()
