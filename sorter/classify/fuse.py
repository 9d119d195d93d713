"""Several views of one part into one posterior, without believing the same thing twice.

Views of neighbouring angles show nearly the same picture, so the network errs on them together; and what it gets wrong
about a part (a colour that it never saw) it gets wrong from every side. Both are one correlation between the evidence
of two views, which falls with the angle between them to a floor:

    r(d) = floor + (1 - floor) × exp(-d / range)        d in degrees, the short way round

The logarithms of the probabilities are summed with the weights of the best linear estimate of a common mean, w = R⁻¹ 1
(Aitken 1935). One view weighs 1; the same view twice weighs 1 together; any number of views never more than 1 / floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.types import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_LEAST_PROBABILITY = 1e-6  # no view rules a class out for good
_SAME_DEG = 0.01  # views closer than this are one place
MOST_FLOOR = 0.99  # beyond these, views are so nearly the same that R cannot be inverted
LEAST_RANGE_DEG, MOST_RANGE_DEG = 0.01, 10_000.0


@dataclass(frozen=True)
class Correlation:
    """How much two views say the same; both numbers are measured on held-out bricks and stand in the model's card.

    Args:
        floor: of views however far apart, 0 to 0.99.
        range_deg: the angle in which the rest falls to 1/e, 0.01 to 10,000.
    """

    floor: float
    range_deg: float

    def __post_init__(self) -> None:
        """Refuse what is no correlation."""
        if not 0.0 <= self.floor <= MOST_FLOOR:
            raise ValueError(f"floor is 0 to {MOST_FLOOR}, got {self.floor}")
        if not LEAST_RANGE_DEG <= self.range_deg <= MOST_RANGE_DEG:
            raise ValueError(f"range_deg is {LEAST_RANGE_DEG} to {MOST_RANGE_DEG:,.0f}, got {self.range_deg}")

    def between(self, angles_deg: FloatArray) -> FloatArray:
        """n×n matrix for views at these angles."""
        distance_deg = np.abs((angles_deg[:, None] - angles_deg[None, :] + 180.0) % 360.0 - 180.0)
        return np.asarray(self.floor + (1.0 - self.floor) * np.exp(-distance_deg / self.range_deg))


def evidence_weights(angles_deg: Sequence[float], correlation: Correlation) -> FloatArray:
    """What each view counts, each 0 or more; their sum is the number of independent views that they are worth.

    Raises:
        ValueError: no view, or an angle that is not finite.
    """
    angles = np.asarray(angles_deg, dtype=np.float64) % 360.0
    if not angles.size or not np.isfinite(angles).all():
        raise ValueError(f"views have finite angles in degrees, and there is one at least, got {list(angles_deg)}")
    places, owner, counts = np.unique(
        np.round(angles / _SAME_DEG) % (360.0 / _SAME_DEG), return_inverse=True, return_counts=True
    )
    matrix = correlation.between(places * _SAME_DEG)
    weights = np.linalg.solve(matrix, np.ones(len(places)))
    weights = np.maximum(weights, 0.0)
    shared: FloatArray = (weights / counts)[owner.reshape(-1)]
    return shared


def fuse(predictions: Sequence[Prediction], angles_deg: Sequence[float | None], correlation: Correlation) -> Prediction:
    """The posterior of a part from the predictions of its views, in any order.

    Args:
        predictions: one for each view, with the same labels.
        angles_deg: of the turntable, one for each; None where nobody knows it. Such views are taken for views of one
            place that was seen already, so together they count as one view, or as none beside others.
        correlation: from the model's card.

    Returns:
        Probabilities as ``Prediction``; its novelty is the weighted mean of the views'.

    Raises:
        ValueError: no view, labels that differ, or angles that do not fit.
    """
    if not predictions:
        raise ValueError("a posterior needs one view at least, got none")
    labels = predictions[0].labels
    if any(each.labels != labels for each in predictions):
        raise ValueError("views were classified with different labels")
    if len(angles_deg) != len(predictions):
        raise ValueError(f"{len(predictions)} views have {len(angles_deg)} angles")
    # The same place in whatever order views come.
    place_deg = min((angle % 360.0 for angle in angles_deg if angle is not None), default=0.0)
    weights = evidence_weights([place_deg if angle is None else angle for angle in angles_deg], correlation)
    logs = np.log(np.maximum([each.probabilities for each in predictions], _LEAST_PROBABILITY))
    total = weights @ logs
    raised = np.exp(total - total.max())
    posterior = raised / raised.sum()
    return Prediction(labels, tuple(posterior.tolist()), _mean_novelty(predictions, weights))


def most_helpful_angle(seen_deg: Sequence[float], candidates_deg: Sequence[float], correlation: Correlation) -> float:
    """Of the candidates the one that adds most evidence to the views at ``seen_deg``; of equal ones the nearest ahead.

    Raises:
        ValueError: there is no candidate.
    """
    if not candidates_deg:
        raise ValueError("there is no angle to choose from")
    last = seen_deg[-1] if seen_deg else 0.0

    def worth(angle_deg: float) -> tuple[float, float]:
        gained = float(evidence_weights([*seen_deg, angle_deg], correlation).sum())
        return round(gained, 6), -((angle_deg - last) % 360.0)

    return max(candidates_deg, key=worth)


def _mean_novelty(predictions: Sequence[Prediction], weights: FloatArray) -> float | None:
    scores = [each.novelty for each in predictions]
    if any(score is None for score in scores) or not weights.sum() > 0:
        return None
    return float(np.average(np.array(scores, dtype=np.float64), weights=weights))
