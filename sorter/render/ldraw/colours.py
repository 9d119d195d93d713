"""LDraw's colours: ``LDConfig.ldr`` and direct colours.

The statement is that of https://www.ldraw.org/article/299.html: ``0 !COLOUR name CODE x VALUE v EDGE e [ALPHA a]
[LUMINANCE l] [CHROME | PEARLESCENT | RUBBER | MATTE_METALLIC | METAL | MATERIAL …]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.render.errors import GeometryRefused
from sorter.render.ldraw.text import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

MAX_CODE = 0x3FFFFFF
"""The highest direct colour; opaque ones are 0x2RRGGBB, transparent ones 0x3RRGGBB."""

_FIRST_DIRECT = 0x2000000
_FIRST_TRANSPARENT = 0x3000000
_FINISHES = ("CHROME", "PEARLESCENT", "RUBBER", "MATTE_METALLIC", "METAL")
_RGB = re.compile(r"(?:#|0x)([0-9A-Fa-f]{6})")
_REMEDY = "Take LDConfig.ldr from ldraw.org again, or mend the line."


@dataclass(frozen=True)
class Colour:
    """One colour of plastic.

    Args:
        code: LDraw's number for it.
        name: as LDConfig.ldr spells it, with spaces for underscores: ``Light Bluish Grey``.
        rgb: sRGB, 0 to 255.
        edge_rgb: of the lines that LDraw draws along its edges, sRGB, 0 to 255.
        alpha: 0 (clear) to 255 (solid).
        finish: ``solid``, ``transparent``, ``chrome``, ``pearlescent``, ``rubber``, ``matte_metallic``, ``metal``, or
            a material: ``glitter``, ``speckle``, ``fabric`` … Glitter and rubber can be transparent too: see ``alpha``.
    """

    code: int
    name: str
    rgb: tuple[int, int, int]
    edge_rgb: tuple[int, int, int]
    alpha: int
    finish: str

    @property
    def linear(self) -> tuple[float, float, float]:
        """Linear RGB, 0 to 1."""
        return linear_rgb(self.rgb)


def linear_rgb(rgb: Iterable[int]) -> tuple[float, float, float]:
    """SRGB (0 to 255) as linear light (0 to 1), by IEC 61966-2-1."""
    red, green, blue = (_linear(value / 255) for value in rgb)
    return red, green, blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


class Colours:
    """The colours of one ``LDConfig.ldr``; going through them gives them by code."""

    def __init__(self, file: Path, colours: Iterable[Colour]) -> None:
        self.file = file
        self._by_code = {each.code: each for each in sorted(colours, key=lambda each: each.code)}
        self._by_name = {_key(each.name): each for each in self._by_code.values()}

    def __iter__(self) -> Iterator[Colour]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    def __getitem__(self, code: int) -> Colour:
        """The colour of a code, direct ones too.

        Raises:
            GeometryRefused: LDConfig.ldr has no such colour.
        """
        code = int(code)
        if _FIRST_DIRECT <= code <= MAX_CODE:
            return _direct(code)
        if code not in self._by_code:
            raise GeometryRefused(self.file, f"has no colour of code {code}", remedy=_REMEDY)
        return self._by_code[code]

    def named(self, name: str) -> Colour:
        """The colour of a name; letters' case does not matter, nor whether words are parted by ``_`` or a space.

        Raises:
            GeometryRefused: LDConfig.ldr has no such colour.
        """
        found = self._by_name.get(_key(name))
        if found is None:
            raise GeometryRefused(
                self.file,
                f"has no colour {name!r}",
                remedy="Write a name of LDConfig.ldr, such as 'Light Bluish Grey'.",
            )
        return found


def _key(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())


def _direct(code: int) -> Colour:
    rgb = _bytes(code & 0xFFFFFF)
    is_solid = code < _FIRST_TRANSPARENT
    return Colour(code, f"0x{code:07X}", rgb, rgb, 255 if is_solid else 128, "solid" if is_solid else "transparent")


def _bytes(value: int) -> tuple[int, int, int]:
    return value >> 16, value >> 8 & 255, value & 255


def read_colours(file: Path, text: str) -> Colours:
    """The colours of the text of an ``LDConfig.ldr``; ``file`` is only named in errors.

    A code that stands twice has its last colour.

    Raises:
        GeometryRefused: a ``!COLOUR`` line is malformed, or there is none.
    """
    found = []
    for number, line in enumerate(lines_of(text), start=1):
        words = line.split()
        if words[:2] == ["0", "!COLOUR"]:
            try:
                found.append(_colour(words[2:]))
            except ValueError as error:
                raise GeometryRefused(file, f"is no !COLOUR statement: {error}", remedy=_REMEDY, line=number) from error
    if not found:
        raise GeometryRefused(file, "defines no colour", remedy=_REMEDY)
    return Colours(file, found)


def _colour(words: Sequence[str]) -> Colour:
    """``words`` is what stands after ``!COLOUR``.

    Raises:
        ValueError: says what is wrong with them.
    """
    if not words:
        raise ValueError("its name is missing")
    upper = [word.upper() for word in words]
    end = upper.index("MATERIAL") if "MATERIAL" in upper else len(words)  # a material has a VALUE of its own

    def after(key: str) -> str | None:
        place = upper.index(key, 1, end) if key in upper[1:end] else None
        if place is None:
            return None
        if place + 1 >= end:
            raise ValueError(f"{key} has no value")
        return words[place + 1]

    alpha = _integer("ALPHA", after("ALPHA") or "255", 255)
    if end + 1 < len(words):
        finish = words[end + 1].lower()
    else:
        finish = next((name.lower() for name in _FINISHES if name in upper[1:end]), "")
        finish = finish or ("transparent" if alpha < 255 else "solid")
    return Colour(
        code=_integer("CODE", after("CODE"), _FIRST_DIRECT - 1),
        name=" ".join(words[0].replace("_", " ").split()),
        rgb=_rgb("VALUE", after("VALUE")),
        edge_rgb=_edge(after("EDGE")),
        alpha=alpha,
        finish=finish,
    )


def _integer(key: str, text: str | None, highest: int) -> int:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > highest:
        raise ValueError(f"{key} is a whole number from 0 to {highest}, got {text}")
    return int(text)


def _rgb(key: str, text: str | None) -> tuple[int, int, int]:
    match = _RGB.fullmatch(text or "")
    if match is None:
        raise ValueError(f"{key} is written #RRGGBB, got {text}")
    return _bytes(int(match[1], 16))


def _edge(text: str | None) -> tuple[int, int, int]:
    """An edge may also be another colour's code; whose value is not known yet, and nothing here draws edges: black."""
    if text is not None and text.isascii() and text.isdigit():
        return 0, 0, 0
    return _rgb("EDGE", text)
