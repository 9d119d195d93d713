"""Incidents: opened, told of again, closed. Each function is called in a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from sorter.ledger.part_rows import now
from sorter.ledger.schema import incidents, parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def open_incident(
    connection: Connection, kind: str, message: str, choices: Sequence[str], part: int | None, *, has_picture: bool
) -> int:
    """A new one; returns its number. Raises ValueError if its part was never opened."""
    if part is not None and connection.execute(select(parts.c.part).where(parts.c.part == part)).scalar() is None:
        raise ValueError(f"part {part} was never opened")
    at = now()
    values = {
        "kind": str(kind),
        "message": message,
        "choices": [str(choice) for choice in choices],
        "opened_at": at,
        "last_at": at,
        "times": 1,
        "part": part,
        "has_picture": int(has_picture),
    }
    result = connection.execute(insert(incidents).values(values))
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def update_incident(connection: Connection, incident: int, message: str) -> None:
    """It happened once more. Raises ValueError if it is not open."""
    if _is_closed(connection, incident):
        raise ValueError(f"incident {incident} is over")
    values = {"message": message, "last_at": now(), "times": incidents.c.times + 1}
    connection.execute(update(incidents).where(incidents.c.incident == incident).values(values))


def close_incident(connection: Connection, incident: int, choice: str | None) -> None:
    """It is over; what is over already stays as it was. Raises ValueError if there never was one of that number."""
    if _is_closed(connection, incident):
        return
    values = {"closed_at": now(), "choice": None if choice is None else str(choice)}
    connection.execute(update(incidents).where(incidents.c.incident == incident).values(values))


def close_all(connection: Connection) -> int:
    """Those that the last program left open are over by themselves; returns how many."""
    changed = connection.execute(update(incidents).where(incidents.c.closed_at.is_(None)).values(closed_at=now()))
    return changed.rowcount


def _is_closed(connection: Connection, incident: int) -> bool:
    row = connection.execute(select(incidents.c.closed_at).where(incidents.c.incident == incident)).one_or_none()
    if row is None:
        raise ValueError(f"there is no incident {incident}")
    return row.closed_at is not None
