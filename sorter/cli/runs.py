"""``sorter runs``: what was sorted from Start to Stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sorter.cli.console import JsonOption, report
from sorter.cli.ledger_common import (
    LIMIT,
    AfterOption,
    ConfigOption,
    LimitOption,
    StateOption,
    going_on,
    iso,
    share,
    source_of,
    table,
    wall,
)

if TYPE_CHECKING:
    from sorter.ledger import RunRow

_HEAD = ("run", "began", "ended", "plan", "model", "parts", "rejected", "lost", "unresolved", "suspect", "sureness")


def runs(
    *,
    config: ConfigOption = None,
    state: StateOption = None,
    after: AfterOption = None,
    limit: LimitOption = LIMIT,
    json: JsonOption = False,
) -> None:
    """List the runs, newest first: when, by which plan and model, and what became of their parts."""
    from sorter.ledger import open_reader

    with open_reader(source_of(config, state).ledger) as reader:
        page = reader.runs(after=after, limit=limit)
    lines = table(_HEAD, [_cells(each) for each in page.rows]) if page.rows else ["no runs"]
    report({"runs": [_data(each) for each in page.rows], "next": page.next}, "\n".join([*lines, *going_on(page.next)]))


def _cells(run: RunRow) -> tuple[object, ...]:
    totals = run.totals
    ended = wall(run.ended_at) if run.ended_at is not None else "under way"
    return (
        run.run,
        wall(run.began_at),
        ended + (" (cut off)" if run.was_interrupted else ""),
        run.plan_name,
        run.model,
        totals.parts,
        totals.rejected,
        totals.lost,
        totals.unresolved,
        totals.suspect,
        share(totals.mean_sureness),
    )


def _data(run: RunRow) -> dict[str, Any]:
    totals = run.totals
    return {
        "run": run.run,
        "began_at": iso(run.began_at),
        "ended_at": iso(run.ended_at),
        "was_interrupted": run.was_interrupted,
        "plan": run.plan,
        "plan_name": run.plan_name,
        "model": run.model,
        "parts": totals.parts,
        "decided": totals.decided,
        "rejected": totals.rejected,
        "confirmed": totals.confirmed,
        "lost": totals.lost,
        "stuck": totals.stuck,
        "unresolved": totals.unresolved,
        "suspect": totals.suspect,
        "corrected": totals.corrected,
        "mean_sureness": totals.mean_sureness,
    }
