"""How much motion is queued ahead of the next line. Pure."""

from __future__ import annotations

from collections import deque


class MotionAhead:
    """When the motion on the board should be over, as far as the host knows.

    Whatever the estimates of a long job add up to: no more moves are ahead than planner and command queue hold.

    Args:
        now_s: the present time.
        most_moves: how many moves planner and command queue hold.
    """

    def __init__(self, now_s: float, most_moves: int) -> None:
        self.until_s = now_s
        self._durations_s: deque[float] = deque(maxlen=most_moves)

    def add(self, now_s: float, duration_s: float) -> None:
        """A line that takes ``duration_s`` of motion, perhaps none, has been sent."""
        self._durations_s.append(duration_s)
        self.until_s = min(max(now_s, self.until_s) + duration_s, now_s + sum(self._durations_s))

    def forget(self, now_s: float) -> None:
        """The planner is known to be empty."""
        self.until_s = now_s
        self._durations_s.clear()
