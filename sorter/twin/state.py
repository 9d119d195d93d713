"""Where everything that a board moves is at one instant, and what lies between two instants."""

from __future__ import annotations

from typing import NamedTuple


class BoardState(NamedTuple):
    """One instant of the board, told in what it moves.

    Args:
        time_s: of the board's own clock.
        table_deg: the table, counter-clockwise from above; it counts on past a full turn.
        chute_deg: the chute; 0 where there is none.
        arm_deg: the shaft of the ejector's servo.
        feeder_deg: the feeder's motor; 0 where there is none.
        fan_level: of the output that shakes the feeder, 0 to 255, until the next instant.
        is_awake: the arm has been told where to be since the board was last reset.
    """

    time_s: float
    table_deg: float = 0.0
    chute_deg: float = 0.0
    arm_deg: float = 0.0
    feeder_deg: float = 0.0
    fan_level: int = 0
    is_awake: bool = False


class Stretch(NamedTuple):
    """Between two instants everything moves in straight lines; what does not move is as at the first."""

    before: BoardState
    after: BoardState

    @property
    def duration_s(self) -> float:
        """How long it is; 0 is a jump."""
        return self.after.time_s - self.before.time_s

    def share_at(self, time_s: float) -> float:
        """Which share of it, 0 to 1, is over at a time within it."""
        return (time_s - self.before.time_s) / self.duration_s if self.duration_s > 0.0 else 1.0

    def at(self, share: float, time_s: float | None = None) -> BoardState:
        """The state when a share of it, 0 to 1, is over; ``time_s`` says more exactly when that is."""
        before, after = self
        if time_s is None:
            time_s = before.time_s + share * (after.time_s - before.time_s)
        return before._replace(
            time_s=min(max(time_s, before.time_s), after.time_s),
            table_deg=before.table_deg + share * (after.table_deg - before.table_deg),
            chute_deg=before.chute_deg + share * (after.chute_deg - before.chute_deg),
            arm_deg=before.arm_deg + share * (after.arm_deg - before.arm_deg),
            feeder_deg=before.feeder_deg + share * (after.feeder_deg - before.feeder_deg),
        )
