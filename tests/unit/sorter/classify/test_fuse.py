"""Several views of one part: never counted twice, never NaN."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.classify import Correlation, evidence_weights, fuse, most_helpful_angle
from sorter.types import Prediction

LABELS = ("3001", "3002", "3003")
CORRELATION = Correlation(floor=0.2, range_deg=30.0)

numbers = st.one_of(st.just(0.0), st.just(1.0), st.just(5e-324), st.floats(0.0, 1.0))
angles = st.floats(-1e9, 1e9)
correlations = st.builds(Correlation, st.floats(0.0, 0.99), st.floats(0.1, 1000.0))


def prediction(weights: tuple[float, ...], novelty: float | None = None) -> Prediction:
    total = math.fsum(weights)
    probabilities = tuple(each / total for each in weights) if total > 1e-300 else (1.0,) + (0.0,) * (len(weights) - 1)
    return Prediction(LABELS, probabilities, novelty)


predictions = st.builds(prediction, st.tuples(numbers, numbers, numbers))
views = st.lists(st.tuples(predictions, angles), min_size=1, max_size=12)


def fused(pairs: list[tuple[Prediction, float]], correlation: Correlation = CORRELATION) -> np.ndarray:
    posterior = fuse([each for each, _ in pairs], [angle for _, angle in pairs], correlation)
    return np.array(posterior.probabilities)


@given(views, correlations)
def test_any_views_give_probabilities_and_never_nan(
    pairs: list[tuple[Prediction, float]], correlation: Correlation
) -> None:
    posterior = fused(pairs, correlation)
    assert np.isfinite(posterior).all()
    assert posterior.sum() == pytest.approx(1.0)


@given(views, st.randoms(use_true_random=False))
def test_the_order_of_views_does_not_matter(pairs: list[tuple[Prediction, float]], random: object) -> None:
    shuffled = pairs.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fused(shuffled) == pytest.approx(fused(pairs), abs=1e-6)


@given(predictions, st.floats(0, 359.9), st.integers(2, 20))
def test_the_same_view_again_and_again_makes_nothing_surer(one: Prediction, angle: float, times: int) -> None:
    assert fused([(one, angle)] * times) == pytest.approx(fused([(one, angle)]), abs=1e-9)


@given(views, st.integers(0, 11), st.integers(2, 5))
def test_repeating_one_of_several_views_changes_nothing(
    pairs: list[tuple[Prediction, float]], which: int, times: int
) -> None:
    repeated = pairs + [pairs[which % len(pairs)]] * times
    places = {round(angle % 360.0 / 0.01) % 36000 for _, angle in pairs}
    if len(places) == len(pairs):  # else two different views stand at one place, and repeating one is a vote
        assert fused(repeated) == pytest.approx(fused(pairs), abs=1e-6)


@given(predictions, angles)
def test_one_view_is_what_the_network_said(one: Prediction, angle: float) -> None:
    assert fused([(one, angle)]) == pytest.approx(np.array(one.probabilities), abs=1e-5)


@given(st.lists(angles, min_size=1, max_size=30), correlations)
def test_evidence_is_at_least_one_view_and_at_most_what_the_floor_allows(
    angles_deg: list[float], correlation: Correlation
) -> None:
    weights = evidence_weights(angles_deg, correlation)
    assert (weights >= 0).all()
    most = min(1 / correlation.floor if correlation.floor else math.inf, len(angles_deg))
    assert 1 - 1e-9 <= weights.sum() <= most + 1e-6


def test_neighbouring_views_are_worth_less_than_spread_ones() -> None:
    neighbours = evidence_weights([6.0 * number for number in range(8)], CORRELATION).sum()
    spread = evidence_weights([45.0 * number for number in range(8)], CORRELATION).sum()
    assert neighbours < 0.6 * spread


@pytest.mark.parametrize("floor", [0.0, 0.3, 0.9])
def test_views_that_agree_make_surer_the_more_they_are_spread(floor: float) -> None:
    one = prediction((0.6, 0.3, 0.1))
    correlation = Correlation(floor, 30.0)
    sure = [fused([(one, 360.0 * k / n) for k in range(n)], correlation)[0] for n in (1, 2, 4, 8)]
    assert sure == sorted(sure)
    assert sure[-1] > sure[0]


def test_a_view_that_rules_a_class_out_does_not_outvote_all_others() -> None:
    wrong, right = prediction((0.0, 1.0, 0.0)), prediction((0.999999, 0.0000005, 0.0000005))
    posterior = fused([(right, 90.0 * number) for number in range(3)] + [(wrong, 315.0)])
    assert posterior.argmax() == 0


def test_views_of_unknown_angles_count_as_one() -> None:
    one = prediction((0.6, 0.3, 0.1))
    assert fuse([one] * 8, [None] * 8, CORRELATION).probabilities == pytest.approx(one.probabilities)


def test_a_view_of_unknown_angle_does_not_devalue_the_others() -> None:
    one = prediction((0.6, 0.3, 0.1))
    known = fuse([one] * 4, [0.0, 90.0, 180.0, 270.0], CORRELATION)
    more = fuse([one] * 5, [0.0, 90.0, 180.0, 270.0, None], CORRELATION)
    assert more.probabilities == pytest.approx(known.probabilities)


def test_a_view_of_unknown_angle_says_the_same_in_any_order() -> None:
    three = [(prediction((0.9, 0.1, 0.0)), 180.0), (prediction((0.2, 0.8, 0.0)), 10.0), (prediction((0, 0, 1)), None)]
    orders = [fuse(*zip(*order, strict=True), CORRELATION).probabilities for order in itertools.permutations(three)]
    assert all(each == pytest.approx(orders[0]) for each in orders)


def test_novelty_is_the_mean_of_the_views_or_unknown() -> None:
    strange, known = prediction((1, 0, 0), 0.8), prediction((1, 0, 0), 0.2)
    assert fuse([strange, known], [0.0, 180.0], CORRELATION).novelty == pytest.approx(0.5)
    assert fuse([strange, prediction((1, 0, 0))], [0.0, 180.0], CORRELATION).novelty is None


@pytest.mark.parametrize(
    ("several", "angles_deg", "what"),
    [
        ([], [], "one view at least"),
        ([prediction((1, 0, 0))], [0.0, 1.0], "1 views have 2 angles"),
        ([prediction((1, 0, 0))], [float("nan")], "finite"),
        ([prediction((1, 0, 0)), Prediction(("a", "b"), (0.5, 0.5))], [0.0, 1.0], "different labels"),
    ],
)
def test_views_that_do_not_belong_together_are_refused(
    several: list[Prediction], angles_deg: list[float], what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        fuse(several, angles_deg, CORRELATION)


@pytest.mark.parametrize(("floor", "range_deg"), [(-0.1, 30), (1.0, 30), (0.2, 0), (0.2, math.inf), (math.nan, 1)])
def test_a_correlation_that_is_none_is_refused(floor: float, range_deg: float) -> None:
    with pytest.raises(ValueError, match="got"):
        Correlation(floor, range_deg)


def test_the_next_look_is_from_the_other_side() -> None:
    candidates = [45.0 * number for number in range(8)]
    assert most_helpful_angle([0.0], candidates, CORRELATION) == 180.0
    assert most_helpful_angle([0.0, 180.0], candidates, CORRELATION) == 270.0  # the nearer ahead of two that are equal
    with pytest.raises(ValueError, match="no angle"):
        most_helpful_angle([0.0], [], CORRELATION)


@given(st.lists(st.floats(0, 359), min_size=1, max_size=6), st.lists(st.floats(0, 359), min_size=1, max_size=8))
def test_the_most_helpful_angle_is_one_of_the_candidates_and_adds_most(
    seen_deg: list[float], candidates_deg: list[float]
) -> None:
    chosen = most_helpful_angle(seen_deg, candidates_deg, CORRELATION)
    gained = [evidence_weights([*seen_deg, each], CORRELATION).sum() for each in candidates_deg]
    assert evidence_weights([*seen_deg, chosen], CORRELATION).sum() == pytest.approx(max(gained), abs=1e-5)


@given(
    st.lists(st.tuples(predictions, st.integers(0, 719), st.integers(-5, 5)), min_size=1, max_size=12),
)
def test_whole_turns_make_no_difference(turned: list[tuple[Prediction, int, int]]) -> None:
    near = [(one, half_deg / 2) for one, half_deg, _ in turned]
    far = [(one, half_deg / 2 + 360.0 * turns) for one, half_deg, turns in turned]
    assert fused(far) == pytest.approx(fused(near), abs=1e-9)


@given(st.lists(angles, min_size=1, max_size=10), angles, correlations)
def test_no_further_view_takes_evidence_away(
    angles_deg: list[float], further_deg: float, correlation: Correlation
) -> None:
    before = evidence_weights(angles_deg, correlation).sum()
    assert evidence_weights([*angles_deg, further_deg], correlation).sum() >= before - 1e-6


@pytest.mark.parametrize(
    "correlation", [Correlation(0.0, 0.01), Correlation(0.99, 10_000.0), Correlation(0.0, 10_000.0)]
)
def test_the_most_and_the_least_correlation_that_may_be_still_give_a_posterior(correlation: Correlation) -> None:
    crowded = [(prediction((0.6, 0.3, 0.1)), 0.01 * number) for number in range(50)]
    assert fused(crowded, correlation).argmax() == 0


def test_the_same_question_gets_the_same_angle() -> None:
    chosen = {most_helpful_angle([0.0, 90.0], [45.0 * number for number in range(8)], CORRELATION) for _ in range(20)}
    assert chosen in ({225.0}, {270.0}, {180.0})
