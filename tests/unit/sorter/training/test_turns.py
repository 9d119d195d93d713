"""Where nobody wrote down the angles, neighbours on the table are neighbours in the inferred turn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.training.turns import inferred_angles, thumbnail, tour, with_inferred_angles
from tests.scenes import Drawn, draw
from tests.unit.sorter.training.said import scores_of


def ring(count: int, seed: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Thumbnails of a closed turn in no order, and the place of each in the turn."""
    rng = np.random.default_rng(seed)
    places = rng.permutation(count)
    angles = 2 * np.pi * places / count
    waves = np.arange(60) * 2 * np.pi / 60
    rows = 128 + 60 * np.sin(angles[:, None] + waves) + 30 * np.cos(2 * angles[:, None] + 3 * waves)
    return np.clip(rows + noise * rng.normal(size=rows.shape), 0, 255).astype(np.uint8), places


def neighbours(order: np.ndarray, places: np.ndarray) -> list[int]:
    """How far apart neighbours of the tour are in the turn."""
    count = len(order)
    steps = [abs(int(places[a]) - int(places[b])) for a, b in itertools.pairwise([*order, order[0]])]
    return [min(each, count - each) for each in steps]


@settings(max_examples=40, deadline=None)
@given(count=st.integers(4, 70), seed=st.integers(0, 1000))
def test_a_shuffled_turn_is_put_in_order(count: int, seed: int) -> None:
    rows, places = ring(count, seed)
    order = tour(rows)
    assert sorted(order.tolist()) == list(range(count))
    assert order[0] == 0
    assert neighbours(order, places) == [1] * count


@pytest.mark.parametrize("seed", range(5))
def test_noise_moves_few_pictures(seed: int) -> None:
    rows, places = ring(62, seed, noise=4.0)
    assert np.mean(neighbours(tour(rows), places)) < 1.3


@given(count=st.integers(4, 40), seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_angles_are_even_and_right_but_for_start_and_direction(count: int, seed: int) -> None:
    rows, places = ring(count, seed)
    angles_deg = inferred_angles(rows)
    assert sorted(angles_deg) == pytest.approx([each * 360 / count for each in range(count)])
    turned = (angles_deg - angles_deg[0]) * count / 360
    either = [(way * (places - places[0])) % count for way in (1, -1)]
    assert any(np.allclose((turned - each + 0.5) % count, 0.5) for each in either)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_pictures_that_are_all_alike_and_few_pictures_have_a_turn_too(count: int) -> None:
    rows = np.full((count, 12), 7, np.uint8)
    assert sorted(tour(rows).tolist()) == list(range(count))
    assert len(inferred_angles(rows)) == count


def test_the_same_pictures_have_the_same_turn() -> None:
    rows, _ = ring(30, 3, noise=10.0)
    assert tour(rows).tolist() == tour(rows.copy()).tolist()


def test_drawn_views_of_a_bar_come_in_order() -> None:
    order = np.random.default_rng(1).permutation(12)
    rows = np.stack([thumbnail(draw(Drawn("bar", angle_deg=15.0 * place), side_px=100)) for place in order])
    assert neighbours(tour(rows), order) == [1] * 12


def test_angles_are_inferred_only_where_a_revolution_is_known_and_has_none() -> None:
    crops = np.stack([draw(Drawn("bar", angle_deg=15.0 * place), side_px=64) for place in range(12)] * 3)
    nan = float("nan")
    rows = [
        ("bar", "bar", 1.0, name, name, angle)
        for name, angle in (("a", nan), ("b", 5.0), ("c", nan))
        for _ in range(12)
    ]
    said = scores_of(rows)
    is_turn = np.array([name != "c" for _, _, _, name, _, _ in rows])
    angles_deg = with_inferred_angles(said, crops, is_turn).angles_deg
    assert sorted(angles_deg[:12]) == pytest.approx([30.0 * place for place in range(12)])
    assert (angles_deg[12:24] == 5.0).all()
    assert np.isnan(angles_deg[24:]).all()
    assert np.isnan(said.angles_deg[:12]).all()
