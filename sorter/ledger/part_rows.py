"""A part's row: opened, intended, finished, flagged. Each function is called in a transaction."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or

from sorter.ledger.counts import count, finished_part
from sorter.ledger.schema import bins, checks, colours, emptyings, parts, views
from sorter.types import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from sorter.types import Decision, Outcome, PartColour, View

PPM = 1_000_000
_PLACES = 6  # of a second, of a probability


def open_row(connection: Connection, settings: Mapping[str, int]) -> int:
    """A new row; ``settings`` are run, plan and model, or nothing."""
    result = connection.execute(insert(parts).values(opened_at=now(), opened_at_s=time.monotonic(), **settings))
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def intend_row(  # noqa: PLR0917  (as ``Recorder.intend``)
    connection: Connection, part: int, decision: Decision, name: str, seen: Sequence[View], chute_deg: float | None
) -> int | None:
    """Write an intention down; returns the part's run. Raises ValueError if it is not under way."""
    row = _under_way(connection, part)
    if not name:
        raise ValueError(f"part {part} is intended for a bin without a name")
    if chute_deg is not None and not math.isfinite(chute_deg):
        raise ValueError(f"part {part}: the chute stands at an angle, got {chute_deg}")
    at, at_s = now(), time.monotonic()
    meet_bin(connection, name, at)
    if decision.colour is not None:
        _meet_colour(connection, decision.colour)
    values: dict[str, Any] = {
        "intentions": row.intentions + 1,
        "intended_bin": name,
        "chute_deg": chute_deg,
        **_decided(decision),
    }
    if row.intended_at is None:
        values |= {"intended_at": at, "intended_at_s": at_s}
    connection.execute(update(parts).where(parts.c.part == part).values(values))
    if seen:
        connection.execute(delete(views).where(views.c.part == part))
        connection.execute(insert(views), [_view(part, number, view) for number, view in enumerate(seen)])
    run: int | None = row.run
    return run


def finish_row(connection: Connection, part: int, outcome: Outcome) -> None:
    """Finish a row and count it. Raises ValueError if it is not under way, or the outcome cannot be."""
    _under_way(connection, part)
    wrong = {stage: seconds for stage, seconds in outcome.stage_s.items() if not math.isfinite(seconds)}
    if wrong:
        raise ValueError(f"part {part}: seconds are finite, got {wrong}")
    is_confirmed = outcome.kind is OutcomeKind.CONFIRMED
    if is_confirmed != bool(outcome.bin):
        raise ValueError(f"part {part}: a part that is {outcome.kind} is not in bin {outcome.bin!r}")
    at = now()
    if outcome.bin is not None:
        meet_bin(connection, outcome.bin, at)
    values = {
        "finished_at": at,
        "finished_at_s": time.monotonic(),
        "outcome": str(outcome.kind),
        "bin": outcome.bin,
        "stage_s": {stage: round(seconds, _PLACES) for stage, seconds in outcome.stage_s.items()},
        "after_emptying": select(func.coalesce(func.max(emptyings.c.emptying), 0)).scalar_subquery(),
        "after_check": select(func.coalesce(func.max(checks.c.check_number), 0)).scalar_subquery(),
    }
    connection.execute(update(parts).where(parts.c.part == part).values(values))
    count(connection, finished_part(connection, part), 1)


def rows_under_way(connection: Connection) -> list[tuple[int, int]]:
    """Part and intentions of those that are not finished, by their numbers."""
    statement = select(parts.c.part, parts.c.intentions).where(parts.c.outcome.is_(None)).order_by(parts.c.part)
    return [(part, intentions) for part, intentions in connection.execute(statement)]


def last_part(connection: Connection) -> int:
    """The highest number so far; 0 if there is none."""
    return int(connection.execute(select(func.max(parts.c.part))).scalar() or 0)


def finished_up_to(connection: Connection) -> int:
    """Every part up to this one is finished."""
    first = connection.execute(select(func.min(parts.c.part)).where(parts.c.outcome.is_(None))).scalar()
    return last_part(connection) if first is None else int(first) - 1


# --- suspicion ------------------------------------------------------------------------------------------------------


def pass_check(connection: Connection) -> None:
    """Parts that were finished until now are above suspicion."""
    connection.execute(insert(checks).values(at=now(), after_part=finished_up_to(connection)))


