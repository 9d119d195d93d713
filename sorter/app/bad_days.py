"""What became of the twin's faults: found or not, how they were over, and which parts are elsewhere because of them.

Pure. docs/demo.md has the rules in words. An incident has one cause at most, and so has a part; a fault may be the
cause of several.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sorter.app.accounts import Fate
from sorter.app.fault_rules import DOUBLE_FEED, EXPECTED, PART_FAULTS, PUSHED_AGAIN, RULES, SLACK_S, TROUBLE
from sorter.types import OutcomeKind, RejectReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sorter.app.accounts import Account, Accounts
    from sorter.app.fault_rules import FaultRule
    from sorter.app.truth import FaultTruth, HandTruth, Journey, Truth
    from sorter.ledger import PartRow

ELSEWHERE = (Fate.ASTRAY, Fate.MISSING, Fate.UNSEEN, Fate.LOST)
"""Parts of these are not where the records say, or nowhere that they say."""
WRONG = (*ELSEWHERE, Fate.MISROUTED, Fate.UNKNOWN_ACCEPTED)
_SAME_S = 1e-3


@dataclass(frozen=True)
class Happened:
    """An incident: times by the host's monotonic clock, the number of the row that was under way, and the choice."""

    kind: str
    opened_s: float
    closed_s: float | None = None
    choice: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class FaultCount:
    """What became of the faults of one name.

    Args:
        name: of the fault.
        injected: so often it happened.
        found: so often something was noticed of it.
        recovered_by_rig, recovered_by_choice: of these, how it was over.
        wrong_bin: parts in a wrong bin, beside, or uncounted because of it.
    """

    name: str
    injected: int
    found: int = 0
    recovered_by_rig: int = 0
    recovered_by_choice: int = 0
    wrong_bin: int = 0

    @property
    def unnoticed(self) -> int:
        """Neither rig nor operator saw anything of it; it may have done no harm."""
        return self.injected - self.found

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "injected": self.injected,
            "found": self.found,
            "recovered_by_rig": self.recovered_by_rig,
            "recovered_by_choice": self.recovered_by_choice,
            "wrong_bin": self.wrong_bin,
            "unnoticed": self.unnoticed,
        }


@dataclass(frozen=True)
class BadDays:
    """All of them.

    Args:
        counts: by the fault's name.
        causes: by the number of a part that is elsewhere or misrouted, the name of the fault that is to blame.
        row_causes: the same by the number of a row that says of a part what is not so.
        unexplained: incidents without a fault to blame, by kind, but for those that need none.
    """

    counts: Mapping[str, FaultCount] = field(default_factory=dict)
    causes: Mapping[int, str] = field(default_factory=dict)
    row_causes: Mapping[int, str] = field(default_factory=dict)
    unexplained: Mapping[str, int] = field(default_factory=dict)


def look_back(
    truth: Truth, accounts: Accounts, incidents: Iterable[Happened], notes_s: Sequence[float], *, speed: float
) -> BadDays:
    """Put faults, incidents and parts together.

    Args:
        truth: of the twin.
        accounts: what became of each part.
        incidents: that there were.
        notes_s: when the link had something to tell.
        speed: seconds of the rig in one of the host.
    """
    look = _Look(truth, accounts, sorted(incidents, key=lambda each: each.opened_s), notes_s, speed)
    causes = {part.journey.part: cause for part in accounts.of_fate(*WRONG) if (cause := look.cause(part))}
    row_causes: dict[int, str] = {}
    earlier = Counter[str]()
    for part in (*accounts.earlier, *accounts.of_fate(Fate.ASTRAY)):
        cause = look.cause(part)
        if cause is not None and part.row is not None:
            row_causes[part.row.part] = cause
            earlier[cause] += part.journey.part not in causes
    wrong = Counter(causes.values()) + earlier
    counts: dict[str, FaultCount] = {}
    for name in dict.fromkeys(each.name for each in truth.faults):
        places = [place for place, each in enumerate(truth.faults) if each.name == name]
        over = Counter(look.recovered_by(place) for place in places)
        counts[name] = FaultCount(
            name,
            injected=len(places),
            found=len(places) - over["unnoticed"],
            recovered_by_rig=over["rig"],
            recovered_by_choice=over["choice"],
            wrong_bin=wrong[name],
        )
    return BadDays(dict(sorted(counts.items())), causes, row_causes, look.unexplained)


