from __future__ import annotations

import math

import pytest

from sorter.render.silhouette import silhouette_px
from tests.unit.sorter.render.solids import box_mesh, camera, placed

_ABOVE = camera(position_mm=(0.0, 0.0, 1000.0), fov_deg=math.degrees(2 * math.atan(0.05)), width_px=100, height_px=100)
"""Sees 100 mm at the table with 100 px."""


def test_area_of_a_plate_seen_from_above() -> None:
    plate = box_mesh((20.0, 10.0, 0.01))
    assert silhouette_px(_ABOVE, placed(plate), plate) == pytest.approx(200.0, rel=0.02)


def test_edge_of_the_picture_cuts_nothing_off() -> None:
    plate = box_mesh((20.0, 10.0, 0.01))
    inside, over = placed(plate), placed(plate, x_mm=50.0)
    assert silhouette_px(_ABOVE, over, plate) == pytest.approx(silhouette_px(_ABOVE, inside, plate), rel=0.02)


def test_turning_keeps_the_area() -> None:
    plate = box_mesh((20.0, 10.0, 0.01))
    assert silhouette_px(_ABOVE, placed(plate, yaw_deg=33.0), plate) == pytest.approx(200.0, rel=0.02)


def test_behind_the_camera_is_nothing() -> None:
    plate = box_mesh((20.0, 10.0, 0.01))
    assert silhouette_px(_ABOVE, placed(plate, z_mm=2000.0), plate) == 0.0
