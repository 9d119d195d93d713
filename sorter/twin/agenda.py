"""The present of the twin's world: what time it is, where the board's motors are, and what is due when."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.twin.state import BoardState


class Agenda:
    """What is due, in its order; what is due at the same time comes in the order in which it was put down."""

    def __init__(self) -> None:
        self._now: BoardState | None = None
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    @property
    def has_begun(self) -> bool:
        """Whether there is a present."""
        return self._now is not None

    @property
    def now(self) -> BoardState:
        """The present state; RuntimeError before the first one."""
        if self._now is None:
            raise RuntimeError("the world has not begun: it has not been told where everything stands")
        return self._now

    def go_on(self, now: BoardState) -> None:
        """It is then."""
        self._now = now

    @property
    def first_s(self) -> float | None:
        """When the first thing is due; None: nothing is."""
        return self._due[0][0] if self._due else None

    def add(self, time_s: float, act: Callable[[], None]) -> None:
        """Something is due at a time."""
        heapq.heappush(self._due, (time_s, next(self._order), act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Something is due so much later than now."""
        self.add(self.now.time_s + seconds, act)

    def do_first(self) -> None:
        """Do the first thing, which is due now."""
        heapq.heappop(self._due)[2]()
