"""Photographs of one part made into photographs of two, and of transparent parts: nobody photographed those.

A part is cut out along its mask, with its shadow around it, taken relative to its own table, and
laid onto another photograph's table at another place, so that tint and fall-off of the light fit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.pictures import read_picture
from sorter.types import Frame, Location
from sorter.vision import locate
from sorter.vision.table import surface

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]

EMPTY_TABLES = ("train/32064/32064_156.jpg", "test/32064/32064_236.jpg", "test/32064/32064_218.jpg")
_MARGIN_PX = 25


@dataclass(frozen=True, eq=False)
class Cut:
    """A photograph of one part, where the part is, and its table (h×w×3, 0 to 255)."""

    rgb: Rgb
    location: Location
    table: NDArray[np.float32]


def revolutions(folder: Path) -> list[dict[str, object]]:
    """As in revolutions.json."""
    read: list[dict[str, object]] = json.loads((folder / "revolutions.json").read_text(encoding="utf-8"))["revolutions"]
    return read


def photograph(folder: Path, name: str) -> Frame:
    """One photograph as a frame."""
    return Frame(read_picture(folder / name), 0.0, 0)


def cut(frame: Frame) -> Cut:
    """Locate the part of a photograph."""
    location = locate(frame)
    assert location.table is not None
    return Cut(frame.rgb, location, np.exp(surface(location.table.coefficients, *frame.rgb.shape[:2])))


def two_parts(below: Cut, above: Cut, rng: np.random.Generator, *, is_touching: bool) -> Frame | None:
    """``above``'s part beside ``below``'s; None if there is no room for it.

    Apart they have 8 px and more between their masks (2 mm), touching ones overlap by a pixel or two.
    """
    part = above.location.mask.astype(np.uint8)
    taken = below.location.mask.astype(np.uint8)
    inside = np.zeros_like(taken)
    assert below.location.table is not None
    inside[8:-8, 8:-8] = cv2.erode(below.location.table.extent.astype(np.uint8), np.ones((17, 17), np.uint8))[
        8:-8, 8:-8
    ]
    near = cv2.dilate(taken, np.ones((17, 17), np.uint8))
    for _ in range(60):
        down, right = rng.integers(-130, 131, 2)
        if is_touching:
            down, right = _until_it_touches(part, taken, int(down), int(right))
        moved = _shifted(part, int(down), int(right))
        if moved.sum() < part.sum() or (moved & (1 - inside)).any():
            continue
        overlap = int((moved & (taken if is_touching else near)).sum())
        if 0 < overlap <= 40 if is_touching else overlap == 0:
            return _laid(below, above, int(down), int(right), 1.0)
    return None


def transparent(empty: Cut, above: Cut, opacity: float) -> Frame:
    """The part on an empty table, with so much (0 to 1) of its own light and the table's behind it."""
    return _laid(empty, above, 0, 0, opacity)


def _until_it_touches(part: Rgb, taken: Rgb, down: int, right: int) -> tuple[int, int]:
    """From far away towards the other part along a straight line, to the first place of overlap."""
    for share in np.linspace(1.0, 0.0, 130):
        place = round(down * share), round(right * share)
        if (_shifted(part, *place) & taken).any():
            return place
    return 0, 0


def _shifted(picture: NDArray[np.generic], down: int, right: int) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    matrix = np.array([[1, 0, right], [0, 1, down]], dtype=np.float64)
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_NEAREST))


def _laid(below: Cut, above: Cut, down: int, right: int, opacity: float) -> Frame:
    """Within its mask the part itself; around it what it does to the table's light, fading with the distance."""
    mask = above.location.mask.astype(np.uint8)
    far_px = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    fading = np.clip(1 - far_px / _MARGIN_PX, 0.0, 1.0) ** 2
    matrix = np.array([[1, 0, right], [0, 1, down]], dtype=np.float64)
    size = above.rgb.shape[1::-1]
    own = cv2.GaussianBlur(_shifted(mask, down, right).astype(np.float32), (0, 0), 0.7)[..., None] * opacity
    relative = (above.rgb / above.table).astype(np.float32)
    relative = cv2.warpAffine(relative, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    fading = cv2.warpAffine(fading.astype(np.float32), matrix, size)[..., None] * opacity
    around = below.rgb * (1 + fading * (relative - 1))
    picture = around * (1 - own) + below.table * relative * own
    return Frame(np.clip(np.rint(picture), 0, 255).astype(np.uint8), 0.0, 0)
