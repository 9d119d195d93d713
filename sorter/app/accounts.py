"""What really became of each part, held against what the records say of it. Pure.

Parts and rows are matched by time. A part's own row is the one that was opened while it lay on the table; a row claims
the parts that the arm struck between its (first) intention and its end. Every part has exactly one fate.
"""

from __future__ import annotations

import bisect
import enum
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.types import OutcomeKind
from sorter.types.hands import CLEAR_CHUTE
from sorter.types.twin import BESIDE, HAND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sorter.app.truth import HandTruth, Journey
    from sorter.ledger import PartRow
    from sorter.types import SortPlan


class Fate(enum.StrEnum):
    """Where a part is in the end, whether it belongs there, and what the records say of it."""

    RIGHT = "right"  # of a known class, in the bin that the plan gives it
    MISROUTED = "misrouted"  # of a known class, in another class' bin
    REJECTED = "rejected"  # of a known class, in the reject bin
    UNKNOWN_ACCEPTED = "unknown accepted"  # of no known class, in a class' bin
    UNKNOWN_REJECTED = "unknown rejected"  # of no known class, in the reject bin
    RETURNED = "returned"  # in the hopper again, as the run ended before it was fed once more
    TAKEN = "taken"  # somebody took it by hand, and the records say that it is in no bin
    MISSING = "missing"  # the records say themselves that nobody knows where it is
    UNSEEN = "unseen"  # it has no row, as it was gone from the table before it could have one
    ASTRAY = "astray"  # the records say that it lies where it does not
    LOST = "lost"  # the records say nothing of it, though they could


SETTLED = (
    Fate.RIGHT,
    Fate.MISROUTED,
    Fate.REJECTED,
    Fate.UNKNOWN_ACCEPTED,
    Fate.UNKNOWN_REJECTED,
    Fate.RETURNED,
    Fate.TAKEN,
)
"""What the records say is what is."""


@dataclass(frozen=True)
class Account:
    """One part.

    Args:
        journey: its last way over the table.
        fate: what became of it.
        row: its own, of this journey; None if it has none.
        why: what the records say of where it lies; empty if they agree.
        counted: numbers of the rows that claim it on this way and say that it lies in a bin for good.
        was_fed_again: it has been in the recirculate bin.
    """

    journey: Journey
    fate: Fate
    row: PartRow | None
    why: str = ""
    counted: tuple[int, ...] = ()
    was_fed_again: bool = False


@dataclass(frozen=True)
class Accounts:
    """All parts and rows.

    Args:
        parts: each part that was ever dropped, once, by its number.
        earlier: ways of parts that were fed again, of which the records say that they ended elsewhere.
        rows: in the order of their numbers.
        claims: by a row's number, the journeys that it claims.
        own: by a row's number, the parts of which it is the own row, on whichever journey.
        overcounted: numbers of rows that say that a part lies in a bin, where none came, or none that no other row
            counts.
        rows_too_many: numbers of rows that were opened for parts that had one already.
        rows_of_nothing: numbers of rows that were opened where no part lay.
    """

    parts: tuple[Account, ...]
    earlier: tuple[Account, ...]
    rows: tuple[PartRow, ...]
    claims: Mapping[int, tuple[Journey, ...]]
    own: Mapping[int, tuple[int, ...]]
    overcounted: tuple[int, ...] = ()
    rows_too_many: tuple[int, ...] = ()
    rows_of_nothing: tuple[int, ...] = ()

    def of_fate(self, *fates: Fate) -> tuple[Account, ...]:
        """The parts of one fate, or of one of several."""
        return tuple(part for part in self.parts if part.fate in fates)

    @property
    def sharing_a_row(self) -> int:
        """Parts that a row counts together with another one, beyond the first: two that lay close seemed one."""
        shared = Counter(row for part in self.parts for row in part.counted)
        return sum(count - 1 for count in shared.values())


def right_bins(plan: SortPlan) -> dict[str, str]:
    """The bin that the plan gives each class that a rule names, whatever its colour."""
    bins: dict[str, str] = {}
    for rule in plan.rules:
        for name in rule.classes:
            bins.setdefault(name, rule.bin)
    return bins


