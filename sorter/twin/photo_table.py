"""The empty table of a photograph that has a part on it.

A table under a lamp or two is smooth, so the logarithm of its light is fitted by a polynomial of third degree, from the
border of the photograph inwards: there is table there. Tukey's biweight (Beaton and Tukey 1974) takes the part, its
shadow and what is past the table's edge out of the fit. A table is convex: what lies outside the convex hull of all
that looks like it is past its edge, and stays as it is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.types.pictures import RgbArray

    Floats = NDArray[np.float32]
    Weights = NDArray[np.float64]

_FITTED_PX = 75  # longer side of the picture that is fitted
_TERMS = 10
_RIDGE = 1e-4
_DARKEST = 4.0  # of 255; below, a logarithm says nothing
_BORDER = 0.15  # of the picture, on each side
_ROUNDS = 10
_WIDEST, _NARROWEST = 0.5, 0.06  # residual at which a point no longer counts, in the first round and in the last
_LIKE_TABLE = 0.15  # so near to the fit, as a natural logarithm
_SPECK_PX = 5  # what is smaller only happens to look like it
_EDGE_PX = 5  # around what is no table, which is neither


def empty_table(rgb: RgbArray) -> Floats:
    """H×W×3 float32 grey levels (0 to 255): the same photograph without anything on the table."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _FITTED_PX / max(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.float64)
    fitted = _terms(height, width) @ _coefficients(np.log(np.maximum(small, _DARKEST))).astype(np.float32)
    table: Floats = np.exp(fitted, dtype=np.float32)
    beyond = _beyond(rgb, table)
    return np.where(beyond[..., None], rgb, table).astype(np.float32)


def _coefficients(logs: Weights) -> Weights:
    """10×3: of the polynomial, a column for each channel."""
    rows, columns = logs.shape[:2]
    terms = _terms(rows, columns).reshape(-1, _TERMS).astype(np.float64)
    seen = logs.reshape(-1, 3)
    weights = _on_the_border(logs.mean(axis=2))
    coefficients = _solved(terms, seen, weights)
    for limit in np.geomspace(_WIDEST, _NARROWEST, _ROUNDS).tolist():
        off: Weights = np.abs(seen - terms @ coefficients).max(axis=1)
        weights = np.square(np.maximum(1.0 - np.square(off / limit), 0.0))
        coefficients = _solved(terms, seen, weights)
    return coefficients


def _on_the_border(brightness: Weights) -> Weights:
    """1 at points of the border about as bright as most of them, 0 elsewhere."""
    rows, columns = brightness.shape
    is_border = np.ones((rows, columns), np.bool_)
    down, across = max(1, round(_BORDER * rows)), max(1, round(_BORDER * columns))
    is_border[down:-down, across:-across] = False
    usual = float(np.median(brightness[is_border]))
    return (is_border & (np.abs(brightness - usual) < _WIDEST)).astype(np.float64).reshape(-1)


def _solved(terms: Weights, seen: Weights, weights: Weights) -> Weights:
    weighted = terms * weights[:, None]
    normal = weighted.T @ terms + _RIDGE * np.eye(_TERMS)
    return np.asarray(np.linalg.solve(normal, weighted.T @ seen), dtype=np.float64)


def _beyond(rgb: RgbArray, table: Floats) -> NDArray[np.bool_]:
    """H×W: what is past the table's edge, which goes round all that looks like table."""
    off = np.abs(np.log(np.maximum(rgb, _DARKEST) / table)).max(axis=2)
    looks = cv2.morphologyEx((off < _LIKE_TABLE).astype(np.uint8), cv2.MORPH_OPEN, np.ones((_SPECK_PX, _SPECK_PX)))
    contours, _ = cv2.findContours(looks, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return np.zeros(rgb.shape[:2], np.bool_)
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    within = cv2.fillConvexPoly(np.zeros(rgb.shape[:2], np.uint8), hull, 1)
    grown = cv2.dilate(1 - within, np.ones((_EDGE_PX, _EDGE_PX), np.uint8))
    return np.asarray(grown > 0)


@lru_cache(maxsize=4)
def _terms(rows: int, columns: int) -> Floats:
    """rows×columns×10, at the middles of pixels of a picture from -1 to 1."""
    y, x = np.meshgrid(_even(rows), _even(columns), indexing="ij")
    terms: Floats = np.stack(
        [np.ones_like(x), x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3], axis=-1
    ).astype(np.float32)
    terms.flags.writeable = False
    return terms


def _even(count: int) -> Weights:
    return (2.0 * np.arange(count) + 1.0) / count - 1.0
