"""Connecting camera and board: again and again, ever more slowly, until it works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.cycle.faults import Actionable

if TYPE_CHECKING:
    from sorter.cycle.eyes import Eyes
    from sorter.rig import Machine
    from sorter.types import Clock

_FIRST_DELAY_S, _LONGEST_DELAY_S = 1.0, 30.0


class Connection:
    """Tries, and when to try next; for one thread."""

    def __init__(self, machine: Machine, eyes: Eyes, clock: Clock) -> None:
        self._machine = machine
        self._eyes = eyes
        self._clock = clock
        self._next_try_s = clock.monotonic_s()
        self._delay_s = _FIRST_DELAY_S
        self.must_reset = False  # the board has been stopped
        self.must_reopen_camera = False

    @property
    def pause_s(self) -> float:
        """How long it is until the next try; 0 or less if it is due."""
        return self._next_try_s - self._clock.monotonic_s()

    def attempt(self) -> str | None:
        """Open the camera, then connect the board, which resets it; returns what went wrong, None if nothing did."""
        try:
            self._eyes.open(is_anew=self.must_reopen_camera)
            self.must_reopen_camera = False
            if self.must_reset:
                self._machine.reset()
            else:
                self._machine.connect()
        except Exception as error:
            if not isinstance(error, Actionable):
                raise
            self._next_try_s = self._clock.monotonic_s() + self._delay_s
            self._delay_s = min(2.0 * self._delay_s, _LONGEST_DELAY_S)
            return str(error)
        self.must_reset = False
        self._delay_s = _FIRST_DELAY_S
        self._next_try_s = self._clock.monotonic_s()
        return None
