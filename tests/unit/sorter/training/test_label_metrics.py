"""Numbers that say how well each label is told: what they must hold for whatever a network says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.training.label_metrics import (
    average_precision,
    best_threshold,
    interval_over_pictures,
    label_score,
    mean_average_precision,
    thresholds_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

unhurried = settings(deadline=None, max_examples=100)
Pairs = list[tuple[float, bool]]
pairs = st.lists(st.tuples(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.3, 1.0, 7.0]), st.booleans()), min_size=1)


def apart(drawn: Pairs) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.array([score for score, _ in drawn]), np.array([is_there for _, is_there in drawn])


def by_hand(drawn: Pairs) -> float:
    """The definition, threshold by threshold: recall gained times the best precision from there on."""
    there = sum(is_there for _, is_there in drawn)
    points = []
    for threshold in sorted({score for score, _ in drawn}, reverse=True):
        said = [is_there for score, is_there in drawn if score >= threshold]
        points.append((sum(said) / there, sum(said) / len(said)))
    area, before = 0.0, 0.0
    for place, (recall, _) in enumerate(points):
        area += (recall - before) * max(precision for _, precision in points[place:])
        before = recall
    return area


@unhurried
@given(pairs)
def test_average_precision_is_the_area_under_the_interpolated_curve(drawn: Pairs) -> None:
    scores, is_there = apart(drawn)
    found = average_precision(scores, is_there)
    if not is_there.any():
        assert found is None
        return
    assert found is not None
    assert found == pytest.approx(by_hand(drawn))
    assert is_there.mean() - 1e-9 <= found <= 1.0 + 1e-9, "naming everything is as precise as pictures are common"


@unhurried
@given(pairs, st.randoms())
def test_the_order_of_pictures_changes_nothing(drawn: Pairs, random: object) -> None:
    shuffled = list(drawn)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = average_precision(*apart(drawn)), average_precision(*apart(shuffled))
    assert one == other or (one is not None and one == pytest.approx(other))


@unhurried
@given(pairs, st.floats(0.1, 5.0), st.floats(-3.0, 3.0))
def test_only_the_order_of_scores_matters(drawn: Pairs, factor: float, more: float) -> None:
    scores, is_there = apart(drawn)
    one, other = average_precision(scores, is_there), average_precision(np.tanh(scores * factor / 40) + more, is_there)
    assert one is None or one == pytest.approx(other)


@unhurried
@given(st.lists(st.booleans(), min_size=1).filter(any))
def test_a_network_that_is_always_right_has_a_perfect_score(truth: list[bool]) -> None:
    is_there = np.array(truth)
    assert average_precision(np.where(is_there, 2.0, -1.0), is_there) == pytest.approx(1.0)
    targets = is_there[:, None].astype(np.float32)
    scores = np.where(targets > 0, 2.0, -1.0)
    assert mean_average_precision(scores, targets) == pytest.approx(1.0)
    interval = interval_over_pictures(scores, targets, resamples=100)
    assert interval is None or interval == pytest.approx((1.0, 1.0))


def test_a_known_case() -> None:
    """Right, wrong, right: precisions 1, 1/2, 2/3 at recalls 1/2, 1/2, 1."""
    scores, is_there = np.array([3.0, 2.0, 1.0]), np.array([True, False, True])
    assert average_precision(scores, is_there) == pytest.approx(0.5 * 1.0 + 0.5 * 2 / 3)


def test_undecided_pictures_stand_in_no_rate() -> None:
    scores = np.array([2.0, 1.0, -1.0, 5.0, -5.0])
    score = label_score(scores, np.array([1.0, 0.0, 1.0, -1.0, -1.0], np.float32), 0.0)
    assert (score.there, score.absent, score.undecided, score.said) == (2, 1, 2, 2)
    assert (score.precision, score.recall) == (0.5, 0.5)
    assert score.average_precision == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_label_that_is_nowhere_has_no_share_and_is_in_no_mean() -> None:
    targets = np.array([[1.0, 0.0], [0.0, 0.0]], np.float32)
    scores = np.array([[1.0, 3.0], [0.0, -3.0]])
    nothing = label_score(scores[:, 1], targets[:, 1], 5.0)
    assert (nothing.precision, nothing.recall, nothing.average_precision) == (None, None, None)
    assert mean_average_precision(scores, targets) == pytest.approx(1.0)
    assert mean_average_precision(scores[:, 1:], targets[:, 1:]) is None
    assert interval_over_pictures(scores[:, 1:], targets[:, 1:]) is None


@unhurried
@given(pairs, st.sampled_from(["f1", "right"]))
def test_no_threshold_is_better_than_the_one_that_is_chosen(drawn: Pairs, aim: str) -> None:
    scores, is_there = apart(drawn)
    targets = is_there.astype(np.float32)
    chosen = best_threshold(scores, targets, aim)  # type: ignore[arg-type]

    def worth(threshold: float) -> float:
        said = scores >= threshold
        if aim == "right":
            return float((said == is_there).mean())
        right = int((said & is_there).sum())
        return 2 * right / max(1, int(said.sum()) + int(is_there.sum()))

    assert math.isfinite(chosen)
    if not is_there.any() or is_there.all():
        assert chosen == 0.0, "of one kind alone nothing can be learnt"
        return
    values = np.unique(scores)
    if len(values) > 1:
        others = (values[:-1] + values[1:]) / 2
        assert worth(chosen) == pytest.approx(max(worth(each) for each in others.tolist()))


def test_thresholds_lie_half_way_between_what_they_part() -> None:
    logits = np.array([[-3.0, -1.0], [-1.0, -1.0], [1.0, 4.0], [3.0, 5.0]])
    targets = np.array([[0, 0], [0, 0], [1, 1], [1, -1]], np.float32)
    assert thresholds_of(logits, targets, ["f1", "right"]) == [0.0, 1.5]


def test_an_interval_is_wider_with_fewer_pictures_and_the_same_every_time() -> None:
    rng = np.random.default_rng(1)
    targets = (rng.random((400, 3)) < 0.4).astype(np.float32)
    scores = targets + rng.normal(0.0, 0.8, targets.shape)
    few, many = (interval_over_pictures(scores[:count], targets[:count], resamples=200) for count in (40, 400))
    assert few is not None
    assert many is not None
    mean = mean_average_precision(scores, targets)
    assert mean is not None
    assert many[0] < mean < many[1]
    assert many[1] - many[0] < few[1] - few[0]
    assert many == interval_over_pictures(scores, targets, resamples=200)
    assert interval_over_pictures(scores[:1], targets[:1]) is None
