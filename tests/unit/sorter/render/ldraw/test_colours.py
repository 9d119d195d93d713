"""Colours: a part is rendered in the colour that was asked for, or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.render.errors import GeometryRefused
from sorter.render.ldraw import Library, linear_rgb
from sorter.render.ldraw.colours import read_colours

FILE = Path("LDConfig.ldr")
COLOURS = Library(Path(__file__).resolve().parents[4] / "data" / "ldraw").colours


def test_a_colour_has_its_name_value_and_finish() -> None:
    grey = COLOURS.named("Light Bluish Grey")
    assert (grey.code, grey.rgb, grey.alpha, grey.finish) == (71, (0x96, 0x96, 0x96), 255, "solid")
    assert COLOURS.named("light_bluish_grey") is grey
    assert COLOURS[71] is grey
    finishes = {each.name: each.finish for each in COLOURS}
    assert finishes["Trans Clear"] == "transparent"
    assert finishes["Chrome Silver"] == "chrome"
    assert finishes["Rubber Black"] == "rubber"
    assert finishes["Glitter Clear"] == "glitter"
    assert COLOURS.named("Glitter Clear").rgb == (0xEE, 0xEE, 0xEE), "the material has a VALUE of its own"


def test_direct_colours_need_no_definition() -> None:
    assert COLOURS[0x2FF8000].rgb == (255, 128, 0)
    assert COLOURS[0x2FF8000].finish == "solid"
    assert COLOURS[0x3000001].finish == "transparent"


def test_linear_light_is_that_of_the_srgb_standard() -> None:
    assert linear_rgb((0, 255, 188)) == pytest.approx((0.0, 1.0, 0.5029), abs=1e-4)
    assert COLOURS.named("Red").linear == pytest.approx((0.4342, 0.0052, 0.0052), abs=1e-4)


def test_an_unknown_colour_is_named() -> None:
    with pytest.raises(GeometryRefused, match="no colour 'Gray'"):
        COLOURS.named("Gray")
    with pytest.raises(GeometryRefused, match="no colour of code 999"):
        COLOURS[999]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 !COLOUR", "its name is missing"),
        ("0 !COLOUR Red VALUE #FF0000 EDGE #000000", "CODE is a whole number"),
        ("0 !COLOUR Red CODE -4 VALUE #FF0000 EDGE #000000", "got -4"),
        ("0 !COLOUR Red CODE 4 VALUE red EDGE #000000", "VALUE is written #RRGGBB, got red"),
        ("0 !COLOUR Red CODE 4 VALUE #FF0000", "EDGE is written #RRGGBB, got None"),
        ("0 !COLOUR Red CODE 4 VALUE #FF0000 EDGE #000000 ALPHA 256", "ALPHA is a whole number from 0 to 255"),
        ("0 !COLOUR Red CODE 4 VALUE #FF0000 EDGE", "EDGE has no value"),
    ],
)
def test_a_malformed_colour_is_named_with_its_line(line: str, said: str) -> None:
    with pytest.raises(GeometryRefused, match=said) as caught:
        read_colours(FILE, f"0 Colours\n{line}\n")
    assert caught.value.line == 2


def test_a_file_without_colours_is_refused() -> None:
    with pytest.raises(GeometryRefused, match="defines no colour"):
        read_colours(FILE, "0 nothing\n")


words = st.sampled_from(("Red", "CODE", "VALUE", "EDGE", "ALPHA", "MATERIAL", "GLITTER", "#FF0000", "4", "²", "CHROME"))


@given(st.lists(words | st.text(max_size=4), max_size=12))
def test_no_statement_does_worse_than_be_refused(statement: list[str]) -> None:
    with contextlib.suppress(GeometryRefused):
        assert len(read_colours(FILE, f"0 !COLOUR {' '.join(statement)}\n")) == 1


def test_the_real_colours_are_read(ldraw_library: Path) -> None:
    colours = Library(ldraw_library).colours
    assert len(colours) > 200
    assert colours.named("Light Bluish Grey").finish == "solid"
    assert {each.finish for each in colours} >= {"solid", "transparent", "chrome", "metal", "rubber", "glitter"}
