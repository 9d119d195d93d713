"""The list of parts: filtered, in pieces, and never by looking at all of them.

One filter has an index that is walked along (what is *walked by*); the others are looked at for the rows found there. A
call looks at so many rows at most and then gives what it has, with where to go on: whatever is asked for, and however
rare it is, a call is over soon.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select, text

from sorter.ledger.schema import colours, emptyings, models, parts, rollups, runs, to_json
from sorter.types import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from sorter.types import BinId, RejectReason, RunId

LARGEST = 2**63 - 1  # number that a row can have

_AT_ONCE = 1_000  # rows that are looked at in one piece
_ENOUGH_S = 0.02  # after that, what there is is given
_HOUR_S = 3600

COLUMNS = [
    *(column for column in parts.columns if column.key not in ("model", "colour_code")),
    parts.c.colour_code,
    models.c.name.label("model_name"),
    colours.c.name.label("colour_name"),
]
"""What a row of a part is made of."""


def part_rows(*where: ColumnElement[bool]) -> Select[Any]:
    """Whole rows of parts."""
    joined = parts.outerjoin(models, parts.c.model == models.c.model).outerjoin(
        colours, parts.c.colour_code == colours.c.code
    )
    return select(*COLUMNS).select_from(joined).where(*where)


@dataclass(frozen=True)
class PartFilter:
    """Which parts: all that is named must hold.

    A part that is under way is found where only its run, or nothing, is asked for.

    Args:
        run: of this one.
        class_name: of this class, by the present record.
        bin: lying, or once fallen, into this one.
        is_in_bin: only those that fell into ``bin`` since it was emptied.
        colour: name of a LEGO colour, or LDraw's code.
        reject_reason: rejected for this reason.
        outcome: what became of them.
        is_suspect: flagged, or not.
        probability_from, probability_to: of the likeliest class, both included; the least sure come first.
        finished_from, finished_to: when they were done with, times with zone; the first is included, the second not.

    Raises:
        ValueError: ``is_in_bin`` without a bin, or a time without zone.
    """

    run: RunId | None = None
    class_name: str | None = None
    bin: BinId | None = None
    is_in_bin: bool = False
    colour: str | int | None = None
    reject_reason: RejectReason | None = None
    outcome: OutcomeKind | None = None
    is_suspect: bool | None = None
    probability_from: float | None = None
    probability_to: float | None = None
    finished_from: datetime | None = None
    finished_to: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.is_in_bin and self.bin is None:
            raise ValueError("PartFilter: is_in_bin needs a bin")
        for at in (self.finished_from, self.finished_to):
            if at is not None and at.tzinfo is None:
                raise ValueError(f"PartFilter: a time has a zone, got {at}")

    @property
    def is_by_probability(self) -> bool:
        """The least sure come first, instead of the newest."""
        return self.probability_from is not None or self.probability_to is not None


@dataclass(frozen=True)
class _Term:
    """What must hold; and how an index has it, if there is one that leads to such parts by their numbers."""

    condition: ColumnElement[bool]
    indexed: ColumnElement[bool] | None = None


@dataclass(frozen=True)
class _Span:
    """Numbers beyond which nothing is."""

    first: int = 1
    last: int = LARGEST

    def within(self, first: int, last: int) -> _Span:
        """Both together."""
        return _Span(max(self.first, first), min(self.last, last))


def list_parts(
    connection: Connection, wanted: PartFilter, after: int | None, limit: int
) -> tuple[list[Row[Any]], int | None]:
    """Rows of one piece of the list, and after which part it goes on; None if it does not."""
    terms, span = _terms(connection, wanted), _span(connection, wanted)
    if terms is None or span is None:
        return [], None
    if wanted.is_by_probability:
        pieces, rest = _by_probability(connection, wanted, after, limit + 1), list(terms)
        if span != _Span():
            rest.append(_Term(parts.c.part.between(span.first, span.last)))
    else:
        walked = next((term for term in terms if term.indexed is not None), None)
        rest = [term for term in terms if term is not walked]
        by = None if walked is None else walked.indexed
        span = span.within(1, LARGEST if after is None else after - 1)
        pieces = _by_number(connection, by, span, limit + 1)
    found: list[int] = []
    following: int | None = None
    give_up_s = time.monotonic() + _ENOUGH_S
    for numbers in pieces:
        found += _matching(connection, numbers, [term.condition for term in rest])
        if len(found) > limit:
            found, following = found[:limit], found[limit - 1]
            break
        if time.monotonic() > give_up_s:
            following = numbers[-1]
            break
    rows = {row.part: row for row in connection.execute(rows_of(found))}
    return [rows[number] for number in found], following


def _by_number(
    connection: Connection, indexed: ColumnElement[bool] | None, span: _Span, at_once: int
) -> Iterator[list[int]]:
    """Numbers of parts, largest first, in pieces, which grow the longer nothing is found among them."""
    last = span.last
    while last >= span.first:
        numbers = list(connection.scalars(numbers_by_number(indexed, span.first, last, at_once)))
        if numbers:
            yield numbers
        if len(numbers) < at_once:
            return
        last, at_once = numbers[-1] - 1, _more(at_once)


def numbers_by_number(indexed: ColumnElement[bool] | None, first: int, last: int, at_once: int) -> Select[int]:
    """One piece of the numbers that an index leads to; None walks by the numbers themselves."""
    statement = select(parts.c.part).where(parts.c.part.between(first, last))
    if indexed is not None:
        statement = statement.where(indexed)
    return statement.order_by(parts.c.part.desc()).limit(at_once)


def _by_probability(connection: Connection, wanted: PartFilter, after: int | None, at_once: int) -> Iterator[list[int]]:
    """Numbers of parts, the least sure first, in pieces, which grow."""
    least = 0.0 if wanted.probability_from is None else wanted.probability_from
    most = 1.0 if wanted.probability_to is None else wanted.probability_to
    part = 0
    if after is not None:
        reached = connection.scalar(select(parts.c.probability).where(parts.c.part == after))
        if reached is not None and reached >= least:
            least, part = reached, after
    while least <= most:
        found = connection.execute(numbers_by_probability(least, least, part, at_once)).all()
        if len(found) < at_once:
            found = [*found, *connection.execute(numbers_by_probability(least, most, None, at_once - len(found)))]
        if found:
            yield [row.part for row in found]
        if len(found) < at_once:
            return
        least, part, at_once = found[-1].probability, found[-1].part, _more(at_once)


def _more(at_once: int) -> int:
    return max(at_once, min(4 * at_once, _AT_ONCE))


def numbers_by_probability(above: float, most: float, part: int | None, at_once: int) -> Select[Any]:
    """One piece: parts of exactly ``above`` behind ``part``, or with None all between ``above`` and ``most``."""
    statement = select(parts.c.part, parts.c.probability).where(_PROBABILITY_IS_INDEXED)
    if part is None:
        statement = statement.where(parts.c.probability > above, parts.c.probability <= most)
    else:
        statement = statement.where(parts.c.probability == above, parts.c.part > part)
    return statement.order_by(parts.c.probability, parts.c.part).limit(at_once)


def _matching(connection: Connection, numbers: list[int], rest: Sequence[ColumnElement[bool]]) -> list[int]:
    """Those of these parts for which the rest holds, in the same order."""
    if not rest:
        return numbers
    matching = set(connection.scalars(select(parts.c.part).where(_among(numbers), *rest)))
    return [number for number in numbers if number in matching]


def rows_of(numbers: Sequence[int]) -> Select[Any]:
    """Whole rows of these parts."""
    return part_rows(_among(numbers))


def _among(numbers: Sequence[int]) -> ColumnElement[bool]:
    given = func.json_each(to_json(list(numbers))).table_valued("value")
    return parts.c.part.in_(select(given.c.value))


# --- what must hold -------------------------------------------------------------------------------------------------

_IS_FINISHED = text("parts.outcome IS NOT NULL")  # as the indexes have it, so that SQLite sees that they serve
_PROBABILITY_IS_INDEXED = and_(_IS_FINISHED, parts.c.probability.is_not(None))


def _terms(connection: Connection, wanted: PartFilter) -> list[_Term] | None:
    """All conditions, those that are likely to hold for the fewest parts first; None if one cannot hold at all."""
    terms: list[_Term] = []
    if wanted.is_suspect:
        terms.append(_Term(parts.c.suspect.is_not(None), parts.c.suspect.is_not(None)))
    if wanted.outcome is not None:
        is_rare = wanted.outcome is not OutcomeKind.CONFIRMED
        condition = parts.c.outcome == str(wanted.outcome)
        not_confirmed = and_(condition, _IS_FINISHED, text("parts.outcome <> 'confirmed'"))
        terms.append(_Term(condition, not_confirmed if is_rare else None))
    if wanted.reject_reason is not None:
        terms.append(_equal(parts.c.reject_reason, str(wanted.reject_reason)))
    if wanted.colour is not None:
        code = _colour_code(connection, wanted.colour)
        if code is None:
            return None
        terms.append(_equal(parts.c.colour_code, code))
    if wanted.class_name is not None:
        terms.append(_equal(parts.c.class_name, wanted.class_name))
    if wanted.bin is not None:
        terms.append(_Term(parts.c.bin == wanted.bin, parts.c.bin == wanted.bin))
    if wanted.is_in_bin:
        terms.append(_Term(parts.c.after_emptying >= _last_emptying(connection, wanted)[0]))
    if wanted.is_suspect is False:
        terms.append(_Term(parts.c.suspect.is_(None)))
    if wanted.run is not None:
        terms.append(_Term(parts.c.run == wanted.run))
    if wanted.finished_from is not None:
        terms.append(_Term(parts.c.finished_at >= wanted.finished_from))
    if wanted.finished_to is not None:
        terms.append(_Term(parts.c.finished_at < wanted.finished_to))
    return terms


def _equal(column: ColumnElement[Any], value: object) -> _Term:
    return _Term(and_(column == value, _IS_FINISHED), and_(column == value, column.is_not(None), _IS_FINISHED))


def _colour_code(connection: Connection, colour: str | int) -> int | None:
    if isinstance(colour, int):
        return colour
    return connection.scalars(select(colours.c.code).where(colours.c.name == colour).limit(1)).first()


def _last_emptying(connection: Connection, wanted: PartFilter) -> tuple[int, int]:
    """Of the bin: its number, and the part up to which nothing fell into it later."""
    statement = (
        select(emptyings.c.emptying, emptyings.c.after_part)
        .where(emptyings.c.bin == wanted.bin, emptyings.c.undone_at.is_(None))
        .order_by(emptyings.c.emptying.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return (0, 0) if row is None else (row.emptying, row.after_part)


def _span(connection: Connection, wanted: PartFilter) -> _Span | None:
    """Between which numbers the parts are; None if there are none."""
    span = _Span()
    if wanted.is_in_bin:
        span = span.within(_last_emptying(connection, wanted)[1] + 1, LARGEST)
    if wanted.run is not None:
        first = connection.scalar(select(runs.c.first_part).where(runs.c.run == wanted.run))
        if first is None:
            return None
        following = connection.scalar(select(runs.c.first_part).where(runs.c.run == wanted.run + 1))
        span = span.within(first, LARGEST if following is None else following - 1)
    if wanted.finished_from is not None or wanted.finished_to is not None:
        hours = [rollups.c.parts > 0]
        if wanted.finished_from is not None:
            hours.append(rollups.c.hour >= int(wanted.finished_from.timestamp()) // _HOUR_S)
        if wanted.finished_to is not None:
            hours.append(rollups.c.hour <= int(wanted.finished_to.timestamp()) // _HOUR_S)
        first, last = connection.execute(
            select(func.min(rollups.c.first_part), func.max(rollups.c.last_part)).where(*hours)
        ).one()
        if first is None:
            return None
        span = span.within(first, last)
    return span
