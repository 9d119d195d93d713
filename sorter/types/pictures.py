"""What is seen: a frame, where the part is in it, and the part cut out.

Pictures are NumPy arrays, rows first, RGB, 8 bits a channel; an array inside a frozen value is not to be written to.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    RgbArray = NDArray[np.uint8]
    MaskArray = NDArray[np.bool_]
    FloatArray = NDArray[np.float64]


_WIDEST_WINDOW = 4  # times the frame


def _check_rgb(rgb: RgbArray, owner: str) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype.name != "uint8" or 0 in rgb.shape:
        raise ValueError(f"{owner}: a picture is H×W×3 uint8 with H, W > 0, got {rgb.shape} {rgb.dtype}")


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture from a camera.

    Args:
        rgb: H×W×3 uint8.
        captured_at_s: monotonic time at which the exposure ended.
        sequence: counts the camera's frames from 0; a gap is a frame that nobody fetched.
        exposure_s: exposure time where the camera tells it.
        analogue_gain: sensor gain (1 is none) where the camera tells it.
        mm_per_px: what a pixel spans at the middle of the table, where the rig has been calibrated.
    """

    rgb: RgbArray
    captured_at_s: float
    sequence: int
    exposure_s: float | None = None
    analogue_gain: float | None = None
    mm_per_px: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no picture, and a scale that is no length."""
        _check_rgb(self.rgb, "Frame")
        if self.mm_per_px is not None and not 0.0 < self.mm_per_px < float("inf"):
            raise ValueError(f"Frame: mm_per_px is a length above 0, got {self.mm_per_px}")


@dataclass(frozen=True)
class Box:
    """An upright rectangle in a frame: left, top, width and height in px; it may reach over the frame's edge."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        """Refuse a rectangle without area."""
        if self.width_px < 1 or self.height_px < 1:
            raise ValueError(f"a box is at least 1×1 px, got {self.width_px}×{self.height_px}")


class LocationKind(enum.StrEnum):
    """What the table shows."""

    EMPTY = "empty"
    ONE = "one"
    SEVERAL = "several"
    EDGE = "edge"  # a part reaches out of the picture or off the table
    MOVING = "moving"


@dataclass(frozen=True, eq=False)
class Table:
    """The bare table, as it would look if nothing lay on it.

    Args:
        coefficients: 10×3 float64; the natural logarithm of its colour (R, G, B, 0 to 255) is a polynomial of third
            degree in the place; see ``sorter.vision.table``.
        extent: h×w bool at work resolution, True on the table.
        share: of the points looked at, how many showed bare table (0 to 1).
    """

    coefficients: FloatArray
    extent: MaskArray
    share: float


@dataclass(frozen=True, eq=False)
class Location:
    """Where on the table something lies.

    Args:
        kind: what is seen.
        boxes: one for each thing seen, largest first; empty only if kind is EMPTY or MOVING.
        mask: H×W bool over the frame, True on every part.
        table: what they lie on; None if no table could be made out.
        is_against_background: it was found by comparison with the table as it was when empty; False where the empty
            table had to be inferred from the frame itself.
    """

    kind: LocationKind
    boxes: tuple[Box, ...]
    mask: MaskArray
    table: Table | None = None
    is_against_background: bool = False

    def __post_init__(self) -> None:
        """Refuse a mask that is none and boxes that do not fit the kind."""
        if self.mask.ndim != 2 or self.mask.dtype.name != "bool":
            raise ValueError(f"Location: a mask is H×W bool, got {self.mask.shape} {self.mask.dtype}")
        most = {LocationKind.EMPTY: 0, LocationKind.ONE: 1}.get(self.kind, len(self.boxes))
        least = 0 if self.kind in (LocationKind.EMPTY, LocationKind.MOVING) else 1
        if not least <= len(self.boxes) <= most:
            raise ValueError(f"Location: {self.kind} does not go with {len(self.boxes)} boxes")


@dataclass(frozen=True)
class CropSpec:
    """How a part is cut out: the same for training, evaluation, capture and rig.

    The window has a fixed size in millimetres, not fitted to the part, because size is what tells many parts apart.

    Args:
        window_mm: side of the square window around the part.
        frame_mm: what the shorter side of a frame spans that does not tell its own ``mm_per_px``.
        size_px: side of the crop that the network gets.
        table_grey: the grey (1 to 255) to which the table is evened out, so that its tint is no clue; None leaves it.
    """

    window_mm: float = 64.0
    frame_mm: float = 78.0
    size_px: int = 128
    table_grey: int | None = 170

    def __post_init__(self) -> None:
        """Refuse numbers that no crop can have."""
        for name, length_mm in (("window_mm", self.window_mm), ("frame_mm", self.frame_mm)):
            if not 1.0 <= length_mm <= 10_000.0:
                raise ValueError(f"{name} is 1 to 10,000 mm, got {length_mm}")
        if self.window_mm > _WIDEST_WINDOW * self.frame_mm:
            raise ValueError(f"window_mm is at most {_WIDEST_WINDOW} times frame_mm, got {self.window_mm}")
        if not 8 <= self.size_px <= 4096:
            raise ValueError(f"size_px is 8 to 4096, got {self.size_px}")
        if self.table_grey is not None and not 1 <= self.table_grey <= 255:
            raise ValueError(f"table_grey is 1 to 255, got {self.table_grey}")

    def window_px(self, frame: Frame) -> int:
        """Side of the window in px of ``frame``.

        Raises:
            ValueError: the frame's own scale makes the window many times as large as the frame.
        """
        shorter_px = min(frame.rgb.shape[:2])
        side_px = max(1, round(self.window_mm / (frame.mm_per_px or self.frame_mm / shorter_px)))
        if side_px > 2 * _WIDEST_WINDOW * shorter_px:
            raise ValueError(f"at {frame.mm_per_px} mm a px a window of {self.window_mm} mm is far beyond the frame")
        return side_px


@dataclass(frozen=True, eq=False)
class Crop:
    """A part cut out of a frame.

    Args:
        rgb: size_px×size_px×3 uint8.
        spec: how it was cut.
        window: what was cut, in px of the frame.
    """

    rgb: RgbArray
    spec: CropSpec
    window: Box

    def __post_init__(self) -> None:
        """Refuse a picture that is not of the spec's size."""
        _check_rgb(self.rgb, "Crop")
        if self.rgb.shape[:2] != (self.spec.size_px, self.spec.size_px):
            raise ValueError(f"Crop: {self.spec.size_px} px square was promised, got {self.rgb.shape[:2]}")
