"""How large a pixel is, from a brick of known size that turns with the table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sorter.calibrate.brick import BRICKS, BrickFit, fit_brick
from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.outline import outline_box
from sorter.twin.eye import Eye
from sorter.types import Box, Frame
from sorter.vision import locate
from tests.drawn_table import EYE, Brick, DrawnTable

ANGLES = tuple(22.5 * place for place in range(16))
NEAR = Eye(47.0, 90.0, 4.1, 300, 300, 2.0, -1.0)
LARGE = Eye(40.0, 250.0, 5.0, 480, 400, 2.0, 5.0)


def px_per_mm(eye: Eye) -> float:
    """Across, at the axis."""
    return float((eye.project([[0.05, 0.0, 0.0]]) - eye.project([[-0.05, 0.0, 0.0]]))[0, 0] / 0.1)


def fit_drawn(eye: Eye, brick: Brick, name: str, *, is_clockwise: bool = False) -> BrickFit:
    table = DrawnTable(eye=eye, brick=brick, marks=(), is_clockwise=is_clockwise)
    boxes = []
    for number, angle in enumerate(ANGLES):
        frame = table.frame(angle, seed=number)
        boxes.append(outline_box(frame, locate(frame)))
    return fit_brick(ANGLES, boxes, BRICKS[name], (eye.width_px, eye.height_px))


@pytest.mark.parametrize(
    ("eye", "brick", "name"),
    [
        (EYE, Brick(), "3001"),
        (EYE, Brick(x_mm=0.0, y_mm=0.0, colour=(0.1, 0.2, 0.7)), "3001"),
        (NEAR, Brick(colour=(0.9, 0.75, 0.1)), "3001"),
        (NEAR, Brick(2, 2, 5.0, 4.0), "3003"),
        (NEAR, Brick(4, 2, 1.0, 2.0, high_mm=3.2), "3020"),
        (LARGE, Brick(2, 1, 8.0, 4.0), "3004"),
    ],
    ids=["2x4 far", "2x4 on the axis", "2x4 near", "2x2", "plate", "2x1 large"],
)
def test_a_pixel_is_measured_to_two_percent(eye: Eye, brick: Brick, name: str) -> None:
    fit = fit_drawn(eye, brick, name)
    truth = 1.0 / px_per_mm(eye)
    assert fit.mm_per_px == pytest.approx(truth, rel=0.02)
    assert abs(fit.mm_per_px - truth) < 4.0 * fit.mm_per_px_deviation
    assert np.allclose(fit.view.centre_px, eye.project([[0.0, 0.0, 0.0]])[0], atol=1.5)
    assert fit.elevation_deg == pytest.approx(eye.elevation_deg, abs=4.0)
    assert not fit.is_clockwise


def test_a_table_that_turns_clockwise_gives_the_same() -> None:
    fit = fit_drawn(EYE, Brick(), "3001", is_clockwise=True)
    assert fit.is_clockwise
    assert fit.mm_per_px == pytest.approx(1.0 / px_per_mm(EYE), rel=0.02)


def test_another_brick_than_was_named_is_not_sure_enough_to_be_written() -> None:
    fit = fit_drawn(LARGE, Brick(3, 2, 8.0, 3.0), "3001")
    assert fit.mm_per_px_deviation > 0.025 * fit.mm_per_px


@settings(deadline=None, max_examples=8)
@given(
    elevation_deg=st.floats(35.0, 60.0),
    distance_mm=st.floats(120.0, 400.0),
    scale=st.floats(3.0, 6.0),
    x_mm=st.floats(-10.0, 10.0),
    y_mm=st.floats(-10.0, 10.0),
    yaw_deg=st.floats(0.0, 180.0),
    wider_px=st.integers(0, 2),
)
def test_boxes_of_a_brick_tell_its_scale_however_much_wider_they_all_are(
    elevation_deg: float, distance_mm: float, scale: float, x_mm: float, y_mm: float, yaw_deg: float, wider_px: int
) -> None:
    eye = Eye(elevation_deg, distance_mm, scale, 800, 600)
    hull = BRICKS["3001"].hull_mm()
    boxes = []
    for angle in ANGLES:
        turn, yaw = math.radians(angle), math.radians(angle + yaw_deg)
        x = math.cos(yaw) * hull[:, 0] - math.sin(yaw) * hull[:, 1] + math.cos(turn) * x_mm - math.sin(turn) * y_mm
        y = math.sin(yaw) * hull[:, 0] + math.cos(yaw) * hull[:, 1] + math.sin(turn) * x_mm + math.cos(turn) * y_mm
        points = eye.project(np.stack([x, y, hull[:, 2]], axis=1))
        left, top = np.rint(points.min(axis=0) - wider_px / 2).astype(int)
        right, bottom = np.rint(points.max(axis=0) + wider_px / 2).astype(int)
        boxes.append(Box(int(left), int(top), int(right - left), int(bottom - top)))
    fit = fit_brick(ANGLES, boxes, BRICKS["3001"], (800, 600))
    assert fit.mm_per_px == pytest.approx(1.0 / px_per_mm(eye), rel=0.02)


def test_shadow_that_is_taken_for_brick_in_some_views_does_not_count() -> None:
    table = DrawnTable(eye=LARGE, brick=Brick(), marks=())
    frames = [table.frame(angle, seed=number) for number, angle in enumerate(ANGLES)]
    boxes = [outline_box(frame, locate(frame)) for frame in frames]
    for place in (2, 7, 11):
        box = boxes[place]
        boxes[place] = Box(box.left_px, box.top_px, box.width_px + 25, box.height_px + 12)
    fit = fit_brick(ANGLES, boxes, BRICKS["3001"], (480, 400))
    assert fit.mm_per_px == pytest.approx(1.0 / px_per_mm(LARGE), rel=0.02)


def test_what_is_no_brick_at_all_is_refused() -> None:
    chance = np.random.default_rng(0)
    boxes = [
        Box(*(int(each) for each in chance.integers(0, 300, 2)), *(int(each) for each in chance.integers(20, 200, 2)))
        for _ in ANGLES
    ]
    with pytest.raises(NotMeasured, match="not a brick of"):
        fit_brick(ANGLES, boxes, BRICKS["3001"], (640, 480))
    with pytest.raises(NotMeasured, match="seen from 2 places"):
        fit_brick(ANGLES[:2], boxes[:2], BRICKS["3001"], (640, 480))


def test_an_empty_table_has_no_outline() -> None:
    frame = DrawnTable(marks=()).frame(0.0)
    with pytest.raises(NotMeasured, match="nothing to be measured"):
        outline_box(frame, locate(frame))
    dark = Frame(np.zeros((240, 320, 3), np.uint8), 0.0, 0)
    with pytest.raises(NotMeasured, match="nothing to be measured"):
        outline_box(dark, locate(dark))


@settings(max_examples=12, deadline=None)
@given(
    views=st.integers(0, 16),
    boxes=st.lists(
        st.builds(
            Box, st.integers(-50, 320), st.integers(-50, 240), st.integers(1, 1_000_000), st.integers(1, 1_000_000)
        ),
        min_size=1,
        max_size=16,
    ),
)
@example(views=16, boxes=[Box(100, 100, 50, 40)])  # it did not turn
@example(views=8, boxes=[Box(0, 0, 320, 240)])
@example(views=6, boxes=[Box(0, 0, 1, 1), Box(1_000_000, 0, 1_000_000, 1)])
def test_boxes_of_anything_else_are_not_measured_or_not_sure(views: int, boxes: list[Box]) -> None:
    angles = [22.5 * place for place in range(views)]
    try:
        fit = fit_brick(angles, [boxes[place % len(boxes)] for place in range(views)], BRICKS["3001"], (320, 240))
    except NotMeasured:
        return
    assert fit.mm_per_px_deviation > 0.025 * fit.mm_per_px
