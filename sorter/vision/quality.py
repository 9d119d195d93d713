"""Whether a view can be believed: is the part in focus, is it neither burnt out nor in the dark?

Scores are about the part and the table around it at work resolution, so they mean the same for every camera.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.types import ViewQuality
from sorter.vision.table import to_work, work_scale

if TYPE_CHECKING:
    from sorter.types import Frame, Location

LEAST_SHARPNESS = 0.17
"""A view below this is called blurred; photographs in focus have 0.2 to 0.45 (benchmarks/vision.py)."""

_MARGIN_PX = 6
_BURNT = 250
_DARK = 12


def quality(frame: Frame, location: Location) -> ViewQuality:
    """Sharpness and exposure of the part that was located; of the whole frame if nothing was.

    Sharpness is the steepest change of brightness a pixel, in parts of the whole range of brightness there: a step
    blurred with a standard deviation of s pixels has 1 / (s × √(2π)), 1 is a step within one pixel. Steepest means: the
    hundredth part of the pixels is steeper.

    Raises:
        ValueError: the location is of another frame.
    """
    if location.mask.shape != frame.rgb.shape[:2]:
        raise ValueError(f"the location is of a frame of {location.mask.shape}, this one is {frame.rgb.shape[:2]}")
    seen = to_work(frame.rgb)
    top, bottom, left, right = _around(location, seen.shape[:2], work_scale(*frame.rgb.shape[:2]))
    part = seen[top:bottom, left:right]
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    low, high = np.percentile(grey, (2, 98))
    steepest = float(np.percentile(np.hypot(across, down), 99))
    return ViewQuality(
        sharpness=min(1.0, steepest / max(float(high - low), 8.0)),
        overexposed=float((part.max(axis=2) >= _BURNT).mean()),
        underexposed=float((seen.max(axis=2) <= _DARK).mean()),
    )


def _around(location: Location, shape: tuple[int, ...], scale: int) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what is looked at, at work resolution."""
    height, width = shape[:2]
    if not location.boxes:
        return 0, height, 0, width
    box = location.boxes[0]
    top, left = box.top_px // scale - _MARGIN_PX, box.left_px // scale - _MARGIN_PX
    bottom = (box.top_px + box.height_px) // scale + _MARGIN_PX
    right = (box.left_px + box.width_px) // scale + _MARGIN_PX
    return max(0, top), min(height, bottom), max(0, left), min(width, right)
