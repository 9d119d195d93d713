from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sorter.render.finish import finish, jpeg
from tests.unit.sorter.render.solids import PLAIN

_GREY = np.full((40, 60, 3), 0.214, np.float32)  # sRGB 127.5


def test_plain_finish_is_srgb() -> None:
    levels = np.array([0.0, 0.0031308, 0.2155, 1.0, 7.0], np.float32)
    light = np.repeat(levels[:, None, None], 3, axis=2)
    assert finish(light, PLAIN, seed=1)[:, 0, 0].tolist() == [0, 10, 128, 255, 255]


def test_white_balance_and_exposure_are_factors_on_light() -> None:
    shown = finish(_GREY, replace(PLAIN, exposure=0.5, white_balance=(2.0, 1.0, 0.0)), seed=1)[20, 30]
    assert shown.tolist() == [127, finish(_GREY / 2, PLAIN, seed=1)[0, 0, 0], 0]


def test_corners_lose_light() -> None:
    shown = finish(_GREY, replace(PLAIN, vignette=0.5), seed=1)
    assert shown[20, 30, 0] == pytest.approx(127, abs=1)
    assert shown[0, 0, 0] == finish(_GREY / 2, PLAIN, seed=1)[0, 0, 0]


def test_noise_is_as_strong_as_it_says_and_comes_from_the_seed() -> None:
    how = replace(PLAIN, noise=3.0)
    one = finish(_GREY, how, seed=1)
    assert np.array_equal(one, finish(_GREY, how, seed=1))
    assert not np.array_equal(one, finish(_GREY, how, seed=2))
    assert 2.0 < one.std() < 4.0


def test_blur_spreads_an_edge() -> None:
    light = np.zeros((40, 60, 3), np.float32)
    light[:, 30:] = 0.5
    sharp, soft = (finish(light, replace(PLAIN, blur_px=px), seed=1) for px in (0.0, 2.0))
    assert len(np.unique(sharp)) == 2
    assert len(np.unique(soft)) > 4


def test_jpeg_has_size_and_no_metadata() -> None:
    data = jpeg(finish(_GREY, PLAIN, seed=1), 90)
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (60, 40), "RGB")
        assert not picture.getexif()
    assert data == jpeg(finish(_GREY, PLAIN, seed=1), 90)
