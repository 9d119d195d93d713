"""Pictures in and out of OpenCV: from BGR and YUV420, smaller, and into files. Everything here is RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from cv2.typing import MatLike

    from sorter.types.pictures import RgbArray

_JPEG_QUALITY = 95


def rgb_of_bgr(bgr: MatLike) -> RgbArray:
    """H×W×3 RGB of OpenCV's H×W×3 BGR."""
    return cast("RgbArray", cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def rgb_of_yuv420(planes: RgbArray, width_px: int) -> RgbArray:
    """H×width×3 RGB of picamera2's YUV420 array.

    Args:
        planes: H·3/2 rows of ``stride`` bytes, as ``make_array`` gives them: padding is still in every row, and two
            rows of U or V share one (picamera2 manual, appendix A).
        width_px: of the picture; the rest of a row is padding, cut off after the conversion.
    """
    rgb = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)
    return cast("RgbArray", np.ascontiguousarray(rgb[:, :width_px]))


def shrunk(rgb: RgbArray, width_px: int) -> RgbArray:
    """The picture at most ``width_px`` wide, its shape kept."""
    height, width = rgb.shape[:2]
    if width <= width_px:
        return rgb
    size = (width_px, max(1, round(height * width_px / width)))
    return cast("RgbArray", cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def encoded(rgb: RgbArray, suffix: str) -> bytes:
    """The bytes of a picture file; ``suffix`` is such as ``.png`` or ``.jpg``, in small letters."""
    options = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".jpeg": cv2.IMWRITE_JPEG_QUALITY}
    parameters = [options[suffix], _JPEG_QUALITY] if suffix in options else []
    is_done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), parameters)
    if not is_done:
        raise ValueError(f"OpenCV cannot write {suffix}")
    return data.tobytes()
