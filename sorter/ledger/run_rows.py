"""Runs, and the plans and models that they sorted by. Each function is called in a transaction."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or

from sorter.ledger.part_rows import last_part, now
from sorter.ledger.schema import models, parts, plans, runs, settings, to_json
from sorter.types import BinId, SortPlan, SortRule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection


def begin_run(connection: Connection, plan: SortPlan, model: str) -> dict[str, int]:
    """A new run; returns what its parts' rows say: run, plan and model."""
    at = now()
    end_runs(connection, at)
    result = connection.execute(insert(runs).values(began_at=at, first_part=last_part(connection) + 1))
    run = int(result.inserted_primary_key[0])  # type: ignore[index]
    return _set(connection, {"run": run, "plan": plan_id(connection, plan), "model": model_id(connection, model)})


def end_runs(connection: Connection, at: datetime) -> None:
    """No run is under way any more."""
    connection.execute(update(runs).where(runs.c.ended_at.is_(None)).values(ended_at=at))


def interrupt_runs(connection: Connection) -> list[int]:
    """End what the last program left under way, at the time at which it wrote something last."""
    under_way = list(connection.execute(select(runs.c.run, runs.c.began_at).where(runs.c.ended_at.is_(None))))
    times = (parts.c.opened_at, parts.c.intended_at, parts.c.finished_at)
    last = connection.execute(select(parts.c.run, *times).order_by(parts.c.part.desc()).limit(1)).one_or_none()
    for run, began_at in under_way:
        of_last = last[1:] if last is not None and last.run == run else ()
        ended_at = max(at for at in (began_at, *of_last) if at is not None)
        connection.execute(update(runs).where(runs.c.run == run).values(ended_at=ended_at, was_interrupted=1))
    return [run for run, _ in under_way]


def change_settings(connection: Connection, present: Mapping[str, int], **changes: int) -> dict[str, int]:
    """The run goes on by another plan or model; returns what its parts' rows say from now on."""
    return _set(connection, {**present, **changes})


def present_settings(connection: Connection) -> dict[str, int]:
    """Run, plan and model of the run under way; nothing if there is none."""
    statement = (
        select(settings.c.run, settings.c.plan, settings.c.model)
        .join(runs, runs.c.run == settings.c.run)
        .where(runs.c.ended_at.is_(None))
        .order_by(settings.c.setting.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return {} if row is None else {"run": row.run, "plan": row.plan, "model": row.model}


def plan_id(connection: Connection, plan: SortPlan) -> int:
    """The number of a plan; plans that say the same have the same."""
    body = asdict(plan)
    digest = hashlib.sha256(to_json(body).encode()).hexdigest()
    values = {"sha256": digest, "name": plan.name, "body": body, "first_used_at": now()}
    connection.execute(insert_or(plans).values(values).on_conflict_do_nothing(index_elements=["sha256"]))
    return int(connection.execute(select(plans.c.plan).where(plans.c.sha256 == digest)).scalar_one())


def model_id(connection: Connection, name: str) -> int:
    """The number of a model."""
    values = {"name": name, "first_used_at": now()}
    connection.execute(insert_or(models).values(values).on_conflict_do_nothing(index_elements=["name"]))
    return int(connection.execute(select(models.c.model).where(models.c.name == name)).scalar_one())


def plan_from(body: Mapping[str, Any]) -> SortPlan:
    """A plan as it was written down."""
    rules = tuple(
        SortRule(
            bin=BinId(rule["bin"]),
            classes=tuple(rule["classes"]),
            categories=tuple(rule["categories"]),
            colours=tuple(rule["colours"]),
            min_probability=rule["min_probability"],
        )
        for rule in body["rules"]
    )
    others = {name: body[name] for name in ("name", "reject", "overflow", "recirculate")}
    return SortPlan(rules=rules, **others)


def _set(connection: Connection, values: dict[str, int]) -> dict[str, int]:
    connection.execute(insert(settings).values(**values, at=now()))
    return values
