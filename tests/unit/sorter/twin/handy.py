"""A board for hands that work at a world which is moved by hand."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.twins import Rig


class Handy:
    """A ``HandyBoard`` whose clock is the rig's."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.is_plugged_in = True

    @contextmanager
    def held(self) -> Iterator[float]:
        yield self._rig.state.time_s

    def host_s(self, board_s: float) -> float:
        return 1000.0 + board_s

    def unplug(self) -> None:
        self.is_plugged_in = False

    def plug_in(self) -> None:
        assert not self.is_plugged_in
        self.is_plugged_in = True
