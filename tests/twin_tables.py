"""Pictures of the twin's empty table, turned as somebody likes, in any light."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from sorter.twin.pictures import SpritePictures
from sorter.twin.scene import Scene
from sorter.twin.sprite_files import load_sprites
from sorter.types import Frame
from sorter.types.twin import TwinCamera

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def _twin(seed: int) -> SpritePictures:
    return SpritePictures(load_sprites(), TwinCamera(), seed=seed)


def shot(seed: int, table_deg: float, number: int, gain: Sequence[float] = (1.0, 1.0, 1.0)) -> Frame:
    """The twin's empty table at an angle; ``gain`` as if the light were another one."""
    rgb = _twin(seed).picture([Scene(table_deg=table_deg, parts=())], number)
    return Frame(np.clip(rgb * np.asarray(gain), 0.0, 255.0).astype(np.uint8), 0.0, number)
