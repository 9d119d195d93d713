"""A picture of the twin's world: the shutter opens and closes in the board's own time, whatever the host is doing."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from sorter.twin.optics import Lens, Look

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sorter.twin.scene import PictureMaker, Scene
    from sorter.types.pictures import RgbArray

_LONGEST_DOZE_S = 0.0005


class Exposure:
    """What a camera sees from its shutter's opening to its closing: scenes spread evenly over that time."""

    def __init__(self, moments: int) -> None:
        self._moments = moments
        self.scenes: list[Scene] = []

    @property
    def is_over(self) -> bool:
        """Whether all scenes are there."""
        return len(self.scenes) == self._moments

    @property
    def different_scenes(self) -> list[Scene]:
        """One scene if nothing has moved, else all."""
        return self.scenes[:1] if all(scene == self.scenes[0] for scene in self.scenes) else self.scenes


class Exposing(Protocol):
    """What a shutter can be opened at."""

    def expose(self, duration_s: float) -> Exposure:
        """Open a shutter now."""


class HeldBoard(Protocol):
    """What the world lives around."""

    def held(self) -> AbstractContextManager[float]:
        """Bring board and world up to this instant and hold them there; yields the board's time."""

    def host_s(self, board_s: float) -> float:
        """When, by the monotonic clock, the board's own clock shows ``board_s``."""


class Shutter:
    """Takes pictures, one after the other; ``take`` may be called from any thread.

    Args:
        board, world: what is looked at.
        maker: makes pictures of scenes.
        exposure_s: of the board's own time.
        look: what is wrong between table and sensor at a time of the board; called while the board is held.
        lens: makes of a picture what is seen then.
    """

    def __init__(
        self,
        board: HeldBoard,
        world: Exposing,
        maker: PictureMaker,
        exposure_s: float,
        *,
        look: Callable[[float], Look] | None = None,
        lens: Lens | None = None,
    ) -> None:
        self._board = board
        self._world = world
        self._maker = maker
        self._exposure_s = exposure_s
        self._look = look or (lambda _time_s: Look())
        self._lens = lens or Lens(seed=0)
        self._sequence = 0
        self._lock = threading.Lock()

    def take(self) -> tuple[RgbArray, float]:
        """Expose from now on; returns H×W×3 uint8 and for how long it was exposed, in the board's seconds."""
        with self._lock:
            with self._board.held() as opens_s:
                exposure = self._world.expose(self._exposure_s)
                look = self._look(opens_s)
            closes_s = self._board.host_s(opens_s + self._exposure_s)
            while not exposure.is_over:
                time.sleep(max(_LONGEST_DOZE_S, closes_s - time.monotonic()))
                with self._board.held():
                    pass
            rgb = self._maker.picture(exposure.different_scenes, self._sequence)
            rgb = self._lens.through(rgb, look, self._sequence)
            self._sequence += 1
            return rgb, self._exposure_s
