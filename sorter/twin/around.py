"""The world as the surroundings of an emulated board: it hears of every motion, and presses the sensors' switches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware_bridge.emulator import Outward
    from sorter.twin.board import TwinBoard
    from sorter.twin.world import World


class Around:
    """``Surroundings`` of the emulator.

    Args:
        board: says what its steps mean.
        world: what is around it.
    """

    def __init__(self, board: TwinBoard, world: World) -> None:
        self._board = board
        self._world = world
        self.failure: Exception | None = None

    def next_s(self) -> float | None:
        """See ``Surroundings``."""
        return self._world.next_s()

    def follow(self, outward: Outward) -> Mapping[str, bool]:
        """See ``Surroundings``; a world that has failed once stays as it is."""
        if self.failure is not None:
            raise RuntimeError("the twin's world has failed before") from self.failure
        try:
            self._world.advance(self._board.state(outward))
        except Exception as error:
            self.failure = error
            raise
        return self._world.switches
