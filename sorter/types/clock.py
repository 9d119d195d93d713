"""Where time comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from threading import Event


class Clock(Protocol):
    """Where time comes from, so that tests and the twin can be faster than life."""

    def monotonic_s(self) -> float:
        """Seconds since some fixed moment; never runs backwards."""

    def sleep(self, duration_s: float) -> None:
        """Return after ``duration_s`` seconds of this clock. Raises ValueError if negative, infinite or NaN."""

    def wait(self, event: Event, timeout_s: float) -> bool:
        """Return True as soon as ``event`` is set, False after ``timeout_s`` seconds of this clock without it.

        Raises ValueError if ``timeout_s`` is negative, infinite or NaN.
        """
