"""The demo's report: what was sorted how, held against the truth, and how fast. Pure; docs/demo.md has the formulas."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sorter.app.accounts import SETTLED, Fate, account, right_bins
from sorter.app.bad_days import WRONG, BadDays, look_back
from sorter.app.intervals import Share, clustered, wilson
from sorter.app.throughput import throughput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sorter.app.accounts import Account, Accounts
    from sorter.app.blame import Happened
    from sorter.app.throughput import Throughput
    from sorter.app.truth import Truth
    from sorter.ledger import PartRow
    from sorter.types import SortPlan

UNKNOWN = "unknown"
ON_TABLE = "on the table"
_SORTED = (Fate.RIGHT, Fate.MISROUTED, Fate.UNKNOWN_ACCEPTED)


@dataclass(frozen=True)
class Circumstances:
    """How the demo was run.

    Args:
        parts: so many were in the hopper.
        seed: what chance began with.
        speed: seconds of the rig in one of the host.
        unknown_share: of parts of no known class.
        model: its name.
        training_bricks: what it was trained on, as its card says.
        photos: where the parts' photographs lie; None for sprites.
        views: of each part; None where the rig decides how many it needs.
        machine: what it ran on.
        is_whole: it was not interrupted.
    """

    parts: int
    seed: int
    speed: float
    unknown_share: float
    model: str
    training_bricks: tuple[str, ...]
    photos: str | None
    views: int | None
    machine: Mapping[str, object]
    is_whole: bool = True


@dataclass(frozen=True)
class Report:
    """Everything that the report says; ``as_dict`` has the keys of docs/demo.md."""

    accounts: Accounts
    throughput: Throughput
    circumstances: Circumstances
    plan: SortPlan
    incidents: Mapping[str, int]
    collisions: tuple[str, ...]
    misrouted: Share
    rejected: Share
    purity: Mapping[str, Share]
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    bad_days: BadDays = field(default_factory=BadDays)

    @property
    def parts_fed(self) -> int:
        """Distinct parts that dropped."""
        return len(self.accounts.parts)

    def count(self, *fates: Fate) -> int:
        """Parts of these fates."""
        return len(self.accounts.of_fate(*fates))

    @property
    def lost_parts(self) -> tuple[Account, ...]:
        """Parts of which the records say nothing, or something that is not so, and no fault is to blame."""
        told = self.accounts.of_fate(Fate.LOST, Fate.ASTRAY, Fate.UNSEEN)
        return tuple(part for part in told if part.fate is Fate.LOST or part.journey.part not in self.bad_days.causes)

    @property
    def is_sound(self) -> bool:
        """No part was lost, and none was counted twice."""
        return not self.lost_parts and not self.double_counting_rows

    @property
    def double_counting_rows(self) -> tuple[int, ...]:
        """Rows that count a part too many, and no fault is to blame."""
        return tuple(row for row in self.accounts.overcounted if row not in self.bad_days.row_causes)

    def count_told(self, fate: Fate) -> int:
        """Parts of a fate that is told by itself, as far as they are not lost."""
        lost = {part.journey.part for part in self.lost_parts}
        return sum(part.journey.part not in lost for part in self.accounts.of_fate(fate))

    @property
    def unexplained_parts(self) -> tuple[Account, ...]:
        """Parts that are missing, and no fault is to blame."""
        missing = self.accounts.of_fate(Fate.MISSING)
        return tuple(part for part in missing if part.journey.part not in self.bad_days.causes)

    @property
    def bricks_seen_in_training(self) -> tuple[str, ...]:
        """Bricks on the photographs that the model was trained on: of those its numbers prove nothing."""
        fed = {part.journey.brick for part in self.accounts.parts}
        return tuple(brick for brick in sorted(set(self.circumstances.training_bricks)) if brick in fed)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        accounts, speed = self.accounts, self.throughput
        known = [part for part in accounts.parts if part.journey.class_name is not None]
        circumstances = asdict(self.circumstances)
        training_bricks = circumstances.pop("training_bricks")
        return {
            **circumstances,
            "parts_fed": self.parts_fed,
            "known_fed": len(known),
            "unknown_fed": self.parts_fed - len(known),
            "sorted": self.count(*_SORTED),
            "rejected": self.count(Fate.REJECTED),
            "recirculated": sum(part.was_fed_again for part in accounts.parts),
            "misrouted": self.count(Fate.MISROUTED),
            "unknown_accepted": self.count(Fate.UNKNOWN_ACCEPTED),
            "unknown_rejected": self.count(Fate.UNKNOWN_REJECTED),
            "returned_to_hopper": self.count(Fate.RETURNED),
            "taken": self.count(Fate.TAKEN),
            "missing": self.count(Fate.MISSING),
            "unseen": self.count_told(Fate.UNSEEN),
            "astray": self.count_told(Fate.ASTRAY),
            "lost": len(self.lost_parts),
            "double_counted": len(self.double_counting_rows),
            "sharing_a_row": accounts.sharing_a_row,
            "misrouted_interval": self.misrouted.as_dict(),
            "rejected_interval": self.rejected.as_dict(),
            "rows": len(accounts.rows),
            "settled": self.count(*SETTLED),
            "rows_too_many": list(accounts.rows_too_many),
            "rows_of_nothing": list(accounts.rows_of_nothing),
            "faults": {name: count.as_dict() for name, count in self.bad_days.counts.items()},
            "incidents": dict(self.incidents),
            "unexplained_incidents": dict(self.bad_days.unexplained),
            "collisions": list(self.collisions),
            "parts_per_minute": speed.parts_per_minute,
            "parts_per_minute_bound": speed.bound,
            "bound_share": speed.bound_share,
            "host_share": speed.host_share,
            "sorting_s": speed.seconds,
            "stage_s": dict(speed.stage_s),
            "bound_s": dict(speed.bound_s),
            "purity": {bin_: share.as_dict() for bin_, share in self.purity.items()},
            "confusion": {name: dict(row) for name, row in self.confusion.items()},
            "trained_on_bricks": len(training_bricks),
            "bricks_seen_in_training": list(self.bricks_seen_in_training),
            "wrong": [self._described(part) for part in accounts.of_fate(Fate.MISROUTED, Fate.UNKNOWN_ACCEPTED)],
            "lost_parts": [self._described(part) for part in self.lost_parts],
            "unexplained_parts": [self._described(part) for part in self.unexplained_parts],
            "elsewhere_parts": [
                self._described(part)
                for part in accounts.of_fate(*WRONG)
                if part.why and part.journey.part in self.bad_days.causes
            ],
            "double_counting_rows": list(self.double_counting_rows),
        }

    def _described(self, part: Account) -> dict[str, object]:
        journey, row = part.journey, part.row
        return {
            "part": journey.part,
            "class": journey.class_name,
            "design": journey.design,
            "brick": journey.brick,
            "pose": journey.pose,
            "bin": journey.place,
            "row": None if row is None else row.part,
            "taken_for": None if row is None else row.likeliest,
            "probability": None if row is None else row.probability,
            "views": None if row is None else row.view_count,
            "why": part.why,
            "because_of": self.bad_days.causes.get(journey.part),
        }


def make_report(
    truth: Truth,
    rows: Sequence[PartRow],
    plan: SortPlan,
    circumstances: Circumstances,
    *,
    incidents: Mapping[str, int],
    started_s: float,
    happened: Sequence[Happened] = (),
    notes_s: Sequence[float] = (),
) -> Report:
    """Hold the records against the truth.

    Args:
        truth: of the twin.
        rows: of this run alone.
        plan: by which was sorted.
        circumstances: how it was run.
        incidents: how often there was one of each kind.
        started_s: when the run began, by the host's monotonic clock.
        happened: the incidents one by one.
        notes_s: when the link had something to tell.
    """
    accounts = account(truth.journeys, rows, plan, truth.hands)
    known = [part for part in accounts.parts if part.journey.class_name is not None]
    sorted_known = [part for part in known if part.fate in (Fate.RIGHT, Fate.MISROUTED)]
    in_bins = [*sorted_known, *(part for part in known if part.fate is Fate.REJECTED)]
    return Report(
        accounts=accounts,
        throughput=throughput(
            accounts.rows,
            accounts.claims,
            started_s=started_s,
            speed=circumstances.speed,
            recirculate=plan.recirculate,
        ),
        circumstances=circumstances,
        plan=plan,
        incidents=dict(incidents),
        collisions=truth.collisions,
        misrouted=_share(sorted_known, Fate.MISROUTED, circumstances.seed),
        rejected=_share(in_bins, Fate.REJECTED, circumstances.seed),
        purity=_purity(accounts, plan),
        confusion=_confusion(accounts),
        bad_days=look_back(truth, accounts, happened, notes_s, speed=circumstances.speed),
    )


def _share(parts: Sequence[Account], fate: Fate, seed: int) -> Share:
    bricks = [part.journey.brick for part in parts]
    if parts and all(brick is not None for brick in bricks):
        return clustered(((str(part.journey.brick), part.fate is fate) for part in parts), seed=seed)
    return wilson(sum(part.fate is fate for part in parts), len(parts))


def _purity(accounts: Accounts, plan: SortPlan) -> dict[str, Share]:
    """Of the parts that lie in each class' bin, those that belong there."""
    purity = {}
    for bin_ in dict.fromkeys(right_bins(plan).values()):
        lying = [part for part in accounts.of_fate(*_SORTED) if part.journey.place == bin_]
        purity[bin_] = wilson(sum(part.fate is Fate.RIGHT for part in lying), len(lying))
    return purity


def _confusion(accounts: Accounts) -> dict[str, dict[str, int]]:
    """True class against where the part lies, really."""
    counts: dict[str, dict[str, int]] = {}
    for part in accounts.parts:
        row = counts.setdefault(part.journey.class_name or UNKNOWN, {})
        place = part.journey.place or ON_TABLE
        row[place] = row.get(place, 0) + 1
    ordered = sorted(counts, key=lambda name: (name == UNKNOWN, name))
    return {name: dict(sorted(counts[name].items())) for name in ordered}
