"""Another light is noticed before everything is rejected; a camera's noise and a cloud are not taken for it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from sorter.types import LocationKind
from sorter.vision import LightChange, learn_background, light_change, locate
from tests.twin_tables import shot

if TYPE_CHECKING:
    from sorter.types import Table
    from sorter.vision import Background


@cache
def _background(seed: int) -> Background:
    return learn_background([shot(seed, 0.0, number) for number in range(3)])


def seen(seed: int, number: int, gain: tuple[float, float, float]) -> Table:
    location = locate(shot(seed, 0.0, number, gain), _background(seed))
    assert location.kind is LocationKind.EMPTY
    assert location.table is not None
    return location.table


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("gain", [(1.0, 1.0, 1.0), (0.9, 0.9, 0.9), (1.05, 1.0, 1.0), (1.03, 1.05, 1.03)])
def test_the_twins_light_is_always_as_it_was(seed: int, gain: tuple[float, float, float]) -> None:
    assert not light_change(seen(seed, 50, gain), _background(seed).table).is_much


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("gain", "said"),
    [
        ((0.7, 0.7, 0.7), "30 % darker"),
        ((0.5, 0.5, 0.5), "50 % darker"),
        ((1.15, 1.0, 1.0), "more red"),
        ((1.0, 1.0, 0.85), "less blue"),
    ],
)
def test_a_light_that_changed_is_told_by_how_much(seed: int, gain: tuple[float, float, float], said: str) -> None:
    change = light_change(seen(seed, 60, gain), _background(seed).table)
    assert change.is_much
    assert said in str(change)


def test_a_change_is_told_in_words() -> None:
    assert str(LightChange(0.0, (0.0, 0.0, 0.0))) == "as it was"
    assert str(LightChange(0.3, (0.1, -0.05, -0.05))) == "35 % brighter, 11 % more red, 5 % less green, 5 % less blue"
    assert LightChange(0.0, (0.07, -0.04, -0.03)).is_much
    assert LightChange(-0.21, (0.0, 0.0, 0.0)).is_much