def flag_rows(connection: Connection, reason: str) -> int:
    """Flag what was finished since the last check; returns how many parts that are, flagged before or not."""
    if not reason:
        raise ValueError("parts are suspect for a reason")
    last = connection.execute(
        select(checks.c.check_number, checks.c.after_part).order_by(checks.c.check_number.desc()).limit(1)
    ).one_or_none()
    number, after_part = (0, 0) if last is None else last
    since = (parts.c.part > after_part, parts.c.outcome.is_not(None), parts.c.after_check == number)
    found = connection.execute(select(parts.c.part, parts.c.suspect).where(*since)).all()
    for part in (part for part, suspect in found if suspect is None):
        change_counted(connection, part, {"suspect": reason})
    return len(found)


def change_counted(connection: Connection, part: int, values: Mapping[str, Any]) -> None:
    """Change the row of a finished part, and what was counted of it."""
    count(connection, finished_part(connection, part), -1)
    connection.execute(update(parts).where(parts.c.part == part).values(**values))
    count(connection, finished_part(connection, part), 1)


# --- what rows point to ---------------------------------------------------------------------------------------------


def meet_bin(connection: Connection, name: str, at: datetime) -> None:
    """So that rows can point to a bin."""
    connection.execute(insert_or(bins).values(bin=name, first_used_at=at).on_conflict_do_nothing())


def now() -> datetime:
    """On the wall."""
    return datetime.now(UTC)


def _meet_colour(connection: Connection, colour: PartColour) -> None:
    new = insert_or(colours).values(code=colour.ldraw_code, name=colour.name)
    renamed = new.on_conflict_do_update(
        index_elements=["code"], set_={"name": new.excluded.name}, where=colours.c.name != new.excluded.name
    )
    connection.execute(renamed)


def _under_way(connection: Connection, part: int) -> Any:
    """Run, intentions and first intention of a part that is under way. Raises ValueError if it is not."""
    columns = (parts.c.outcome, parts.c.run, parts.c.intentions, parts.c.intended_at)
    row = connection.execute(select(*columns).where(parts.c.part == part)).one_or_none()
    if row is None:
        raise ValueError(f"part {part} was never opened")
    if row.outcome is not None:
        raise ValueError(f"part {part} is finished already")
    return row


def _decided(decision: Decision) -> dict[str, Any]:
    """What the row says of a decision."""
    ranked = () if decision.posterior is None else decision.posterior.ranked
    (likeliest, probability), (runner_up, second) = [*ranked[:2], (None, None), (None, None)][:2]
    sureness = None if decision.class_name is None else dict(ranked)[decision.class_name]
    colour = decision.colour
    return {
        "decided_class": decision.class_name,
        "class_name": decision.class_name,
        "sureness_ppm": None if sureness is None else round(PPM * sureness),
        "reject_reason": None if decision.reject_reason is None else str(decision.reject_reason),
        "likeliest": likeliest,
        "probability": probability,
        "runner_up": runner_up,
        "runner_up_probability": second,
        "novelty": None if decision.posterior is None else _finite(decision.posterior.novelty),
        "posterior": {label: round(share, _PLACES) for label, share in ranked} if ranked else None,
        "view_count": decision.view_count,
        "colour_code": None if colour is None else colour.ldraw_code,
        "is_colour_unsure": None if colour is None else int(colour.is_unsure),
    }


def _view(part: int, number: int, view: View) -> dict[str, Any]:
    likeliest, probability = (None, None) if view.prediction is None else view.prediction.ranked[0]
    quality = view.quality
    return {
        "part": part,
        "view": number,
        "angle_deg": _finite(view.angle_deg),
        "location": str(view.location.kind),
        "likeliest": likeliest,
        "probability": probability,
        "novelty": None if view.prediction is None else _finite(view.prediction.novelty),
        "sharpness": None if quality is None else _finite(quality.sharpness),
        "overexposed": None if quality is None else _finite(quality.overexposed),
        "underexposed": None if quality is None else _finite(quality.underexposed),
        "has_picture": int(view.crop is not None),
    }


def _finite(value: float | None) -> float | None:
    """SQLite has no NaN, and takes it for nothing."""
    return None if value is None or not math.isfinite(value) else float(value)
