"""A number on an evaluation's page is what its name says, and never better than the pictures are."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.training.metrics import (
    at_threshold,
    confused_pairs,
    confusion,
    expected_calibration_error,
    interval_over_bricks,
    misroute_curve,
    per_class,
    reliability,
    separation,
    softmax,
)
from tests.unit.sorter.training.said import LABELS, scores_of, single

shares = st.floats(0.0, 1.0)
answers = st.lists(st.tuples(shares, st.booleans()), min_size=1, max_size=60)
strangenesses = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=30)
of_bricks = st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef")), min_size=1, max_size=60)


def columns(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


MIXED = scores_of(
    [
        single("bar", "bar", brick="bar-red"),
        single("bar", "bar", brick="bar-blue"),
        single("bar", "disc", 1.0, brick="bar-blue"),
        single("bar", "disc", 5.0, brick="bar-blue"),
        single("disc", "disc", brick="disc-red"),
        single("disc", "bar", brick="disc-red"),
        single("wedge", "bar", brick="wedge-red"),
    ]
)


def test_shares_of_a_class_are_of_its_pictures_and_unknown_parts_are_in_none() -> None:
    assert confusion(MIXED).tolist() == [[2, 2, 0], [1, 1, 0], [0, 0, 0]]
    found = per_class(MIXED)
    assert list(found) == list(LABELS)
    bar, disc, square = found.values()
    assert (bar.pictures, bar.bricks, bar.recall, bar.precision) == (4, 2, 0.5, 2 / 3)
    assert bar.f1 == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))
    assert (disc.pictures, disc.bricks, disc.recall, disc.precision, disc.f1) == (2, 1, 0.5, 1 / 3, 0.4)
    assert (square.pictures, square.bricks, square.recall, square.precision, square.f1) == (0, 0, None, None, None)


def test_the_commonest_confusion_comes_first_and_shows_its_surest_mistakes() -> None:
    first, second = confused_pairs(MIXED)
    assert (first.class_name, first.said, first.pictures, first.share, first.rows) == ("bar", "disc", 2, 0.5, (3, 2))
    assert (second.class_name, second.said, second.pictures, second.rows) == ("disc", "bar", 1, (5,))
    assert confused_pairs(MIXED, most=1) == (first,)


def test_probabilities_add_up_however_extreme_the_logits_are() -> None:
    found = softmax(np.array([[1000.0, 0.0], [-1000.0, -1000.0], [math.log(3.0), 0.0]]))
    assert found == pytest.approx(np.array([[1.0, 0.0], [0.5, 0.5], [0.75, 0.25]]))
    assert softmax(np.array([[2.0 * math.log(3.0), 0.0]]), 2.0)[0] == pytest.approx([0.75, 0.25])


def test_a_calibration_error_by_hand() -> None:
    posterior = np.array([0.95, 0.95, 0.55, 0.55, 0.55, 0.55])
    is_right = np.array([True, False, True, True, True, False])
    # Two pictures 0.45 too sure, four 0.2 not sure enough.
    assert expected_calibration_error(posterior, is_right) == pytest.approx((2 * 0.45 + 4 * 0.2) / 6)
    low, high = reliability(posterior, is_right)
    assert (low.low, low.high, low.pictures, low.accuracy) == (0.5, 0.6, 4, 0.75)
    assert (high.pictures, high.mean_posterior, high.accuracy) == (2, pytest.approx(0.95), 0.5)


@given(st.lists(st.integers(0, 10), min_size=1, max_size=8))
def test_who_is_right_as_often_as_promised_has_no_calibration_error(tenths: list[int]) -> None:
    posterior = np.concatenate([np.full(10, each / 10) for each in tenths])
    is_right = np.concatenate([np.arange(10) < each for each in tenths])
    assert expected_calibration_error(posterior, is_right) == pytest.approx(0.0, abs=1e-9)


@given(answers, st.randoms(use_true_random=False))
def test_every_answer_is_in_one_bin_and_the_order_of_pictures_does_not_matter(
    rows: list[tuple[float, bool]], random: object
) -> None:
    posterior, is_right = columns(rows)
    bins = reliability(posterior, is_right)
    assert sum(each.pictures for each in bins) == len(rows)
    assert all(each.low - 1e-9 <= each.mean_posterior <= each.high + 1e-9 for each in bins)
    random.shuffle(rows)  # type: ignore[attr-defined]
    error = expected_calibration_error(posterior, is_right)
    assert 0.0 <= error <= 1.0
    assert expected_calibration_error(*columns(rows)) == pytest.approx(error)


def test_one_brick_says_nothing_of_others() -> None:
    assert interval_over_bricks(np.array([1.0, 0.0, 1.0]), ["a", "a", "a"]) is None


def test_a_thousand_pictures_of_two_bricks_are_two_bricks() -> None:
    """Over pictures the interval would be 47 to 53 per cent."""
    values = np.repeat([1.0, 0.0], 500)
    assert interval_over_bricks(values, ["a"] * 500 + ["b"] * 500) == (0.0, 1.0)


def test_an_interval_by_hand() -> None:
    """Of 3 bricks, 27 equally likely draws: all three bad ones in 1 of 27, which is more than 2.5 per cent."""
    values, bricks = np.array([1.0, 1.0, 0.0]), ["a", "b", "c"]
    assert interval_over_bricks(values, bricks) == (0.0, 1.0)
    many = np.repeat([1.0, 0.0], [80, 20])
    low, high = interval_over_bricks(many, [str(each) for each in range(100)]) or (0.0, 0.0)
    assert (low, high) == (pytest.approx(0.8 - 1.96 * 0.04, abs=0.015), pytest.approx(0.8 + 1.96 * 0.04, abs=0.015))


@settings(max_examples=40)
@given(of_bricks, st.randoms(use_true_random=False))
def test_an_interval_holds_the_accuracy_and_is_the_same_in_any_order(
    rows: list[tuple[bool, str]], random: object
) -> None:
    values, bricks = np.array([float(row[0]) for row in rows]), [row[1] for row in rows]
    interval = interval_over_bricks(values, bricks)
    assert (interval is None) == (len(set(bricks)) < 2)
    if interval is None:
        return
    low, high = interval
    assert 0.0 <= low <= values.mean() + 1e-9
    assert values.mean() - 1e-9 <= high <= 1.0
    random.shuffle(rows)  # type: ignore[attr-defined]
    renamed = [f"{len(bricks)}-{'fedcba'['abcdef'.index(row[1])]}" for row in rows]
    assert interval_over_bricks(np.array([float(row[0]) for row in rows]), renamed) == pytest.approx(interval)


def test_another_seed_draws_other_bricks() -> None:
    values, bricks = np.arange(40) ** 2 / 1600.0, [str(each) for each in range(40)]
    assert interval_over_bricks(values, bricks, seed=1) == interval_over_bricks(values, bricks, seed=1)
    assert interval_over_bricks(values, bricks, seed=1) != interval_over_bricks(values, bricks, seed=2)


def test_a_curve_by_hand() -> None:
    posterior, is_right = np.array([0.9, 0.6, 0.6, 0.3]), np.array([True, True, False, False])
    curve = [(each.posterior, each.rejected, each.misrouted) for each in misroute_curve(posterior, is_right)]
    assert curve == [(0.0, 0.0, 0.5), (0.3, 0.0, 0.5), (0.6, 0.25, 1 / 3), (0.9, 0.75, 0.0)]
    nothing = at_threshold(posterior, is_right, 0.95)
    assert (nothing.rejected, nothing.misrouted) == (1.0, None)


def test_what_is_never_accepted_is_rejected_from_the_start() -> None:
    first = misroute_curve(np.array([-1.0, 0.8]), np.array([False, True]))[0]
    assert (first.posterior, first.rejected, first.misrouted) == (0.0, 0.5, 0.0)
    assert at_threshold(np.array([-1.0]), np.array([True]), 0.0).misrouted is None


@given(answers)
def test_a_higher_threshold_never_accepts_more(rows: list[tuple[float, bool]]) -> None:
    posterior, is_right = columns(rows)
    curve = misroute_curve(posterior, is_right)
    assert curve[0].rejected == 0.0
    assert curve[0].misrouted == pytest.approx(1.0 - is_right.mean())
    rejected = [each.rejected for each in curve]
    assert rejected == sorted(rejected)
    assert all(each.misrouted is not None and 0.0 <= each.misrouted <= 1.0 for each in curve)


def test_a_curve_of_many_pictures_stays_small_and_close() -> None:
    posterior = np.linspace(0.0, 1.0, 5000)
    curve = misroute_curve(posterior, posterior > 0.3)
    assert len(curve) <= 201
    steps = [later.rejected - earlier.rejected for earlier, later in itertools.pairwise(curve)]
    assert max(steps) < 0.0055


@pytest.mark.parametrize(
    ("known", "unknown", "area"),
    [([0, 1, 2], [3, 4], 1.0), ([3, 4], [0, 1], 0.0), ([1, 1], [1, 1, 1], 0.5), ([0, 2], [1], 0.5)],
)
def test_an_area_by_hand(known: list[int], unknown: list[int], area: float) -> None:
    assert separation(np.array(known, float), np.array(unknown, float)).area == area


@given(strangenesses, strangenesses)
def test_the_area_is_how_often_an_unknown_part_is_the_stranger_one(known: list[float], unknown: list[float]) -> None:
    found = separation(np.array(known), np.array(unknown))
    stranger = sum((u > k) + 0.5 * (u == k) for u in unknown for k in known)
    assert found.area == pytest.approx(stranger / (len(known) * len(unknown)))
    assert found.curve[0] == (0.0, 0.0)
    assert found.curve[-1] == (1.0, 1.0)
    assert list(found.curve) == sorted(found.curve)
    under = sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in itertools.pairwise(found.curve))
    assert under == pytest.approx(found.area)


@given(strangenesses, strangenesses)
def test_a_threshold_keeps_the_share_of_known_parts_that_it_says(known: list[float], unknown: list[float]) -> None:
    for each in separation(np.array(known), np.array(unknown)).kept:
        kept = np.mean(np.array(known) <= each.threshold)
        below = np.mean(np.array(known) < each.threshold)
        assert below < each.known_kept <= kept + 1e-9
        assert each.unknown_accepted == pytest.approx(np.mean(np.array(unknown) <= each.threshold))
