"""Bins: emptied, counted by hand, and what is in them. Each function is called in a transaction."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from sorter.ledger.counts import add_contents, taken_out_by
from sorter.ledger.part_rows import finished_up_to, meet_bin, now
from sorter.ledger.purity import audited_purity
from sorter.ledger.schema import NO_CLASS, PRESENT, audits, contents, emptyings
from sorter.types import REJECTED, BinContent, BinId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def empty(connection: Connection, names: Sequence[str]) -> list[int]:
    """What is in these bins was taken out; returns the emptyings' numbers."""
    if not all(names):
        raise ValueError("a bin has a name")
    at, after_part = now(), finished_up_to(connection)
    numbers = []
    for name in dict.fromkeys(names):
        meet_bin(connection, name, at)
        result = connection.execute(insert(emptyings).values(bin=name, at=at, after_part=after_part))
        numbers.append(int(result.inserted_primary_key[0]))  # type: ignore[index]
        connection.execute(
            update(contents).where(contents.c.bin == name, contents.c.emptying == PRESENT).values(emptying=numbers[-1])
        )
    return numbers


def undo_emptying(connection: Connection, emptying: int) -> None:
    """It never happened: what it took out was taken out by the next one, or is there still."""
    row = connection.execute(select(emptyings).where(emptyings.c.emptying == emptying)).one_or_none()
    if row is None:
        raise ValueError(f"there is no emptying {emptying}")
    if row.undone_at is not None:
        raise ValueError(f"emptying {emptying} of {row.bin} is undone already")
    connection.execute(update(emptyings).where(emptyings.c.emptying == emptying).values(undone_at=now()))
    where = taken_out_by(connection, row.bin, emptying)
    taken = connection.execute(select(contents).where(contents.c.bin == row.bin, contents.c.emptying == emptying))
    for each in taken.all():
        keys = {"bin": row.bin, "emptying": where, "class_name": each.class_name, "colour_code": each.colour_code}
        amounts = {"parts": each.parts, "decided": each.decided, "sureness_ppm": each.sureness_ppm}
        add_contents(connection, keys, amounts)
    connection.execute(delete(contents).where(contents.c.bin == row.bin, contents.c.emptying == emptying))


def audit(connection: Connection, name: str, counted: int, wrong: int, by: str) -> int:
    """A bin was counted by hand; returns the audit's number."""
    audited_purity(counted, wrong)  # refuses numbers that cannot be
    if not name or counted == 0:
        raise ValueError("an audit is of a bin, and counts a part at least")
    at = now()
    meet_bin(connection, name, at)
    sums = (func.coalesce(func.sum(contents.c[column]), 0) for column in ("parts", "decided", "sureness_ppm"))
    recorded, decided, sureness_ppm = connection.execute(
        select(*sums).where(contents.c.bin == name, contents.c.emptying == PRESENT)
    ).one()
    newest = connection.execute(select(func.coalesce(func.max(emptyings.c.emptying), 0))).scalar_one()
    values: dict[str, Any] = {"bin": name, "at": at, "by": by, "counted": counted, "wrong": wrong}
    values |= {"recorded": recorded, "decided": decided, "sureness_ppm": sureness_ppm, "after_emptying": newest}
    result = connection.execute(insert(audits).values(values))
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def present_contents(connection: Connection) -> dict[BinId, BinContent]:
    """What is in the bins; those with nothing in them are left out."""
    columns = (contents.c.bin, contents.c.class_name, contents.c.parts, contents.c.decided, contents.c.sureness_ppm)
    counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    decided: defaultdict[str, int] = defaultdict(int)
    sureness_ppm: defaultdict[str, int] = defaultdict(int)
    for row in connection.execute(select(*columns).where(contents.c.emptying == PRESENT)):
        name = REJECTED if row.class_name == NO_CLASS else row.class_name
        counts[row.bin][name] = counts[row.bin].get(name, 0) + row.parts
        decided[row.bin] += row.decided
        sureness_ppm[row.bin] += row.sureness_ppm
    return {BinId(bin_): BinContent(counts[bin_], sureness_ppm[bin_] / 1e6, decided[bin_]) for bin_ in sorted(counts)}
