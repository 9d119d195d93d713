"""The part's colour, by the table beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.types import Frame
from sorter.vision import fuse_colours, locate, part_colour
from sorter.vision.camera_colours import NEUTRAL, PHOTOGRAPHS
from sorter.vision.colour import lab_of, linear_of
from sorter.vision.palette import PALETTE, PaletteColour
from tests.scenes import TINT, Drawn, draw, frame

FEW = tuple(
    colour
    for colour in PALETTE
    if colour.name in {"Black", "White", "Red", "Yellow", "Blue", "Green", "Tan", "Light Bluish Grey", "Orange", "Lime"}
)


def drawn_in(colour: PaletteColour, tint: tuple[float, float, float] = TINT) -> Frame:
    """A part of this colour on a table that reflects 85 %; drawn.scenes works with a gamma of 2.2."""
    factor = tuple(float(value) for value in linear_of(np.array(colour.srgb)) / 0.85)
    return frame(Drawn(colour=factor, size=0.24), tint=tint)  # type: ignore[arg-type]


@pytest.mark.parametrize("tint", [TINT, (185.0, 185.0, 185.0), (165.0, 132.0, 190.0)])
@pytest.mark.parametrize("colour", FEW, ids=lambda colour: colour.name)
def test_a_colour_is_named_whatever_the_tint_of_the_light(
    colour: PaletteColour, tint: tuple[float, float, float]
) -> None:
    picture = drawn_in(colour, tint)
    seen = part_colour(picture, locate(picture), FEW, NEUTRAL)
    assert seen is not None
    assert (seen.name, seen.ldraw_code) == (colour.name, colour.ldraw_code)


def test_two_colours_that_fit_alike_are_unsure() -> None:
    twins = (PaletteColour(1, "one", 1, "one", (180, 0, 0)), PaletteColour(2, "other", 2, "other", (182, 0, 2)))
    picture = drawn_in(twins[0])
    seen = part_colour(picture, locate(picture), twins, NEUTRAL)
    assert seen is not None
    assert seen.is_unsure


def test_a_colour_far_from_the_palette_is_unsure() -> None:
    greys = tuple(colour for colour in PALETTE if colour.name in {"Black", "White"})
    picture = frame(Drawn(colour=(0.1, 0.9, 0.05)))
    seen = part_colour(picture, locate(picture), greys, NEUTRAL)
    assert seen is not None
    assert seen.is_unsure


def test_without_a_part_or_a_table_there_is_no_colour() -> None:
    empty, dark = frame(), Frame(draw(Drawn()) // 40, 0.0, 0)
    assert part_colour(empty, locate(empty)) is None
    assert part_colour(dark, locate(dark)) is None


def test_views_together_outvote_one_that_was_deceived() -> None:
    red, orange = (drawn_in(colour) for colour in FEW if colour.name in {"Red", "Orange"})
    seen = [part_colour(each, locate(each), FEW, NEUTRAL) for each in (red, red, orange)]
    fused = fuse_colours([*seen, None], FEW, NEUTRAL)
    assert fused is not None
    assert fused.name == "Red"
    assert fuse_colours([None], FEW, NEUTRAL) is None


def test_every_number_and_name_of_the_palette_stands_there_once() -> None:
    assert len({colour.ldraw_code for colour in PALETTE}) == len({colour.name for colour in PALETTE}) == len(PALETTE)
    assert len({colour.lego_id for colour in PALETTE}) == len(PALETTE)


def test_an_empty_palette_is_refused() -> None:
    picture = frame(Drawn())
    with pytest.raises(ValueError, match="at least one colour"):
        part_colour(picture, locate(picture), ())


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_cielab_is_that_of_the_standard(srgb: tuple[int, int, int]) -> None:
    light, a, b = lab_of(linear_of(np.array(srgb)))
    assert -1e-6 <= light <= 100.01
    if len(set(srgb)) == 1:
        assert abs(a) < 0.02
        assert abs(b) < 0.02


def test_cielab_of_known_colours() -> None:
    """From Bruce Lindbloom's calculator for sRGB and D65."""
    assert lab_of(linear_of(np.array([255, 0, 0]))) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    assert lab_of(linear_of(np.array([0, 0, 255]))) == pytest.approx([32.30, 79.19, -107.86], abs=0.02)


@pytest.mark.parametrize("tint", [-5.0, 0.0, 5.0])
def test_a_tint_that_was_never_fitted_is_not_extrapolated(tint: float) -> None:
    limit = min(max(tint, PHOTOGRAPHS.least_tint), PHOTOGRAPHS.most_tint)
    assert np.array_equal(PHOTOGRAPHS.matrix(tint), PHOTOGRAPHS.matrix(limit))
