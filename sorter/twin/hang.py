"""A camera that hangs: it takes requests and answers none."""

from __future__ import annotations

import threading


class Hang:
    """Whether the camera hangs, and what it takes to end that. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_on = False
        self._ends_with_connection = False

    @property
    def is_on(self) -> bool:
        """Whether it hangs."""
        return self._is_on

    def begin(self, *, ends_with_connection: bool) -> bool:
        """It hangs from now on, until it is mended or, if so, somebody connects anew; returns False if it did already.

        What ends a hang is as it was said when it began.
        """
        with self._lock:
            if self._is_on:
                return False
            self._is_on, self._ends_with_connection = True, ends_with_connection
            return True

    def mend(self) -> None:
        """It hangs no more."""
        self._is_on = False

    def connected(self) -> None:
        """Somebody has connected."""
        with self._lock:
            if self._ends_with_connection:
                self._is_on = False
