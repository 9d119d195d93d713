"""The crop: the same scale for every part, one grey for every table."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.types import CropSpec, Frame, LocationKind
from sorter.vision import crop, learn_background, locate
from sorter.vision.crop import _area_weights, _resample
from tests.scenes import RED, TINT, WHITE, Drawn, draw, frame

SPEC = CropSpec()


def part_width_px(size: float, **how: object) -> int:
    """How wide a square of this size is in its crop."""
    picture = frame(Drawn(size=size, angle_deg=0), **how)
    cut = crop(picture, locate(picture), SPEC)
    return int((np.abs(cut.rgb[54].astype(int) - 170).max(axis=1) > 40).sum())


def test_a_part_twice_as_large_is_twice_as_large_in_its_crop() -> None:
    assert part_width_px(0.24) == pytest.approx(2 * part_width_px(0.12), abs=2)


def test_a_camera_with_more_pixels_shows_the_same_scale() -> None:
    assert part_width_px(0.2, side_px=900) == pytest.approx(part_width_px(0.2), abs=2)


def test_a_calibrated_frame_tells_its_own_scale() -> None:
    picture = frame(Drawn(angle_deg=0))
    nearer = dataclasses.replace(picture, mm_per_px=SPEC.frame_mm / 300 / 2)
    found = locate(picture)
    assert crop(nearer, found, SPEC).window.width_px == 2 * crop(picture, found, SPEC).window.width_px


@pytest.mark.parametrize("tint", [TINT, (165.0, 132.0, 190.0), (120.0, 160.0, 90.0)])
def test_the_tint_of_the_table_is_no_clue(tint: tuple[float, float, float]) -> None:
    picture = frame(Drawn(), tint=tint)
    cut = crop(picture, locate(picture), SPEC).rgb
    assert np.abs(cut[:20].reshape(-1, 3).mean(axis=0) - 170).max() < 2
    assert np.abs(cut[-12:].reshape(-1, 3).mean(axis=0) - 170).max() < 3


def test_a_part_looks_the_same_under_any_light() -> None:
    cuts = []
    for tint in (TINT, (150.0, 150.0, 150.0)):
        picture = frame(Drawn(), tint=tint)
        cuts.append(crop(picture, locate(picture), SPEC).rgb[58:66, 58:66].reshape(-1, 3).mean(axis=0))
    assert np.abs(cuts[0] - cuts[1]).max() < 4


def test_the_room_beyond_the_rim_and_the_border_is_no_clue() -> None:
    for place in (Drawn(x=0.45, y=0.22), Drawn(x=0.05, y=0.6)):
        picture = frame(place)
        cut = crop(picture, locate(picture), SPEC).rgb
        corner = cut[:12, :12]
        assert (corner == 170).all() or np.abs(corner.astype(int) - 170).max() < 12
        assert (np.abs(cut.astype(int) - 170).max(axis=2) == 0).any()


def test_without_evening_the_pixels_stay_as_they_are() -> None:
    plain = CropSpec(table_grey=None, size_px=300, window_mm=78.0)
    picture = frame(Drawn(x=0.5, y=0.5, angle_deg=0))
    found = locate(picture)
    cut = crop(picture, found, plain)
    dx, dy = cut.window.left_px, cut.window.top_px
    inner = cut.rgb[20 - min(dy, 0) : 250, 20 - min(dx, 0) : 250]
    top, left = 20 - min(dy, 0) + dy, 20 - min(dx, 0) + dx
    assert np.array_equal(inner, picture.rgb[top : top + inner.shape[0], left : left + inner.shape[1]])


def test_the_largest_of_several_is_cut() -> None:
    picture = frame(Drawn("square", 0.35, 0.5, 0.2), Drawn("bar", 0.7, 0.65, 0.12, colour=WHITE))
    found = locate(picture)
    assert found.kind is LocationKind.SEVERAL
    middle = crop(picture, found, SPEC).window
    assert abs(middle.left_px + middle.width_px / 2 - 0.35 * 300) < 4


def test_nothing_cannot_be_cut() -> None:
    picture = frame()
    with pytest.raises(ValueError, match="nothing to crop: the table shows empty"):
        crop(picture, locate(picture), SPEC)


def test_the_location_of_another_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="is of a frame"):
        crop(frame(side_px=400), locate(frame(Drawn())), SPEC)


def test_a_background_changes_hardly_a_byte() -> None:
    picture = frame(Drawn(), seed=4)
    alone = crop(picture, locate(picture), SPEC)
    against = crop(picture, locate(picture, learn_background([frame()])), SPEC)
    assert abs(alone.window.left_px - against.window.left_px) <= 1
    shared = np.abs(alone.rgb.astype(int) - against.rgb.astype(int))
    if alone.window == against.window:
        assert shared.mean() < 1.5


def test_where_no_table_was_made_out_nothing_is_evened() -> None:
    dark = draw(Drawn(colour=RED)) // 40
    picture = Frame(dark, 0.0, 0)
    found = locate(picture)
    assert found.table is None
    assert crop(picture, found, SPEC).rgb.max() <= dark.max()


@given(st.integers(1, 700), st.integers(8, 300))
def test_weights_are_whole_and_add_up_so_that_sums_are_exact(side_px: int, size_px: int) -> None:
    weights = _area_weights.__wrapped__(side_px, size_px)
    assert (weights.sum(axis=1) == 256).all()
    assert (weights == np.rint(weights)).all()
    assert weights.min() >= 0


@given(st.integers(0, 255), st.integers(8, 260), st.integers(8, 130))
def test_an_even_picture_stays_even(value: int, side_px: int, size_px: int) -> None:
    even = np.full((side_px, side_px, 3), value, np.uint8)
    assert (_resample(even, max(1, side_px // size_px), size_px) == value).all()


def test_shrinking_averages_as_opencv_does() -> None:
    picture = np.asarray(cv2.GaussianBlur(draw(Drawn(), side_px=215), (3, 3), 0))
    ours = _resample(picture, 1, 128).astype(int)
    theirs = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(ours - theirs).mean() < 1.0
