"""The LEGO colour of a part: each pixel compared with the table under the same light, all pixels asked together.

The table is the white reference: a pixel's linear RGB is divided by the bare table's at that place. A 3×3 matrix takes
that to linear sRGB; it holds what the camera's own colour processing does, which changes with its white balance, so it
depends on the table's tint. Pixels are then compared with each palette colour in CIELAB. A face in shade is darker
than its colour but hardly ever brighter, so a pixel may be darker at little cost and brighter at a high one; hue and
chroma are compared at the palette colour's own lightness. Outliers (glints, holes) are cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.types import PartColour
from sorter.vision.camera_colours import PHOTOGRAPHS
from sorter.vision.palette import PALETTE
from sorter.vision.table import surface, to_work, work_scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sorter.types import Frame, Location
    from sorter.vision.camera_colours import CameraColours
    from sorter.vision.palette import PaletteColour

    FloatArray = NDArray[np.float64]

_PIXELS = 80  # of the part, evenly from its ranked brightnesses
_DARKEST, _BRIGHTEST = 0.40, 0.985  # ranks that are looked at: below is shade and holes, above is glints
_FURTHEST = 60.0  # delta E of an outlier
_LEAST_LINEAR = 1e-4
_UNSURE_WITHIN = 1.0  # in units of ``CameraColours.spread``: so near to the second best is no certainty
_TOO_FAR = 26.0  # mean delta E from which on no colour of the palette fits
_MARGIN_PX = 3  # of the outline is table, shadow and blur

# IEC 61966-2-1 and CIE 15, D65, 2 degrees.
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


@dataclass(frozen=True, eq=False)
class _Targets:
    """What a palette is compared by: codes, names, luminance (n) and CIELAB (n×3)."""

    codes: tuple[int, ...]
    names: tuple[str, ...]
    luminance: FloatArray
    lab: FloatArray


def part_colour(
    frame: Frame,
    location: Location,
    palette: tuple[PaletteColour, ...] = PALETTE,
    camera: CameraColours = PHOTOGRAPHS,
) -> PartColour | None:
    """The colour of the largest thing on the table; None if there is none, or no table to compare it with.

    Args:
        frame: the picture.
        location: from ``locate``, of the same frame.
        palette: colours that the part may have, at least one.
        camera: how this camera shows colours.
    """
    if not location.boxes or location.table is None:
        return None
    pixels, tint = _relative_pixels(frame, location)
    if not len(pixels):
        return None
    targets = _targets(palette)
    return _best(targets, _scores(pixels, tint, targets, camera), camera)


def fuse_colours(
    colours: Iterable[PartColour | None],
    palette: tuple[PaletteColour, ...] = PALETTE,
    camera: CameraColours = PHOTOGRAPHS,
) -> PartColour | None:
    """The colour of a part from its views (None where it was not seen).

    Each palette colour's score is the median over the views: what a glare or a coloured lamp does to some of them does
    not outweigh the rest.
    """
    seen = [colour.scores for colour in colours if colour is not None and colour.scores]
    if not seen:
        return None
    targets = _targets(palette)
    scores = np.median([[each[code] for code in targets.codes] for each in seen], axis=0)
    return _best(targets, scores, camera)


def lab_of(linear: FloatArray) -> FloatArray:
    """CIELAB (D65) of linear sRGB, …×3."""
    xyz = linear @ _TO_XYZ.T / _WHITE
    bent = np.where(xyz > 216 / 24389, np.cbrt(np.maximum(xyz, 0.0)), (24389 / 27 * xyz + 16) / 116)
    x, y, z = bent[..., 0], bent[..., 1], bent[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def linear_of(srgb: NDArray[np.generic]) -> FloatArray:
    """Linear RGB (0 to 1) of sRGB (0 to 255)."""
    value = np.asarray(srgb, dtype=np.float64) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _relative_pixels(frame: Frame, location: Location) -> tuple[FloatArray, float]:
    """n×3 linear RGB in parts of the table's, ascending in brightness; and the table's tint, ln(red / blue)."""
    assert location.table is not None
    seen = to_work(frame.rgb)
    scale = work_scale(*frame.rgb.shape[:2])
    height, width = seen.shape[:2]
    mask = location.mask[: height * scale : scale, : width * scale : scale].astype(np.uint8)
    box = location.boxes[0]
    only = np.zeros_like(mask)
    rows = slice(box.top_px // scale, -(-(box.top_px + box.height_px) // scale))
    columns = slice(box.left_px // scale, -(-(box.left_px + box.width_px) // scale))
    only[rows, columns] = mask[rows, columns]
    inner = cv2.erode(only, np.ones((2 * _MARGIN_PX + 1, 2 * _MARGIN_PX + 1), np.uint8)) > 0
    if np.count_nonzero(inner) < _PIXELS:
        inner = only > 0
    if not inner.any():
        return np.zeros((0, 3)), 0.0
    table = linear_of(np.exp(surface(location.table.coefficients, height, width)[inner]))
    relative = linear_of(seen[inner]) / np.maximum(table, _LEAST_LINEAR)
    order = np.argsort(relative @ _TO_XYZ[1], kind="stable")
    ranks = np.linspace(_DARKEST, _BRIGHTEST, _PIXELS) * (len(order) - 1)
    red, _, blue = table.mean(axis=0)
    return relative[order[ranks.astype(int)]], float(np.log(red / blue))


def _scores(pixels: FloatArray, tint: float, targets: _Targets, camera: CameraColours) -> FloatArray:
    """Mean distance (delta E, outliers cut off) of the pixels to each palette colour."""
    linear = np.maximum(pixels @ camera.matrix(tint).T, _LEAST_LINEAR)
    ratio = np.log((linear @ _TO_XYZ[1])[:, None] / targets.luminance)
    lit = linear[:, None, :] * np.exp(-np.clip(ratio, *camera.shading))[..., None]
    chroma = ((lab_of(lit)[..., 1:] - targets.lab[:, 1:]) ** 2).sum(axis=-1)
    light = (camera.brighter_cost * np.maximum(ratio, 0.0)) ** 2 + (camera.darker_cost * np.maximum(-ratio, 0.0)) ** 2
    return np.asarray(np.minimum(np.sqrt(chroma + light), _FURTHEST).mean(axis=0))


def _best(targets: _Targets, scores: FloatArray, camera: CameraColours) -> PartColour:
    order = np.argsort(scores, kind="stable")
    best = int(order[0])
    second = float(scores[order[1]]) if len(order) > 1 else np.inf
    is_unsure = second - scores[best] < _UNSURE_WITHIN * camera.spread or scores[best] > _TOO_FAR
    by_code = dict(zip(targets.codes, scores.tolist(), strict=True))
    return PartColour(targets.names[best], targets.codes[best], float(scores[best]), bool(is_unsure), by_code)


@lru_cache(maxsize=8)
def _targets(palette: Sequence[PaletteColour]) -> _Targets:
    if not palette:
        raise ValueError("a palette has at least one colour")
    linear = linear_of(np.array([colour.srgb for colour in palette]))
    return _Targets(
        tuple(colour.ldraw_code for colour in palette),
        tuple(colour.name for colour in palette),
        np.maximum(linear @ _TO_XYZ[1], _LEAST_LINEAR),
        lab_of(linear),
    )
