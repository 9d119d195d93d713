"""Whether frames are believed: real ones are, and what a broken camera gives is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sorter.camera.checks import FrameChecks, are_identical, check_shows_something, check_size
from sorter.camera.errors import BlankFrame, FrozenFrame, WrongSize
from sorter.pictures import read_picture
from sorter.types import Frame
from tests.unit.sorter.camera.conftest import noisy


def frame(rgb: np.ndarray) -> Frame:
    return Frame(rgb.astype(np.uint8), captured_at_s=0.0, sequence=0)


def test_a_frame_of_another_size_does_not_reach_the_network() -> None:
    check_size(noisy(1, size_px=(32, 24)), 32, 24)
    with pytest.raises(WrongSize, match="24×32 px where 32×24 px"):
        check_size(noisy(1, size_px=(24, 32)), 32, 24)


@pytest.mark.parametrize("mean", [12, 40, 140, 250])
def test_a_dim_or_bright_table_is_no_reason_to_stop(mean: int) -> None:
    check_shows_something(noisy(1, mean=mean))


def test_a_covered_lens_is_found_in_spite_of_its_noise_and_hot_pixels() -> None:
    rgb = np.random.default_rng(1).integers(0, 6, (480, 640, 3))
    rgb[100, 200] = 255
    with pytest.raises(BlankFrame, match="black"):
        check_shows_something(frame(rgb))


@pytest.mark.parametrize("value", [0, 128, 255])
def test_one_value_all_over_is_no_picture(value: int) -> None:
    with pytest.raises(BlankFrame, match=f"value {value} all over"):
        check_shows_something(frame(np.full((24, 32, 3), value)))


def test_a_small_light_on_a_black_table_is_a_picture() -> None:
    rgb = np.zeros((240, 320, 3))
    rgb[100:110, 100:110] = 200
    check_shows_something(frame(rgb))


def test_frames_differ_if_one_bit_anywhere_differs() -> None:
    one = noisy(1)
    assert are_identical(one, replace(one, rgb=one.rgb.copy()))
    for row in range(one.rgb.shape[0]):
        rgb = one.rgb.copy()
        rgb[row, -1, -1] ^= 1
        assert not are_identical(one, replace(one, rgb=rgb))
    assert not are_identical(one, noisy(1, size_px=(30, 24)))


def test_a_frozen_camera_is_found_at_the_set_number_of_frames() -> None:
    checks = FrameChecks(frozen_after=3)
    checks.check(noisy(1), is_live=True)
    checks.check(noisy(1), is_live=True)
    with pytest.raises(FrozenFrame, match="3 times"):
        checks.check(noisy(1), is_live=True)
    checks.check(noisy(2), is_live=True)
    checks.check(noisy(2), is_live=True)


def test_a_still_picture_played_over_and_over_is_not_frozen() -> None:
    checks = FrameChecks(frozen_after=2)
    for _ in range(5):
        checks.check(noisy(1), is_live=False)


def test_a_count_that_would_refuse_every_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="2 or more"):
        FrameChecks(frozen_after=1)


def test_real_turntable_photographs_pass(turntable_data: Path) -> None:
    pictures = sorted(turntable_data.glob("test/*/*.jpg"))[::50]
    assert pictures
    for picture in pictures:
        check_shows_something(frame(read_picture(picture)))
