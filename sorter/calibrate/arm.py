"""The ejector's arm while its places are looked for: moved to any angle, and taken back at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.rig import Machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_bridge.board import Board
    from sorter.config import RigConfig
    from sorter.types import Clock


class Arm:
    """The arm of a connected rig.

    Args:
        config: the rig's file.
        board: what drives it.
        clock: where time comes from.
        raise_if_stopped: called before it is moved.
    """

    def __init__(self, config: RigConfig, board: Board, clock: Clock, raise_if_stopped: Callable[[], None]) -> None:
        self.park_deg = config.ejector.park_deg  # where it is taken back to; whoever finds a better place says so
        self._config, self._board, self._clock = config, board, clock
        self._raise_if_stopped = raise_if_stopped
        self._sent_deg: float | None = None

    def move(self, angle_deg: float) -> None:
        """Move it, and wait until it is there. Raises BoardError, and TalkEnded after a stop."""
        self._raise_if_stopped()
        self._send(angle_deg)

    def take_back(self) -> None:
        """Park it, if it was moved elsewhere; after a stop as well."""
        if self._sent_deg not in (None, self.park_deg):
            self._send(self.park_deg)

    def _send(self, angle_deg: float) -> None:
        self._sent_deg = angle_deg
        usual = self._config.ejector
        # As far apart as ever, for that tells how fast the arm is.
        there = {"park_deg": angle_deg, "push_deg": angle_deg + usual.push_deg - usual.park_deg}
        ejector = usual.model_copy(update=there)
        Machine(self._config.model_copy(update={"ejector": ejector}), self._clock, board=self._board).park()
