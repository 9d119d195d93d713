"""Posteriors of one view and of several: right or wrong, sure enough or not, known or strange."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sorter.classify import Correlation
from sorter.classify.card import OTHER
from sorter.classify.novelty import energy, entropy
from sorter.training.evaluation import ByViews, UnknownParts, UnknownScore
from sorter.training.metrics import (
    at_threshold,
    expected_calibration_error,
    interval_over_bricks,
    misroute_curve,
    separation,
    softmax,
)
from sorter.training.views import VIEW_COUNTS, fused_views

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.classify import ModelCard
    from sorter.training.scores import Scores
    from sorter.training.views import FusedViews

    FloatArray = NDArray[np.float64]

_NEVER = -1.0  # a posterior that no threshold accepts
_UNKNOWN_VIEWS = (1, max(VIEW_COUNTS))


def strangeness(scores: Scores, card: ModelCard) -> FloatArray:
    """n novelty scores, as the card names them; entropy where it names none."""
    temperature = card.calibration.temperature
    if card.novelty is not None and card.novelty.method == "energy":
        return np.array([energy(row, temperature) for row in scores.logits], dtype=np.float64)
    return np.array([entropy(row) for row in softmax(scores.logits, temperature)], dtype=np.float64)


def by_views(known: Scores, turns: Scores, card: ModelCard) -> dict[int, ByViews | None]:
    """For 1, 2, 4 and 8 views; ``turns`` are those of the known parts that have a place in a revolution."""
    found: dict[int, ByViews | None] = {}
    for count in VIEW_COUNTS:
        fused = _fused(known if count == 1 else turns, count, card)
        found[count] = None if fused is None else _measured(fused, card)
    return found


def unknown_parts(singles: tuple[Scores, Scores], turns: tuple[Scores, Scores], card: ModelCard) -> UnknownParts:
    """Each pair is known and unknown parts, at least one each in ``singles``."""
    method = card.novelty.method if card.novelty is not None else "entropy"
    scores = []
    for count in _UNKNOWN_VIEWS:
        known, strange = (_fused(each, count, card) for each in (singles if count == 1 else turns))
        if known is None or strange is None:
            continue
        scores += [
            UnknownScore(count, method, separation(known.strangeness, strange.strangeness)),
            UnknownScore(count, "posterior", separation(1.0 - known.surest, 1.0 - strange.surest)),
        ]
    pictures = singles[1]
    alone = _fused(pictures, 1, card)
    accepted = [] if alone is None else [_believed(alone, card) >= each.posterior for each in card.thresholds]
    return UnknownParts(
        pictures=len(pictures),
        bricks=len(set(pictures.bricks)),
        classes=tuple(sorted(set(pictures.class_names))),
        accepted_at_card=tuple(float(each.mean()) for each in accepted),
        scores=tuple(scores),
    )


def _fused(scores: Scores, count: int, card: ModelCard) -> FusedViews | None:
    calibration = card.calibration
    correlation = Correlation(calibration.correlation_floor, calibration.correlation_range_deg)
    return fused_views(scores, strangeness(scores, card), count, calibration.temperature, correlation)


def _measured(fused: FusedViews, card: ModelCard) -> ByViews:
    is_right = fused.said == fused.targets
    return ByViews(
        accuracy=float(is_right.mean()),
        interval=interval_over_bricks(is_right.astype(np.float64), fused.bricks),
        revolutions=fused.revolutions,
        expected_calibration_error=expected_calibration_error(fused.surest, is_right),
        curve=misroute_curve(_without_other(fused, card), is_right),
        at_card=tuple(at_threshold(_believed(fused, card), is_right, each.posterior) for each in card.thresholds),
    )


def _without_other(fused: FusedViews, card: ModelCard) -> FloatArray:
    """Posteriors of what was said; what is called ``other`` is rejected however sure it is."""
    is_other = np.array([label == OTHER for label in card.labels])[fused.said]
    return np.where(is_other, _NEVER, fused.surest)


def _believed(fused: FusedViews, card: ModelCard) -> FloatArray:
    """The same, and what is stranger than the card's limit is rejected too: as ``decide`` does."""
    posteriors = _without_other(fused, card)
    if card.novelty is None:
        return posteriors
    return np.where(fused.strangeness > card.novelty.threshold, _NEVER, posteriors)
