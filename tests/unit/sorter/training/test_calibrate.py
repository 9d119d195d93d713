"""Calibration: what the card says of certainty is what was measured, and careful where nothing was."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.classify import Correlation, evidence_weights, fuse
from sorter.classify.card import ThresholdCard
from sorter.training.calibrate import CAREFUL, LEAST_TEMPERATURE, MOST_TEMPERATURE, Calibrated, calibrate
from sorter.training.errors import TrainingRefused
from sorter.training.fusion import Layout, drawn_around, in_order, log_posteriors, log_softmax, revolutions_of
from sorter.training.novelty_limit import Told, area_under_roc
from sorter.training.scores import UNKNOWN, Scores, joined
from sorter.training.thresholds import RATES, Looks, misroutes, thresholds_of
from sorter.types import Prediction

LABELS = ("3001", "3002", "3003", "3004")
NAN = float("nan")


def scores_of(
    logits: np.ndarray,
    targets: np.ndarray,
    *,
    views: int,
    angles: bool = True,
    name: str = "brick",
    labels: tuple[str, ...] = LABELS,
) -> Scores:
    """Bricks of one revolution each, with so many views at even angles."""
    count = len(targets)
    bricks = tuple(f"{name}-{row // views}" for row in range(count))
    return Scores(
        labels=labels,
        logits=logits.astype(np.float64),
        targets=targets.astype(np.int64),
        class_names=tuple("strange" if each == UNKNOWN else labels[each] for each in targets),
        paths=tuple(f"{name}/{row}.jpg" for row in range(count)),
        bricks=bricks,
        revolutions=bricks,
        angles_deg=np.arange(count) % views * 360.0 / views if angles else np.full(count, NAN),
    )


@cache
def made(
    *, shared: float, bricks: int = 100, views: int = 12, scale: float = 1.0, angles: bool = True, seed: int = 1
) -> Scores:
    """Logits that are calibrated but for ``scale``: evidence for the true class is Gaussian, with the log-odds of the
    classes as its mean. ``shared`` is the share of its variance that all views of a brick have in common.
    """
    rng = np.random.default_rng(seed)
    classes, spread = len(LABELS), 2.0
    targets = rng.integers(classes, size=bricks)
    noise = np.sqrt(shared) * rng.normal(size=(bricks, 1, classes))
    noise = noise + np.sqrt(1.0 - shared) * rng.normal(size=(bricks, views, classes))
    # With class c seen as N(spread × onehot, spread × I), the logits of the posterior are the observation itself.
    logits = np.sqrt(spread) * noise + spread * np.eye(classes)[targets][:, None, :]
    return scores_of(scale * logits.reshape(-1, classes), np.repeat(targets, views), views=views, angles=angles)


@cache
def usual() -> Calibrated:
    return calibrate(made(shared=0.4))


def strange(logits: np.ndarray, views: int) -> Scores:
    return scores_of(logits, np.full(len(logits), UNKNOWN), views=views, name="strange")


@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_a_network_that_is_too_sure_or_not_sure_enough_is_put_right(scale: float) -> None:
    found = calibrate(made(shared=0.0, scale=scale))
    assert found.calibration.temperature == pytest.approx(scale, rel=0.1)
    assert found.expected_calibration_error < 0.03


def test_certainty_that_cannot_be_put_right_is_told() -> None:
    found = calibrate(made(shared=0.0, scale=100.0))
    assert found.calibration.temperature == pytest.approx(MOST_TEMPERATURE, rel=1e-3)
    assert any("temperature is at its limit of 10" in note for note in found.notes)
    found = calibrate(made(shared=0.0, scale=0.01))
    assert found.calibration.temperature == pytest.approx(LEAST_TEMPERATURE, rel=1e-3)


@pytest.mark.parametrize("angles", [True, False])
def test_views_that_err_apart_count_and_views_that_err_together_do_not(angles: bool) -> None:
    apart, half, together = (
        calibrate(made(shared=shared, angles=angles)).calibration.correlation_floor for shared in (0.0, 0.4, 1.0)
    )
    assert apart <= 0.1
    assert half == pytest.approx(0.4, abs=0.15)
    assert together >= 0.9


def test_neighbours_that_err_together_while_far_views_do_not_get_a_range() -> None:
    views, bricks, range_deg = 72, 80, 20.0
    rng = np.random.default_rng(3)
    root = np.linalg.cholesky(Correlation(0.0, range_deg).between(np.arange(views) * 5.0) + 1e-9 * np.eye(views))
    targets = rng.integers(4, size=bricks)
    noise = np.einsum("vw,bwc->bvc", root, rng.normal(size=(bricks, views, 4)))
    logits = np.sqrt(2.0) * noise + 2.0 * np.eye(4)[targets][:, None, :]
    found = calibrate(scores_of(logits.reshape(-1, 4), np.repeat(targets, views), views=views)).calibration
    assert found.correlation_floor <= 0.15
    assert 10.0 <= found.correlation_range_deg <= 40.0


def test_without_angles_the_range_is_careful_and_the_card_s_owner_hears_of_it() -> None:
    found = calibrate(made(shared=0.4, angles=False))
    assert found.calibration.correlation_range_deg == CAREFUL.range_deg
    assert any("have no angles" in note and "range is taken for 20 deg" in note for note in found.notes)
    others = made(shared=0.4, angles=False)
    some = joined([made(shared=0.4), dataclasses.replace(others, bricks=("another",) * len(others))])
    assert any("have no angles" in note and "range" not in note for note in calibrate(some).notes)


def test_pictures_without_an_angle_beside_those_with_one_do_no_harm() -> None:
    whole = made(shared=0.4)
    angles_deg = whole.angles_deg.copy()
    angles_deg[3::12] = NAN
    found = calibrate(dataclasses.replace(whole, angles_deg=angles_deg))
    assert not any("angles" in note for note in found.notes)
    assert found.calibration.correlation_floor == pytest.approx(usual().calibration.correlation_floor, abs=0.1)


def test_single_pictures_are_enough_for_a_card_that_does_not_believe_in_more_views() -> None:
    found = calibrate(made(shared=0.0, bricks=400, views=1))
    assert found.calibration.correlation_floor == CAREFUL.floor
    assert found.calibration.temperature == pytest.approx(1.0, rel=0.15)
    assert any("no revolution has two pictures" in note for note in found.notes)


def test_a_network_that_was_never_wrong_is_not_made_surer_than_it_says() -> None:
    targets = np.repeat([0, 1, 2, 3], 8)
    found = calibrate(scores_of(3.0 * np.eye(4)[targets], targets, views=8))
    assert found.calibration.temperature == 1.0
    assert found.calibration.correlation_floor == CAREFUL.floor
    assert any("no view was wrong" in note for note in found.notes)


def test_four_bricks_that_were_right_by_luck_do_not_allow_the_strictest_rate() -> None:
    targets = np.repeat([0, 1, 2, 3], 8)
    found = calibrate(scores_of(1.0 * np.eye(4)[targets], targets, views=8))
    assert found.thresholds[0].misroute_rate > 0.05
    assert any("rest on no more than 4 bricks" in note for note in found.notes)


def test_one_brick_gives_a_card_with_its_doubts() -> None:
    found = calibrate(scores_of(np.array([[2.0, 0.0, 0.0, 0.0]]), np.array([0]), views=1))
    assert len(found.thresholds) >= 1
    assert any("rest on no more than 1 bricks" in note for note in found.notes)


def test_a_brick_of_many_pictures_weighs_no_more_than_another() -> None:
    base = made(shared=0.4, bricks=40)
    rows = np.concatenate([np.arange(len(base)), np.repeat(np.arange(12), 30)])
    heavy = base.taken(rows)
    one, other = calibrate(base), calibrate(heavy)
    assert other.calibration.temperature == pytest.approx(one.calibration.temperature, rel=1e-6)
    assert other.expected_calibration_error == pytest.approx(one.expected_calibration_error, abs=1e-9)


def test_bricks_that_are_wrong_and_sure_of_it_make_the_network_less_sure_and_more_views_worth_less() -> None:
    good = made(shared=0.4, bricks=60)
    targets = np.repeat(np.arange(8) % 4, 12)
    wrong = scores_of(6.0 * np.eye(4)[(targets + 1) % 4], targets, views=12, name="wrong")
    before, after = calibrate(good), calibrate(joined([good, wrong]))
    assert after.calibration.temperature > 1.3 * before.calibration.temperature
    assert after.calibration.correlation_floor > before.calibration.correlation_floor + 0.2
    assert after.thresholds[0].misroute_rate > before.thresholds[0].misroute_rate


def test_wrong_parts_that_are_sure_make_the_rig_ask_for_more() -> None:
    sure = np.linspace(0.3, 0.9999, 400)[:, None]
    is_right = (np.arange(400) % 50 != 0)[:, None]
    worse = is_right.copy()
    worse[[360, 370, 390]] = False
    cards, _ = thresholds_of(Looks(sure, is_right, np.full(400, 1 / 400), bricks=400))
    stricter, _ = thresholds_of(Looks(sure, worse, np.full(400, 1 / 400), bricks=400))
    assert [each.misroute_rate for each in cards] == [each.misroute_rate for each in stricter] == list(RATES)
    assert all(each.posterior >= card.posterior for each, card in zip(stricter, cards, strict=True))
    assert stricter[2].posterior > cards[2].posterior


def test_the_rates_hold_on_parts_that_were_not_measured() -> None:
    found = calibrate(made(shared=0.4, bricks=300))
    fresh = made(shared=0.4, bricks=2000, views=8, seed=9)
    correlation = Correlation(found.calibration.correlation_floor, found.calibration.correlation_range_deg)
    logs = log_softmax(fresh.logits / found.calibration.temperature)
    rows = np.arange(len(fresh)).reshape(-1, 8)
    weights = evidence_weights(fresh.angles_deg[:8].tolist(), correlation)
    posteriors = np.exp(log_posteriors(logs, rows, np.broadcast_to(weights, rows.shape)))
    is_wrong = posteriors.argmax(axis=1) != fresh.targets[::8]
    for each in found.thresholds:
        accepted = posteriors.max(axis=1) >= each.posterior
        assert is_wrong[accepted].mean() <= 2.0 * each.misroute_rate


weights_of_classes = st.lists(st.floats(-20.0, 20.0), min_size=3, max_size=3)


@st.composite
def any_scores(draw: st.DrawFn) -> Scores:
    count = draw(st.integers(1, 14))
    logits = np.array(draw(st.lists(weights_of_classes, min_size=count, max_size=count)))
    targets = np.array(draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count)))
    targets[0] = max(targets[0], 0)
    angles = draw(st.lists(st.one_of(st.just(NAN), st.floats(-400.0, 400.0)), min_size=count, max_size=count))
    turns = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    labels = ("3001", "3002", draw(st.sampled_from(["3003", "other"])))
    return Scores(
        labels=labels,
        logits=logits,
        targets=targets,
        class_names=tuple("strange" if each == UNKNOWN else labels[each] for each in targets),
        paths=tuple(f"{row}.jpg" for row in range(count)),
        bricks=tuple(f"brick {turn // 2}" for turn in turns),
        revolutions=tuple(f"turn {turn}" for turn in turns),
        angles_deg=np.array(angles),
    )


@settings(max_examples=25, deadline=None)
@given(any_scores(), st.integers(0, 3), st.randoms(use_true_random=False))
def test_whatever_was_held_out_the_card_accepts_the_result_whose_pictures_come_in_any_order(
    scores: Scores, seed: int, random: object
) -> None:
    found = calibrate(scores, seed=seed)
    assert found.thresholds
    for earlier, later in zip(found.thresholds, found.thresholds[1:], strict=False):
        assert earlier.misroute_rate < later.misroute_rate
        assert earlier.posterior >= later.posterior
    assert 0.0 <= found.expected_calibration_error <= 1.0
    if found.novelty is not None:
        assert found.novelty.known_rejected_share <= 0.05 + 1e-9
        assert (found.novelty.unknown_found_share is not None) == bool((scores.targets == UNKNOWN).any())
    rows = list(range(len(scores)))
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert calibrate(scores.taken(np.array(rows)), seed=seed) == found


def test_the_same_seed_gives_the_same_card() -> None:
    scores = made(shared=0.4, angles=False)
    assert calibrate(scores, seed=3) == calibrate(scores, seed=3)


def test_a_threshold_is_what_the_rig_would_do_when_it_stops_at_the_first_sure_look() -> None:
    rng = np.random.default_rng(0)
    looks = Looks(
        sure=np.round(rng.random((60, 4)), 2),
        is_right=rng.random((60, 4)) < 0.7,
        weights=np.full(60, 1 / 60),
        bricks=60,
    )
    found = misroutes(looks)
    for number, posterior in enumerate(found.posteriors):
        decided = [np.flatnonzero(sure >= posterior) for sure in looks.sure]
        right = [looks.is_right[part, hits[0]] for part, hits in enumerate(decided) if hits.size]
        assert found.accepted[number] == pytest.approx(len(right) / 60)
        assert found.wrong[number] == pytest.approx(1.0 - np.mean(right))


def test_a_rate_that_nothing_keeps_is_not_in_the_card() -> None:
    sure = np.linspace(0.5, 0.999, 400)[:, None]
    every_70th = Looks(sure, ((399 - np.arange(400)) % 70 != 0)[:, None], np.full(400, 1 / 400), bricks=400)
    cards, notes = thresholds_of(every_70th)
    assert [each.misroute_rate for each in cards] == [0.02, 0.05]
    assert notes == ("no posterior keeps misroutes at 0.5 % or 1 %: the model does not offer it",)
    every_10th = dataclasses.replace(every_70th, is_right=((399 - np.arange(400)) % 10 != 0)[:, None])
    cards, notes = thresholds_of(every_10th)
    assert len(cards) == 1
    assert 0.05 < cards[0].misroute_rate < 0.12
    assert any("no posterior keeps misroutes at 5 %" in note for note in notes)


def test_parts_of_the_class_other_are_never_taken_for_a_class() -> None:
    labels = ("3001", "other")
    targets = np.repeat([1, 1, 1], 4)
    found = calibrate(scores_of(5.0 * np.eye(2)[targets], targets, views=4, labels=labels))
    assert found.thresholds == (ThresholdCard(misroute_rate=1.0, posterior=1.0),)
    assert found.novelty is None


def test_without_unknown_parts_the_entropy_rejects_one_known_part_in_twenty() -> None:
    found = usual()
    assert found.novelty is not None
    assert found.novelty.method == "entropy"
    assert found.novelty.known_rejected_share == pytest.approx(0.05, abs=0.01)
    assert found.novelty.unknown_found_share is None
    assert any("no picture shows an unknown part" in note for note in found.notes)


def test_the_score_that_tells_unknown_parts_best_is_taken() -> None:
    known = made(shared=0.4)
    rng = np.random.default_rng(5)
    flat = calibrate(joined([known, strange(rng.normal(0.0, 0.2, (96, 4)) + 2.0, 12)])).novelty
    assert flat is not None
    assert flat.method == "entropy"
    # As sure as any of one class, but all logits are low: only the energy sees that.
    low = calibrate(joined([known, strange(known.logits[:96] - 20.0, 12)])).novelty
    assert low is not None
    assert low.method == "energy"
    assert low.unknown_found_share == pytest.approx(1.0)


def test_a_score_that_takes_known_parts_for_strange_is_not_used() -> None:
    known = made(shared=0.4)
    found = calibrate(joined([known, strange(40.0 * np.eye(4)[np.zeros(96, int)], 12)]))
    assert found.novelty is None
    assert any("look no stranger" in note for note in found.notes)


def test_unknown_parts_change_nothing_but_the_novelty() -> None:
    known = made(shared=0.4)
    one, other = usual(), calibrate(joined([known, strange(np.zeros((96, 4)), 12)]))
    assert (one.calibration, one.thresholds) == (other.calibration, other.thresholds)
    assert other.expected_calibration_error == one.expected_calibration_error


def test_the_area_under_the_curve_counts_pairs() -> None:
    known = Told(np.array([0.0, 1.0, 1.0]), np.full(3, 1 / 3))
    assert area_under_roc(known, Told(np.array([1.0, 2.0]), np.full(2, 0.5))) == pytest.approx((1 + 0.5 + 0.5 + 3) / 6)


angles_of_a_part = st.lists(st.floats(-720.0, 720.0), min_size=4, max_size=4)


@settings(deadline=None)
@given(
    st.lists(angles_of_a_part, min_size=1, max_size=4),
    st.sets(st.integers(0, 3), max_size=2),
    st.builds(Correlation, st.floats(0.0, 0.99), st.floats(1.0, 200.0)),
)
def test_many_parts_are_fused_as_the_rig_fuses_one(
    parts: list[list[float]], same: set[int], correlation: Correlation
) -> None:
    angles_deg = np.array(parts)
    angles_deg[:, list(same)] = angles_deg[:, :1]  # views of one place
    rows = np.arange(angles_deg.size).reshape(angles_deg.shape)
    logs = log_softmax(np.random.default_rng(len(parts)).normal(0.0, 12.0, (angles_deg.size, 3)))
    weights = Layout(angles_deg, rows).weights(correlation)
    posteriors = np.exp(log_posteriors(logs, rows, weights))
    for part, part_angles in enumerate(angles_deg.tolist()):
        assert weights[part] == pytest.approx(evidence_weights(part_angles, correlation), abs=1e-4)
        views = [Prediction(("a", "b", "c"), tuple(np.exp(logs[row]).tolist())) for row in rows[part]]
        fused = fuse(views, part_angles, correlation)
        assert posteriors[part] == pytest.approx(np.array(fused.probabilities), abs=1e-3)


def test_views_are_drawn_from_where_the_rig_would_look() -> None:
    scores = in_order(made(shared=0.0, bricks=1, views=72))
    draws = drawn_around(revolutions_of(scores), np.array([0.0, 180.0, 92.0]), 5, np.random.default_rng(0))
    ahead = (draws.angles_deg - draws.angles_deg[:, :1]) % 360.0
    assert ahead == pytest.approx(np.tile([0.0, 180.0, 90.0], (5, 1)))
    assert scores.angles_deg[draws.rows] == pytest.approx(draws.angles_deg)


def test_views_without_angles_are_drawn_once_each() -> None:
    scores = in_order(made(shared=0.0, bricks=2, views=12, angles=False))
    draws = drawn_around(revolutions_of(scores), np.arange(8) * 45.0, 5, np.random.default_rng(0))
    assert np.isnan(draws.angles_deg).all()
    assert all(len(set(rows)) == 8 for rows in draws.rows.tolist())


def test_nothing_to_calibrate_on_is_refused_with_a_remedy() -> None:
    for scores in (made(shared=0.0).taken(np.array([], dtype=np.int64)), strange(np.zeros((4, 4)), 4)):
        with pytest.raises(TrainingRefused, match="nothing to calibrate on") as refused:
            calibrate(scores)
        assert "Photograph more bricks" in refused.value.remedy


def test_one_class_and_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(TrainingRefused, match="3001 is the only class"):
        calibrate(scores_of(np.zeros((2, 1)), np.zeros(2, int), views=2, labels=("3001",)))
    with pytest.raises(TrainingRefused, match=r"brick/1\.jpg is no number"):
        calibrate(scores_of(np.array([[0.0] * 4, [NAN] * 4]), np.zeros(2, int), views=2))
