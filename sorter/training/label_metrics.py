"""How well a network says of each label whether it is there: precision, recall, average precision, thresholds.

Pure NumPy. Average precision is the area under the interpolated curve of precision over recall, all points of it: at
each recall the best precision at that recall or a higher one (Everingham et al. 2015, "The PASCAL Visual Object Classes
Challenge: A Retrospective", as of VOC 2010). Equal scores pass a threshold together, so the order of pictures does not
matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    BoolArray = NDArray[np.bool_]

Aim = Literal["f1", "right"]
RESAMPLES = 1000
_TAIL = 2.5  # per cent on either side of an interval
_BLOCK = 100  # resamples at once: 100 × pictures numbers a few times over


@dataclass(frozen=True)
class LabelScore:
    """How one label fares; a share is None where there is nothing to take it of.

    Args:
        there: pictures in which it is there.
        absent: in which it is not.
        undecided: in which so little is visible that neither counts; they stand in no other number.
        said: in which it was said to be there.
        precision: share of those that are right.
        recall: share of ``there`` that was said.
        average_precision: over all thresholds.
    """

    there: int
    absent: int
    undecided: int
    said: int
    precision: float | None
    recall: float | None
    average_precision: float | None


def average_precision(scores: FloatArray, is_there: BoolArray) -> float | None:
    """Area under the interpolated curve of n scores, higher for surer; 0 to 1, None where nothing is there."""
    if not is_there.any():
        return None
    return float(_average_precisions(scores, is_there, np.ones((1, len(scores))))[0])


def _average_precisions(scores: FloatArray, is_there: BoolArray, weights: FloatArray) -> FloatArray:
    """For each of r rows of ``weights`` (r×n, how often each picture counts); NaN where nothing is there."""
    order = np.argsort(-scores, kind="stable")
    is_end = np.append(np.diff(scores[order]) != 0.0, True)
    named = np.cumsum(weights[:, order], axis=1)[:, is_end]
    right = np.cumsum(weights[:, order] * is_there[order], axis=1)[:, is_end]
    with np.errstate(invalid="ignore"):
        recall = right / right[:, -1:]
    precision = right / np.maximum(named, 1e-12)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((np.diff(recall, axis=1, prepend=0.0) * best).sum(axis=1))


def mean_average_precision(scores: FloatArray, targets: NDArray[np.float32]) -> float | None:
    """Mean over those of the c labels that are there anywhere; undecided pictures (targets below 0) do not count."""
    each = [
        average_precision(scores[is_decided, place], targets[is_decided, place] > 0.5)
        for place, is_decided in enumerate((targets >= 0.0).T)
    ]
    there = [value for value in each if value is not None]
    return float(np.mean(there)) if there else None


def interval_over_pictures(
    scores: FloatArray, targets: NDArray[np.float32], *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float] | None:
    """The 95 % interval of ``mean_average_precision``, pictures drawn with replacement; None of fewer than two."""
    count = len(scores)
    if count < 2 or not (targets > 0.5).any():
        return None
    rng = np.random.default_rng(seed)
    evenly = np.full(count, 1.0 / count)
    means = []
    for start in range(0, resamples, _BLOCK):
        drawn = rng.multinomial(count, evenly, size=min(_BLOCK, resamples - start)).astype(np.float64)
        of_labels = []
        for place, is_decided in enumerate((targets >= 0.0).T):
            is_there = targets[is_decided, place] > 0.5
            if is_there.any():
                of_labels.append(_average_precisions(scores[is_decided, place], is_there, drawn[:, is_decided]))
        values = np.array(of_labels)
        is_found = np.isfinite(values)
        sums, counts = np.where(is_found, values, 0.0).sum(axis=0), is_found.sum(axis=0)
        means.append(sums[counts > 0] / counts[counts > 0])
    low, high = np.percentile(np.concatenate(means), [_TAIL, 100.0 - _TAIL])
    return float(low), float(high)


def label_score(scores: FloatArray, targets: NDArray[np.float32], threshold: float) -> LabelScore:
    """One label of n pictures; it is said to be there from ``threshold`` on.

    Args:
        scores: n.
        targets: n, 1 there, 0 not, below 0 undecided.
        threshold: of the scores.
    """
    is_decided = targets >= 0.0
    is_there, is_said = targets[is_decided] > 0.5, scores[is_decided] >= threshold
    right = int((is_there & is_said).sum())
    there, said = int(is_there.sum()), int(is_said.sum())
    return LabelScore(
        there=there,
        absent=int((~is_there).sum()),
        undecided=int((~is_decided).sum()),
        said=said,
        precision=right / said if said else None,
        recall=right / there if there else None,
        average_precision=average_precision(scores[is_decided], is_there),
    )


def best_threshold(scores: FloatArray, targets: NDArray[np.float32], aim: Aim, *, otherwise: float = 0.0) -> float:
    """The threshold with the highest F1, or with the most pictures right; half-way between two scores.

    Args:
        scores: n.
        targets: n, 1 there, 0 not, below 0 undecided.
        aim: what is to be highest. Of equally good thresholds, the one in the widest gap between scores.
        otherwise: what is taken where the pictures are all of one kind, from which nothing can be learnt.
    """
    is_decided = targets >= 0.0
    is_there, known = targets[is_decided] > 0.5, scores[is_decided]
    if not is_there.any() or is_there.all():
        return otherwise
    values = np.unique(known)
    middles, gaps = (values[:-1] + values[1:]) / 2, np.diff(values)
    if not len(middles):
        return otherwise
    ordered, ordered_there = np.sort(known), np.sort(known[is_there])
    said = len(known) - np.searchsorted(ordered, middles, side="left")
    right = len(ordered_there) - np.searchsorted(ordered_there, middles, side="left")
    absent_right = np.searchsorted(np.sort(known[~is_there]), middles, side="left")
    worth = 2 * right / (said + len(ordered_there)) if aim == "f1" else (right + absent_right) / len(known)
    candidates = np.flatnonzero(worth >= worth.max() - 1e-12)
    return float(middles[candidates[np.argmax(gaps[candidates])]])


def thresholds_of(scores: FloatArray, targets: NDArray[np.float32], aims: Sequence[Aim]) -> list[float]:
    """``best_threshold`` of each of c labels, n×c."""
    return [best_threshold(scores[:, place], targets[:, place], aim) for place, aim in enumerate(aims)]
