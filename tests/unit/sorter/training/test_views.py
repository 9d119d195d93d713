"""Several views are scored as the rig fuses them, spread over the turn, from every start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.classify import Correlation, fuse
from sorter.training.metrics import softmax
from sorter.training.views import VIEW_COUNTS, fused_views, spread
from sorter.types import Prediction
from tests.unit.sorter.training.said import scores_of, single

if TYPE_CHECKING:
    from sorter.training.scores import Scores

CORRELATION = Correlation(0.3, 25.0)


def turns(seed: int, sizes: tuple[int, ...]) -> Scores:
    """Revolutions of so many pictures, with random logits at random angles."""
    rng = np.random.default_rng(seed)
    rows = [
        ("bar", "bar", 0.0, f"brick-{number}", f"turn-{number}", float(rng.uniform(-400, 800)))
        for number, size in enumerate(sizes)
        for _ in range(size)
    ]
    scores = scores_of(rows)
    scores.logits[:] = rng.normal(0.0, 8.0, scores.logits.shape)
    return scores


def test_views_are_spread_evenly_from_every_start() -> None:
    angles = np.arange(8) * 45.0 + 700.0
    assert spread(angles, 1).tolist() == [[each] for each in range(8)]
    assert spread(angles, 2).tolist() == [[each, (each + 4) % 8] for each in range(8)]
    assert spread(angles, 4)[3].tolist() == [3, 5, 7, 1]
    assert sorted(spread(angles, 8)[5].tolist()) == list(range(8))


@given(st.lists(st.floats(-1000, 1000), min_size=8, max_size=30), st.sampled_from(VIEW_COUNTS))
def test_no_view_is_taken_twice_however_uneven_the_angles_are(angles: list[float], count: int) -> None:
    sets = spread(np.array(angles), count)
    assert sets.shape == (len(angles), count)
    assert sets[:, 0].tolist() == list(range(len(angles)))
    assert all(len(set(each)) == count for each in sets.tolist())


def test_more_views_than_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="4 views cannot be taken of 3 pictures"):
        spread(np.zeros(3), 4)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.sampled_from(VIEW_COUNTS),
    temperature=st.floats(0.3, 5.0),
    floor=st.floats(0.0, 0.95),
    range_deg=st.floats(1.0, 300.0),
)
def test_fusing_is_the_rigs(seed: int, count: int, temperature: float, floor: float, range_deg: float) -> None:
    scores, correlation = turns(seed, (9, 3)), Correlation(floor, range_deg)
    strangeness = np.random.default_rng(seed).uniform(0.0, 1.0, len(scores))
    fused = fused_views(scores, strangeness, count, temperature, correlation)
    assert fused is not None
    probabilities = softmax(scores.logits, temperature)
    for number, rows in enumerate(fused.rows.tolist()):
        predictions = [Prediction(scores.labels, tuple(probabilities[row]), float(strangeness[row])) for row in rows]
        expected = fuse(predictions, scores.angles_deg[rows].tolist(), correlation)
        assert fused.posteriors[number] == pytest.approx(expected.probabilities, abs=1e-9)
        assert fused.strangeness[number] == pytest.approx(expected.novelty)
        assert len({scores.revolutions[row] for row in rows}) == 1
        assert fused.bricks[number] == scores.bricks[rows[0]]


def test_each_picture_begins_a_set_and_short_revolutions_give_none() -> None:
    scores = turns(1, (8, 5, 2))
    revolutions, sets = [], []
    for count in VIEW_COUNTS:
        fused = fused_views(scores, np.zeros(len(scores)), count, 1.0, CORRELATION)
        assert fused is not None
        revolutions.append(fused.revolutions)
        sets.append(len(fused.rows))
    assert revolutions == [3, 3, 2, 1]
    assert sets == [15, 15, 13, 8]
    assert fused_views(turns(1, (7, 7)), np.zeros(14), 8, 1.0, CORRELATION) is None


def test_one_view_needs_no_angle() -> None:
    scores = scores_of([single("bar", "bar"), single("disc", "bar", brick="b")])
    fused = fused_views(scores, np.array([0.1, 0.7]), 1, 2.0, CORRELATION)
    assert fused is not None
    assert fused.posteriors == pytest.approx(softmax(scores.logits, 2.0))
    assert (fused.said.tolist(), fused.targets.tolist()) == ([0, 0], [0, 1])
    assert fused.strangeness.tolist() == [0.1, 0.7]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), count=st.sampled_from(VIEW_COUNTS))
def test_the_order_of_pictures_does_not_matter(seed: int, count: int) -> None:
    scores = turns(seed, (11,))
    order = np.random.default_rng(seed).permutation(len(scores))
    one = fused_views(scores, np.zeros(11), count, 1.0, CORRELATION)
    other = fused_views(scores.taken(order), np.zeros(11), count, 1.0, CORRELATION)
    assert one is not None
    assert other is not None
    back = np.argsort(order)
    assert other.posteriors[back] == pytest.approx(one.posteriors)
