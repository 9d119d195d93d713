"""Where a part's time goes: what each stage took, what it could have taken at best, and what the host itself cost.

The bound on throughput, ``bound.<stage>``, is the least time that kinematics, exposure and dwell allow for what the
part needed; docs/cycle.md has the formulas. ``host`` is the time in which the loop waited for neither board nor camera
nor clock.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sorter.types import Clock

STAGES = ("feed", "settle", "look", "decide", "route", "eject", "confirm", "record")
HOST = "host"


def bound_of(stage: str) -> str:
    """The key of a stage's bound in ``Outcome.stage_s``."""
    return f"bound.{stage}"


class Lap(NamedTuple):
    """A moment, and how long the loop had waited for others by then."""

    began_s: float
    outside_s: float


class Stopwatch:
    """Seconds of one part, by stage; for one thread.

    What the finishing of a part's row takes cannot stand in that row: it goes to the stage ``record`` of the next.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stages: defaultdict[str, float] = defaultdict(float)
        self._bounds: defaultdict[str, float] = defaultdict(float)
        self._left_over: defaultdict[str, float] = defaultdict(float)
        self._outside_s = 0.0
        self._held_s = 0.0
        self._depth = 0

    def begin(self) -> None:
        """A new part: all counts from 0, but for what the last one left over."""
        self._stages, self._left_over = self._left_over, defaultdict(float)
        self._bounds.clear()
        self._outside_s = self._held_s = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What happens within is this stage's; not to be nested."""
        began_s, held_s = self._clock.monotonic_s(), self._held_s
        try:
            yield
        finally:
            self._stages[name] += self._clock.monotonic_s() - began_s - (self._held_s - held_s)

    @contextmanager
    def after_the_end(self, name: str) -> Iterator[None]:
        """What happens within comes too late for this part's row: it is the next one's."""
        began_s = self._clock.monotonic_s()
        try:
            yield
        finally:
            self._left_over[name] += self._clock.monotonic_s() - began_s

    @contextmanager
    def outside(self) -> Iterator[None]:
        """The loop waits for board, clock or camera; nested ones count once."""
        began_s = self._clock.monotonic_s()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._outside_s += self._clock.monotonic_s() - began_s

    @contextmanager
    def held(self) -> Iterator[None]:
        """The rig waits for an operator: that belongs to no stage."""
        began_s = self._clock.monotonic_s()
        try:
            yield
        finally:
            self._held_s += self._clock.monotonic_s() - began_s

    def lap(self) -> Lap:
        """Now, for ``would_have_waited``."""
        return Lap(self._clock.monotonic_s(), self._outside_s)

    def would_have_waited(self, since: Lap, until_s: float) -> None:
        """Until then the loop waits anyway, whatever it has done since: that was no time of the host's own."""
        idle_s = min(until_s, self._clock.monotonic_s()) - since.began_s
        self._outside_s += max(0.0, idle_s - (self._outside_s - since.outside_s))

    def allow(self, stage: str, duration_s: float) -> None:
        """Add to a stage's bound."""
        self._bounds[stage] += max(0.0, duration_s)

    def taken_s(self, stage: str) -> float:
        """What a stage has taken so far."""
        return self._stages[stage]

    def bound_s(self, stage: str) -> float:
        """A stage's bound so far."""
        return self._bounds[stage]

    def stage_s(self) -> Mapping[str, float]:
        """For ``Outcome.stage_s``: every stage, every bound, and the host's own time."""
        took = {name: self._stages[name] for name in STAGES}
        bounds = {bound_of(name): self._bounds[name] for name in STAGES}
        return took | bounds | {HOST: max(0.0, sum(took.values()) - self._outside_s)}
