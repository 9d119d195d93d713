"""What a person says of a part afterwards: its row is changed, what it was before is kept, and the counts follow.

Each function is called in a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from sorter.ledger.part_rows import PPM, change_counted, meet_bin, now
from sorter.ledger.rows import CorrectionKind
from sorter.ledger.schema import corrections, parts
from sorter.types import OutcomeKind

if TYPE_CHECKING:
    from types import EllipsisType

    from sqlalchemy import Connection


@dataclass(frozen=True)
class Author:
    """Who says something, and what he adds in words."""

    by: str
    note: str = ""


def settle(connection: Connection, part: int, name: str | None, author: Author) -> None:
    """An unresolved part was found in a bin, or it is lost for good (None)."""
    row = _finished(connection, part)
    if row.outcome != OutcomeKind.UNRESOLVED:
        raise ValueError(f"part {part} is not unresolved, but {row.outcome}; correct it instead")
    _amend(connection, part, row, CorrectionKind.SETTLED, _found(name), author)


def correct(
    connection: Connection,
    part: int,
    name: str | EllipsisType | None,
    class_name: str | EllipsisType | None,
    author: Author,
) -> None:
    """A finished part lies elsewhere, or is something else, than its row says; ``...`` leaves that as it is."""
    row = _finished(connection, part)
    values: dict[str, Any] = {}
    if name is not ...:
        values |= _found(name)
        if name is None and row.bin is None and row.outcome != OutcomeKind.UNRESOLVED:
            values["outcome"] = row.outcome  # stuck stays stuck
    if class_name is not ...:
        if class_name == "":
            raise ValueError(f"part {part}: a class has a name")
        values |= {"class_name": class_name, "sureness_ppm": None if class_name is None else PPM}
    if not values:
        raise ValueError(f"part {part}: nothing is said that could be corrected")
    _amend(connection, part, row, CorrectionKind.CORRECTED, values, author)


def _found(name: str | None) -> dict[str, Any]:
    """Whoever says where a part is has looked, so nothing is held against its row any more."""
    if name == "":
        raise ValueError("a bin has a name")
    outcome = OutcomeKind.LOST if name is None else OutcomeKind.CONFIRMED
    return {"bin": name, "outcome": str(outcome), "suspect": None}


def _finished(connection: Connection, part: int) -> Any:
    columns = (parts.c.outcome, parts.c.bin, parts.c.class_name, parts.c.suspect, parts.c.corrections)
    row = connection.execute(select(*columns).where(parts.c.part == part)).one_or_none()
    if row is None:
        raise ValueError(f"part {part} was never opened")
    if row.outcome is None:
        raise ValueError(f"part {part} is still under way")
    return row


def _amend(  # noqa: PLR0917  (what is written down of it)
    connection: Connection, part: int, row: Any, what: CorrectionKind, values: dict[str, Any], author: Author
) -> None:
    at = now()
    if values.get("bin") is not None:
        meet_bin(connection, values["bin"], at)
    change_counted(connection, part, {**values, "corrections": row.corrections + 1})
    history = {
        "part": part,
        "at": at,
        "by": author.by,
        "what": str(what),
        "note": author.note,
        "was_bin": row.bin,
        "bin": values.get("bin", row.bin),
        "was_class": row.class_name,
        "class_name": values.get("class_name", row.class_name),
        "was_outcome": row.outcome,
        "outcome": values.get("outcome", row.outcome),
        "was_suspect": row.suspect,
    }
    connection.execute(insert(corrections).values(history))
