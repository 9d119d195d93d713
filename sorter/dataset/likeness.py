"""Which pictures look alike: near copies by perceptual hash and thumbnail, nearest neighbours by thumbnail.

Every picture is compared with every other, in blocks: 5,000 pictures take seconds, 50,000 some minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.dataset.features import Features

    FloatArray = NDArray[np.float32]

NEAR_BITS = 6
"""Near copies differ in at most so many of the 64 bits of their perceptual hash."""

NEAR_MEAN = 0.8
"""Near copies differ by at most so much (of 255) on average over their thumbnails."""

NEAR_MOST = 8.0
"""Near copies differ by at most so much (of 255) in the thousandth part of a thumbnail that differs most."""

_BLOCK = 1024
_SMOOTHED_PX = 16


@dataclass(frozen=True)
class Pair:
    """Two pictures that look the same, the first in alphabetical order first; how many of 255 they differ by."""

    first: str
    second: str
    difference: float


def near_pairs(features: Sequence[Features]) -> tuple[Pair, ...]:
    """Pairs of pictures that show the same to the eye though their bytes differ, such as one saved twice.

    Two neighbours of a revolution are no near copies: a few degrees move a part's edges.
    """
    seen = [each for each in features if each.thumbnail is not None]
    if len(seen) < 2:
        return ()
    bits = np.array([[int(each.hash64) >> shift & 1 for shift in range(64)] for each in seen], np.float32) * 2 - 1
    thumbnails = stacked(seen)
    pairs = []
    for start in range(0, len(seen), _BLOCK):
        distances = (64 - bits[start : start + _BLOCK] @ bits.T) / 2
        for row, column in np.argwhere(distances <= NEAR_BITS):
            first, second = start + int(row), int(column)
            if second <= first or seen[first].sha256 == seen[second].sha256:
                continue
            difference = np.abs(thumbnails[first] - thumbnails[second])
            mean = float(difference.mean())
            if mean <= NEAR_MEAN and float(np.quantile(difference, 0.999)) <= NEAR_MOST:
                one, other = sorted((seen[first].path, seen[second].path))
                pairs.append(Pair(one, other, mean))
    return tuple(sorted(pairs, key=lambda pair: (pair.first, pair.second)))


def stacked(features: Sequence[Features]) -> FloatArray:
    """Thumbnails as rows of numbers, n×d float32, 0 to 255; every picture must have one."""
    rows = [each.thumbnail.reshape(-1) for each in features if each.thumbnail is not None]
    if len(rows) != len(features):
        raise ValueError("a picture that cannot be read has no thumbnail")
    return np.asarray(rows, np.float32)


def squared_distances(rows: FloatArray, others: FloatArray) -> FloatArray:
    """Squared Euclidean distance of each row to each other, n×m, never below 0."""
    middle = others.mean(axis=0)  # nearer to 0, float32 has more digits left
    rows, others = rows - middle, others - middle
    squares = (rows * rows).sum(axis=1)[:, None] + (others * others).sum(axis=1)[None] - 2 * rows @ others.T
    return np.asarray(np.maximum(squares, 0.0), np.float32)


def nearest(rows: FloatArray, others: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """For each row the place of the nearest of ``others``, and the distance to it."""
    places, distances = [], []
    for start in range(0, len(rows), _BLOCK):
        squares = squared_distances(rows[start : start + _BLOCK], others)
        best = squares.argmin(axis=1)
        places.append(best)
        distances.append(np.sqrt(squares[np.arange(len(best)), best]))
    return np.concatenate(places), np.concatenate(distances)
