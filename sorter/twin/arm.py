"""The ejector's arm: when it strikes the parts on the table, and what must not turn while it is over the table."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sorter.twin.state import BoardState, Stretch

OVER_SHARE = 0.3
"""Of the way from parked to pushed; beyond it the arm is over the table."""
STRIKE_SHARE = 0.6
"""Of that way; there it strikes what lies on the table."""
COLLISION_DEG = 0.5
"""Table or chute may turn so far while the arm is over the table: a motor that is let go may settle by as much."""


class ArmEvent(enum.Enum):
    """What the arm does."""

    COMES_OVER = enum.auto()
    STRIKES = enum.auto()
    DRAWS_BACK = enum.auto()
    IS_CLEAR = enum.auto()
    HITS_TURNTABLE = enum.auto()
    HITS_CHUTE = enum.auto()


class ArmMoment(NamedTuple):
    """At which share of a stretch the arm does something."""

    share: float
    event: ArmEvent


class Arm:
    """Follows the arm from stretch to stretch.

    Args:
        park_deg, push_deg: angles of its servo's shaft.
    """

    def __init__(self, park_deg: float, push_deg: float) -> None:
        self._park_deg = park_deg
        self._way_deg = push_deg - park_deg
        self._has_struck = False
        self._turned_deg = {ArmEvent.HITS_TURNTABLE: 0.0, ArmEvent.HITS_CHUTE: 0.0}
        self._hit: set[ArmEvent] = set()
        self.is_over = False

    def begin(self, state: BoardState) -> None:
        """Take the arm as it stands: what it is over already, it does not strike any more."""
        self.is_over = self._share(state) >= OVER_SHARE
        self._has_struck = self._share(state) >= STRIKE_SHARE

    def first(self, stretch: Stretch) -> ArmMoment | None:
        """What the arm does first in a stretch; None: nothing."""
        start, end = self._share(stretch.before), self._share(stretch.after)
        moments = []
        if start != end:
            for level, is_beyond, out, back in (
                (OVER_SHARE, self.is_over, ArmEvent.COMES_OVER, ArmEvent.IS_CLEAR),
                (STRIKE_SHARE, self._has_struck, ArmEvent.STRIKES, ArmEvent.DRAWS_BACK),
            ):
                if (end < level) if is_beyond else (end >= level):
                    share = min(max((level - start) / (end - start), 0.0), 1.0)
                    moments.append(ArmMoment(share, back if is_beyond else out))
        if self.is_over:
            for event, turned_deg in self._turning(stretch):
                left_deg = COLLISION_DEG - self._turned_deg[event]
                if event not in self._hit and turned_deg > left_deg:
                    moments.append(ArmMoment(max(0.0, left_deg / turned_deg), event))
        return min(moments, key=lambda moment: (moment.share, moment.event.value), default=None)

    def go_on(self, stretch: Stretch) -> None:
        """Take note that a stretch is over."""
        if self.is_over:
            for event, turned_deg in self._turning(stretch):
                self._turned_deg[event] += turned_deg

    def note(self, event: ArmEvent) -> None:
        """Take note that the arm has done this."""
        if event is ArmEvent.COMES_OVER:
            self.is_over = True
            self._hit.clear()
            self._turned_deg = dict.fromkeys(self._turned_deg, 0.0)
        elif event is ArmEvent.IS_CLEAR:
            self.is_over = False
        elif event in (ArmEvent.STRIKES, ArmEvent.DRAWS_BACK):
            self._has_struck = event is ArmEvent.STRIKES
        else:
            self._hit.add(event)

    def _share(self, state: BoardState) -> float:
        return (state.arm_deg - self._park_deg) / self._way_deg

    @staticmethod
    def _turning(stretch: Stretch) -> tuple[tuple[ArmEvent, float], ...]:
        before, after = stretch
        return (
            (ArmEvent.HITS_TURNTABLE, abs(after.table_deg - before.table_deg)),
            (ArmEvent.HITS_CHUTE, abs(after.chute_deg - before.chute_deg)),
        )
