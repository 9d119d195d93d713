from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.render.projection import axes, project
from tests.unit.sorter.render.solids import camera


def test_target_is_in_the_middle() -> None:
    assert project(camera(target_mm=(3.0, 4.0, 5.0)), [(3.0, 4.0, 5.0)]) == pytest.approx(np.array([[60.0, 50.0]]))


def test_right_is_right_near_is_low_and_high_is_up() -> None:
    right, near, high = project(camera(), [(10.0, 0.0, 0.0), (0.0, -10.0, 0.0), (0.0, 0.0, 10.0)])
    assert right[0] > 60.0
    assert right[1] == pytest.approx(50.0)
    assert near[0] == pytest.approx(60.0)
    assert near[1] > 50.0
    assert high[0] == pytest.approx(60.0)
    assert high[1] < 50.0


def test_view_over_the_width() -> None:
    distance_mm = math.dist((0.0, -120.0, 100.0), (0.0, 0.0, 0.0))
    half_mm = distance_mm * math.tan(math.radians(16.0))
    assert project(camera(), [(half_mm, 0.0, 0.0), (-half_mm, 0.0, 0.0)])[:, 0] == pytest.approx([120.0, 0.0])


def test_positive_roll_turns_the_content_counter_clockwise() -> None:
    right = project(camera(roll_deg=10.0), [(10.0, 0.0, 0.0)])[0]
    assert right[1] < 50.0


def test_behind_the_lens_is_nowhere() -> None:
    assert np.isnan(project(camera(), [(0.0, -300.0, 250.0)])).all()


def test_looking_straight_down() -> None:
    down = camera(position_mm=(0.0, 0.0, 150.0))
    right, away = project(down, [(10.0, 0.0, 0.0), (0.0, 10.0, 0.0)])
    assert right[0] > 60.0
    assert right[1] == pytest.approx(50.0)
    assert away[1] < 50.0


def test_camera_at_its_target_is_refused() -> None:
    with pytest.raises(ValueError, match="same point"):
        axes(camera(position_mm=(1.0, 1.0, 1.0), target_mm=(1.0, 1.0, 1.0)))


@given(
    st.tuples(st.floats(-200, 200), st.floats(-200, -50), st.floats(20, 200)),
    st.floats(-180, 180),
)
def test_axes_are_a_right_handed_frame(position_mm: tuple[float, float, float], roll_deg: float) -> None:
    frame = axes(camera(position_mm=position_mm, roll_deg=roll_deg))
    assert frame @ frame.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(frame) == pytest.approx(1.0)
