"""The empty table, inferred from one picture that shows parts on it: its colour everywhere, and how far it reaches.

The table is one material under one light, so the logarithm of its colour is smooth over the picture: a polynomial of
third degree a channel follows tint, fall-off and vignetting. It is fitted robustly, so that parts, shadows and whatever
lies beyond the table's rim do not pull at it. No empty picture is needed. Works at ``WORK_PX``, not at the camera's
resolution.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.types import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    BoolArray = NDArray[np.bool_]
    ByteArray = NDArray[np.uint8]
    RgbArray = NDArray[np.uint8]
    Coefficients = NDArray[np.float64]

WORK_PX = 300
"""Shorter side, about, of the picture that parts are looked for in."""

TERMS = 10
"""Terms of the polynomial: all of third degree in two variables."""

_MOST_WORK_PIXELS = 4 * WORK_PX**2
_FLOOR = 3.0  # below this a channel (0 to 255) is noise, and its logarithm would be too
_STEP = 5  # every so many pixels are fitted: 3,600 of a 300×300 picture
_ROUNDS = 12
_WIDEST, _NARROWEST = 0.25, 0.05  # of the residual (log units) that still counts as table, first and last round
_COARSE_ROUNDS = 6  # rounds without the terms of third degree: a part must not be fitted away while limits are wide
_RIM = 0.12  # residual (log units) of a pixel that may belong to the table when its extent is drawn
_RIM_PX = 3
_LEAST_TABLE = 0.2  # of the fitted points; less is no table
_LEAST_IN_MIDDLE = 0.05  # of the middle half; one 2456 across it leaves 0.21, two of them less (real photographs)
_DARKEST, _BRIGHTEST = 10.0, 252.0  # of the brightest channel: beyond, nothing on the table could be seen


def is_found(table: Table) -> bool:
    """Whether enough of the picture is one smooth surface, neither black nor burnt out, to be called a table."""
    return table.share >= _LEAST_TABLE and bool(table.extent.any())


def without_rim(extent: BoolArray) -> BoolArray:
    """``extent`` a few pixels inside the table's rim, which is an edge too; the picture's border is no rim."""
    kernel = np.ones((2 * _RIM_PX + 1, 2 * _RIM_PX + 1), np.uint8)
    return cv2.erode(extent.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0


def work_scale(height_px: int, width_px: int) -> int:
    """By how much a frame is shrunk to be worked on: a whole number, at least 1."""
    by_area = (height_px * width_px / _MOST_WORK_PIXELS) ** 0.5  # long strips would take memory without end
    return max(1, round(min(height_px, width_px) / WORK_PX), int(np.ceil(by_area)))


def to_work(rgb: RgbArray) -> RgbArray:
    """The frame at work resolution: H//k × W//k × 3, each pixel the mean of k×k; the frame itself where k is 1."""
    height, width = rgb.shape[:2]
    scale = work_scale(height, width)
    if scale == 1:
        return rgb
    rows, columns = height // scale, width // scale
    shrunk = cv2.resize(rgb[: rows * scale, : columns * scale], (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, dtype=np.uint8)


def log_rgb(rgb: RgbArray) -> FloatArray:
    """Natural logarithm of a picture (h×w×3 uint8), a little smoothed against sensor noise; float32."""
    smooth = cv2.GaussianBlur(rgb, (3, 3), 0)
    return np.asarray(_LOGARITHMS[smooth])


_LOGARITHMS: FloatArray = np.log(np.maximum(np.arange(256, dtype=np.float32), _FLOOR))


@lru_cache(maxsize=4)
def polynomial(height_px: int, width_px: int) -> FloatArray:
    """Terms of the polynomial at the middle of each pixel, h×w×TERMS float32."""
    terms = _terms((np.arange(width_px) + 0.5) / width_px, (np.arange(height_px) + 0.5) / height_px).astype(np.float32)
    terms.flags.writeable = False
    return terms


def at_places(table: Table, across: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the table's colour on a grid, len(down)×len(across)×3.

    Places are 0 to 1 over the picture; beyond it the table looks as on its border.
    """
    return _terms(np.clip(across, 0.0, 1.0), np.clip(down, 0.0, 1.0)) @ table.coefficients


def _terms(across: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.float64]:
    """len(down)×len(across)×TERMS; coordinates of the polynomial run from -1 to 1 over the picture."""
    y, x = np.meshgrid(2.0 * down - 1.0, 2.0 * across - 1.0, indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3], axis=-1)


def largest_channel(picture: FloatArray) -> FloatArray:
    """h×w of h×w×3; an order of magnitude faster than ``max`` over the last axis."""
    return np.maximum(np.maximum(picture[..., 0], picture[..., 1]), picture[..., 2])


def mean_channel(picture: FloatArray) -> FloatArray:
    """h×w of h×w×3 float32."""
    return np.asarray(cv2.transform(picture, np.full((1, 3), 1 / 3)), dtype=np.float32).reshape(picture.shape[:2])


def surface(coefficients: Coefficients, height_px: int, width_px: int) -> FloatArray:
    """The smooth surface of these coefficients (TERMS×3) at each pixel of a picture: h×w×3 float32."""
    terms = polynomial(height_px, width_px).reshape(-1, TERMS)
    return (terms @ coefficients.astype(np.float32)).reshape(height_px, width_px, 3)


def fit_drift(difference: FloatArray, extent: BoolArray) -> tuple[Coefficients, float]:
    """How the light on a known table has changed: coefficients, and the share of the table that they explain.

    Args:
        difference: h×w×3, logarithm of a frame less that of the empty table.
        extent: h×w, True on the table.
    """
    height, width = extent.shape
    terms = polynomial(height, width)
    at = (slice(_STEP // 2, None, _STEP), slice(_STEP // 2, None, _STEP))
    is_table = extent[at].reshape(-1)
    points, seen = terms[at].reshape(-1, TERMS)[is_table], difference[at].reshape(-1, 3)[is_table]
    if not len(seen):
        return np.zeros((TERMS, 3)), 0.0
    is_near = np.abs(seen - np.median(seen, axis=0)).max(axis=1) < 2 * _WIDEST
    coefficients, is_explained = _robust_fit(points, seen, is_near, most_terms=6)
    return coefficients, float(is_explained.mean())


def fit_table(logs: FloatArray) -> tuple[Table, FloatArray]:
    """Infer the empty table from ``logs`` (h×w×3, as ``log_rgb`` gives it); and how these differ from it, h×w×3.

    The table is the smooth surface of which some shows in the middle half of the picture: first what is bright is
    tried, then what looks like the middle. A picture without a table gives one that ``is_found`` refuses.
    """
    height, width = logs.shape[:2]
    points = polynomial(height, width)[_STEP // 2 :: _STEP, _STEP // 2 :: _STEP].reshape(-1, TERMS)
    seen = logs[_STEP // 2 :: _STEP, _STEP // 2 :: _STEP].reshape(-1, 3)
    brightness = seen.mean(axis=1)
    is_bright = np.abs(brightness - np.percentile(brightness, 60)) < _WIDEST
    middle = np.median(logs[_middle(height), _middle(width)].reshape(-1, 3), axis=0)
    is_like_middle = largest_channel(np.abs(seen - middle)) < 2 * _WIDEST
    table, difference = _fit_from(is_bright, logs, points, seen)
    return (table, difference) if is_found(table) else _fit_from(is_like_middle, logs, points, seen)


def _fit_from(start: BoolArray, logs: FloatArray, points: FloatArray, seen: FloatArray) -> tuple[Table, FloatArray]:
    """The table if at first ``start`` (n) of the points are taken for it; none if it does not show in the middle."""
    height, width = logs.shape[:2]
    coefficients, is_table = _robust_fit(points, seen, start, most_terms=TERMS)
    difference = logs - surface(coefficients, height, width)
    is_bare = largest_channel(np.abs(difference)) < _RIM
    if is_bare[_middle(height), _middle(width)].mean() < _LEAST_IN_MIDDLE or not is_table.any():
        return Table(coefficients, np.zeros((height, width), np.bool_), 0.0), difference
    level = np.exp(seen[is_table].mean(axis=0).max())
    share = float(is_table.mean()) if _DARKEST <= level <= _BRIGHTEST else 0.0
    return Table(coefficients, _extent(is_bare), share), difference


def _middle(size_px: int) -> slice:
    """The middle half."""
    return slice(size_px // 4, max(size_px // 4 + 1, size_px * 3 // 4))


def _robust_fit(
    points: FloatArray, seen: FloatArray, is_table: BoolArray, *, most_terms: int
) -> tuple[Coefficients, BoolArray]:
    """Coefficients (TERMS×3) of the surface through ``seen`` (n×3) at ``points`` (n×TERMS), and which (n) are on it."""
    coefficients = np.zeros((TERMS, 3))
    for round_ in range(_ROUNDS):
        count = 6 if round_ < _COARSE_ROUNDS else most_terms
        used = points[is_table, :count].astype(np.float64)
        if len(used) < 10 * TERMS:
            return coefficients, np.zeros_like(is_table)
        normal = used.T @ used + 1e-6 * np.eye(count)
        coefficients = np.zeros((TERMS, 3))
        coefficients[:count] = np.linalg.solve(normal, used.T @ seen[is_table])
        limit = max(_NARROWEST, _WIDEST * 0.8**round_)
        is_table = largest_channel(np.abs(seen - points @ coefficients.astype(np.float32))) < limit
    return coefficients, is_table


def _extent(is_bare: BoolArray) -> BoolArray:
    """The largest patch of bare table, made convex: a table is round, and what lies on it lies on the table."""
    opened = cv2.morphologyEx(is_bare.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return np.zeros_like(is_bare)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    contours, _ = cv2.findContours((labels == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(contours))
    extent = np.zeros(is_bare.shape, np.uint8)
    cv2.fillConvexPoly(extent, hull, 1)
    return extent.astype(bool)
