"""What really became of each part, held against what the records say of it. Pure.

Parts and rows are matched by time: a row claims the parts that the arm struck between its (first) intention and its
end. Every part has exactly one fate.
"""

from __future__ import annotations

import bisect
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.types.twin import BESIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sorter.app.truth import Journey
    from sorter.ledger import Row
    from sorter.types import SortPlan


class Fate(enum.StrEnum):
    """Where a part is in the end, and whether it belongs there; the records agree with it, unless it is lost."""

    RIGHT = "right"  # of a known class, in the bin that the plan gives it
    MISROUTED = "misrouted"  # of a known class, in another class' bin
    REJECTED = "rejected"  # of a known class, in the reject bin
    UNKNOWN_ACCEPTED = "unknown accepted"  # of no known class, in a class' bin
    UNKNOWN_REJECTED = "unknown rejected"  # of no known class, in the reject bin
    RETURNED = "returned"  # in the hopper again, as the run ended before it was fed once more
    LOST = "lost"  # beside the bins, on the table, or not where the records say


@dataclass(frozen=True)
class Account:
    """One part.

    Args:
        journey: its last way over the table.
        fate: what became of it.
        row: that says of this journey where it ended; None if no row claims it.
        why_lost: in words; empty unless it is lost.
        counted: numbers of the rows that say that this part lies in a bin, but for those that had it fed again.
        was_fed_again: it has been in the recirculate bin.
    """

    journey: Journey
    fate: Fate
    row: Row | None
    why_lost: str = ""
    counted: tuple[int, ...] = ()
    was_fed_again: bool = False

    @property
    def is_double_counted(self) -> bool:
        """More than one row says that it lies in a bin."""
        return len(self.counted) > 1


@dataclass(frozen=True)
class Accounts:
    """All parts and rows.

    Args:
        parts: each part that was ever dropped, once, by its number.
        rows: in the order of their numbers.
        claims: by a row's number, the journeys that it claims.
        empty_rows: numbers of rows that say that a part lies in a bin, where none was struck.
    """

    parts: tuple[Account, ...]
    rows: tuple[Row, ...]
    claims: Mapping[int, tuple[Journey, ...]]
    empty_rows: tuple[int, ...]

    def of_fate(self, *fates: Fate) -> tuple[Account, ...]:
        """The parts of one fate, or of one of several."""
        return tuple(part for part in self.parts if part.fate in fates)

    @property
    def double_counted(self) -> int:
        """Parts that more than one row counts, and rows that count no part."""
        return sum(part.is_double_counted for part in self.parts) + len(self.empty_rows)

    @property
    def sharing_a_row(self) -> int:
        """Parts that a row counts together with another one, beyond the first: two that lay close seemed one."""
        shared: dict[int, int] = {}
        for part in self.parts:
            for row in part.counted:
                shared[row] = shared.get(row, 0) + 1
        return sum(count - 1 for count in shared.values())


def right_bins(plan: SortPlan) -> dict[str, str]:
    """The bin that the plan gives each class that a rule names, whatever its colour."""
    bins: dict[str, str] = {}
    for rule in plan.rules:
        for name in rule.classes:
            bins.setdefault(name, rule.bin)
    return bins


def account(journeys: Sequence[Journey], rows: Iterable[Row], plan: SortPlan) -> Accounts:
    """Match them, and say of each part what became of it.

    Args:
        journeys: in the order in which they began.
        rows: of the same run.
        plan: by which was sorted.
    """
    rows = tuple(sorted(rows, key=lambda row: row.part))
    windows = _Windows(rows)
    claims: dict[int, list[Journey]] = {}
    claimed_by: list[list[Row]] = []
    for journey in journeys:
        found = windows.rows_of(journey)
        claimed_by.append(found)
        for each in found:
            claims.setdefault(each.part, []).append(journey)
    ways: dict[int, list[int]] = {}
    for place, journey in enumerate(journeys):
        ways.setdefault(journey.part, []).append(place)
    bins = right_bins(plan)
    parts = []
    for part in sorted(ways):
        places = ways[part]
        all_rows = {each.part: each for place in places for each in claimed_by[place]}
        last, row = journeys[places[-1]], _row_that_tells(claimed_by[places[-1]])
        fate, why = _fate(last, row, plan, bins)
        counted = tuple(number for number in sorted(all_rows) if _counts(all_rows[number], plan))
        was_fed_again = any(journeys[place].place == plan.recirculate for place in places if plan.recirculate)
        parts.append(Account(last, fate, row, why, counted, was_fed_again))
    empty = tuple(each.part for each in rows if each.part not in claims and _bin_of(each) is not None)
    return Accounts(tuple(parts), rows, {number: tuple(claimed) for number, claimed in claims.items()}, empty)


class _Windows:
    """From the intention to the end of each row, in order of time; they do not overlap, as the table holds one part."""

    def __init__(self, rows: Sequence[Row]) -> None:
        intended = [row for row in rows if row.intentions]
        intended.sort(key=lambda row: row.intentions[0].at_s)
        self._rows = intended
        self._begins_s = [row.intentions[0].at_s for row in intended]

    def rows_of(self, journey: Journey) -> list[Row]:
        found: list[Row] = []
        for pushed_s in journey.pushed_s:
            place = bisect.bisect_right(self._begins_s, pushed_s) - 1
            if place < 0:
                continue
            row = self._rows[place]
            has_ended = row.finished is not None and row.finished.at_s < pushed_s
            if not has_ended and row not in found:
                found.append(row)
        return found


def _bin_of(row: Row) -> str | None:
    return None if row.finished is None else row.finished.bin


def _counts(row: Row, plan: SortPlan) -> bool:
    """Does the row say that a part lies in a bin for good?"""
    return _bin_of(row) is not None and _bin_of(row) != plan.recirculate


def _row_that_tells(rows: Sequence[Row]) -> Row | None:
    """Of the rows that claim a journey, the last one that names a bin, else the last one."""
    telling = [row for row in rows if _bin_of(row) is not None] or rows
    return telling[-1] if telling else None


def _fate(journey: Journey, row: Row | None, plan: SortPlan, bins: Mapping[str, str]) -> tuple[Fate, str]:
    why = _why_lost(journey, row)
    if why:
        return Fate.LOST, why
    is_known = journey.class_name is not None
    if journey.place == plan.recirculate:
        return Fate.RETURNED, ""
    if journey.place == plan.reject:
        return (Fate.REJECTED if is_known else Fate.UNKNOWN_REJECTED), ""
    if journey.class_name is None:
        return Fate.UNKNOWN_ACCEPTED, ""
    return (Fate.RIGHT if bins.get(journey.class_name) == journey.place else Fate.MISROUTED), ""


def _why_lost(journey: Journey, row: Row | None) -> str:
    if journey.place is None:
        return "lies on the table"
    if journey.place == BESIDE:
        return "fell beside the bins"
    if row is None:
        said = "no row tells of it"
    elif row.finished is None:
        said = f"row {row.part} has no end"
    elif row.finished.bin is None:
        said = f"row {row.part} says {row.finished.kind}"
    elif row.finished.bin != journey.place:
        said = f"row {row.part} says {row.finished.bin}"
    else:
        return ""
    return f"lies in {journey.place}, and {said}"
