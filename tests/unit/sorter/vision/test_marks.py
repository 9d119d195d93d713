"""A table that stands elsewhere is told by its own marks, and one that stands right is never doubted."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sorter.cycle.empty_table import LEAST_FIT
from sorter.types import Frame
from sorter.vision import Marks, learn_marks
from tests.twin_tables import shot

if TYPE_CHECKING:
    from collections.abc import Sequence

ANGLES_DEG = (0.0, 90.0, 180.0, 270.0)
SEEDS = (0, 9)  # of those that were measured, one as most are, and the one with the faintest marks


@cache
def learnt(seed: int) -> Marks:
    pictures = [
        (angle_deg, [shot(seed, angle_deg, 10 * at + each) for each in range(3)]) for at, angle_deg in _numbered()
    ]
    marks = learn_marks(pictures)
    assert marks is not None
    return marks


def _numbered() -> list[tuple[int, float]]:
    return list(enumerate(ANGLES_DEG))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("gain", [(1.0, 1.0, 1.0), (0.7, 0.7, 0.7), (1.1, 1.0, 0.85)], ids=["same", "dark", "tinted"])
def test_a_table_that_stands_right_fits_in_any_light(seed: int, gain: Sequence[float]) -> None:
    for number, angle_deg in _numbered():
        fit = learnt(seed).fit(shot(seed, angle_deg, 100 + number, gain), angle_deg)
        assert fit is not None
        assert fit > 0.9


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("slip_deg", [2.0, -2.0, 3.0, 7.2, 14.4, 45.0, 180.0])
def test_a_table_that_slipped_by_two_degrees_or_more_does_not_fit(seed: int, slip_deg: float) -> None:
    for number, angle_deg in _numbered()[:2]:
        fit = learnt(seed).fit(shot(seed, angle_deg + slip_deg, 200 + number), angle_deg)
        assert fit is not None
        assert fit < LEAST_FIT - 0.1


def test_a_slip_too_small_to_matter_is_nothing() -> None:
    fit = learnt(0).fit(shot(0, 90.25, 300), 90.0)
    assert fit is not None
    assert fit > LEAST_FIT + 0.1


def test_nothing_is_claimed_where_nothing_was_learnt() -> None:
    assert learnt(0).fit(shot(0, 45.0, 400), 45.0) is None
    small = Frame(np.zeros((100, 100, 3), np.uint8), 0.0, 1)
    assert learnt(0).fit(small, 0.0) is None


def test_a_table_without_any_marks_is_not_told_by_them() -> None:
    even = np.full((100, 100, 3), 150.0)
    chance = np.random.default_rng(1)

    def noisy() -> Frame:
        return Frame(np.clip(even + chance.normal(0.0, 1.5, even.shape), 0, 255).astype(np.uint8), 0.0, 0)

    assert learn_marks([(angle_deg, [noisy() for _ in range(3)]) for angle_deg in ANGLES_DEG]) is None


def test_what_does_not_turn_is_no_mark_of_the_table() -> None:
    """Dust on the lens looks the same from every angle: a table is not known by it, however clear it is."""
    chance = np.random.default_rng(1)
    dusty = np.full((100, 100, 3), 150.0)
    dusty[20:24, 30:34] = dusty[60:63, 70:73] = 60.0

    def noisy() -> Frame:
        return Frame(np.clip(dusty + chance.normal(0.0, 1.5, dusty.shape), 0, 255).astype(np.uint8), 0.0, 0)

    assert learn_marks([(angle_deg, [noisy() for _ in range(3)]) for angle_deg in ANGLES_DEG]) is None


@pytest.mark.parametrize(("angles", "frames"), [(2, 3), (4, 1)])
def test_too_little_to_learn_from_claims_nothing(angles: int, frames: int) -> None:
    pictures = [(angle_deg, [shot(0, angle_deg, each) for each in range(frames)]) for angle_deg in ANGLES_DEG[:angles]]
    assert learn_marks(pictures) is None


def test_frames_of_several_sizes_are_refused() -> None:
    small = Frame(np.zeros((100, 100, 3), np.uint8), 0.0, 1)
    pictures = [(angle_deg, [shot(0, angle_deg, 0), small]) for angle_deg in ANGLES_DEG]
    with pytest.raises(ValueError, match="frames of one size"):
        learn_marks(pictures)


def test_a_lamp_that_is_off_teaches_no_marks() -> None:
    black = Frame(np.zeros((100, 100, 3), np.uint8), 0.0, 1)
    assert learn_marks([(angle_deg, [black, black]) for angle_deg in ANGLES_DEG]) is None
