"""What scores say in numbers: what is right, how sure it is, what a threshold costs, how unknown parts stand out.

Pure NumPy. Pictures of one brick are not independent, so intervals are over bricks: whole bricks are drawn with
replacement (cluster bootstrap; Davison and Hinkley 1997, 3.8), pictures never.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.training.scores import Scores

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    BoolArray = NDArray[np.bool_]

RESAMPLES = 4000
KEPT_SHARES = (0.90, 0.95)
"""Shares of known parts that must be kept while unknown ones are looked for."""

_TAIL = 2.5  # per cent on either side of an interval
_BINS = 10
_MOST_POINTS = 200  # of a curve
_BLOCK = 500  # resamples at once: 500 × bricks numbers


@dataclass(frozen=True)
class ClassScore:
    """How one class fares; a share is None where nothing is there to take it of.

    Args:
        pictures: of the class.
        bricks: of the class.
        recall: share of its pictures that were named so.
        precision: share of what was named so that is of it.
        f1: harmonic mean of both.
    """

    pictures: int
    bricks: int
    recall: float | None
    precision: float | None
    f1: float | None


@dataclass(frozen=True)
class ConfusedPair:
    """Pictures of one class that were taken for another; ``share`` is of the class, ``rows`` the surest first."""

    class_name: str
    said: str
    pictures: int
    share: float
    rows: tuple[int, ...]


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers whose posterior is from ``low`` to ``high``: how many, how sure on average, what share is right."""

    low: float
    high: float
    pictures: int
    mean_posterior: float
    accuracy: float


@dataclass(frozen=True)
class OperatingPoint:
    """What a threshold does: ``rejected`` of all, ``misrouted`` of those accepted, None where none is."""

    posterior: float
    rejected: float
    misrouted: float | None


@dataclass(frozen=True)
class KeptPoint:
    """Strangeness up to ``threshold`` keeps ``known_kept`` of the known parts and lets ``unknown_accepted`` through."""

    known_kept: float
    threshold: float
    unknown_accepted: float


@dataclass(frozen=True)
class Separation:
    """How well a score tells unknown parts from known ones.

    Args:
        area: under the ROC curve: how often an unknown part is stranger than a known one; 0.5 is chance.
        kept: what gets through where most known parts are kept.
        curve: share of known rejected, share of unknown found, from (0, 0) to (1, 1).
    """

    area: float
    kept: tuple[KeptPoint, ...]
    curve: tuple[tuple[float, float], ...]


