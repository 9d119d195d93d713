"""From what networks say of bricks that they never saw to what their card says of them: how far to believe it.

Temperature, correlation of views, thresholds and novelty limit are all measured, and each brick weighs the same,
however many pictures there are of it. What could not be measured gets a careful value and a note that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.classify import Correlation
from sorter.classify.card import OTHER, CalibrationCard, NoveltyCard, ThresholdCard
from sorter.classify.fuse import MOST_FLOOR
from sorter.training.errors import TrainingRefused
from sorter.training.fusion import (
    Layout,
    drawn_around,
    drawn_neighbours,
    each_picture,
    in_order,
    log_posteriors,
    log_softmax,
    revolutions_of,
)
from sorter.training.novelty_limit import novelty_limit
from sorter.training.scores import UNKNOWN
from sorter.training.thresholds import look, thresholds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.training.fusion import Draws, Revolution
    from sorter.training.scores import Scores

    FloatArray = NDArray[np.float64]

LEAST_TEMPERATURE, MOST_TEMPERATURE = 0.3, 10.0
CAREFUL = Correlation(floor=0.9, range_deg=20.0)
"""What is taken where nothing was measured: further views count next to nothing."""

_FLOORS = (MOST_FLOOR, *(number / 25.0 for number in range(24, -1, -1)))  # the careful ones first: they win a tie
_RANGES_DEG = (80.0, 40.0, 20.0, 10.0, 5.0)
_SPREADS = (2, 4, 8)
_NEIGHBOURS = 8
_PARTS = 1_000  # so many are drawn for each way of looking
_MOST_PARTS_EACH = 12  # of one revolution
_GOLDEN = (5.0**0.5 - 1.0) / 2.0
_EXACT_LOG = 1e-4  # of the temperature
_BINS = 10
_NEVER_WRONG = ("no view was wrong, so nothing shows how far certainty may go: the temperature stays 1",)
_NO_PART = (f"every known part is of class {OTHER}: there is no novelty limit",)


@dataclass(frozen=True)
class Calibrated:
    """What goes into a model's card.

    Args:
        calibration: temperature and correlation.
        thresholds: as the card wants them, one at least.
        novelty: None where neither score tells unknown parts, or no known part is to be taken for a class.
        expected_calibration_error: of single views at that temperature, 0 to 1: how far what is claimed and what is
            right are apart on the mean, in ten bins (Guo et al. 2017).
        notes: what could not be measured or is coarse, for people.
    """

    calibration: CalibrationCard
    thresholds: tuple[ThresholdCard, ...]
    novelty: NoveltyCard | None
    expected_calibration_error: float
    notes: tuple[str, ...]


def calibrate(scores: Scores, *, seed: int = 0) -> Calibrated:
    """Measure what a card says of its network's certainty.

    Args:
        scores: of bricks that the network that scored them never saw, whole revolutions where there are any. Pictures
            of UNKNOWN class serve the novelty limit alone. Where several networks scored the same picture, its
            revolution has another name for each, or their views would be mixed.
        seed: of which views are drawn. The order of the pictures changes nothing.

    Raises:
        TrainingRefused: no picture is of a known class, there are fewer than two classes, or a logit is no number.
    """
    _refuse_nothing(scores)
    scores = in_order(scores)
    revolutions = revolutions_of(scores)
    known = [each for each in revolutions if each.target != UNKNOWN]
    strange = [each for each in revolutions if each.target == UNKNOWN]
    singles = each_picture(known)
    has_errors = bool((scores.logits[singles.rows[:, 0]].argmax(axis=1) != singles.targets).any())

    temperature, on_temperature = _temperature(scores.logits, singles) if has_errors else (1.0, _NEVER_WRONG)
    logs = log_softmax(scores.logits / temperature)
    correlation, on_correlation = _correlation(logs, known, has_errors=has_errors, seed=seed)
    thresholds, on_thresholds = thresholds_of(look(logs, scores.labels, known, correlation, seed=seed))
    parts = [each for each in known if scores.labels[each.target] != OTHER]
    novelty, on_novelty = (
        novelty_limit(scores.logits, temperature, parts, strange, correlation, seed=seed) if parts else (None, _NO_PART)
    )
    return Calibrated(
        calibration=CalibrationCard(
            temperature=temperature,
            correlation_floor=correlation.floor,
            correlation_range_deg=correlation.range_deg,
        ),
        thresholds=thresholds,
        novelty=novelty,
        expected_calibration_error=_calibration_error(logs, singles),
        notes=(*on_temperature, *on_correlation, *on_thresholds, *on_novelty),
    )


def _refuse_nothing(scores: Scores) -> None:
    if not scores.is_known.any():
        raise TrainingRefused(
            f"there is nothing to calibrate on: of {len(scores):,} held-out pictures none is of a known class",
            remedy="Photograph more bricks of each class, so that some of each can be held out.",
        )
    if len(scores.labels) < 2:
        raise TrainingRefused(
            f"there is nothing to calibrate: {scores.labels[0]} is the only class",
            remedy="Train on two classes at least.",
        )
    is_number = np.isfinite(scores.logits).all(axis=1)
    if not is_number.all():
        raise TrainingRefused(
            f"what the network says of {scores.paths[int(is_number.argmin())]} is no number",
            remedy="Its training went astray: train anew at a lower rate.",
        )


def _temperature(logits: FloatArray, singles: Draws) -> tuple[float, tuple[str, ...]]:
    """At which single views are likeliest, and notes.

    The loss is convex in 1 / temperature, so in its logarithm it falls and then rises: golden sections find the least.
    """
    said = logits[singles.rows[:, 0]]

    def loss(log_temperature: float) -> float:
        return _loss(log_softmax(said / np.exp(log_temperature)), singles)

    low, high = float(np.log(LEAST_TEMPERATURE)), float(np.log(MOST_TEMPERATURE))
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > _EXACT_LOG:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
    found = float(np.exp((low + high) / 2.0))
    at_limit = [each for each in (LEAST_TEMPERATURE, MOST_TEMPERATURE) if abs(np.log(found / each)) < 2.0 * _EXACT_LOG]
    return found, tuple(f"the temperature is at its limit of {each:g}: certainty says little" for each in at_limit)


def _correlation(
    logs: FloatArray, known: list[Revolution], *, has_errors: bool, seed: int
) -> tuple[Correlation, tuple[str, ...]]:
    """At which parts of several views, spread ones and neighbours, are likeliest; by grid. And notes.

    Where nobody knows the angles, views that are drawn by chance stand for both, and only the floor counts.
    """
    several = [each for each in known if len(each.rows) > 1]
    if not several or not has_errors:
        why = "no view was wrong" if several else "no revolution has two pictures"
        taken = f"the correlation is taken for {CAREFUL.floor:g}, the range for {CAREFUL.range_deg:g} deg"
        return CAREFUL, (f"{why}, so nothing shows how views err together: {taken}",)
    repeats = int(np.clip(_PARTS // len(several), 1, _MOST_PARTS_EACH))
    rng = np.random.default_rng([seed, 1])
    groups = [drawn_around(several, np.arange(count) * 360.0 / count, repeats, rng) for count in _SPREADS]
    groups.append(drawn_neighbours(several, _NEIGHBOURS, repeats, rng))
    layouts = [(draws, Layout(draws.angles_deg, draws.rows)) for draws in groups]

    def loss(correlation: Correlation) -> float:
        losses = [
            _loss(log_posteriors(logs, draws.rows, layout.weights(correlation)), draws) for draws, layout in layouts
        ]
        return round(sum(losses), 9)

    without = sum(each.angles_deg is None for each in several)
    ranges_deg = _RANGES_DEG if without < len(several) else (CAREFUL.range_deg,)
    best = min((Correlation(floor, range_deg) for floor in _FLOORS for range_deg in ranges_deg), key=loss)
    if not without:
        return best, ()
    note = f"of {len(several)} revolutions {without} have no angles: their views count as far apart from each other"
    return best, (note + (f", and the range is taken for {best.range_deg:g} deg" if len(ranges_deg) == 1 else ""),)


def _loss(logs: FloatArray, draws: Draws) -> float:
    """Mean negative log likelihood of d parts (logs: d×c)."""
    return -float(draws.weights @ np.take_along_axis(logs, draws.targets[:, None], axis=1)[:, 0])


def _calibration_error(logs: FloatArray, singles: Draws) -> float:
    said = np.exp(logs[singles.rows[:, 0]])
    sure, is_right = said.max(axis=1), said.argmax(axis=1) == singles.targets
    bins = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    apart = np.bincount(bins, weights=singles.weights * (sure - is_right), minlength=_BINS)
    return float(np.abs(apart).sum())
