"""Pictures of parts from photographs of them.

A part that lies near the table's axis is shown by the photograph whose angle is nearest to its yaw, as it was taken:
where exactly the twin's part lies does not show. One that slides away is that photograph's part, moved; while a part
falls, and when it has left the picture, the table is empty. Two parts or more are two photographs at half their size,
side by side: of wrong size and place, but several.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.twin.errors import PhotographRefused
from sorter.twin.photo_table import empty_table
from sorter.twin.sensor import Sensor, levels_of, light_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.twin.photo_hopper import PhotoHopper
    from sorter.twin.scene import Scene, SeenPart
    from sorter.types.pictures import RgbArray
    from sorter.types.twin import TwinCamera

    Floats = NDArray[np.float32]

_NOISE = 0.8  # grey levels; a photograph brings noise of its own, always the same
_LYING_MM = 12.0  # so far from the axis a part is shown as it was photographed
_GONE_MM = 60.0
_SPAN_MM = 78.0  # what the shorter side of a photograph spans
_SLOPED = 0.7  # a millimetre away from the camera against one across, at 45 deg or so
_MARGIN = 0.08  # of a picture's side: the light of a moved part fades so far from the border
_DARK = 1e-3  # light; what is darker is past the table's edge, the same with and without a part
_KEPT_PHOTOGRAPHS, _KEPT_TABLES, _KEPT_VIEWS = 96, 16, 8
_MOST_AT_ONCE = 2


class PhotoPictures:
    """A ``PictureMaker`` from photographs. One thread at a time.

    Args:
        hopper: whose parts are shown.
        camera: size of the frames; photographs of another shape are cut.
        seed: of the noise.
    """

    def __init__(self, hopper: PhotoHopper, camera: TwinCamera, *, seed: int) -> None:
        self._hopper = hopper
        self._size = (camera.width_px, camera.height_px)
        self._sensor = Sensor(*self._size, seed=seed)
        self._last = hopper.revolutions[0].paths[0]  # whose table is shown while it is empty
        self._photograph = lru_cache(maxsize=_KEPT_PHOTOGRAPHS)(self._read)
        self._table = lru_cache(maxsize=_KEPT_TABLES)(self._emptied)
        self._moved = lru_cache(maxsize=_KEPT_VIEWS)(self._with_parts)

    def picture(self, scenes: Sequence[Scene], sequence: int) -> RgbArray:
        """See ``PictureMaker``.

        Raises:
            ValueError: without a scene.
            PhotographRefused: a photograph cannot be read any more.
        """
        if not scenes:
            raise ValueError("a picture shows one scene or more")
        shown = [self._shown(scene) for scene in scenes]
        levels = shown[0]
        if any(each is not levels for each in shown):
            light: Floats = np.stack([light_of(each) for each in shown]).mean(axis=0)
            return self._sensor.noisy(levels_of(light), sequence, noise=_NOISE)
        return self._sensor.noisy(levels.astype(np.float32), sequence, noise=_NOISE)

    def _shown(self, scene: Scene) -> RgbArray:
        """The scene without this frame's noise; the very same array if it is the same."""
        lying = [each for each in scene.parts if each.above_mm <= 0.0 and math.hypot(each.x_mm, each.y_mm) < _GONE_MM]
        if not lying:
            return self._table(self._last)
        paths = tuple(self._path(each) for each in lying[:_MOST_AT_ONCE])
        self._last = paths[0]
        if len(paths) > 1:
            side = self._size[0] / 4
            return self._moved(self._last, ((paths[0], -side, 0.0, 0.5), (paths[1], side, 0.0, 0.5)))
        across_px, down_px = self._away_px(lying[0])
        if across_px == down_px == 0.0:
            return self._photograph(self._last)
        return self._moved(self._last, ((self._last, across_px, down_px, 1.0),))

    def _path(self, seen: SeenPart) -> Path:
        if seen.part.revolution is None:
            raise ValueError(f"part {seen.part.number} is not of a photograph")
        return self._hopper.revolutions[seen.part.revolution].nearest(seen.yaw_deg)

    def _away_px(self, seen: SeenPart) -> tuple[float, float]:
        """How far to the right and down a part has slid from where it was photographed."""
        away_mm = math.hypot(seen.x_mm, seen.y_mm)
        share = max(0.0, away_mm - _LYING_MM) / max(away_mm, _LYING_MM)
        scale = min(self._size) / _SPAN_MM * share
        return round(seen.x_mm * scale, 1), round(-seen.y_mm * scale * _SLOPED, 1)

    def _with_parts(self, below: Path, parts: tuple[tuple[Path, float, float, float], ...]) -> RgbArray:
        """The empty table of one photograph with the parts of some: each moved to the right and down, and scaled."""
        width, height = self._size
        light = light_of(self._table(below))
        table = light.copy()
        for path, across_px, down_px, scale in parts:
            photograph, bare = (
                np.maximum(light_of(each), _DARK) for each in (self._photograph(path), self._table(path))
            )
            change = 1.0 + (photograph / bare - 1.0) * _inside(height, width)
            middle = np.array([width, height]) / 2 * (1.0 - scale)
            matrix = np.array([[scale, 0.0, middle[0] + across_px], [0.0, scale, middle[1] + down_px]])
            light *= cv2.warpAffine(
                change, matrix, self._size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=(1, 1, 1)
            )
        is_bright = light > 1.0
        light[is_bright] = np.maximum(table[is_bright], 1.0)
        return np.rint(levels_of(light)).astype(np.uint8)

    def _emptied(self, path: Path) -> RgbArray:
        return np.clip(np.rint(empty_table(self._photograph(path))), 0, 255).astype(np.uint8)

    def _read(self, path: Path) -> RgbArray:
        """The photograph, cut to the frames' shape and then of their size."""
        rgb = _decoded(path)
        height, width = rgb.shape[:2]
        scale = max(self._size[0] / width, self._size[1] / height)
        rows, columns = min(height, round(self._size[1] / scale)), min(width, round(self._size[0] / scale))
        top, left = (height - rows) // 2, (width - columns) // 2
        cut = rgb[top : top + rows, left : left + columns]
        if (columns, rows) == self._size:
            return cut
        return np.asarray(cv2.resize(cut, self._size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _decoded(path: Path) -> RgbArray:
    try:
        bgr = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except OSError as error:
        raise PhotographRefused(path, f"cannot be read: {error.strerror}") from error
    except cv2.error as error:
        raise PhotographRefused(path, f"is no picture: {error.err}") from error
    if bgr is None:
        raise PhotographRefused(path, "is no picture")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


@lru_cache(maxsize=4)
def _inside(height: int, width: int) -> Floats:
    """H×W×1: 1 inside, fading to 0 at the border, so that a moved picture shows no edge."""
    down, across = (
        np.clip(np.minimum(np.arange(side), np.arange(side)[::-1]) / (_MARGIN * side), 0.0, 1.0)
        for side in (height, width)
    )
    weights: Floats = (down[:, None] * across[None, :])[..., None].astype(np.float32)
    return weights
