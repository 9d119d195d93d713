"""How well things that have nothing to do with the part predict its class.

A network learns whatever tells the classes apart in its pictures, the light of the day on which a class was
photographed as well as the part. If the table alone predicts the class, a good score may mean nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.dataset.likeness import squared_distances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

_NEIGHBOURS = 5
_FOLDS = 5
_LEVELS = 2.0  # of 255, a step of a clue
_MOST_PICTURES = 8000  # a sample is as good an estimate, and the work grows with the square


@dataclass(frozen=True)
class Shortcut:
    """How well ``clue`` alone predicts the class; shares from 0 to 1.

    Args:
        clue: what was looked at.
        by_group: accuracy on groups that were held out whole; None where groups are not known.
        at_random: accuracy on single pictures that were held out, their neighbours known.
        commonest: accuracy of always naming the commonest class.
        group: what a group is: ``revolution`` or ``brick``.
    """

    clue: str
    by_group: float | None
    at_random: float
    commonest: float
    group: str = "revolution"

    @property
    def strength(self) -> float:
        """Of what a guess leaves open, the share that the clue tells: 0 is nothing, 1 is everything."""
        accuracy = self.at_random if self.by_group is None else self.by_group
        return max(0.0, (accuracy - self.commonest) / max(1e-9, 1.0 - self.commonest))


def measure_shortcut(
    clue: str, rows: FloatArray, classes: Sequence[str], groups: Sequence[str | None], *, seed: int = 0
) -> Shortcut:
    """Predict the class from ``rows`` (n×d) by the nearest neighbours and by a linear classifier; the better counts.

    Args:
        clue: name of what the rows are.
        rows: a clue for each picture.
        classes: what each picture is called.
        groups: the revolution of each picture, None if nobody knows.
        seed: of the folds.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(rows))[:_MOST_PICTURES])
    names, truth = np.unique([classes[each] for each in chosen], return_inverse=True)
    scaled = _standardised(np.asarray(rows, np.float32)[chosen])
    known = [groups[each] for each in chosen]
    by_group = None
    if all(known) and len(set(known)) >= 2 * len(names):
        by_group = _accuracy(scaled, truth, _group_folds(known, truth, rng))
    random_folds = rng.permutation(len(chosen)) % _FOLDS
    commonest = Counter(truth.tolist()).most_common(1)[0][1] / len(truth)
    return Shortcut(clue, by_group, _accuracy(scaled, truth, random_folds), commonest)


def _standardised(rows: FloatArray) -> FloatArray:
    """Each clue in units of its own spread; what differs by less than a grey level or two is noise, and no clue."""
    coarse = np.rint(rows / _LEVELS) * _LEVELS
    return np.asarray((coarse - coarse.mean(axis=0)) / np.maximum(coarse.std(axis=0), _LEVELS), np.float32)


def _group_folds(groups: Sequence[str | None], truth: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Each group whole in one fold, the groups of a class spread over the folds."""
    folds = np.zeros(len(truth), np.int64)
    names = np.array([each or "" for each in groups])
    for class_number in np.unique(truth):
        own = np.unique(names[truth == class_number])
        for place, name in enumerate(rng.permutation(own)):
            folds[(names == name) & (truth == class_number)] = (place + class_number) % _FOLDS
    return folds


def _accuracy(rows: FloatArray, truth: NDArray[np.int64], folds: NDArray[np.int64]) -> float:
    """The better of two simple classifiers, over all pictures that are held out in some fold."""
    right = np.zeros(2)
    for fold in np.unique(folds):
        out = folds == fold
        if out.all():
            continue
        for number, predict in enumerate((_by_neighbours, _by_plane)):
            right[number] += np.count_nonzero(predict(rows[~out], truth[~out], rows[out]) == truth[out])
    return float(right.max() / len(truth))


def _by_neighbours(known: FloatArray, truth: NDArray[np.int64], asked: FloatArray) -> NDArray[np.int64]:
    squares = squared_distances(asked, known)
    count = min(_NEIGHBOURS, len(known))
    near = np.argpartition(squares, count - 1, axis=1)[:, :count]
    votes = np.zeros((len(asked), int(truth.max()) + 1))
    for place in range(count):
        own = near[:, place]
        votes[np.arange(len(asked)), truth[own]] += 1.0 / (1e-3 + squares[np.arange(len(asked)), own])
    return np.asarray(votes.argmax(axis=1), np.int64)


def _by_plane(known: FloatArray, truth: NDArray[np.int64], asked: FloatArray) -> NDArray[np.int64]:
    """Ridge regression onto one number a class, on the values and their squares."""
    wanted = np.eye(int(truth.max()) + 1)[truth]

    def terms(rows: FloatArray) -> NDArray[np.float64]:
        return np.concatenate([np.ones((len(rows), 1)), rows, rows**2], axis=1).astype(np.float64)

    left = terms(known)
    weights = np.linalg.solve(left.T @ left + np.eye(left.shape[1]), left.T @ wanted)
    return np.asarray((terms(asked) @ weights).argmax(axis=1), np.int64)
