"""Sharpness and exposure: can this view be believed?"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sorter.types import Frame, ViewQuality
from sorter.vision import locate, quality
from sorter.vision.quality import LEAST_SHARPNESS
from tests.scenes import BLACK, RED, WHITE, Drawn, draw, frame


def rated(picture: np.ndarray) -> ViewQuality:
    seen = Frame(picture, 0.0, 0)
    return quality(seen, locate(seen))


@pytest.mark.parametrize("colour", [RED, WHITE, BLACK], ids=["red", "white", "black"])
def test_a_part_in_focus_is_sharp_whatever_its_colour(colour: tuple[float, float, float]) -> None:
    assert rated(draw(Drawn(colour=colour))).sharpness > 1.5 * LEAST_SHARPNESS


@pytest.mark.parametrize("colour", [RED, BLACK], ids=["red", "black"])
def test_a_part_out_of_focus_is_blurred(colour: tuple[float, float, float]) -> None:
    blurred = np.asarray(cv2.GaussianBlur(draw(Drawn(colour=colour)), (0, 0), 3.5))
    assert rated(blurred).sharpness < LEAST_SHARPNESS


def test_a_streak_of_motion_is_blurred() -> None:
    streak = np.zeros((15, 15), np.float32)
    streak[7] = 1 / 15
    both = cv2.filter2D(cv2.filter2D(draw(Drawn()), -1, streak), -1, streak.T)
    assert rated(np.asarray(both)).sharpness < LEAST_SHARPNESS


def test_more_pixels_do_not_make_a_picture_sharper() -> None:
    small, large = draw(Drawn()), draw(Drawn(), side_px=900)
    assert rated(large).sharpness == pytest.approx(rated(small).sharpness, abs=0.15)


def test_burnt_out_and_dark_pictures_are_told() -> None:
    good = rated(draw(Drawn()))
    assert good.overexposed < 0.01
    burnt = np.clip(draw(Drawn()).astype(np.int32) * 2, 0, 255).astype(np.uint8)
    assert rated(burnt).overexposed > 0.5
    assert rated(draw(Drawn()) // 16).underexposed > 0.9


def test_the_location_of_another_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="is of a frame"):
        quality(frame(side_px=400), locate(frame(Drawn())))
