"""Least squares for a handful of unknowns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.calibrate.fitting import NoFit, fitted

PLACES = np.linspace(0.0, 3.0, 40)


@settings(deadline=None, max_examples=50)
@given(height=st.floats(0.5, 5.0), rate=st.floats(0.2, 2.0), start=st.floats(0.5, 1.5))
def test_a_curve_is_found_again(height: float, rate: float, start: float) -> None:
    seen = height * np.exp(-rate * PLACES)
    fit = fitted(
        lambda values: values[0] * np.exp(-values[1] * PLACES) - seen, np.array([1.0, start]), np.array([1.0, 0.5])
    )
    assert np.allclose(fit.values, (height, rate), rtol=1e-4)


def test_noise_makes_as_much_of_an_error_as_is_told() -> None:
    chance = np.random.default_rng(0)
    wrong = []
    for _ in range(60):
        seen = 2.0 + 0.7 * PLACES + chance.normal(0.0, 0.1, len(PLACES))
        fit = fitted(lambda values, seen=seen: values[0] + values[1] * PLACES - seen, np.zeros(2), np.ones(2))
        wrong.append((fit.values - (2.0, 0.7)) / fit.deviations)
    assert np.sqrt(np.mean(np.square(wrong))) == pytest.approx(1.0, abs=0.3)


def test_too_little_to_go_by_is_refused() -> None:
    with pytest.raises(ValueError, match="2 residuals do not tell 3 unknowns"):
        fitted(lambda values: values[:2], np.zeros(3), np.ones(3))
    with pytest.raises(NoFit, match="no numbers"):
        fitted(lambda values: np.append(values, [np.nan, 0.0, 0.0]), np.zeros(2), np.ones(2))
