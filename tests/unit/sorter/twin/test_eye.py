"""The twin sees a point where the renderer does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sorter.render.projection import project
from sorter.render.world import Camera
from sorter.twin.eye import Eye

EYE = Eye(elevation_deg=40.0, distance_mm=155.0, px_per_mm=4.0, width_px=320, height_px=240, aim_x_mm=3.0, aim_y_mm=-5)
POINTS = np.array([[0.0, 0.0, 0.0], [12.0, -8.0, 0.0], [-20.0, 25.0, 11.0], [3.0, -5.0, 0.0]])


def rendering_camera(eye: Eye) -> Camera:
    return Camera(
        position_mm=tuple(eye.position_mm),
        target_mm=(eye.aim_x_mm, eye.aim_y_mm, 0.0),
        fov_deg=math.degrees(2 * math.atan(eye.width_px / 2 / (eye.px_per_mm * eye.distance_mm))),
        roll_deg=0.0,
        width_px=eye.width_px,
        height_px=eye.height_px,
    )


def test_points_are_where_the_renderer_has_them() -> None:
    assert np.allclose(EYE.project(POINTS), project(rendering_camera(EYE), POINTS), atol=1e-6)


def test_the_aim_is_in_the_middle() -> None:
    assert np.allclose(EYE.project([[3.0, -5.0, 0.0]]), [[160.0, 120.0]])


def test_ground_is_the_inverse_of_projecting() -> None:
    ground = EYE.ground_mm()
    row, column = 200, 31
    point = [*ground[row, column], 0.0]
    assert np.allclose(EYE.project([point]), [[column + 0.5, row + 0.5]])


def test_above_the_horizon_is_no_ground() -> None:
    low = Eye(elevation_deg=5.0, distance_mm=155.0, px_per_mm=1.0, width_px=40, height_px=200)
    assert np.isnan(low.ground_mm()[0]).all()
    assert np.isfinite(low.ground_mm()[-1]).all()


@pytest.mark.parametrize(("x_mm", "y_mm"), [(0.0, 0.0), (15.0, 0.0), (-10.0, 12.0), (0.0, -20.0)])
def test_a_small_thing_on_a_sprite_is_laid_where_it_is_seen(x_mm: float, y_mm: float) -> None:
    # A small step to the right and one up, at right angles to the line of sight, as a sprite has them.
    eye = Eye(elevation_deg=40.0, distance_mm=155.0, px_per_mm=4.0, width_px=320, height_px=240)
    sprite = rendering_camera(eye)
    affine = eye.placement(_sprite_camera(eye), x_mm, y_mm)
    assert affine is not None
    turn = math.radians(eye.azimuth_deg(x_mm, y_mm))
    for right_mm in (-2.0, 2.0):
        there = project(sprite, [[right_mm, 0.0, 0.0]])[0] - (160.0, 120.0)
        point = np.array([x_mm + right_mm * math.cos(turn), y_mm - right_mm * math.sin(turn), 0.0])
        assert np.allclose(affine @ [*there, 1.0], eye.project([point])[0], atol=0.1)


def test_a_part_on_the_right_shows_more_of_its_left_side() -> None:
    eye = Eye(elevation_deg=40.0, distance_mm=155.0, px_per_mm=4.0, width_px=320, height_px=240)
    assert eye.azimuth_deg(0.0, 5.0) == 0.0
    assert eye.azimuth_deg(20.0, 0.0) > 5.0
    assert eye.azimuth_deg(-20.0, 0.0) < -5.0


def test_what_is_behind_the_lens_is_not_placed() -> None:
    eye = Eye(elevation_deg=40.0, distance_mm=155.0, px_per_mm=4.0, width_px=320, height_px=240)
    assert eye.placement(_sprite_camera(eye), 0.0, -400.0) is None


def _sprite_camera(eye: Eye):
    from sorter.types.sprites import SpriteCamera

    return SpriteCamera(eye.elevation_deg, eye.distance_mm, eye.px_per_mm)
