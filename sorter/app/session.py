"""The loop of whoever stands at the rig: look at the newest snapshot, show it, do what is to be done, until it is over.

Who that is, a person who types or a program, is the ``Operator``'s business; both have nothing but the ``Commands``.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.types import Snapshot

_TICK_S = 0.1


class Operator(Protocol):
    """Stands at the rig."""

    def attend(self, snapshot: Snapshot) -> bool:
        """Do what is to be done now, without waiting; True once there is nothing more to do here."""


class Session:
    """A session at a rig; ``wake`` may be called from any thread, and from a signal's handler."""

    def __init__(self) -> None:
        self._changed = threading.Event()

    def wake(self) -> None:
        """Something has changed: look at once."""
        self._changed.set()

    def attend(self, snapshot: Callable[[], Snapshot], operator: Operator, show: Callable[[Snapshot], None]) -> None:
        """Go on until the operator has nothing more to do.

        Args:
            snapshot: gives the newest one.
            operator: acts on it.
            show: shows it.
        """
        while True:
            self._changed.clear()
            newest = snapshot()
            show(newest)
            if operator.attend(newest):
                show(snapshot())
                return
            self._changed.wait(_TICK_S)
