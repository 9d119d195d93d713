"""When parts drop out of the feeder. Each kind has to work for a part, and how much is a matter of chance."""

from __future__ import annotations

import abc
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sorter.twin.state import BoardState, Stretch
    from sorter.types.twin import TwinFeeder

RUN_ON_S = 0.05
"""A shaker that was switched off still swings, and moves parts, for so long."""

_LEAST_SHARE = 0.4  # of the average work, which every part takes
_SHAPE = 4.0  # of the gamma distribution of the rest
_LEAST_WORK = 0.001
_ALMOST = 1e-6  # what rounding may leave


class Feeder(abc.ABC):
    """A feeder; its work for a part is counted in a unit of its own.

    Args:
        average: work for a part.
        chance: how it varies.
    """

    def __init__(self, average: float, chance: random.Random) -> None:
        self._average = average
        self._chance = chance
        self._left = 0.0
        self.begin_part()

    def begin_part(self) -> None:
        """Draw how much work the next part takes."""
        fixed = _LEAST_SHARE * self._average
        varying = self._chance.gammavariate(_SHAPE, (self._average - fixed) / _SHAPE)
        self._left = max(fixed + varying, _LEAST_WORK)

    def drop_share(self, stretch: Stretch, *, is_table_free: bool) -> float | None:
        """At which share of a stretch the next part drops; None: not within it."""
        work, within = self._work(stretch, is_table_free=is_table_free)
        if work <= 0.0 or self._left > work + _ALMOST:
            return None
        return within * min(1.0, self._left / work)

    def go_on(self, stretch: Stretch, *, has_parts: bool, is_table_free: bool) -> None:
        """Work through a stretch; without parts there is nothing to be moved along."""
        if has_parts:
            work, _ = self._work(stretch, is_table_free=is_table_free)
            self._left = max(0.0, self._left - work)

    def due_s(self, now: BoardState, *, is_table_free: bool) -> float | None:
        """When the next part drops if all stays as it is; None: it does not."""
        return now.time_s + self._left if self._is_working(now, is_table_free=is_table_free) else None

    @abc.abstractmethod
    def _work(self, stretch: Stretch, *, is_table_free: bool) -> tuple[float, float]:
        """What is done in a stretch, and in which share of it, from its beginning on."""

    def _is_working(self, now: BoardState, *, is_table_free: bool) -> bool:  # noqa: ARG002
        """Whether work goes on by itself."""
        return False


class ShakenFeeder(Feeder):
    """It works while its fan output is on, and swings on for a moment. Work is seconds."""

    _swings_until_s = float("-inf")

    def _work(self, stretch: Stretch, *, is_table_free: bool) -> tuple[float, float]:  # noqa: ARG002
        duration_s = stretch.duration_s
        if stretch.before.fan_level > 0:
            return duration_s, 1.0
        shaken_s = min(duration_s, self._swings_until_s - stretch.before.time_s)
        return (shaken_s, shaken_s / duration_s) if shaken_s > 0.0 else (0.0, 0.0)

    def _is_working(self, now: BoardState, *, is_table_free: bool) -> bool:  # noqa: ARG002
        return now.fan_level > 0 or now.time_s + self._left <= self._swings_until_s

    def go_on(self, stretch: Stretch, *, has_parts: bool, is_table_free: bool) -> None:
        """See ``Feeder``."""
        super().go_on(stretch, has_parts=has_parts, is_table_free=is_table_free)
        if stretch.before.fan_level > 0:
            self._swings_until_s = stretch.after.time_s + RUN_ON_S


class TurnedFeeder(Feeder):
    """It works while its motor turns forward. Work is degrees."""

    def _work(self, stretch: Stretch, *, is_table_free: bool) -> tuple[float, float]:  # noqa: ARG002
        return max(0.0, stretch.after.feeder_deg - stretch.before.feeder_deg), 1.0


class Hand(Feeder):
    """Somebody who puts a part on the table while it is free and still, and the rig is awake. Work is seconds."""

    def _work(self, stretch: Stretch, *, is_table_free: bool) -> tuple[float, float]:
        is_still = stretch.after.table_deg == stretch.before.table_deg
        works = is_still and self._is_working(stretch.before, is_table_free=is_table_free)
        return (stretch.duration_s if works else 0.0), 1.0

    def _is_working(self, now: BoardState, *, is_table_free: bool) -> bool:
        return is_table_free and now.is_awake


def make_feeder(settings: TwinFeeder, seed: int) -> Feeder:
    """The feeder of a twin's settings."""
    chance = random.Random(f"{seed}:feeder")  # noqa: S311 - repeatable, not secret
    if settings.kind == "stepper":
        return TurnedFeeder(settings.degrees_a_part, chance)
    kind = Hand if settings.kind == "manual" else ShakenFeeder
    return kind(settings.seconds_a_part, chance)