def account(
    journeys: Sequence[Journey], rows: Iterable[PartRow], plan: SortPlan, hands: Iterable[HandTruth] = ()
) -> Accounts:
    """Match them, and say of each part what became of it.

    Args:
        journeys: in the order in which they began.
        rows: of the same run.
        plan: by which was sorted.
        hands: what somebody did at the machine.
    """
    rows = tuple(sorted(rows, key=lambda row: row.part))
    windows = _Windows(rows)
    claims: dict[int, list[Journey]] = {}
    claimed_by: list[list[PartRow]] = []
    for journey in journeys:
        found = windows.rows_of(journey)
        claimed_by.append(found)
        for each in found:
            claims.setdefault(each.part, []).append(journey)
    opened = _Opened(journeys, rows, hands)
    own_rows = [opened.own.get(place) or _row_that_tells(claimed_by[place]) for place in range(len(journeys))]
    own: dict[int, tuple[int, ...]] = {}
    for journey, row in zip(journeys, own_rows, strict=True):
        if row is not None:
            own[row.part] = (*own.get(row.part, ()), journey.part)
    ways: dict[int, list[int]] = {}
    for place, journey in enumerate(journeys):
        ways.setdefault(journey.part, []).append(place)
    bins = right_bins(plan)
    parts, earlier = [], []
    for part in sorted(ways):
        *before, last = ways[part]
        for place in before:
            fate, why = _fate(journeys[place], own_rows[place], plan, bins)
            if fate is Fate.ASTRAY:
                earlier.append(Account(journeys[place], fate, own_rows[place], why))
        fate, why = _fate(journeys[last], own_rows[last], plan, bins)
        counted = tuple(each.part for each in claimed_by[last] if each.bin not in (None, plan.recirculate))
        was_fed_again = any(journeys[place].place == plan.recirculate for place in ways[part] if plan.recirculate)
        parts.append(Account(journeys[last], fate, own_rows[last], why, counted, was_fed_again))
    return Accounts(
        parts=tuple(parts),
        earlier=tuple(earlier),
        rows=rows,
        claims={number: tuple(claimed) for number, claimed in claims.items()},
        own=own,
        overcounted=_overcounted(rows, claims),
        rows_too_many=tuple(opened.too_many),
        rows_of_nothing=tuple(number for number in opened.of_nothing if number not in own),
    )


class _Windows:
    """From the intention to the end of each row, in order of time; they do not overlap, as the table holds one part."""

    def __init__(self, rows: Sequence[PartRow]) -> None:
        intended = [(row.intended_at_s, row) for row in rows if row.intended_at_s is not None]
        intended.sort(key=lambda each: each[0])
        self._rows = [row for _, row in intended]
        self._begins_s = [begin_s for begin_s, _ in intended]

    def rows_of(self, journey: Journey) -> list[PartRow]:
        found: list[PartRow] = []
        for pushed_s in journey.pushed_s:
            place = bisect.bisect_right(self._begins_s, pushed_s) - 1
            if place < 0:
                continue
            row = self._rows[place]
            has_ended = row.finished_at_s is not None and row.finished_at_s < pushed_s
            if not has_ended and row not in found:
                found.append(row)
        return found


class _Opened:
    """Which row was opened for which journey: by its place in their list.

    A row is opened for those parts on the table that have none yet. If all that lie there have one, it is one too many,
    and theirs from then on, as it tells of them last.
    """

    def __init__(self, journeys: Sequence[Journey], rows: Sequence[PartRow], hands: Iterable[HandTruth]) -> None:
        self.own: dict[int, PartRow] = {}
        self.too_many: list[int] = []
        self.of_nothing: list[int] = []
        cleared = {(hand.at_s, part) for hand in hands if hand.do == CLEAR_CHUTE for part in hand.parts}
        coming = sorted(range(len(journeys)), key=lambda place: journeys[place].dropped_s, reverse=True)
        lying: list[int] = []
        for row in sorted(rows, key=lambda row: row.opened_at_s):
            while coming and journeys[coming[-1]].dropped_s < row.opened_at_s:
                lying.append(coming.pop())
            lying = [place for place in lying if _left_s(journeys[place], cleared) > row.opened_at_s]
            self._open(row, lying)

    def _open(self, row: PartRow, lying: Sequence[int]) -> None:
        new = [place for place in lying if place not in self.own]
        if not lying:
            self.of_nothing.append(row.part)
        elif not new:
            self.too_many.append(row.part)
        for place in new or lying:
            self.own[place] = row