def softmax(logits: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Probabilities of n×c logits, as ``Model.predict`` makes them."""
    scaled = logits / temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def said(scores: Scores) -> IntArray:
    """The likeliest class of each picture, n indices; of equal ones the first."""
    return np.asarray(scores.logits.argmax(axis=1), dtype=np.int64)


def confusion(scores: Scores) -> IntArray:
    """c×c counts of known pictures: rows are true classes, columns what was said."""
    counts = np.zeros((len(scores.labels), len(scores.labels)), np.int64)
    known = scores.is_known
    np.add.at(counts, (scores.targets[known], said(scores)[known]), 1)
    return counts


def per_class(scores: Scores) -> dict[str, ClassScore]:
    """Each label of the network, also those of which there is no picture."""
    counts = confusion(scores)
    bricks: dict[int, set[str]] = {}
    for target, brick in zip(scores.targets.tolist(), scores.bricks, strict=True):
        bricks.setdefault(target, set()).add(brick)
    found = {}
    for number, label in enumerate(scores.labels):
        right, of_class, named_so = (
            int(each) for each in (counts[number, number], counts[number].sum(), counts[:, number].sum())
        )
        found[label] = ClassScore(
            pictures=of_class,
            bricks=len(bricks.get(number, ())),
            recall=_share(right, of_class),
            precision=_share(right, named_so),
            f1=_share(2 * right, of_class + named_so) if of_class else None,
        )
    return found


def confused_pairs(scores: Scores, most: int = 10) -> tuple[ConfusedPair, ...]:
    """True class and what it was taken for, the commonest first."""
    counts, answers = confusion(scores), said(scores)
    surest = softmax(scores.logits).max(axis=1)
    wrong = [
        (-int(counts[truth, answer]), truth, answer)
        for truth, answer in np.argwhere(counts).tolist()
        if truth != answer
    ]
    pairs = []
    for minus, truth, answer in sorted(wrong)[:most]:
        rows = np.flatnonzero((scores.targets == truth) & (answers == answer))
        rows = rows[np.argsort(-surest[rows], kind="stable")]
        share = -minus / int(counts[truth].sum())
        pairs.append(ConfusedPair(scores.labels[truth], scores.labels[answer], -minus, share, tuple(rows.tolist())))
    return tuple(pairs)


def reliability(posterior: FloatArray, is_right: BoolArray, bins: int = _BINS) -> tuple[ReliabilityBin, ...]:
    """Bins of equal width that hold anything, in order; ``posterior`` is of what was said, n, each 0 to 1."""
    which = np.minimum((posterior * bins).astype(np.int64), bins - 1)
    return tuple(
        ReliabilityBin(
            low=each / bins,
            high=(each + 1) / bins,
            pictures=int((which == each).sum()),
            mean_posterior=float(posterior[which == each].mean()),
            accuracy=float(is_right[which == each].mean()),
        )
        for each in np.unique(which).tolist()
    )


def expected_calibration_error(posterior: FloatArray, is_right: BoolArray, bins: int = _BINS) -> float:
    """Mean distance between posterior and share right over bins of equal width (Naeini et al. 2015), 0 to 1."""
    found = reliability(posterior, is_right, bins)
    return float(sum(each.pictures * abs(each.mean_posterior - each.accuracy) for each in found) / len(posterior))


def interval_over_bricks(
    values: FloatArray, bricks: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float] | None:
    """The 95 % interval (2.5 to 97.5 percentile) of the mean of n values, bricks drawn with replacement.

    None with fewer than two bricks, which say nothing about a third. The same seed gives the same interval.
    """
    names, owner = np.unique(np.asarray(bricks, dtype=np.str_), return_inverse=True)
    if len(names) < 2:
        return None
    sums = np.bincount(owner, weights=values, minlength=len(names))
    sizes = np.bincount(owner, minlength=len(names)).astype(np.float64)
    # In a fixed order, so that neither names nor the order of pictures change what is drawn.
    order = np.lexsort((sums, sizes))
    sums, sizes = sums[order], sizes[order]
    rng = np.random.default_rng(seed)
    evenly = np.full(len(names), 1.0 / len(names))
    means = []
    for start in range(0, resamples, _BLOCK):
        drawn = rng.multinomial(len(names), evenly, size=min(_BLOCK, resamples - start))
        means.append((drawn @ sums) / (drawn @ sizes))
    low, high = np.percentile(np.concatenate(means), [_TAIL, 100.0 - _TAIL])
    return float(low), float(high)


def at_threshold(posterior: FloatArray, is_right: BoolArray, threshold: float) -> OperatingPoint:
    """What accepting from ``threshold`` on does; a negative posterior is never accepted."""
    is_accepted = (posterior >= threshold) & (posterior >= 0.0)
    accepted = int(is_accepted.sum())
    misrouted = _share(int((is_accepted & ~is_right).sum()), accepted)
    return OperatingPoint(threshold, 1.0 - accepted / len(posterior), misrouted)


def misroute_curve(posterior: FloatArray, is_right: BoolArray) -> tuple[OperatingPoint, ...]:
    """Thresholds from 0 to the highest posterior, with what each rejects and lets go wrong.

    At most some 200, at even ranks, so that no more than half a per cent of the pictures lies between two.
    """
    steps = np.unique(posterior[posterior >= 0.0])
    if len(steps) > _MOST_POINTS:
        ranked = np.sort(posterior[posterior >= 0.0])
        steps = np.unique(ranked[np.linspace(0, len(ranked) - 1, _MOST_POINTS).astype(np.int64)])
    return tuple(at_threshold(posterior, is_right, each) for each in [0.0, *steps.tolist()])


def separation(known: FloatArray, unknown: FloatArray) -> Separation:
    """How far unknown parts stand out; one strangeness a part, higher is stranger, one part at least of each kind."""
    ordered, strange = np.sort(known), np.sort(unknown)
    below = np.searchsorted(ordered, strange, side="left")
    up_to = np.searchsorted(ordered, strange, side="right")
    area = float((below + up_to).sum() / (2.0 * len(known) * len(unknown)))
    kept = []
    for share in KEPT_SHARES:
        # The small number takes back what 0.95 × 100 has too much in floating point.
        threshold = float(ordered[int(np.ceil(share * len(known) - 1e-9)) - 1])
        accepted = np.searchsorted(strange, threshold, side="right") / len(unknown)
        kept.append(KeptPoint(share, threshold, float(accepted)))
    steps = np.unique(np.concatenate([known, unknown]))[::-1]
    steps = steps[np.linspace(0, len(steps) - 1, min(len(steps), _MOST_POINTS)).astype(np.int64)]
    rejected = 1.0 - np.searchsorted(ordered, steps, side="left") / len(known)
    found = 1.0 - np.searchsorted(strange, steps, side="left") / len(unknown)
    curve = [(0.0, 0.0), *zip(rejected.tolist(), found.tolist(), strict=True)]
    return Separation(area, tuple(kept), tuple(curve))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
