"""The ejector: a servo arm that wipes the part off the table, and whether it is out of the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.rig.servo import M280_S, Servo

if TYPE_CHECKING:
    from firmware_bridge.board import Board
    from sorter.config import EjectorConfig
    from sorter.types import Clock

_SERVO_DEG = 180.0


class Ejector:
    """The arm. It is parked when it was sent there and its travelling time is over; else nobody knows where it is.

    Args:
        config: ``[ejector]``.
        board: what drives it.
        clock: where time comes from.
    """

    def __init__(self, config: EjectorConfig, board: Board, clock: Clock) -> None:
        self.is_parked = False
        self.is_left_out = False  # was sent over the table, and not back since; that is not forgotten
        self._config = config
        self._servo = Servo(config.servo, board, clock)

    @property
    def push_s(self) -> float:
        """The least that ``push`` and ``park`` take together; Marlin keeps each M280 for ``M280_S``."""
        config = self._config
        return max(config.travel_s + config.dwell_s, M280_S) + max(config.travel_s, M280_S)

    @property
    def longest_travel_s(self) -> float:
        """From wherever it may be to where it is parked, at the speed that the config tells."""
        config = self._config
        farthest_deg = max(config.park_deg, _SERVO_DEG - config.park_deg)
        return config.travel_s * max(1.0, farthest_deg / abs(config.push_deg - config.park_deg))

    def forget(self) -> None:
        """Where it is is not certain any more."""
        self.is_parked = False

    def push(self) -> float:
        """Send the parked arm over the table, and wait until it is there; returns when that was (s)."""
        self.is_parked, self.is_left_out = False, True
        arrives_s = self._servo.turn(self._config.push_deg) + self._config.travel_s
        self._servo.sleep_until(arrives_s)
        return arrives_s

    def dwell(self, arrived_s: float) -> None:
        """Leave the arm where it is until it has been there for as long as the config wants."""
        self._servo.sleep_until(arrived_s + self._config.dwell_s)

    def park(self, *, is_place_known: bool) -> None:
        """Take the arm out of the way, and wait until it is there.

        Args:
            is_place_known: it comes from where ``push`` left it, and so needs no longer than ``travel_s``.
        """
        self.is_parked = False
        travel_s = self._config.travel_s if is_place_known else self.longest_travel_s
        self._servo.sleep_until(self._servo.turn(self._config.park_deg) + travel_s)
        self.is_parked, self.is_left_out = True, False
