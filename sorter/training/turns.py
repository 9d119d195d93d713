"""At which angle each picture of a revolution was taken, where nobody wrote it down: inferred from how alike they are.

Neighbouring views look alike, so the shortest closed tour through the pictures is the turn of the table. It is built
from nearest neighbours and mended by turning stretches around (2-opt; Croes 1958). Which way it runs and where it
begins nobody can tell, and nothing here depends on it. Angles are even along the tour.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.training.scores import Scores
    from sorter.types.pictures import RgbArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_THUMBNAIL_PX = 50
_LEAST_GAIN = 1e-6  # of a turned stretch, or rounding would turn it back and forth
_MOST_ROUNDS = 100  # each goes over the whole tour; a handful is enough


def thumbnail(rgb: RgbArray) -> NDArray[np.uint8]:
    """A whole picture (H×W×3 uint8) as one row of 7,500 numbers, for ``tour``."""
    small = cv2.resize(rgb, (_THUMBNAIL_PX, _THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8).reshape(-1)


def inferred_angles(thumbnails: NDArray[np.uint8]) -> FloatArray:
    """Angles (deg, from 0) of n pictures of one revolution in any order; n×p thumbnails."""
    order = tour(thumbnails)
    angles_deg = np.empty(len(order))
    angles_deg[order] = np.arange(len(order)) * 360.0 / max(1, len(order))
    return angles_deg


def with_inferred_angles(scores: Scores, crops: NDArray[np.uint8], is_turn: NDArray[np.bool_]) -> Scores:
    """The same scores, with angles by likeness in revolutions where nobody knows a single one.

    Args:
        scores: of n pictures.
        crops: n×size×size×3 uint8, in the same order.
        is_turn: n, True where the picture's revolution is known, so that its pictures are one turn of the table.
    """
    angles_deg = scores.angles_deg.copy()
    rows_of: dict[tuple[str, str, str], list[int]] = {}
    for row in np.flatnonzero(is_turn).tolist():
        key = (scores.bricks[row], scores.revolutions[row], scores.class_names[row])
        rows_of.setdefault(key, []).append(row)
    for rows in rows_of.values():
        if len(rows) > 1 and np.isnan(angles_deg[rows]).all():
            angles_deg[rows] = inferred_angles(np.stack([thumbnail(crops[row]) for row in rows]))
    return replace(scores, angles_deg=angles_deg)


def tour(thumbnails: NDArray[np.uint8]) -> IntArray:
    """A closed tour through n pictures in which neighbours look alike: n indices, the first is 0."""
    count = len(thumbnails)
    if count < 4:  # any tour through three is the shortest
        return np.arange(count, dtype=np.int64)
    far = _distances(thumbnails)
    order = _by_nearest_neighbour(far)
    for _ in range(_MOST_ROUNDS):
        if not _turn_stretches(order, far):
            break
    return order


def _distances(thumbnails: NDArray[np.uint8]) -> FloatArray:
    """Root mean square difference of every two, n×n, the brightness of each taken out."""
    rows = thumbnails.astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    squares = (rows * rows).sum(axis=1)
    apart = squares[:, None] + squares[None] - 2.0 * rows @ rows.T
    return np.asarray(np.sqrt(np.maximum(apart, 0.0) / rows.shape[1]))


def _by_nearest_neighbour(far: FloatArray) -> IntArray:
    order = np.zeros(len(far), np.int64)
    is_left = np.ones(len(far), np.bool_)
    is_left[0] = False
    for place in range(1, len(far)):
        order[place] = np.where(is_left, far[order[place - 1]], np.inf).argmin()
        is_left[order[place]] = False
    return order


def _turn_stretches(order: IntArray, far: FloatArray) -> bool:
    """Turn around, in place, what makes the tour shorter; False if nothing does."""
    is_shorter = False
    for first in range(1, len(order) - 1):
        lasts = np.arange(first + 1, len(order))
        before, start = order[first - 1], order[first]
        ends, after = order[lasts], order[(lasts + 1) % len(order)]
        gains = far[before, start] + far[ends, after] - far[before, ends] - far[start, after]
        best = int(gains.argmax())
        if gains[best] > _LEAST_GAIN:
            last = int(lasts[best])
            order[first : last + 1] = order[first : last + 1][::-1].copy()
            is_shorter = True
    return is_shorter
