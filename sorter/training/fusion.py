"""Many parts at once through what ``sorter.classify.fuse`` does with one: calibration tries thousands of them.

Parts are drawn from revolutions whose class is known: some views of one revolution are one part, as a rig would see it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.classify import Correlation
    from sorter.training.scores import Scores

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_LEAST_LOG = float(np.log(1e-6))  # as in sorter.classify.fuse: no view rules a class out for good
_SAME_DEG = 0.01  # as there: views closer than this are one place
_PLACES = round(360.0 / _SAME_DEG)


@dataclass(frozen=True, eq=False)
class Revolution:
    """Pictures of one brick in one turn.

    Args:
        rows: n ≥ 1, of the scores; in order of angle where it is known.
        angles_deg: n, or None where too few are known. Then any two pictures count as far apart, which they are on the
            average.
        target: class of the brick, or UNKNOWN.
        brick: its name.
        weight: what it counts; a brick's revolutions count 1 / bricks together.
    """

    rows: IntArray
    angles_deg: FloatArray | None
    target: int
    brick: str
    weight: float


@dataclass(frozen=True, eq=False)
class Draws:
    """d parts of k views each, in the order in which a rig looks.

    Args:
        rows: d×k, of the scores. A view that is there twice counts once.
        angles_deg: d×k, NaN where nobody knows them.
        targets: d.
        weights: d, what each part counts, with a sum of 1.
    """

    rows: IntArray
    angles_deg: FloatArray
    targets: IntArray
    weights: FloatArray

    def first(self, count: int) -> Draws:
        """The same parts after so many looks."""
        return Draws(self.rows[:, :count], self.angles_deg[:, :count], self.targets, self.weights)


class Layout:
    """Where the views of many parts stand: d×k angles (deg, NaN if unknown), and what tells unknown ones apart (d×k).

    What does not depend on the correlation is worked out once.
    """

    def __init__(self, angles_deg: FloatArray, rows: IntArray) -> None:
        has_angles = np.asarray(np.isfinite(angles_deg).all(axis=1))[:, None]
        known = np.round(np.where(has_angles, angles_deg, 0.0) % 360.0 / _SAME_DEG).astype(np.int64) % _PLACES
        places = np.where(has_angles, known, rows)
        is_same = places[:, :, None] == places[:, None, :]
        steps = np.abs((known[:, :, None] - known[:, None, :] + _PLACES // 2) % _PLACES - _PLACES // 2)
        self._distance_deg = np.where(has_angles[:, :, None], steps * _SAME_DEG, np.where(is_same, 0.0, np.inf))
        self._owner = is_same.argmax(axis=2)  # the first view at that place
        self._sharing = is_same.sum(axis=2)
        self._is_first = self._owner == np.arange(angles_deg.shape[1])

    def weights(self, correlation: Correlation) -> FloatArray:
        """As ``sorter.classify.evidence_weights``, for each part: d×k."""
        low = correlation.floor
        matrix = low + (1.0 - low) * np.exp(-self._distance_deg / correlation.range_deg)
        # Views of a place that another view stands for are taken out of the equations: each for itself, equal to 0.
        is_in = self._is_first[:, :, None] & self._is_first[:, None, :]
        matrix = np.where(is_in, matrix, np.eye(matrix.shape[1]))
        solved = np.linalg.solve(matrix, self._is_first[:, :, None].astype(np.float64))[:, :, 0]
        return np.asarray(np.take_along_axis(np.maximum(solved, 0.0), self._owner, axis=1) / self._sharing)


def log_softmax(values: FloatArray) -> FloatArray:
    """Logarithms of probabilities along the last axis."""
    shifted = values - values.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def log_posteriors(logs: FloatArray, rows: IntArray, weights: FloatArray) -> FloatArray:
    """Logarithms of what is fused, d×c, of views' log probabilities (n×c), the parts' rows (d×k) and weights (d×k)."""
    return log_softmax(np.einsum("dk,dkc->dc", weights, np.maximum(logs, _LEAST_LOG)[rows]))


def in_order(scores: Scores) -> Scores:
    """The same pictures in an order that does not depend on theirs: revolution by revolution, by angle in each."""
    where = np.where(np.isfinite(scores.angles_deg), scores.angles_deg % 360.0, np.inf).tolist()
    logits = scores.logits.tolist()
    rows = sorted(range(len(scores)), key=lambda row: (*_turn(scores, row), where[row], scores.paths[row], logits[row]))
    return scores.taken(np.array(rows, dtype=np.int64))


def revolutions_of(scores: Scores) -> list[Revolution]:
    """All revolutions of scores that are ``in_order``.

    Angles count where two different ones are known; pictures of that revolution without an angle are then left out.
    """
    groups = [
        np.array(list(rows), dtype=np.int64)
        for _, rows in groupby(range(len(scores)), key=lambda row: _turn(scores, row))
    ]
    turns = Counter(scores.bricks[rows[0]] for rows in groups)
    return [_revolution(scores, rows, 1.0 / (len(turns) * turns[scores.bricks[rows[0]]])) for rows in groups]


def _turn(scores: Scores, row: int) -> tuple[str, str, str]:
    return scores.bricks[row], scores.revolutions[row], scores.class_names[row]


def bricks_of(revolutions: list[Revolution]) -> int:
    """How many different bricks they show."""
    return len({each.brick for each in revolutions})


def _revolution(scores: Scores, rows: IntArray, weight: float) -> Revolution:
    angles_deg = scores.angles_deg[rows] % 360.0
    is_known = np.isfinite(angles_deg)
    target, brick = int(scores.targets[rows[0]]), scores.bricks[rows[0]]
    if len(np.unique(angles_deg[is_known])) < 2:
        return Revolution(rows, None, target, brick, weight)
    return Revolution(rows[is_known], angles_deg[is_known], target, brick, weight)


def each_picture(revolutions: list[Revolution]) -> Draws:
    """Every picture as a part of one view: d×1."""
    return _drawn([(each, np.arange(len(each.rows))[:, None]) for each in revolutions])


def drawn_around(
    revolutions: list[Revolution], offsets_deg: FloatArray, repeats: int, rng: np.random.Generator
) -> Draws:
    """Parts that are looked at from a first angle and from those that lie ``offsets_deg`` (k, the first is 0) ahead.

    Args:
        revolutions: at least one.
        offsets_deg: the nearest picture that there is stands for each. Where no angles are known, pictures are drawn by
            chance, none twice while there are others.
        repeats: parts of each revolution, at most one for each of its pictures.
        rng: where all chance comes from.
    """

    def around(each: Revolution, firsts: IntArray) -> IntArray:
        if each.angles_deg is None:
            return _by_chance(len(each.rows), len(firsts), len(offsets_deg), rng)
        wanted = each.angles_deg[firsts][:, None] + offsets_deg[None, :]
        away = np.abs((wanted[:, :, None] - each.angles_deg[None, None, :] + 180.0) % 360.0 - 180.0)
        chosen = away.round(6).argmin(axis=2)
        chosen[:, 0] = firsts
        return np.asarray(chosen, dtype=np.int64)

    return _drawn([(each, around(each, _firsts(each, repeats, rng))) for each in revolutions])


def drawn_neighbours(revolutions: list[Revolution], count: int, repeats: int, rng: np.random.Generator) -> Draws:
    """Parts that are seen in so many pictures in a row; otherwise as ``drawn_around``."""

    def in_a_row(each: Revolution, firsts: IntArray) -> IntArray:
        total = len(each.rows)
        if each.angles_deg is None:
            return _by_chance(total, len(firsts), count, rng)
        return np.asarray((firsts[:, None] + np.minimum(np.arange(count), total - 1)) % total, dtype=np.int64)

    return _drawn([(each, in_a_row(each, _firsts(each, repeats, rng))) for each in revolutions])


def _firsts(revolution: Revolution, repeats: int, rng: np.random.Generator) -> IntArray:
    """Where looking begins: evenly over the pictures, from somewhere on."""
    total = len(revolution.rows)
    count = min(repeats, total)
    return np.asarray(((np.arange(count) + rng.random()) / count * total).astype(np.int64) % total)


def _by_chance(total: int, parts: int, count: int, rng: np.random.Generator) -> IntArray:
    return np.array([rng.permutation(total)[np.minimum(np.arange(count), total - 1)] for _ in range(parts)])


def _drawn(parts: list[tuple[Revolution, IntArray]]) -> Draws:
    weights = np.concatenate([np.full(len(chosen), each.weight / len(chosen)) for each, chosen in parts])
    return Draws(
        np.concatenate([each.rows[chosen] for each, chosen in parts]),
        np.concatenate(
            [
                np.full(chosen.shape, np.nan) if each.angles_deg is None else each.angles_deg[chosen]
                for each, chosen in parts
            ]
        ),
        np.concatenate([np.full(len(chosen), each.target, dtype=np.int64) for each, chosen in parts]),
        weights / weights.sum(),
    )
