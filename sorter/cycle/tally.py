"""What a run has come to: counts, rate, and the last parts; for one thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sorter.types import OutcomeKind, RunStatus

if TYPE_CHECKING:
    from sorter.types import Clock, PartSummary, RunId

RECENT_PARTS = 20

_MINUTE_S = 60.0


class Tally:
    """The present run, or the last one. Time in which the rig is paused is none of the run's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: tuple[PartSummary, ...] = ()
        self._run: RunStatus | None = None
        self._active_s = 0.0
        self._since_s: float | None = None

    @property
    def run(self) -> RunStatus | None:
        """None before the first run."""
        return self._run

    @property
    def recent(self) -> tuple[PartSummary, ...]:
        """The last parts, newest first."""
        return self._recent

    def start(self, run: RunId, plan: str) -> None:
        """A run begins."""
        self._run = RunStatus(run, plan, 0, 0, 0.0)
        self._active_s = 0.0
        self._since_s = self._clock.monotonic_s()

    def go_on(self) -> None:
        """After a pause."""
        if self._since_s is None:
            self._since_s = self._clock.monotonic_s()

    def rest(self) -> None:
        """A pause, or the end."""
        self._active_s, self._since_s = self._elapsed_s, None

    def use_plan(self, plan: str) -> None:
        """From now on the run sorts by another plan."""
        if self._run is not None:
            self._run = replace(self._run, plan=plan)

    def add(self, part: PartSummary) -> None:
        """There is something new about a part: what it is, or what became of it."""
        others = tuple(each for each in self._recent if each.part != part.part)
        self._recent = (part, *others)[:RECENT_PARTS]
        run = self._run
        if run is None or part.outcome is None or part.outcome.kind is OutcomeKind.UNRESOLVED:
            return
        count = run.part_count + 1
        self._run = replace(
            run,
            part_count=count,
            reject_count=run.reject_count + (part.decision.class_name is None),
            parts_per_minute=_MINUTE_S * count / self._elapsed_s if self._elapsed_s > 0.0 else 0.0,
        )

    @property
    def _elapsed_s(self) -> float:
        return self._active_s + (0.0 if self._since_s is None else self._clock.monotonic_s() - self._since_s)