def _left_s(journey: Journey, cleared: set[tuple[float, int]]) -> float:
    """When a part left the table."""
    if journey.fell_s is None:
        return math.inf
    is_by_hand = journey.place == HAND and (journey.fell_s, journey.part) not in cleared
    return journey.fell_s if is_by_hand or not journey.pushed_s else journey.pushed_s[-1]


def _overcounted(rows: Sequence[PartRow], claims: Mapping[int, Sequence[Journey]]) -> tuple[int, ...]:
    """Rows that count a part which is not where they say, or which another row counts.

    Parts are given to rows by augmenting paths, so that as few rows as possible are left without one.
    """
    counted_by: dict[tuple[int, float], int] = {}
    fitting: dict[int, list[tuple[int, float]]] = {
        row.part: [(each.part, each.dropped_s) for each in claims.get(row.part, ()) if each.place == row.bin]
        for row in rows
        if row.bin is not None
    }

    def find(row: int, seen: set[tuple[int, float]]) -> bool:
        for way in fitting[row]:
            if way in seen:
                continue
            seen.add(way)
            if way not in counted_by or find(counted_by[way], seen):
                counted_by[way] = row
                return True
        return False

    return tuple(row for row in sorted(fitting) if not find(row, set()))


def _row_that_tells(rows: Sequence[PartRow]) -> PartRow | None:
    """Of the rows that claim a journey, the last one that names a bin, else the last one."""
    telling = [row for row in rows if row.bin is not None] or rows
    return telling[-1] if telling else None


def _fate(journey: Journey, row: PartRow | None, plan: SortPlan, bins: Mapping[str, str]) -> tuple[Fate, str]:
    lies = _lies(journey)
    if row is None:
        is_gone = journey.place in (BESIDE, HAND, plan.reject)
        return (Fate.UNSEEN if is_gone else Fate.LOST), f"{lies}, and no row tells of it"
    if row.outcome is None:
        return Fate.LOST, f"{lies}, and row {row.part} has no end"
    if row.bin is None:
        return _fate_without_bin(journey, row, plan)
    if row.bin != journey.place or journey.place in (BESIDE, HAND):
        return Fate.ASTRAY, f"{lies}, and row {row.part} says {row.bin}"
    return _fate_in_bin(journey, plan, bins), ""


def _fate_in_bin(journey: Journey, plan: SortPlan, bins: Mapping[str, str]) -> Fate:
    """The part lies in a bin, and the records say so."""
    is_known = journey.class_name is not None
    if journey.place == plan.recirculate:
        return Fate.RETURNED
    if journey.place == plan.reject:
        return Fate.REJECTED if is_known else Fate.UNKNOWN_REJECTED
    if journey.class_name is None:
        return Fate.UNKNOWN_ACCEPTED
    return Fate.RIGHT if bins.get(journey.class_name) == journey.place else Fate.MISROUTED


def _fate_without_bin(journey: Journey, row: PartRow, plan: SortPlan) -> tuple[Fate, str]:
    """The row says that the part is in no bin that anybody knows."""
    why = f"{_lies(journey)}, and row {row.part} says {row.outcome}"
    if journey.place == HAND:
        return Fate.TAKEN, why
    is_said_to_be_taken = row.outcome is OutcomeKind.STUCK
    if is_said_to_be_taken and journey.place not in (None, BESIDE, plan.reject, plan.recirculate):
        return Fate.ASTRAY, why
    return Fate.MISSING, why


def _lies(journey: Journey) -> str:
    if journey.place is None:
        return "lies on the table, or hangs in the chute"
    if journey.place == BESIDE:
        return "fell beside the bins"
    if journey.place == HAND:
        return "was taken by hand"
    return f"lies in {journey.place}"
