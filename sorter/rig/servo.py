"""A servo, and since when it turns: all that is ever known of it, as it does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_bridge.board import Board
    from sorter.types import Clock

M280_S = 0.3
"""So long Marlin keeps M280 (SERVO_DELAY of a stock Configuration.h); the servo turns from its beginning on."""


class Servo:
    """A servo on one of the board's sockets.

    Args:
        index: P of M280.
        board: what drives it.
        clock: where time comes from.
    """

    def __init__(self, index: int, board: Board, clock: Clock) -> None:
        self._index = index
        self._board = board
        self._clock = clock

    def turn(self, angle_deg: float) -> float:
        """Send it to an angle once all motion is over; returns since when, at the latest, it turns there (s).

        The board's answer comes ``M280_S`` after the beginning; a firmware that answers sooner began when it was asked.
        That is only near the truth if no motion is under way: let that end first.
        """
        asked_s = self._clock.monotonic_s()
        self._board.servo(self._index, angle_deg)
        return max(asked_s, self._clock.monotonic_s() - M280_S)

    def sleep_until(self, time_s: float) -> None:
        """Sleep what is left until then."""
        self._clock.sleep(max(0.0, time_s - self._clock.monotonic_s()))
