"""Time that is handed in: the real one, as fast as life or faster, and one that a test moves by hand."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sorter.types import Clock

if TYPE_CHECKING:
    from threading import Event

_POLL_S = 0.001


def _checked_duration(duration_s: float) -> float:
    if not 0.0 <= duration_s < float("inf"):  # also refuses NaN
        raise ValueError(f"a duration is 0 s or more and finite, got {duration_s}")
    return duration_s


@dataclass(frozen=True)
class RealClock(Clock):
    """The machine's monotonic clock, run ``speed`` times as fast (1 is life; the twin may be faster)."""

    speed: float = 1.0
    _started_s: float = field(default_factory=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        """Refuse a speed that is no positive number."""
        if not 0.0 < self.speed < float("inf"):
            raise ValueError(f"a clock's speed is a positive number, got {self.speed}")

    def monotonic_s(self) -> float:
        """Seconds of this clock; see ``Clock``."""
        return self._started_s + (time.monotonic() - self._started_s) * self.speed

    def sleep(self, duration_s: float) -> None:
        """Return after ``duration_s`` seconds of this clock; see ``Clock``."""
        time.sleep(self._real_s(duration_s))

    def wait(self, event: Event, timeout_s: float) -> bool:
        """Whether ``event`` was set within ``timeout_s`` seconds of this clock; see ``Clock``."""
        return event.wait(self._real_s(timeout_s))

    def _real_s(self, duration_s: float) -> float:
        return min(_checked_duration(duration_s) / self.speed, threading.TIMEOUT_MAX)


class ManualClock(Clock):
    """A clock that stands still until it is moved.

    With ``moves_on_sleep`` a sleep or wait moves the clock itself and returns at once: for one thread. Without it
    they block until another thread calls ``advance``: then a test decides what happens when. Thread-safe.
    """

    def __init__(self, start_s: float = 0.0, *, moves_on_sleep: bool = True) -> None:
        self._now_s = start_s
        self._moves_on_sleep = moves_on_sleep
        self._moved = threading.Condition()

    def monotonic_s(self) -> float:
        """Seconds of this clock; see ``Clock``."""
        with self._moved:
            return self._now_s

    def advance(self, duration_s: float) -> None:
        """Move the clock on by ``duration_s`` seconds and wake whoever sleeps.

        Raises:
            ValueError: the duration is negative or NaN; the clock stays where it was.
        """
        _checked_duration(duration_s)
        with self._moved:
            self._now_s += duration_s
            self._moved.notify_all()

    def sleep(self, duration_s: float) -> None:
        """Return after ``duration_s`` seconds of this clock; see ``Clock``."""
        _checked_duration(duration_s)
        if self._moves_on_sleep:
            self.advance(duration_s)
            return
        with self._moved:
            until_s = self._now_s + duration_s
            self._moved.wait_for(lambda: self._now_s >= until_s)

    def wait(self, event: Event, timeout_s: float) -> bool:
        """Whether ``event`` was set within ``timeout_s`` seconds of this clock; see ``Clock``."""
        _checked_duration(timeout_s)
        if self._moves_on_sleep:
            if not event.is_set():
                self.advance(timeout_s)
            return event.is_set()
        until_s = self.monotonic_s() + timeout_s
        while not event.wait(_POLL_S):  # the event may be set by a thread that knows nothing of this clock
            if self.monotonic_s() >= until_s:
                return event.is_set()
        return True
