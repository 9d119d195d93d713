"""From rows as SQLAlchemy gives them to the frozen ones of ``rows``. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sorter.ledger.names import incident_name, view_name
from sorter.ledger.purity import estimated_purity
from sorter.ledger.rows import (
    AuditRow,
    CorrectionKind,
    CorrectionRow,
    IncidentRow,
    PartRow,
    PlanRow,
    RollUp,
    Stock,
    ViewRow,
)
from sorter.ledger.run_rows import plan_from
from sorter.ledger.schema import NO_CLASS, NO_RUN
from sorter.types import REJECTED, LocationKind, OutcomeKind, RejectReason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Row

_OTHERWISE = {
    "model",
    "reject_reason",
    "posterior",
    "colour",
    "is_colour_unsure",
    "outcome",
    "sureness",
    "suspect_reason",
}
_AS_IT_IS = tuple(each.name for each in fields(PartRow) if each.name not in {*_OTHERWISE, "stage_s"})


def part_row(row: Row[Any]) -> PartRow:
    """A part; the row is one of ``part_list.part_rows``."""
    return PartRow(
        **{name: getattr(row, name) for name in _AS_IT_IS},
        model=row.model_name,
        reject_reason=None if row.reject_reason is None else RejectReason(row.reject_reason),
        posterior=row.posterior or {},
        colour=row.colour_name,
        is_colour_unsure=None if row.is_colour_unsure is None else bool(row.is_colour_unsure),
        outcome=None if row.outcome is None else OutcomeKind(row.outcome),
        sureness=None if row.sureness_ppm is None else row.sureness_ppm / 1e6,
        suspect_reason=row.suspect,
        stage_s=row.stage_s or {},
    )


def view_row(row: Row[Any], run: int | None) -> ViewRow:
    """A view of a part of that run."""
    return ViewRow(
        view=row.view,
        angle_deg=row.angle_deg,
        location=LocationKind(row.location),
        likeliest=row.likeliest,
        probability=row.probability,
        novelty=row.novelty,
        sharpness=row.sharpness,
        overexposed=row.overexposed,
        underexposed=row.underexposed,
        picture=view_name(run, row.part, row.view) if row.has_picture else None,
    )


def correction_row(row: Row[Any]) -> CorrectionRow:
    """What was changed."""
    return CorrectionRow(
        correction=row.correction,
        part=row.part,
        at=row.at,
        by=row.by,
        what=CorrectionKind(row.what),
        note=row.note,
        was_bin=row.was_bin,
        bin=row.bin,
        was_class=row.was_class,
        class_name=row.class_name,
        was_outcome=OutcomeKind(row.was_outcome),
        outcome=OutcomeKind(row.outcome),
        was_suspect_reason=row.was_suspect,
    )


def incident_row(row: Row[Any]) -> IncidentRow:
    """An incident."""
    return IncidentRow(
        incident=row.incident,
        kind=row.kind,
        message=row.message,
        choices=tuple(row.choices),
        opened_at=row.opened_at,
        last_at=row.last_at,
        times=row.times,
        closed_at=row.closed_at,
        choice=row.choice,
        part=row.part,
        picture=incident_name(row.incident) if row.has_picture else None,
    )


def audit_row(row: Row[Any]) -> AuditRow:
    """An audit."""
    return AuditRow(
        audit=row.audit,
        bin=row.bin,
        at=row.at,
        by=row.by,
        counted=row.counted,
        wrong=row.wrong,
        recorded=row.recorded,
        estimated_purity=estimated_purity(row.decided, row.sureness_ppm),
        is_of_present=bool(row.is_of_present),
    )


def plan_row(row: Row[Any]) -> PlanRow:
    """A plan."""
    return PlanRow(row.plan, row.name, row.first_used_at, plan_from(row.body))


def stock_row(row: Row[*tuple[Any, ...]]) -> Stock:
    """Parts of a class and colour."""
    class_name = REJECTED if row.class_name == NO_CLASS else row.class_name
    is_seen = row.colour_name is not None
    return Stock(class_name, row.colour_name, row.colour_code if is_seen else None, row.parts)


def roll_up(row: Row[Any]) -> RollUp:
    """Sums, of whatever they are."""
    values = dict(row._mapping)
    run, hour = values.pop("run", None), values.pop("hour", None)
    sureness_ppm, handled_ms = values.pop("sureness_ppm"), values.pop("handled_ms")
    return RollUp(
        run=None if run == NO_RUN else run,
        hour=None if hour is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour),
        mean_sureness=estimated_purity(values["decided"], sureness_ppm),
        handled_s=handled_ms / 1000.0,
        **values,
    )


@dataclass
class Counts:
    """What is, or was, in a bin."""

    parts: int = 0
    decided: int = 0
    sureness_ppm: int = 0
    class_counts: dict[str, int] = field(default_factory=dict)


def bin_counts(rows: Iterable[Row[Any]], by: str) -> defaultdict[Any, Counts]:
    """Rows of ``contents`` put together, by bin or by emptying."""
    counts: defaultdict[Any, Counts] = defaultdict(Counts)
    for row in rows:
        name = REJECTED if row.class_name == NO_CLASS else row.class_name
        found = counts[getattr(row, by)]
        found.parts += row.parts
        found.decided += row.decided
        found.sureness_ppm += row.sureness_ppm
        found.class_counts[name] = found.class_counts.get(name, 0) + row.parts
    return counts
