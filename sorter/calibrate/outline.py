"""Where a part ends in the picture, as exactly as the picture tells. Pure.

``locate`` finds a part whatever it looks like, and rounds its corners off on the way. For measuring, the part's own
contrast with the table says where its edge is: where a share of it is reached. That leaves soft shadows out and
corners sharp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.calibrate.errors import NotMeasured
from sorter.types import Box
from sorter.vision.table import surface

if TYPE_CHECKING:
    from sorter.types import Frame, Location

_SHARE = 0.35  # of the part's contrast
_LEAST = 0.12  # natural logarithm; less is noise, or the table's own unevenness
_AROUND = 0.12  # of its size, so far from what was located may its edge be
_FLOOR = 3.0  # of 255; darker is noise


def outline_box(frame: Frame, location: Location) -> Box:
    """The box around the largest thing that was located in the frame.

    Raises:
        NotMeasured: nothing was located, or it hardly differs from the table.
    """
    if not location.boxes or location.table is None:
        raise NotMeasured("there is nothing to be measured in the picture", remedy="Lay one part on the table.")
    height, width = frame.rgb.shape[:2]
    smooth = cv2.GaussianBlur(frame.rgb, (3, 3), 0).astype(np.float32)
    differs = np.abs(np.log(np.maximum(smooth, _FLOOR)) - surface(location.table.coefficients, height, width))
    contrast = differs.max(axis=2)
    around_px = max(4, round(_AROUND * max(location.boxes[0].width_px, location.boxes[0].height_px)))
    kernel = np.ones((2 * around_px + 1, 2 * around_px + 1), np.uint8)
    is_near = cv2.dilate(location.mask.astype(np.uint8), kernel) > 0
    least = max(_LEAST, _SHARE * float(np.median(contrast[location.mask])))
    count, _, stats, _ = cv2.connectedComponentsWithStats(((contrast > least) & is_near).astype(np.uint8))
    if count < 2:
        raise NotMeasured(
            "the part hardly differs from the table", remedy="Take a part of another colour than the table's."
        )
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    left, top, wide, high = (int(each) for each in stats[largest, :4])
    return Box(left, top, wide, high)
