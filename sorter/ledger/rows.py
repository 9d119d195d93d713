"""What the ledger's tables say, as frozen values. Times with zone are UTC, ``..._s`` the host's monotonic seconds."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NewType, TypeVar

from sorter.ledger.purity import AuditedPurity, audited_purity, estimated_purity
from sorter.types import REJECTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sorter.types import BinId, IncidentId, LocationKind, OutcomeKind, PartId, RejectReason, RunId, SortPlan

PlanId = NewType("PlanId", int)
EmptyingId = NewType("EmptyingId", int)
AuditId = NewType("AuditId", int)
CorrectionId = NewType("CorrectionId", int)

RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """A piece of a list.

    Args:
        rows: in the list's order; there may be fewer than were asked for, or none, and the list goes on all the same.
        next: what ``after`` has to be for the following piece; None if the list ends here.
    """

    rows: tuple[RowT, ...]
    next: int | None


@dataclass(frozen=True)
class PartRow:
    """One part, as far as it is known.

    Args:
        part: its number.
        run, model, plan: by which it was sorted; None outside a run.
        opened_at, opened_at_s: when it lay on the table.
        intended_at, intended_at_s: when it was to be pushed for the first time; None if it never was.
        finished_at, finished_at_s: when it was done with; None while it is under way.
        intentions: how often it was to be pushed.
        intended_bin, chute_deg: where to, the last time.
        decided_class, reject_reason: what the rig took it for; both None if it never came to that.
        likeliest, probability: the most probable class, decided for or not; None if no view could be used.
        runner_up, runner_up_probability: the next one.
        novelty: how strange it looked; None if the model does not say.
        posterior: calibrated probability of each class, to a millionth; empty if no view could be used.
        view_count: how many views went into the decision.
        colour, colour_code, is_colour_unsure: its LEGO colour and LDraw's code for it; None where none was seen.
        outcome: what became of it; None while it is under way.
        bin: where it is; None where nobody knows.
        class_name: what it is: the decided class, or what a person has said since; None without one.
        sureness: probability of that class, 1 where a person has said it; None without a class.
        suspect_reason: why it may have gone elsewhere, such as lost steps; None if nothing is held against it.
        corrections: how often a person has settled or corrected it.
        stage_s: seconds of each stage, to a microsecond.
    """

    part: PartId
    opened_at: datetime
    opened_at_s: float
    run: RunId | None = None
    model: str | None = None
    plan: PlanId | None = None
    intended_at: datetime | None = None
    intended_at_s: float | None = None
    finished_at: datetime | None = None
    finished_at_s: float | None = None
    intentions: int = 0
    intended_bin: BinId | None = None
    chute_deg: float | None = None
    decided_class: str | None = None
    reject_reason: RejectReason | None = None
    likeliest: str | None = None
    probability: float | None = None
    runner_up: str | None = None
    runner_up_probability: float | None = None
    novelty: float | None = None
    posterior: Mapping[str, float] = field(default_factory=dict)
    view_count: int = 0
    colour: str | None = None
    colour_code: int | None = None
    is_colour_unsure: bool | None = None
    outcome: OutcomeKind | None = None
    bin: BinId | None = None
    class_name: str | None = None
    sureness: float | None = None
    suspect_reason: str | None = None
    corrections: int = 0
    stage_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ViewRow:
    """One view of a part; ``picture`` is its crop's name in the folder of pictures, None if none was given there."""

    view: int
    angle_deg: float | None
    location: LocationKind
    likeliest: str | None
    probability: float | None
    novelty: float | None
    sharpness: float | None
    overexposed: float | None
    underexposed: float | None
    picture: str | None


class CorrectionKind(enum.StrEnum):
    """How a person has changed a row."""

    SETTLED = "settled"
    CORRECTED = "corrected"


@dataclass(frozen=True)
class CorrectionRow:
    """What a person has changed in a part's row: when, who, what it was before, what it is since."""

    correction: CorrectionId
    part: PartId
    at: datetime
    by: str
    what: CorrectionKind
    note: str
    was_bin: BinId | None
    bin: BinId | None
    was_class: str | None
    class_name: str | None
    was_outcome: OutcomeKind
    outcome: OutcomeKind
    was_suspect_reason: str | None


