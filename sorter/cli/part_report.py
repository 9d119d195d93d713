"""How parts are told: as lines, as JSON, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sorter.cli.console import report, say
from sorter.cli.ledger_common import iso, share, table, wall

if TYPE_CHECKING:
    from sorter.ledger import PartDetails, PartRow

LIST_HEAD = ("part", "finished", "class", "sure", "colour", "bin", "outcome", "")


def say_csv(pages: Iterable[tuple[PartRow, ...]]) -> None:
    """Print a table of parts, a page after the other."""
    from sorter.ledger import PartRow

    blank = _flat(PartRow(part=0, opened_at=datetime.now(UTC), opened_at_s=0.0))  # type: ignore[arg-type]
    say(_csv_line(blank.keys()))
    for rows in pages:
        if rows:
            say("\n".join(_csv_line(_flat(row).values()) for row in rows))


def _csv_line(cells: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _flat(row: PartRow) -> dict[str, Any]:
    """What of a row fits into one cell each."""
    return {name: value for name, value in part_data(row).items() if not isinstance(value, dict)}


def part_data(row: PartRow) -> dict[str, Any]:
    """A part for programs."""
    return {
        "part": row.part,
        "run": row.run,
        "model": row.model,
        "plan": row.plan,
        "opened_at": iso(row.opened_at),
        "intended_at": iso(row.intended_at),
        "finished_at": iso(row.finished_at),
        "class": row.class_name,
        "decided_class": row.decided_class,
        "reject_reason": row.reject_reason,
        "sureness": row.sureness,
        "likeliest": row.likeliest,
        "probability": row.probability,
        "runner_up": row.runner_up,
        "runner_up_probability": row.runner_up_probability,
        "novelty": row.novelty,
        "views": row.view_count,
        "colour": row.colour,
        "colour_code": row.colour_code,
        "is_colour_unsure": row.is_colour_unsure,
        "intentions": row.intentions,
        "intended_bin": row.intended_bin,
        "chute_deg": row.chute_deg,
        "bin": row.bin,
        "outcome": row.outcome,
        "suspect_reason": row.suspect_reason,
        "corrections": row.corrections,
        "posterior": dict(row.posterior),
        "stage_s": dict(row.stage_s),
    }


def list_cells(row: PartRow) -> tuple[object, ...]:
    """A part's line in a list, under ``LIST_HEAD``."""
    remarks = [] if row.suspect_reason is None else [f"suspect: {row.suspect_reason}"]
    remarks += ["corrected"] if row.corrections else []
    return (
        row.part,
        "under way" if row.finished_at is None else wall(row.finished_at),
        row.class_name or f"rejected: {row.reject_reason or 'not looked at'}",
        share(row.sureness),
        (row.colour or "-") + (" ?" if row.is_colour_unsure else ""),
        row.bin or "-",
        row.outcome or "-",
        ", ".join(remarks),
    )


def tell(details: PartDetails) -> None:
    """Report all that is known of a part."""
    row = details.row
    data = {
        **part_data(row),
        "view_rows": [
            {
                "view": each.view,
                "angle_deg": each.angle_deg,
                "location": each.location,
                "likeliest": each.likeliest,
                "probability": each.probability,
                "novelty": each.novelty,
                "sharpness": each.sharpness,
                "overexposed": each.overexposed,
                "underexposed": each.underexposed,
                "picture": each.picture,
            }
            for each in details.views
        ],
        "history": [
            {
                "at": iso(each.at),
                "by": each.by,
                "what": each.what,
                "note": each.note,
                "was_bin": each.was_bin,
                "bin": each.bin,
                "was_class": each.was_class,
                "class": each.class_name,
                "was_outcome": each.was_outcome,
                "outcome": each.outcome,
            }
            for each in details.corrections
        ],
        "incidents": list(details.incidents),
        "pictures": list(details.pictures),
    }
    lines = [*table(LIST_HEAD, [list_cells(row)])]
    if row.likeliest is not None:
        lines.append(
            f"likeliest {row.likeliest} {share(row.probability)}, "
            f"then {row.runner_up or '-'} {share(row.runner_up_probability)}, of {row.view_count} views"
        )
    lines += [
        f"view {each.view}: {'-' if each.angle_deg is None else f'{each.angle_deg:.1f} deg'}, {each.location}, "
        f"{each.likeliest or '-'} {share(each.probability)}"
        for each in details.views
    ]
    lines += [
        f"{wall(each.at)} {each.what} by {each.by}: {_changes(each.was_bin, each.bin, 'bin')}, "
        f"{_changes(each.was_class, each.class_name, 'class')}" + (f" ({each.note})" if each.note else "")
        for each in details.corrections
    ]
    lines += [f"incident {number}" for number in details.incidents]
    lines += [f"picture {name}" for name in details.pictures]
    report(data, "\n".join(lines))


def _changes(was: str | None, is_now: str | None, what: str) -> str:
    before, now = was or "none", is_now or "none"
    return f"{what} {now}" if before == now else f"{what} {before} -> {now}"