class _Look:
    def __init__(
        self, truth: Truth, accounts: Accounts, incidents: Sequence[Happened], notes_s: Sequence[float], speed: float
    ) -> None:
        self._truth = truth
        self._faults = truth.faults
        self._accounts = accounts
        self._notes_s = notes_s
        self._speed = speed
        self._rows: dict[int, PartRow] = {row.part: row for row in accounts.rows}
        self._row_of = {part: row for row, parts in sorted(accounts.own.items()) for part in parts}
        self._journeys: dict[int, list[Journey]] = {}
        for journey in truth.journeys:
            self._journeys.setdefault(journey.part, []).append(journey)
        self._incidents = incidents
        self._ends_s = [self._end_s(each) for each in self._faults]
        self._led_to: dict[int, list[Happened]] = {}  # by the fault's place
        self._cause_of: dict[int, int] = {}  # by the incident's place
        self.unexplained: Counter[str] = Counter()
        for place, incident in enumerate(incidents):
            self._blame(place, incident)

    # --- incidents ----------------------------------------------------------------------------------------------

    def _blame(self, place: int, incident: Happened) -> None:
        """Find the fault that an incident came of: of a part under way, of this very kind, or the last that fits."""
        fitting = [
            each
            for each, fault in enumerate(self._faults)
            if incident.kind in RULES[fault.name].kinds and fault.at_s <= incident.opened_s <= self._ends_s[each]
        ]
        if not fitting:
            if incident.kind not in EXPECTED:
                self.unexplained[incident.kind] += 1
            return
        under_way = self._accounts.own.get(incident.row or 0, ())
        best = max(fitting, key=lambda each: self._fitness(each, incident, under_way))
        self._cause_of[place] = best
        self._led_to.setdefault(best, []).append(incident)
        name = self._faults[best].name
        if RULES[name].is_lasting:  # it tells of all that had piled up
            for each in fitting:
                if each != best and self._faults[each].name == name and each not in self._led_to:
                    self._led_to[each] = [incident]

    def _fitness(self, place: int, incident: Happened, under_way: Sequence[int]) -> tuple[bool, bool, float]:
        """How well a fault fits an incident to which it may lead."""
        fault = self._faults[place]
        return fault.part in under_way, incident.kind == RULES[fault.name].kinds[0], fault.at_s

    def _end_s(self, fault: FaultTruth) -> float:
        """Until when something may come of a fault."""
        rule = RULES[fault.name]
        if not rule.is_lasting:
            gone_s = max((_gone_s(each) for each in self._of_part(fault)), default=fault.at_s)
            return max(fault.at_s, min(gone_s, 1e12)) + rule.window_s / self._speed + rule.slack_s
        by_hand = (hand.at_s for hand in self._truth.hands if hand.do in rule.ends_with_hand and _is_of(hand, fault))
        by_choice = (each.closed_s for each in self._incidents if each.kind in rule.ends_with and each.closed_s)
        ends_s = [end_s for end_s in (*by_hand, *by_choice) if end_s >= fault.at_s]
        return min(ends_s, default=math.inf) + rule.window_s / self._speed

    def _of_part(self, fault: FaultTruth) -> list[Journey]:
        """The journey on which it happened, of a fault that happens to a part."""
        if fault.name not in PART_FAULTS or fault.part is None:
            return []
        known = self._journeys.get(fault.part, [])
        return [each for each in known if each.dropped_s <= fault.at_s + _SAME_S][-1:]

    # --- faults -------------------------------------------------------------------------------------------------

    def recovered_by(self, place: int) -> str:
        """``choice``, ``rig``, ``nobody``, or that it was ``unnoticed``."""
        led_to = self._led_to.get(place, ())
        if any(each.choice is not None for each in led_to):
            return "choice"
        if any(each.closed_s is None for each in led_to):
            return "nobody"
        return "rig" if led_to or self._was_noted(place) or self._did_rig_see(self._faults[place]) else "unnoticed"

    def _was_noted(self, place: int) -> bool:
        fault = self._faults[place]
        until_s = fault.at_s + RULES[fault.name].window_s / self._speed + RULES[fault.name].slack_s
        return RULES[fault.name].is_noted and any(fault.at_s <= at_s <= until_s for at_s in self._notes_s)

    def _did_rig_see(self, fault: FaultTruth) -> bool:
        """Whether the part's own row shows that the rig met it: pushed again, seen as several, or told as lost."""
        for journey in self._of_part(fault):
            row = self._own_row(journey.part)
            if row is None:
                continue
            if row.outcome is not OutcomeKind.CONFIRMED or row.reject_reason is RejectReason.SEVERAL:
                return True
            if fault.name in PUSHED_AGAIN and any(at_s > fault.at_s + _SAME_S for at_s in journey.pushed_s):
                return True
        return False

    # --- parts --------------------------------------------------------------------------------------------------

    def cause(self, part: Account) -> str | None:
        """The fault that is to blame for where a part lies; None: there is none."""
        finders = [self._own_fault, self._fault_beside, self._break_off, self._state]
        if part.fate is Fate.ASTRAY:  # a chute that stands elsewhere leads all astray that lie together
            finders.insert(1, finders.pop())
        for find in finders:
            found = find(part)
            if found is not None:
                return found.name
        return None

    def _own_fault(self, part: Account) -> FaultTruth | None:
        """One that happened to it on its last journey."""
        found = self._last(part, {part.journey.part})
        is_of_two = found is not None and found.name == DOUBLE_FEED and part.fate is Fate.ASTRAY
        return None if is_of_two else found

    def _fault_beside(self, part: Account) -> FaultTruth | None:
        """One that brought it, or that happened to a part that lay beside it."""
        since = part.journey.dropped_s
        for fault in self._faults:
            if fault.name == DOUBLE_FEED and abs(fault.at_s - since) < _SAME_S:
                return fault
        row = part.row.part if part.row is not None else 0
        beside = {*self._accounts.own.get(row, ()), *(each.part for each in self._accounts.claims.get(row, ()))}
        return self._last(part, beside)

    def _last(self, part: Account, numbers: set[int]) -> FaultTruth | None:
        begin_s, end_s = part.journey.dropped_s - 1.0 / self._speed, _gone_s(part.journey) + _SAME_S
        found = [
            each
            for each in self._faults
            if each.part in numbers and begin_s <= each.at_s <= end_s and _can_misplace(each, part)
        ]
        return found[-1] if found else None

    def _break_off(self, part: Account) -> FaultTruth | None:
        """What led to an incident that broke off its way."""
        row = part.row
        begin_s = part.journey.dropped_s - SLACK_S
        end_s = _gone_s(part.journey) if row is None or row.finished_at_s is None else row.finished_at_s
        for place, incident in enumerate(self._incidents):
            if incident.kind in TROUBLE and begin_s <= incident.opened_s <= end_s and place in self._cause_of:
                return self._faults[self._cause_of[place]]
        return None

    def _state(self, part: Account) -> FaultTruth | None:
        """One that lasted when it left the table, the last of them first."""
        left_s = part.journey.pushed_s[-1] if part.journey.pushed_s else _gone_s(part.journey)
        for place in reversed(range(len(self._faults))):
            fault, rule = self._faults[place], RULES[self._faults[place].name]
            is_on = fault.at_s - 1.0 / self._speed <= left_s <= self._ends_s[place]
            if rule.is_lasting and is_on and _can_be_of(part, rule) and _is_that_bin(fault, part):
                return fault
        return None

    def _own_row(self, part: int) -> PartRow | None:
        number = self._row_of.get(part)
        return None if number is None else self._rows[number]


def _can_misplace(fault: FaultTruth, part: Account) -> bool:
    return fault.name in PART_FAULTS and _can_be_of(part, RULES[fault.name])


def _can_be_of(part: Account, rule: FaultRule) -> bool:
    """Whether a part can have its fate because of such a fault; a wrong "somebody took it" is as good as a miss."""
    is_said_to_be_taken = part.fate is Fate.ASTRAY and part.row is not None and part.row.bin is None
    return (Fate.MISSING if is_said_to_be_taken else part.fate) in rule.misplaces


def _is_that_bin(fault: FaultTruth, part: Account) -> bool:
    bin_ = fault.details.get("bin")
    return bin_ is None or (part.row is not None and part.row.bin == bin_)


def _is_of(hand: HandTruth, fault: FaultTruth) -> bool:
    """Whether hands did it to what is broken; only of bins there are several."""
    bins = hand.details.get("bins")
    return not isinstance(bins, list | tuple) or fault.details.get("bin") in bins


def _gone_s(journey: Journey) -> float:
    return math.inf if journey.fell_s is None else journey.fell_s
