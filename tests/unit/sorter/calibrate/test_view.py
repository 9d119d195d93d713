"""How the camera sees the table, from a point that turned with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.view import TableView, fit_turning
from sorter.twin.eye import Eye

ANGLES = tuple(float(angle) for angle in range(0, 360, 30))

eyes = st.builds(
    Eye,
    elevation_deg=st.floats(30.0, 70.0),
    distance_mm=st.floats(90.0, 600.0),
    px_per_mm=st.floats(2.0, 8.0),
    width_px=st.just(640),
    height_px=st.just(480),
    aim_x_mm=st.floats(-8.0, 8.0),
    aim_y_mm=st.floats(-8.0, 8.0),
)


def seen(eye: Eye, angles: tuple[float, ...], radius_mm: float, at_deg: float, sense: float = 1.0) -> np.ndarray:
    """Where a mark on the table is in the picture at each angle of the table."""
    turned = np.radians(sense * np.array(angles) + at_deg)
    return eye.project(np.stack([radius_mm * np.cos(turned), radius_mm * np.sin(turned), 0.0 * turned], axis=1))


@settings(deadline=None, max_examples=60)
@given(eye=eyes, radius_mm=st.floats(8.0, 30.0), at_deg=st.floats(0.0, 360.0), sense=st.sampled_from((1.0, -1.0)))
def test_the_axis_and_the_scale_are_found_under_any_camera(
    eye: Eye, radius_mm: float, at_deg: float, sense: float
) -> None:
    fit = fit_turning(ANGLES, seen(eye, ANGLES, radius_mm, at_deg, sense))
    assert np.allclose(fit.view.centre_px, eye.project([[0.0, 0.0, 0.0]])[0], atol=1e-4)
    assert fit.is_clockwise == (sense < 0.0)
    # Any other place on the table is where the camera shows it, in the same units; one unit is a pixel at the axis.
    per_mm = fit.radius / radius_mm
    places = np.array([[10.0, 0.0], [0.0, 10.0], [-7.0, 5.0]])
    expected = eye.project(np.column_stack([places, np.zeros(3)]))
    shown = fit.view.project(places * per_mm)
    apart = np.hypot(*(shown - expected).T)
    assert (apart < 0.02 * 10.0 * per_mm).all()  # its x is across to within a degree, off the middle of the picture
    step = eye.project([[0.05, 0.0, 0.0]])[0] - eye.project([[-0.05, 0.0, 0.0]])[0]
    assert per_mm == pytest.approx(np.hypot(*step) / 0.1, rel=0.02)


def test_a_mark_that_is_seen_a_little_wrong_moves_the_axis_a_little_and_says_how_much() -> None:
    eye = Eye(45.0, 250.0, 4.0, 640, 480, 3.0, -2.0)
    truth = eye.project([[0.0, 0.0, 0.0]])[0]
    chance = np.random.default_rng(1)
    strays = []
    for _ in range(40):
        points = seen(eye, ANGLES, 20.0, 10.0)
        fit = fit_turning(ANGLES, points + chance.normal(0.0, 0.5, points.shape))
        strays.append(np.hypot(*(np.array(fit.view.centre_px) - truth)) / fit.centre_deviation_px)
    assert np.sqrt(np.mean(np.square(strays))) == pytest.approx(1.0, abs=0.4)


@settings(deadline=None, max_examples=40)
@given(eye=eyes, x=st.floats(-20.0, 20.0), y=st.floats(-20.0, 20.0), factor=st.floats(0.25, 4.0))
def test_places_on_the_table_come_back_from_the_picture(eye: Eye, x: float, y: float, factor: float) -> None:
    view = fit_turning(ANGLES, seen(eye, ANGLES, 20.0, 0.0)).view
    assert np.allclose(view.on_table(view.project([[x, y]])), [[x, y]], atol=1e-6)
    larger = view.scaled(factor)
    assert np.allclose(larger.project([[x * factor, y * factor]]), factor * view.project([[x, y]]), atol=1e-6)


@given(elevation_deg=st.floats(20.0, 80.0))
def test_a_guessed_camera_is_the_one_that_was_meant(elevation_deg: float) -> None:
    view = TableView.guessed(640, 480, elevation_deg)
    assert view.centre_px == pytest.approx((320.0, 240.0))
    assert view.elevation_deg == pytest.approx(elevation_deg, abs=1e-6)


@pytest.mark.parametrize(
    ("angles", "radius_mm", "words"),
    [
        (ANGLES[:4], 20.0, "seen from 4 places"),
        (tuple(float(angle) for angle in range(0, 60, 6)), 20.0, "over 54 deg"),
        (ANGLES, 0.0, "does not move on a circle"),
    ],
)
def test_what_tells_nothing_is_refused(angles: tuple[float, ...], radius_mm: float, words: str) -> None:
    points = seen(Eye(45.0, 250.0, 4.0, 640, 480), angles, radius_mm, 0.0)
    with pytest.raises(NotMeasured, match=words):
        fit_turning(angles, points + np.random.default_rng(0).normal(0.0, 0.3, points.shape))


def test_a_part_that_rolls_about_is_refused() -> None:
    chance = np.random.default_rng(3)
    with pytest.raises(NotMeasured, match="does not move on a circle"):
        fit_turning(ANGLES, chance.uniform(0.0, 300.0, (len(ANGLES), 2)))


def test_a_point_that_stands_still_tells_nothing() -> None:
    with pytest.raises(NotMeasured, match="does not move on a circle"):
        fit_turning([22.5 * place for place in range(16)], [(100.0, 80.0)] * 16)
