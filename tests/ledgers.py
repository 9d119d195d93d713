"""Made-up truths of a twin and rows of a journal, for tests of what is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sorter.app.truth import Journey
from sorter.ledger import Finished, Intended, Opened, Row
from sorter.types import BinId, OutcomeKind, RejectReason, SortPlan, SortRule

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
) -> Row:
    """A row that was opened a second before ``begin_s``, intended then, and finished at ``end_s``."""
    intended = Intended(
        part,
        begin_s,
        WALL,
        bin=bin_ or "reject",
        class_name=said,
        reject_reason=None if said else RejectReason.UNSURE,
        likeliest=said,
        probability=0.9,
        colour=None,
        views=2,
    )
    finished = None if end_s is None else Finished(part, end_s, WALL, kind=kind, bin=bin_, stage_s=stage_s or {})
    return Row(Opened(part, begin_s - 1.0, WALL), (intended,) if is_intended else (), finished)


@dataclass
class World:
    """A twin that is told what happens, one push after the other, ten seconds each."""

    journeys: list[Journey] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    now_s: float = 100.0

    def push(
        self,
        *parts: tuple[int, str | None],
        place: str | None,
        said_bin: str | None = "as is",
        brick: str | None = None,
        pushed_s: float | None = None,
        **row: object,
    ) -> Row:
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
