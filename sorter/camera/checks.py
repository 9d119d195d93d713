"""Whether a frame can be believed: its size, whether it shows anything, whether the camera has frozen.

Pure: no camera, no clock. Thresholds leave room for what is normal: the dimmest photographs of a turntable are far
brighter than a covered lens, whose black is a few values above 0 with single hot pixels in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.camera.errors import BlankFrame, FrozenFrame, WrongSize

if TYPE_CHECKING:
    from sorter.types import Frame
    from sorter.types.pictures import RgbArray

BLACK_MEAN = 4.0  # of 255
_BLACK_VALUE = 48
_HOT_FRACTION = 1e-4  # of all values may be above it: hot pixels
_SAMPLE_ROWS = 16


def check_size(frame: Frame, width_px: int, height_px: int) -> None:
    """Raise WrongSize if the frame is not ``width_px``×``height_px``."""
    height, width = frame.rgb.shape[:2]
    if (width, height) != (width_px, height_px):
        raise WrongSize(f"the camera gave a frame of {width}×{height} px where {width_px}×{height_px} px is set")


def why_blank(rgb: RgbArray) -> str | None:
    """That the picture is black but for hot pixels, or has one value all over; None if it shows something."""
    darkest, brightest = int(rgb.min()), int(rgb.max())
    if darkest == brightest:
        return f"has the value {darkest} all over"
    mean = float(rgb.mean())
    if mean < BLACK_MEAN and float((rgb > _BLACK_VALUE).mean()) < _HOT_FRACTION:
        return f"is black (mean {mean:.1f} of 255)"
    return None


def check_shows_something(frame: Frame) -> None:
    """Raise BlankFrame if there is a reason in ``why_blank``."""
    why = why_blank(frame.rgb)
    if why is not None:
        raise BlankFrame(f"the camera gave a frame that {why}")


def are_identical(one: Frame, other: Frame) -> bool:
    """Whether two frames are equal to the last bit."""
    if one.rgb.shape != other.rgb.shape:
        return False
    sample = slice(None, None, _SAMPLE_ROWS)  # noise shows in the first rows; the rest is read only if it does not
    return bool((one.rgb[sample] == other.rgb[sample]).all()) and bool((one.rgb == other.rgb).all())


class FrameChecks:
    """The checks in order, and the memory of the last frame that one of them needs.

    Args:
        size_px: width and height that every frame must have, or None if any will do.
        frozen_after: how many identical frames of a live camera, one after another, mean that it has frozen; 2 or
            more.
    """

    def __init__(self, *, size_px: tuple[int, int] | None = None, frozen_after: int = 2) -> None:
        if frozen_after < 2:
            raise ValueError(f"frozen_after is 2 or more, got {frozen_after}")
        self._size_px = size_px
        self._frozen_after = frozen_after
        self._last: Frame | None = None
        self._alike = 1

    def check(self, frame: Frame, *, is_live: bool) -> None:
        """Raise a BadFrame if the frame is not to be believed; only a live camera's frames can be frozen."""
        if self._size_px is not None:
            check_size(frame, *self._size_px)
        check_shows_something(frame)
        if not is_live:
            return
        self._alike = self._alike + 1 if self._last is not None and are_identical(self._last, frame) else 1
        self._last = frame
        if self._alike >= self._frozen_after:
            raise FrozenFrame(f"the camera gave the same frame {self._alike} times, equal to the last bit")
