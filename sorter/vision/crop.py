"""Cut a part out of its frame, the same way wherever a picture goes: to training, to evaluation or to the rig.

Every step is exact arithmetic on whole numbers, or so far from a rounding limit that no processor's last digit shows:
the same frame and location give the same bytes on every machine.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.types import Box, Crop
from sorter.vision.table import at_places, without_rim, work_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.types import CropSpec, Frame, Location, Table
    from sorter.vision.table import FloatArray, RgbArray

_LEAST_GAIN, _MOST_GAIN = 0.25, 8.0
_BEYOND_PX = 3  # of the crop: so far around a part nothing is painted over
_WEIGHT = 256  # whole weights: 255 × 256 × 256 is below 2**24, so that float32 sums are exact in any order


def crop(frame: Frame, location: Location, spec: CropSpec) -> Crop:
    """The largest thing of ``location``, in the middle of a window of fixed size in millimetres.

    With ``spec.table_grey`` the table becomes one grey: each channel is divided by the table's own colour there, and
    what lies beyond the table's rim or the frame's border becomes the same grey. Parts look as they would under even
    white light of that brightness.

    Raises:
        ValueError: nothing was located, or the location is of another frame.
    """
    if not location.boxes:
        raise ValueError(f"there is nothing to crop: the table shows {location.kind}")
    if location.mask.shape != frame.rgb.shape[:2]:
        raise ValueError(f"the location is of a frame of {location.mask.shape}, this one is {frame.rgb.shape[:2]}")
    shrink, window = _window(frame, location.boxes[0], spec)
    padding = cv2.BORDER_REPLICATE if spec.table_grey is None else cv2.BORDER_CONSTANT
    seen = _resample(_cut(frame.rgb, window, padding), shrink, spec.size_px)
    if spec.table_grey is not None:
        seen = _evened(seen, frame, location, window, spec.table_grey)
    return Crop(seen, spec, window)


def _window(frame: Frame, box: Box, spec: CropSpec) -> tuple[int, Box]:
    """The window, and the whole factor by which it is shrunk first; its side is a multiple of that."""
    side_px = spec.window_px(frame)
    shrink = max(1, side_px // spec.size_px)
    side_px = shrink * max(1, round(side_px / shrink))
    left_px = (2 * box.left_px + box.width_px - side_px) // 2
    top_px = (2 * box.top_px + box.height_px - side_px) // 2
    return shrink, Box(left_px, top_px, side_px, side_px)


def _cut(picture: RgbArray, window: Box, padding: int) -> RgbArray:
    """The window out of a picture (H×W or H×W×3), padded where it reaches over the border."""
    height, width = picture.shape[:2]
    right, bottom = window.left_px + window.width_px, window.top_px + window.height_px
    left, top = min(max(window.left_px, 0), width - 1), min(max(window.top_px, 0), height - 1)
    inside = picture[top : max(min(bottom, height), top + 1), left : max(min(right, width), left + 1)]
    over = (max(-window.top_px, 0), max(bottom - height, 0), max(-window.left_px, 0), max(right - width, 0))
    if not any(over):
        return np.ascontiguousarray(inside)
    return np.asarray(cv2.copyMakeBorder(inside, *over, padding, value=(0, 0, 0)), dtype=np.uint8)


def _resample(picture: RgbArray, shrink: int, size_px: int) -> RgbArray:
    """A square picture (n×n×3) to size_px×size_px×3, each new pixel the mean of the area that it covers."""
    if shrink > 1:
        side = picture.shape[0] // shrink
        picture = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    side = picture.shape[0]
    if side == size_px:
        return picture
    weights = _area_weights(side, size_px)
    rows = weights @ picture.reshape(side, side * 3).astype(np.float32)
    both = rows.reshape(size_px, side, 3).transpose(1, 0, 2).reshape(side, size_px * 3)
    sums = (weights @ both).reshape(size_px, size_px, 3).transpose(1, 0, 2).astype(np.int32)
    return ((sums + _WEIGHT * _WEIGHT // 2) // (_WEIGHT * _WEIGHT)).astype(np.uint8)


@lru_cache(maxsize=8)
def _area_weights(side_px: int, size_px: int) -> FloatArray:
    """size_px×side_px: how much of each old pixel goes into each new one; whole numbers, each row adds up to _WEIGHT.

    Growing interpolates linearly, shrinking averages areas.
    """
    ratio = side_px / size_px
    weights = np.zeros((size_px, side_px))
    for new in range(size_px):
        middle = (new + 0.5) * ratio - 0.5
        reach = max(1.0, ratio / 2 + 0.5)
        old = np.arange(side_px)
        overlap = np.clip(reach - np.abs(old - middle), 0.0, 1.0)
        weights[new] = overlap / overlap.sum() * _WEIGHT
        whole = np.floor(weights[new])
        missing = int(_WEIGHT - whole.sum())
        whole[np.argsort(whole - weights[new], kind="stable")[:missing]] += 1
        weights[new] = whole
    whole_weights: FloatArray = weights.astype(np.float32)
    whole_weights.flags.writeable = False
    return whole_weights


def _evened(seen: RgbArray, frame: Frame, location: Location, window: Box, grey: int) -> RgbArray:
    if location.table is None:
        return seen  # no table was made out, so nothing is known of its tint
    size = seen.shape[0]
    height, width = frame.rgb.shape[:2]
    places = (np.arange(size) + 0.5) * (window.width_px / size)
    across, down = window.left_px + places, window.top_px + places
    tint = np.exp(at_places(location.table, across / width, down / height))
    gain = np.clip(grey / tint, _LEAST_GAIN, _MOST_GAIN)
    evened = np.clip(np.rint(seen * gain), 0, 255).astype(np.uint8)
    evened[_is_beyond(frame, location, location.table, across, down)] = grey
    return evened


def _is_beyond(
    frame: Frame, location: Location, table: Table, across: NDArray[np.float64], down: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """size×size: neither on the table nor on the part: beyond the rim or the border of the frame."""
    height, width = frame.rgb.shape[:2]
    scale = work_scale(height, width)
    rows, columns = np.floor(down).astype(int), np.floor(across).astype(int)
    reach = max(1.0, (across[1] - across[0]) / 2) if len(across) > 1 else 1.0  # a pixel of the crop spans so far
    in_frame = np.logical_and.outer(
        (down >= reach) & (down <= height - reach), (across >= reach) & (across <= width - reach)
    )
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    tall, wide = table.extent.shape
    is_table = without_rim(table.extent)[
        np.ix_(np.minimum(rows // scale, tall - 1), np.minimum(columns // scale, wide - 1))
    ]
    is_part = location.mask[np.ix_(rows, columns)].astype(np.uint8)
    near = cv2.dilate(is_part, np.ones((2 * _BEYOND_PX + 1, 2 * _BEYOND_PX + 1), np.uint8)) > 0
    return np.asarray(~(in_frame & (is_table | near)))
