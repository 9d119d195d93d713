"""Which fault is to blame for an incident, and for where a part lies. Pure; docs/demo.md has the rules in words."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.app.accounts import Fate
from sorter.app.fault_rules import DOUBLE_FEED, EXPECTED, PART_FAULTS, PUSHED_AGAIN, RULES, SLACK_S, TROUBLE
from sorter.types import OutcomeKind, RejectReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.app.accounts import Account, Accounts
    from sorter.app.fault_rules import FaultRule
    from sorter.app.truth import FaultTruth, HandTruth, Journey, Truth
    from sorter.ledger import PartRow

CROWD = "a crowd"
"""In the place of a fault's name: the feeder had let several parts go, and this one found no room on the table."""
_SAME_S = 1e-3


@dataclass(frozen=True)
class Happened:
    """An incident: times by the host's monotonic clock, the number of the row that was under way, and the choice."""

    kind: str
    opened_s: float
    closed_s: float | None = None
    choice: str | None = None
    row: int | None = None


class Look:
    """All that happened, put together.

    Args:
        truth: of the twin.
        accounts: what became of each part.
        incidents: in the order in which they were opened.
        notes_s: when the link had something to tell.
        speed: seconds of the rig in one of the host.

    ``unexplained`` counts incidents without a fault to blame, by kind, but for those that need none.
    """

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
        if not rule.is_lasting or _ends_with_connection(fault):
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
        """Whether what came after shows that the rig met it.

        A camera that answers only after a new connection, or the part's own row: pushed again, seen as several, lost.
        """
        if _ends_with_connection(fault):
            return any(at_s > fault.at_s for journey in self._truth.journeys for at_s in journey.pushed_s)
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
        return CROWD if self._was_crowded_out(part) else None

    def _was_crowded_out(self, part: Account) -> bool:
        """Whether it fell off at once, as others lay there."""
        journey = part.journey
        if part.fate is not Fate.UNSEEN or journey.landed_s is not None:
            return False
        return any(
            each.landed_s is not None and each.landed_s <= _gone_s(journey) <= _gone_s(each)
            for each in self._truth.journeys
            if each.part != journey.part
        )

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


def _ends_with_connection(fault: FaultTruth) -> bool:
    return fault.details.get("until") == "a new connection"


def _gone_s(journey: Journey) -> float:
    return math.inf if journey.fell_s is None else journey.fell_s
