"""Parts that slide on the table as it turns: round ones, and such as do not lie flat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sorter.twin.landing import TABLE_MM, Lying, Pose2d, slid

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from sorter.twin.scene import Part
    from sorter.twin.state import Stretch

_TURNED_DEG = (2.0, 30.0)  # so far the table turns until a part loses its hold
_HOPS_MM = ((8.0, 25.0), (45.0, TABLE_MM - 2.0), (TABLE_MM + 5.0, TABLE_MM + 30.0))  # a little, to the rim, over it
_SHARES = (0.4, 0.35, 0.25)
_TWIST_DEG = 60.0


class _Waiting(NamedTuple):
    part: int
    left_deg: float
    chance: random.Random


class Sliding:
    """Which parts will slide, and after how much turning of the table, either way."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []

    def add(self, part: Part, chance: random.Random) -> None:
        """A part that lies still will slide."""
        self._waiting.append(_Waiting(part.number, chance.uniform(*_TURNED_DEG), chance))

    def forget(self, part: Part) -> None:
        """A part does not lie there any more."""
        self._waiting = [each for each in self._waiting if each.part != part.number]

    def share(self, stretch: Stretch) -> float | None:
        """At which share of a stretch the next part slides; None: not within it."""
        turned_deg = abs(stretch.after.table_deg - stretch.before.table_deg)
        if not self._waiting or turned_deg == 0.0:
            return None
        left_deg = min(each.left_deg for each in self._waiting)
        return max(0.0, left_deg / turned_deg) if left_deg <= turned_deg else None

    def go_on(self, stretch: Stretch) -> None:
        """Take note that a stretch is over."""
        if self._waiting:
            turned_deg = abs(stretch.after.table_deg - stretch.before.table_deg)
            self._waiting = [each._replace(left_deg=each.left_deg - turned_deg) for each in self._waiting]

    def take(self) -> tuple[int, random.Random]:
        """The number of the part that slides now, and chance for how."""
        first = min(self._waiting, key=lambda each: each.left_deg)
        self._waiting.remove(first)
        return first.part, first.chance


def slide(lying: Lying, now_s: float, others: Sequence[Lying], chance: random.Random) -> Lying:
    """Where a part slides to: anywhere on the table, or beyond its rim."""
    least_mm, most_mm = chance.choices(_HOPS_MM, _SHARES)[0]
    direction = chance.uniform(0.0, math.tau)
    radius_mm = chance.uniform(least_mm, most_mm)
    yaw_deg = lying.pose(now_s).yaw_deg + chance.uniform(-_TWIST_DEG, _TWIST_DEG)
    towards = Pose2d(radius_mm * math.cos(direction), radius_mm * math.sin(direction), yaw_deg)
    return slid(lying, now_s, towards, others)


def is_over_the_rim(lying: Lying) -> bool:
    """Whether a part has slid off."""
    return math.hypot(lying.goal.x_mm, lying.goal.y_mm) > TABLE_MM
