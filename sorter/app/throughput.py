"""How fast parts were sorted, how fast the mechanics would have allowed, and where the time went. Pure.

Seconds of the rig's clock, which lives ``speed`` times as fast as the host's, in which the records' times stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sorter.app.truth import Journey
    from sorter.ledger import PartRow

STAGES = ("feed", "settle", "look", "decide", "route", "eject", "confirm", "record")
BOUND = "bound."
HOST = "host"


@dataclass(frozen=True)
class Throughput:
    """Args are None where nothing was finished.

    Args:
        parts: that were finished, but for those that were fed again.
        seconds: from the start to the last of them.
        parts_per_minute: both together.
        bound: the same, had every cycle taken the least time that mechanics and exposure allow.
        bound_share: what was reached of it, 0 to 1.
        host_share: of the cycles' time, what the host took while nothing moved for it.
        stage_s: mean of each stage over the cycles.
        bound_s: the least of it, mean over the cycles.
    """

    parts: int
    seconds: float
    parts_per_minute: float | None
    bound: float | None
    bound_share: float | None
    host_share: float | None
    stage_s: Mapping[str, float]
    bound_s: Mapping[str, float]


def throughput(
    rows: Iterable[PartRow],
    claims: Mapping[int, tuple[Journey, ...]],
    *,
    started_s: float,
    speed: float,
    recirculate: str | None,
) -> Throughput:
    """Reckon it up from finished rows.

    Args:
        rows: of the run.
        claims: the journeys that each row claims, by its number.
        started_s: when the run began, by the host's clock.
        speed: seconds of the rig's clock in one of the host's.
        recirculate: what lies in this bin is not done with.
    """
    cycles = [_Cycle(row, claims.get(row.part, ()), speed) for row in rows if row.outcome is not None]
    done = [row for row in (cycle.row for cycle in cycles) if _is_done_with(row, recirculate)]
    ends_s = [row.finished_at_s for row in done if row.finished_at_s is not None]
    seconds = (max(ends_s) - started_s) * speed if ends_s else 0.0
    least_s = sum(sum(cycle.least_s.values()) for cycle in cycles)
    taken_s = sum(sum(cycle.taken_s.values()) for cycle in cycles)
    host_s = sum(cycle.host_s for cycle in cycles)
    reached = 60.0 * len(done) / seconds if seconds > 0.0 else None
    bound = 60.0 * len(done) / least_s if done and least_s > 0.0 else None
    return Throughput(
        parts=len(done),
        seconds=seconds,
        parts_per_minute=reached,
        bound=bound,
        bound_share=reached / bound if reached is not None and bound is not None else None,
        host_share=host_s / taken_s if taken_s > 0.0 else None,
        stage_s=_means([cycle.taken_s for cycle in cycles]),
        bound_s=_means([cycle.least_s for cycle in cycles]),
    )


def _is_done_with(row: PartRow, recirculate: str | None) -> bool:
    return row.bin is not None and row.bin != recirculate


class _Cycle:
    """One row's way round: seconds taken by each stage, and the least that each could have taken."""

    def __init__(self, row: PartRow, journeys: tuple[Journey, ...], speed: float) -> None:
        measured = row.stage_s
        self.row = row
        self.taken_s = {stage: measured.get(stage, 0.0) for stage in STAGES}
        self.least_s = {stage: measured.get(f"{BOUND}{stage}", 0.0) for stage in STAGES}
        self.host_s = measured.get(HOST, 0.0)
        # How long a part takes to come and to lie still is the mechanics' own affair, and the twin alone knows it.
        landed = [each for each in journeys if each.landed_s is not None]
        if landed:
            began_s = row.opened_at_s - (self.taken_s["feed"] + self.taken_s["settle"]) / speed
            dropped_s = max(began_s, *(each.dropped_s for each in landed))
            landed_s = max(dropped_s, *(each.landed_s for each in landed if each.landed_s is not None))
            self.least_s["feed"] = (dropped_s - began_s) * speed
            self.least_s["settle"] += (landed_s - dropped_s) * speed
        else:
            self.least_s["feed"] = self.taken_s["feed"]


def _means(cycles: list[dict[str, float]]) -> dict[str, float]:
    return {stage: sum(cycle[stage] for cycle in cycles) / len(cycles) for stage in STAGES} if cycles else {}
