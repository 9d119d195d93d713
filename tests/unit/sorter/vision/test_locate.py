"""Where the part is, and whether there is exactly one: on drawn tables."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.types import Box, Frame, LocationKind
from sorter.vision import learn_background, locate
from sorter.vision.table import to_work
from tests.scenes import BLACK, RED, SHAPES, TINT, WHITE, Drawn, box_of, draw, frame, overlap

COLOURS = {"red": RED, "white": WHITE, "black": BLACK, "like the table but darker": (0.55, 0.55, 0.55)}
TINTS = {"pink": TINT, "violet": (165.0, 132.0, 190.0), "white": (200.0, 200.0, 200.0), "dim": (70.0, 60.0, 66.0)}


@pytest.mark.parametrize("tint", TINTS)
def test_an_empty_table_is_never_taken_for_a_part(tint: str) -> None:
    found = locate(frame(tint=TINTS[tint]))
    assert (found.kind, found.boxes, found.mask.any()) == (LocationKind.EMPTY, (), False)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("colour", COLOURS)
def test_one_part_of_any_colour_is_found_where_it_lies(shape: str, colour: str) -> None:
    part = Drawn(shape, colour=COLOURS[colour])
    found = locate(frame(part))
    assert found.kind is LocationKind.ONE
    assert overlap(found.boxes[0], box_of(part, 300)) > 0.8
    box = found.boxes[0]
    assert found.mask[:, box.left_px : box.left_px + box.width_px].sum() == found.mask.sum()


@pytest.mark.parametrize("tint", TINTS)
def test_the_light_does_not_matter(tint: str) -> None:
    part = Drawn("bar")
    found = locate(frame(part, tint=TINTS[tint]))
    assert found.kind is LocationKind.ONE
    assert overlap(found.boxes[0], box_of(part, 300)) > 0.8


@pytest.mark.parametrize("side_px", [200, 299, 300, 640, 1201])
def test_a_camera_of_any_resolution_finds_the_same_place(side_px: int) -> None:
    part = Drawn("bar")
    found = locate(frame(part, side_px=side_px))
    assert found.kind is LocationKind.ONE
    assert found.mask.shape == (side_px, side_px)
    assert overlap(found.boxes[0], box_of(part, side_px)) > 0.75


def test_frames_that_are_not_square_are_no_trouble() -> None:
    wide = Frame(np.ascontiguousarray(draw(Drawn(), side_px=720)[60:600]), 0.0, 0)
    found = locate(wide)
    assert found.kind is LocationKind.ONE
    assert found.mask.shape == (540, 720)


def test_two_parts_are_never_taken_for_one() -> None:
    apart = (Drawn("square", 0.35, 0.5, 0.15), Drawn("bar", 0.65, 0.6, 0.15, colour=WHITE))
    found = locate(frame(*apart))
    assert found.kind is LocationKind.SEVERAL
    assert len(found.boxes) == 2
    assert found.boxes[0].width_px * found.boxes[0].height_px > found.boxes[1].width_px * found.boxes[1].height_px


@pytest.mark.parametrize(("x", "y"), [(0.02, 0.5), (0.99, 0.6), (0.5, 0.98)])
def test_a_part_that_reaches_out_of_the_picture_is_told(x: float, y: float) -> None:
    found = locate(frame(Drawn(x=x, y=y)))
    assert found.kind is LocationKind.EDGE
    assert overlap(found.boxes[0], box_of(Drawn(x=x, y=y), 300)) > 0.7


def test_a_part_over_the_rim_of_the_table_is_told() -> None:
    assert locate(frame(Drawn(x=0.45, y=0.1))).kind is LocationKind.EDGE


def test_dust_is_not_sorted() -> None:
    assert locate(frame(Drawn("disc", size=0.012, colour=BLACK))).kind is LocationKind.EMPTY


def test_a_shadow_alone_is_no_part() -> None:
    y, x = np.mgrid[0:300, 0:300]
    shade = 1 - 0.35 * np.exp(-((x - 150) ** 2 + (y - 170) ** 2) / (2 * 40**2))
    shaded = (draw() * shade[..., None]).astype(np.uint8)
    assert locate(Frame(shaded, 0.0, 0)).kind is LocationKind.EMPTY


@pytest.mark.parametrize("value", [0, 6, 255])
def test_a_lamp_that_went_out_or_blinds_is_never_called_an_empty_table(value: int) -> None:
    found = locate(Frame(np.full((300, 300, 3), value, np.uint8), 0.0, 0))
    assert found.kind is LocationKind.EDGE
    assert found.boxes == (Box(0, 0, 300, 300),)
    assert found.table is None


@pytest.mark.parametrize("share", [0.3, 0.45, 0.6])
@pytest.mark.parametrize("room", [(12, 12, 14), (90, 120, 100), (235, 230, 225)], ids=["dark", "grey", "bright"])
@pytest.mark.parametrize("is_empty", [True, False])
def test_a_table_that_is_the_smaller_part_of_the_picture_is_never_called_empty_with_a_part_on_it(
    share: float, room: tuple[int, int, int], is_empty: bool
) -> None:
    radius = np.sqrt(share / np.pi) * 300 * 0.98
    y, x = np.mgrid[0:300, 0:300]
    picture = draw(*([] if is_empty else [Drawn(x=0.5, y=0.5, size=0.16)]))
    picture[(x - 150) ** 2 + (y - 150) ** 2 > radius**2] = room
    noisy = picture + np.random.default_rng(1).normal(0, 1.2, picture.shape)
    found = locate(Frame(np.clip(noisy, 0, 255).astype(np.uint8), 0.0, 0))
    assert (found.kind is LocationKind.EMPTY) <= is_empty
    if found.kind is LocationKind.ONE:
        assert not is_empty
        assert overlap(found.boxes[0], box_of(Drawn(x=0.5, y=0.5, size=0.16), 300)) > 0.6


def test_long_strips_take_no_memory_without_end() -> None:
    strip = np.full((100, 60_000, 3), 180, np.uint8)
    assert to_work(strip).size < 3 * 4 * 300**2 * 1.1


def test_noise_is_never_called_an_empty_table() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    assert locate(Frame(noise, 0.0, 0)).kind is not LocationKind.EMPTY


def test_a_part_that_still_rocks_is_told() -> None:
    before, after = frame(Drawn(angle_deg=20)), frame(Drawn(angle_deg=26), seed=1)
    assert locate(after, previous=before).kind is LocationKind.MOVING


def test_a_part_that_lies_still_is_not_moving_when_the_light_flickers() -> None:
    before, after = frame(Drawn()), frame(Drawn(), seed=1, light=0.9)
    assert locate(after, previous=before).kind is LocationKind.ONE


@pytest.mark.parametrize("colour", [BLACK, (0.02, 0.02, 0.3), (0.6, 0.3, 0.01)])
def test_the_noise_of_a_dark_or_bright_coloured_part_is_no_motion(colour: tuple[float, float, float]) -> None:
    part = Drawn(shape="bar", size=0.3, colour=colour)
    before, after = noisy(frame(part), 1), noisy(frame(part), 2)
    assert locate(after, previous=before).kind is LocationKind.ONE


@pytest.mark.parametrize("moved", [{"x": 0.46}, {"angle_deg": 26.0}])
def test_a_black_part_that_still_rocks_is_told(moved: dict[str, float]) -> None:
    part = Drawn(shape="bar", size=0.3, colour=BLACK)
    before, after = noisy(frame(part), 1), noisy(frame(replace(part, **moved)), 2)
    assert locate(after, previous=before).kind is LocationKind.MOVING


def noisy(taken: Frame, seed: int) -> Frame:
    """With the noise of a small sensor in a dim room, everywhere the same."""
    noise = np.random.default_rng(seed).normal(0.0, 2.5, taken.rgb.shape)
    return replace(taken, rgb=np.clip(np.rint(taken.rgb + noise), 0, 255).astype(np.uint8))


def test_frames_of_two_sizes_are_not_compared() -> None:
    with pytest.raises(ValueError, match="another size"):
        locate(frame(), previous=frame(side_px=200))


def test_marks_on_the_table_are_no_parts_once_it_was_seen_empty() -> None:
    background = learn_background([frame(marks=True, seed=seed) for seed in range(3)])
    assert locate(frame(marks=True)).kind is LocationKind.SEVERAL
    found = locate(frame(marks=True, seed=9), background)
    assert (found.kind, found.is_against_background) == (LocationKind.EMPTY, True)
    part = Drawn("bar", colour=WHITE)
    found = locate(frame(part, marks=True, seed=9), background)
    assert found.kind is LocationKind.ONE
    assert overlap(found.boxes[0], box_of(part, 300)) > 0.8


@pytest.mark.parametrize("light", [0.8, 1.15])
def test_light_that_changed_a_little_does_not_hide_marks_again(light: float) -> None:
    background = learn_background([frame(marks=True)])
    warmer = (TINT[0] * 1.05, TINT[1], TINT[2] * 0.95)
    assert locate(frame(marks=True, seed=1, light=light, tint=warmer), background).kind is LocationKind.EMPTY
    assert locate(frame(Drawn(), marks=True, seed=1, light=light, tint=warmer), background).kind is LocationKind.ONE


def test_a_background_that_no_longer_fits_is_said_to_be_of_no_use() -> None:
    background = learn_background([frame()])
    patches = np.random.default_rng(2).uniform(0.2, 1.0, (12, 12)).astype(np.float32)
    mottled = draw() * cv2.resize(patches, (300, 300), interpolation=cv2.INTER_NEAREST)[..., None]
    found = locate(Frame(mottled.astype(np.uint8), 0.0, 0), background)
    assert not found.is_against_background
    assert found.kind is not LocationKind.EMPTY


def test_a_background_of_another_camera_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="learn it again"):
        locate(frame(side_px=400), learn_background([frame()]))


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(SHAPES),
    st.floats(0.3, 0.62),
    st.floats(0.38, 0.7),
    st.floats(0.1, 0.25),
    st.floats(0, 360),
    st.tuples(*[st.floats(0.02, 0.6)] * 3),
)
def test_a_part_is_found_wherever_it_lies(
    shape: str, x: float, y: float, size: float, angle_deg: float, colour: tuple[float, float, float]
) -> None:
    part = Drawn(shape, x, y, size, angle_deg, colour)
    found = locate(frame(part))
    assert found.kind is LocationKind.ONE
    assert overlap(found.boxes[0], box_of(part, 300)) > 0.7


@settings(max_examples=25, deadline=None)
@given(st.integers(16, 90), st.integers(16, 90), st.integers(0, 2**32 - 1), st.sampled_from([0, 3, 41]))
def test_no_picture_brings_it_down(height: int, width: int, seed: int, blur: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    if blur:
        picture = np.asarray(cv2.GaussianBlur(picture, (blur, blur), 0))
    found = locate(Frame(picture, 0.0, 0))
    assert found.mask.shape == (height, width)