@dataclass(frozen=True)
class PartDetails:
    """A part with its views, what was changed in its row, its incidents' numbers, and names of its pictures.

    Whether a picture is still there, the folder of pictures knows.
    """

    row: PartRow
    views: tuple[ViewRow, ...]
    corrections: tuple[CorrectionRow, ...]
    incidents: tuple[IncidentId, ...]
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class Stock:
    """So many parts of one class and colour; ``REJECTED`` for those without a class, None without a colour."""

    class_name: str
    colour: str | None
    colour_code: int | None
    parts: int

    @property
    def is_rejected(self) -> bool:
        """It has no class."""
        return self.class_name == REJECTED


@dataclass(frozen=True)
class RunRow:
    """All parts between Start and Stop.

    Args:
        run: its number.
        began_at, ended_at: None while it is under way.
        was_interrupted: the program ended in the middle of it; then ``ended_at`` is when it wrote something last.
        plan, plan_name, model: by which it sorted at last.
        totals: of its parts.
    """

    run: RunId
    began_at: datetime
    ended_at: datetime | None
    was_interrupted: bool
    plan: PlanId
    plan_name: str
    model: str
    totals: RollUp


@dataclass(frozen=True)
class RollUp:
    """Sums over parts that are done with.

    Args:
        run: whose parts, None for those of all runs, or of none.
        hour: in which they were finished, by its beginning; None for all hours.
        parts: how many.
        decided: of those with a class on record.
        rejected: of those that were to be pushed without one.
        confirmed, lost, stuck, unresolved: of each outcome.
        suspect: flagged, and not looked at since.
        corrected: settled or corrected by a person.
        views: that went into their decisions.
        mean_sureness: mean probability of the classes on record; None without any.
        handled_s: seconds between opening and finishing their rows, by the host's clock.
    """

    run: RunId | None = None
    hour: datetime | None = None
    parts: int = 0
    decided: int = 0
    rejected: int = 0
    confirmed: int = 0
    lost: int = 0
    stuck: int = 0
    unresolved: int = 0
    suspect: int = 0
    corrected: int = 0
    views: int = 0
    mean_sureness: float | None = None
    handled_s: float = 0.0


@dataclass(frozen=True)
class PlanRow:
    """A sort plan as it was; plans that say the same are one."""

    plan: PlanId
    name: str
    first_used_at: datetime
    sort_plan: SortPlan


@dataclass(frozen=True)
class AuditRow:
    """A bin that was counted by hand.

    Args:
        audit: its number.
        bin, at, by: which, when, by whom.
        counted, wrong: so many parts were looked at, so many of them did not belong there.
        recorded: parts in the bin by the records at that time.
        estimated_purity: of the bin at that time, by the records.
        is_of_present: the bin was not emptied since.
    """

    audit: AuditId
    bin: BinId
    at: datetime
    by: str
    counted: int
    wrong: int
    recorded: int
    estimated_purity: float | None
    is_of_present: bool

    @property
    def audited_purity(self) -> AuditedPurity:
        """What was counted, with its interval."""
        return audited_purity(self.counted, self.wrong)


@dataclass(frozen=True)
class BinRow:
    """A bin as it is now.

    Args:
        bin: its id.
        part_count: parts in it since it was emptied.
        class_counts: of each class, ``REJECTED`` for those without one.
        decided, sureness_ppm: how many have a class, and the sum of their probabilities in millionths.
        emptied_at: the last time; None if it never was.
        last_audit: the newest one, of now or of what was in it before; None if it was never counted.
    """

    bin: BinId
    part_count: int
    class_counts: Mapping[str, int]
    decided: int
    sureness_ppm: int
    emptied_at: datetime | None
    last_audit: AuditRow | None

    @property
    def estimated_purity(self) -> float | None:
        """Mean probability of the classes on record of what is in it; None if no part in it has one."""
        return estimated_purity(self.decided, self.sureness_ppm)


@dataclass(frozen=True)
class EmptyingRow:
    """A bin was emptied, and what was in it, as far as is known by now; nothing if that was undone."""

    emptying: EmptyingId
    bin: BinId
    at: datetime
    undone_at: datetime | None
    part_count: int
    class_counts: Mapping[str, int]
    estimated_purity: float | None


@dataclass(frozen=True)
class IncidentRow:
    """Something that an operator had to know or resolve.

    Args:
        incident: its number.
        kind, message, choices: as it was told.
        opened_at, last_at, times: when it happened first and last, and how often.
        closed_at, choice: when it was over, and by which way out; None: by itself, or it is open.
        part: that was under way.
        picture: its name in the folder of pictures; None if the machine saw nothing.
    """

    incident: IncidentId
    kind: str
    message: str
    choices: tuple[str, ...]
    opened_at: datetime
    last_at: datetime
    times: int
    closed_at: datetime | None
    choice: str | None
    part: PartId | None
    picture: str | None
