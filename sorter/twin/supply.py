"""What is in the hopper: parts that were never fed, and behind them those that came back."""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sorter.twin.scene import Hopper, Part


class Fed(NamedTuple):
    """A part that leaves the hopper, and whether it did so before."""

    part: Part
    is_again: bool


class Supply:
    """The hopper's content. Part number n is the same whenever it is fed, and whatever was fed before.

    Args:
        hopper: where parts come from.
        count: how many there are.
        seed: of chance.
    """

    def __init__(self, hopper: Hopper, count: int, seed: int) -> None:
        self._hopper = hopper
        self._count = count
        self._seed = seed
        self._drawn = 0
        self._returned: deque[Part] = deque()
        self._returns = 0

    @property
    def left(self) -> int:
        """How many parts are in the hopper."""
        return self._count - self._drawn + len(self._returned)

    def take(self) -> Fed:
        """The next part, in the pose in which it will come to lie.

        Raises:
            IndexError: there is none left.
        """
        if self._drawn < self._count:
            self._drawn += 1
            return Fed(self._hopper.draw(self._drawn, self._chance(f"part:{self._drawn}")), is_again=False)
        part = self._returned.popleft()
        self._returns += 1
        return Fed(self._hopper.again(part, self._chance(f"again:{self._returns}")), is_again=True)

    def put_back(self, part: Part) -> None:
        """Put a part into the hopper, behind all others."""
        self._returned.append(part)

    def fill(self, parts: int) -> None:
        """Put so many parts more into the hopper, that were never fed."""
        self._count += parts

    def _chance(self, what: str) -> random.Random:
        return random.Random(f"{self._seed}:{what}")  # noqa: S311 - repeatable, not secret
