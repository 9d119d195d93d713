"""Made-up truths of a twin and rows of a ledger, for tests of what is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sorter.app.truth import Journey
from sorter.ledger import PartRow
from sorter.types import BinId, OutcomeKind, PartId, RejectReason, SortPlan, SortRule

WALL = datetime(2026, 1, 1, tzinfo=UTC)
CLASSES = ("3001", "3002", "3003")
PLAN = SortPlan(
    "test",
    tuple(SortRule(BinId(f"bin {name}"), (name,)) for name in CLASSES),
    reject=BinId("reject"),
    recirculate=BinId("again"),
)
BINS = (*(f"bin {name}" for name in CLASSES), "reject", "again")


def row_of(
    part: int,
    bin_: str | None,
    *,
    begin_s: float,
    end_s: float | None,
    said: str | None = None,
    kind: OutcomeKind = OutcomeKind.CONFIRMED,
    stage_s: dict[str, float] | None = None,
    is_intended: bool = True,
) -> PartRow:
    """A row that was opened a second before ``begin_s``, intended then, and finished at ``end_s``."""
    is_finished = end_s is not None
    return PartRow(
        PartId(part),
        WALL,
        begin_s - 1.0,
        intended_at=WALL if is_intended else None,
        intended_at_s=begin_s if is_intended else None,
        intentions=int(is_intended),
        intended_bin=BinId(bin_ or "reject") if is_intended else None,
        decided_class=said if is_intended else None,
        class_name=said if is_intended else None,
        reject_reason=None if said or not is_intended else RejectReason.UNSURE,
        likeliest=said if is_intended else None,
        probability=0.9 if is_intended else None,
        view_count=2 if is_intended else 0,
        finished_at=WALL if is_finished else None,
        finished_at_s=end_s,
        outcome=kind if is_finished else None,
        bin=None if bin_ is None or not is_finished else BinId(bin_),
        stage_s=stage_s or {},
    )


@dataclass
class World:
    """A twin that is told what happens, one push after the other, ten seconds each."""

    journeys: list[Journey] = field(default_factory=list)
    rows: list[PartRow] = field(default_factory=list)
    now_s: float = 100.0

    def push(
        self,
        *parts: tuple[int, str | None],
        place: str | None,
        said_bin: str | None = "as is",
        brick: str | None = None,
        pushed_s: float | None = None,
        **row: object,
    ) -> PartRow:
        """Parts (number, class) are struck and come to lie at ``place``; a row says ``said_bin`` of it."""
        begin_s = self.now_s
        struck_s = begin_s + 1.0 if pushed_s is None else pushed_s
        for part, name in parts:
            is_again = any(journey.part == part for journey in self.journeys)
            self.journeys.append(
                Journey(
                    part,
                    name or "9999",
                    name,
                    brick,
                    "up",
                    is_again,
                    dropped_s=begin_s - 3.0,
                    landed_s=begin_s - 2.0,
                    pushed_s=(struck_s,),
                    fell_s=None if place is None else begin_s + 2.0,
                    place=place,
                )
            )
        bin_ = place if said_bin == "as is" else said_bin
        made = row_of(len(self.rows) + 1, bin_, begin_s=begin_s, end_s=begin_s + 5.0, **row)  # type: ignore[arg-type]
        self.rows.append(made)
        self.now_s += 10.0
        return made
