"""What the ledger says after all kills, held against what really happened to each part."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sorter.types import OutcomeKind
from sorter.types.twin import BESIDE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sorter.app.truth import Journey
    from sorter.ledger import PartRow

WAS_SWEPT = "swept off at the next start, into the reject bin"
FELL_BESIDE = "fell beside the table or the bins"
IS_ON_TABLE = "on the table at the end"
IS_UNTOLD = "in a bin, and nobody knows why"


@dataclass
class Accounting:
    """Rows and parts, matched by time.

    Attributes:
        places: of each outcome, what really became of the parts: so many rows.
        untold: of the ways over the table that no row tells of, what became of the parts.
        problems: where row and truth do not agree, in words.
    """

    places: dict[OutcomeKind, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in OutcomeKind})
    untold: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def account_for(
    journeys: Sequence[Journey], rows: Sequence[PartRow], killed_s: Mapping[int, float], reject: str
) -> Accounting:
    """Match them.

    A row tells of the parts that lay on the table between its opening and its end, or the kill that came before.

    Args:
        journeys: ways of parts over the table, of the twin.
        rows: of the ledger.
        killed_s: for each row that was under way at a kill, when that was.
        reject: where a sweep puts what lies on the table.
    """
    made = Accounting()
    told_by: dict[int, list[PartRow]] = {}
    for row in rows:
        end_s = killed_s.get(row.part, row.finished_at_s or math.inf)
        told = [place for place, journey in enumerate(journeys) if _lay_there(journey, row.opened_at_s, end_s)]
        for place in told:
            told_by.setdefault(place, []).append(row)
        found = [journeys[place] for place in told]
        made.problems += [f"row {row.part}: {problem}" for problem in _problems(row, found, made)]
        if row.outcome is OutcomeKind.UNRESOLVED and row.part not in killed_s:
            made.problems.append(f"row {row.part} is unresolved, and no kill came in its way")
    for place, journey in enumerate(journeys):
        telling = told_by.get(place, [])
        if len(telling) > 1:
            numbers = ", ".join(str(row.part) for row in telling)
            made.problems.append(f"part {journey.part}: rows {numbers} tell of one way over the table")
        if not telling:
            what = _untold(journey, reject)
            made.untold[what] += 1
            if what == IS_UNTOLD:
                made.problems.append(f"part {journey.part} lies in {journey.place}, and no row tells of it")
    return made


def _lay_there(journey: Journey, since_s: float, until_s: float) -> bool:
    if journey.landed_s is None or journey.landed_s > until_s:
        return False
    off_s = min([*journey.pushed_s[-1:], math.inf if journey.fell_s is None else journey.fell_s])
    return off_s > since_s


def _problems(row: PartRow, found: Sequence[Journey], made: Accounting) -> list[str]:
    """What is wrong with a row; what is right is counted."""
    if row.outcome is None:
        return ["has no end"]
    if not found:
        return [f"says {row.outcome}, and no part lay on the table"]
    end_s = row.finished_at_s or math.inf
    struck = [journey for journey in found if any(pushed_s <= end_s for pushed_s in journey.pushed_s)]
    where = {_place(journey) for journey in found}
    name = ", ".join(sorted(where))
    match row.outcome:
        case OutcomeKind.CONFIRMED:
            made.places[row.outcome]["in that bin" if where == {row.bin} else name] += 1
            if len(struck) < len(found):
                return [f"says {row.bin}, and the arm did not strike the part"]
            return [] if where == {row.bin} else [f"says {row.bin}, and the part lies in {name}"]
        case OutcomeKind.LOST:
            made.places[row.outcome]["beside" if where == {BESIDE} else "in its bin, unseen by the beam"] += 1
            return [] if struck else ["says lost, and the arm did not strike the part"]
        case OutcomeKind.STUCK:
            made.places[row.outcome][f"not pushed; later {name}"] += 1
            return ["says that the part was not pushed, and the arm struck it"] if struck else []
        case OutcomeKind.UNRESOLVED:
            is_there = where == {row.intended_bin}
            told = "pushed into its bin" if is_there else f"pushed, {name}"
            made.places[row.outcome][told if struck else f"not pushed; later {name}"] += 1
            return []


def _place(journey: Journey) -> str:
    return journey.place or IS_ON_TABLE


def _untold(journey: Journey, reject: str) -> str:
    if journey.place is None:
        return IS_ON_TABLE
    if journey.place == BESIDE:
        return FELL_BESIDE
    return WAS_SWEPT if journey.place == reject and journey.pushed_s else IS_UNTOLD
