"""The rate that is advised is tried for hours: it must come from where the loss fell."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.training.find_rate import judged, table

RATES = np.geomspace(1e-6, 1.0, 61).tolist()


def a_fall_at(rate: float, *, takes_off: bool) -> list[float]:
    """A loss that falls from 2 to 1 around a rate, and rises from 0.3 on."""
    logs = np.log10(RATES)
    losses = 2.0 - 1.0 / (1.0 + np.exp(-3.0 * (logs - math.log10(rate))))
    return (losses + np.where(logs > -0.5, 20.0 * (logs + 0.5), 0.0) * takes_off).tolist()


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 1e-2])
def test_the_rate_at_which_the_loss_falls_fastest_is_found(rate: float) -> None:
    smoothed = a_fall_at(rate, takes_off=True)
    found = judged(RATES, smoothed, smoothed, is_cut=True)
    assert math.log10(found.steepest) == pytest.approx(math.log10(rate), abs=0.11)
    assert found.limit == RATES[-1]
    assert f"{found.steepest:.1e}" in found.advice
    assert f"{found.limit / 3:.1e}" in found.advice


def test_a_steep_fall_after_the_loss_took_off_is_not_taken_for_learning() -> None:
    """From 50 back to 5 is a fall too, of a network that is already ruined."""
    smoothed = [2.0, 1.9, 1.5, 1.2, 1.1, 50.0, 5.0]
    rates = RATES[: len(smoothed)]
    found = judged(rates, smoothed, smoothed, is_cut=True)
    assert found.steepest in rates[1:4]


def test_a_loss_that_never_took_off_asks_for_more() -> None:
    smoothed = a_fall_at(1e-3, takes_off=False)
    found = judged(RATES, smoothed, smoothed, is_cut=False)
    assert not found.has_taken_off
    assert "--highest above 1" in found.advice


def test_a_loss_that_is_no_number_from_the_first_step_on_advises_no_rate() -> None:
    found = judged([], [], [], is_cut=True)
    assert found.has_taken_off
    assert "no number from the first step" in found.advice
    assert "0.0e+00" not in found.advice
    assert table(found) == "rate,loss,smoothed\n"


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 1e6), st.floats(0.0, 1e6)), max_size=40), st.booleans())
def test_whatever_the_loss_did_the_rates_that_are_named_were_tried_and_the_table_holds_all(
    losses: list[tuple[float, float]], is_cut: bool
) -> None:
    rates = RATES[: len(losses)]
    found = judged(rates, [loss for loss, _ in losses], [mean for _, mean in losses], is_cut=is_cut)
    if rates:
        assert found.steepest in rates
        assert found.limit == rates[-1]
    assert found.has_taken_off == is_cut
    assert json.loads(json.dumps(found.as_dict()))["advice"] == found.advice
    head, *rows = csv.reader(io.StringIO(table(found)))
    assert head == ["rate", "loss", "smoothed"]
    assert [[float(each) for each in row] for row in rows] == [
        pytest.approx([rate, loss, mean], rel=1e-5) for rate, (loss, mean) in zip(rates, losses, strict=True)
    ]
