"""Pictures in and out of OpenCV: colours in order, padding gone."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from sorter.camera.pictures import encoded, rgb_of_yuv420, shrunk
from tests.unit.sorter.camera.conftest import noisy


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png"])
def test_red_stays_red_in_a_file(suffix: str) -> None:
    rgb = np.full((20, 40, 3), (220, 30, 40), np.uint8)
    with Image.open(io.BytesIO(encoded(rgb, suffix))) as picture:
        assert np.abs(np.asarray(picture).astype(int) - rgb).max() <= 4


def test_the_padding_of_a_row_is_not_shown() -> None:
    rgb = noisy(1, size_px=(32, 24)).rgb
    plain = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    padded = np.full((36, 64), 255, np.uint8)
    padded[:24, :32] = plain[:24]
    padded[24:].reshape(24, 32)[:, :16] = plain[24:].reshape(24, 16)
    assert np.array_equal(rgb_of_yuv420(padded, 32), rgb_of_yuv420(plain, 32))
    assert np.abs(rgb_of_yuv420(padded, 32).astype(int) - rgb).mean() < 4


def test_a_preview_keeps_its_shape_and_never_grows() -> None:
    rgb = noisy(1, size_px=(64, 48)).rgb
    assert shrunk(rgb, 32).shape == (24, 32, 3)
    assert shrunk(rgb, 640) is rgb
    assert shrunk(np.zeros((2, 900, 3), np.uint8), 10).shape == (1, 10, 3)
