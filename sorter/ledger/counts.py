"""The roll-ups: what a finished part adds to the counts of its hour and of its bin, and how it is taken out again.

They are changed in the same transaction as the part's row, so no list and no chart ever has to look at all parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert

from sorter.ledger.schema import NO_CLASS, NO_COLOUR, NO_RUN, PRESENT, contents, emptyings, parts, rollups
from sorter.types import OutcomeKind

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_HOUR_S = 3600
_FROM_PART = ("part", "run", "outcome", "bin", "class_name", "colour_code", "sureness_ppm", "finished_at")
_COLUMNS = [
    *(parts.c[name] for name in (*_FROM_PART, "after_emptying", "suspect", "corrections", "view_count", "intentions")),
    parts.c.opened_at_s,
    parts.c.finished_at_s,
]


@dataclass(frozen=True)
class Finished:
    """What of a finished part's row is counted anywhere."""

    part: int
    run: int | None
    outcome: str
    bin: str | None
    class_name: str | None
    colour_code: int | None
    sureness_ppm: int | None
    finished_at: datetime
    after_emptying: int
    suspect: str | None
    corrections: int
    view_count: int
    intentions: int
    opened_at_s: float
    finished_at_s: float


def finished_part(connection: Connection, part: int) -> Finished:
    """What there is to count of a part that is finished."""
    row = connection.execute(select(*_COLUMNS).where(parts.c.part == part)).one()
    return Finished(**row._mapping)


def count(connection: Connection, part: Finished, sign: int) -> None:
    """Add a part to the counts (``sign`` 1), or take it out again (-1)."""
    is_decided = part.class_name is not None
    sureness_ppm = part.sureness_ppm or 0
    amounts = {
        "parts": 1,
        "decided": int(is_decided),
        "rejected": int(not is_decided and part.intentions > 0),
        "sureness_ppm": sureness_ppm,
        **{str(kind): int(part.outcome == kind) for kind in OutcomeKind},
        "suspect": int(part.suspect is not None),
        "corrected": int(part.corrections > 0),
        "views": part.view_count,
        "handled_ms": max(0, round(1000.0 * (part.finished_at_s - part.opened_at_s))),
    }
    keys = {"run": part.run or NO_RUN, "hour": int(part.finished_at.timestamp()) // _HOUR_S}
    amounts = {name: sign * amount for name, amount in amounts.items()}
    new = insert(rollups).values(**keys, **amounts, first_part=part.part, last_part=part.part)
    changes = {name: rollups.c[name] + new.excluded[name] for name in amounts}
    changes["first_part"] = func.min(rollups.c.first_part, new.excluded.first_part)
    changes["last_part"] = func.max(rollups.c.last_part, new.excluded.last_part)
    connection.execute(new.on_conflict_do_update(index_elements=["run", "hour"], set_=changes))
    if part.bin is not None:
        _count_in_bin(connection, part, part.bin, sign)


def _count_in_bin(connection: Connection, part: Finished, name: str, sign: int) -> None:
    keys = {
        "bin": name,
        "emptying": taken_out_by(connection, name, part.after_emptying),
        "class_name": NO_CLASS if part.class_name is None else part.class_name,
        "colour_code": NO_COLOUR if part.colour_code is None else part.colour_code,
    }
    amounts = {"parts": 1, "decided": int(part.class_name is not None), "sureness_ppm": part.sureness_ppm or 0}
    add_contents(connection, keys, {name: sign * amount for name, amount in amounts.items()})
    if sign < 0:
        connection.execute(
            delete(contents).where(*(contents.c[key] == value for key, value in keys.items()), contents.c.parts == 0)
        )


def add_contents(connection: Connection, keys: dict[str, object], amounts: dict[str, int]) -> None:
    """Add to what is, or was, in a bin."""
    new = insert(contents).values({**keys, **amounts})
    changes = {name: contents.c[name] + new.excluded[name] for name in amounts}
    connection.execute(
        new.on_conflict_do_update(index_elements=["bin", "emptying", "class_name", "colour_code"], set_=changes)
    )


def taken_out_by(connection: Connection, name: str, after_emptying: int) -> int:
    """The emptying that took out what fell into a bin when ``after_emptying`` was the newest one; or ``PRESENT``."""
    statement = (
        select(emptyings.c.emptying)
        .where(emptyings.c.bin == name, emptyings.c.emptying > after_emptying, emptyings.c.undone_at.is_(None))
        .order_by(emptyings.c.emptying)
        .limit(1)
    )
    return int(connection.execute(statement).scalar() or PRESENT)
