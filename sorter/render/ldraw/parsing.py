"""One LDraw file's text as arrays, pure: nothing is opened here, and what it refers to is not followed.

Line types: https://www.ldraw.org/article/218.html. Winding: https://www.ldraw.org/article/415.html (BFC).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sorter.render.errors import GeometryRefused
from sorter.render.ldraw.colours import MAX_CODE
from sorter.render.ldraw.faces import triangles_of_quads
from sorter.render.ldraw.text import lines_of
from sorter.render.mesh import MAIN_COLOUR

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

EDGE_COLOUR = 24
"""LDraw's code for the colour of edge lines; a face that has it is given the part's own."""

_POINTS = {2: 2, 3: 3, 4: 4, 5: 4}
_REFERENCE_WORDS = 15
_MAX_NUMBER = 1e6
_BFC = ("CERTIFY", "NOCERTIFY", "CLIP", "NOCLIP", "CW", "CCW", "INVERTNEXT")
_REMEDY = "Take the file from ldraw.org again, or mend the line."


@dataclass(frozen=True, eq=False)
class Reference:
    """A type 1 line: another file, placed.

    Args:
        line: on which it stands, from 1.
        name: of the other file, as written.
        colour: what the other file's colour 16 becomes.
        matrix: 3×3 float64; a point p of the other file is at ``matrix @ p + offset``.
        offset: 3 float64, LDU.
        is_inverted: INVERTNEXT stood before it.
        is_certified: the winding of what it brings can be trusted, as far as this file is concerned.
    """

    line: int
    name: str
    colour: int
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    is_inverted: bool
    is_certified: bool


@dataclass(frozen=True, eq=False)
class ParsedFile:
    """A file's own geometry, in LDU, and what it refers to.

    Args:
        triangles: n×3×3, counter-clockwise seen from outside where ``certified``.
        colours: n int32.
        certified: n bool.
        lines: m×2×3: type 2 lines, sharp edges.
        references: in order of lines.
    """

    triangles: NDArray[np.float64]
    colours: NDArray[np.int32]
    certified: NDArray[np.bool_]
    lines: NDArray[np.float64]
    references: tuple[Reference, ...]


@dataclass
class _Bfc:
    """The state of the BFC statements while a file is read."""

    is_certified: bool | None = None
    is_clockwise: bool = False
    inverts_next: bool = False

    def say(self, options: list[str]) -> None:
        """Take in one statement.

        Raises:
            ValueError: an option is not known.
        """
        unknown = [option for option in options if option not in _BFC]
        if unknown or not options:
            raise ValueError(f"BFC knows {', '.join(_BFC)}, got {' '.join(unknown) or 'nothing'}")
        if self.is_certified is None:  # any other statement before the first face certifies, too
            self.is_certified = "NOCERTIFY" not in options
        for option in options:
            if option in {"CW", "CCW"}:
                self.is_clockwise = option == "CW"
        self.inverts_next = "INVERTNEXT" in options

    def draw(self) -> bool:
        """A line that draws; whether its winding can be trusted. What was not certified before it never is."""
        if self.is_certified is None:
            self.is_certified = False
        return self.is_certified


@dataclass
class _Faces:
    """Faces of one kind, collected."""

    points: list[list[float]] = field(default_factory=list)
    colours: list[int] = field(default_factory=list)
    certified: list[bool] = field(default_factory=list)
    clockwise: list[bool] = field(default_factory=list)

    def add(self, points: list[float], colour: int, bfc: _Bfc) -> None:
        self.points.append(points)
        self.colours.append(colour)
        self.certified.append(bfc.draw())
        self.clockwise.append(bfc.is_clockwise)

    def arrays(self, corners: int) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.bool_]]:
        """n×corners×3 points, counter-clockwise; n colours; n, whether that is certified."""
        points = np.array(self.points, np.float64).reshape(-1, corners, 3)
        clockwise = np.array(self.clockwise, bool)
        points[clockwise] = points[clockwise, ::-1]
        return points, np.array(self.colours, np.int32), np.array(self.certified, bool)


def parse(file: Path, text: str) -> ParsedFile:
    """Read one file's text; ``file`` is only named in errors.

    CLIP and NOCLIP are known and change nothing: both sides of every face are drawn here. A quad is two triangles, by
    that diagonal that does not leave it; the winding of one that crosses itself is not certified.

    Raises:
        GeometryRefused: a line is malformed; it is named.
    """
    content = _Content()
    for number, line in enumerate(lines_of(text), start=1):
        words = line.split(maxsplit=_REFERENCE_WORDS - 1)
        try:
            if words:
                content.take(number, line, words)
        except ValueError as error:
            raise GeometryRefused(file, str(error), remedy=_REMEDY, line=number) from error
    corners, colours, certified = content.triangles.arrays(3)
    quad_corners, quad_colours, quad_certified = content.quads.arrays(4)
    split, is_plain = triangles_of_quads(quad_corners)
    return ParsedFile(
        triangles=np.concatenate([corners, split]),
        colours=np.concatenate([colours, np.repeat(quad_colours, 2)]),
        certified=np.concatenate([certified, np.repeat(quad_certified & is_plain, 2)]),
        lines=np.array(content.lines, np.float64).reshape(-1, 2, 3),
        references=tuple(content.references),
    )


@dataclass
class _Content:
    """What a file's lines have said so far."""

    bfc: _Bfc = field(default_factory=_Bfc)
    triangles: _Faces = field(default_factory=_Faces)
    quads: _Faces = field(default_factory=_Faces)
    lines: list[list[float]] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    def take(self, number: int, line: str, words: list[str]) -> None:
        """Take in one line; ``words`` are its first 15, the last of them with all that follows.

        Raises:
            ValueError: says what is wrong with it.
        """
        match words[0]:
            case "0":
                _meta(words, line, self.bfc)
            case "1":
                self.references.append(_reference(words, number, self.bfc))
            case "2" | "3" | "4" | "5" as kind:
                colour, points = _drawn(words, line, int(kind), self.bfc)
                if kind == "2":
                    self.lines.append(points)
                elif kind != "5":  # type 5 are lines where a surface is smooth: that shows in its normals here
                    (self.triangles if kind == "3" else self.quads).add(points, colour, self.bfc)
            case other:
                raise ValueError(f"a line begins with its type, 0 to 5, got {other[:20]!r}")


def _meta(words: list[str], line: str, bfc: _Bfc) -> None:
    """A type 0 line: only BFC changes what is read."""
    if len(words) > 1 and words[1] == "BFC":
        bfc.say(line.split()[2:])
    elif len(words) > 1 and words[1] in {"FILE", "!DATA"} and bfc.is_certified is not None:
        raise ValueError(f"begins a second document ({words[1]}); a part's file holds one")


def _reference(words: list[str], number: int, bfc: _Bfc) -> Reference:
    if len(words) < _REFERENCE_WORDS:
        raise ValueError(f"a line of type 1 has a colour, 12 numbers and a file, got {len(words) - 1} words")
    colour = _colour(words[1])
    numbers = np.array(_numbers(words[2:14]), np.float64)
    is_inverted, bfc.inverts_next = bfc.inverts_next, False
    return Reference(
        line=number,
        name=words[14].strip(),
        colour=colour,
        matrix=numbers[3:].reshape(3, 3),
        offset=numbers[:3],
        is_inverted=is_inverted,
        is_certified=bfc.draw(),
    )


def _drawn(words: list[str], line: str, kind: int, bfc: _Bfc) -> tuple[int, list[float]]:
    """Colour and coordinates of a line of type 2 to 5."""
    words = words if len(words) < _REFERENCE_WORDS else line.split()
    wanted = 3 * _POINTS[kind]
    if len(words) != 2 + wanted:
        raise ValueError(f"a line of type {kind} has a colour and {wanted} numbers, got {len(words) - 1} words")
    if bfc.inverts_next:
        raise ValueError("stands after BFC INVERTNEXT, which a line of type 1 must follow")
    return _colour(words[1]), _numbers(words[2:])


def _numbers(words: list[str]) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = [math.nan]
    if all(-_MAX_NUMBER <= number <= _MAX_NUMBER for number in numbers) and "_" not in "".join(words):
        return numbers
    wrong = next(word for word in words if not _is_number(word))
    raise ValueError(f"coordinates are numbers from -{_MAX_NUMBER:.0f} to {_MAX_NUMBER:.0f}, got {wrong[:40]!r}")


def _is_number(word: str) -> bool:
    try:
        return "_" not in word and abs(float(word)) <= _MAX_NUMBER
    except ValueError:
        return False


def _colour(word: str) -> int:
    """A code of LDConfig.ldr, or a direct colour, 0x2RRGGBB; the edges' colour is the part's own."""
    try:
        code = int(word, 16) if word[:2].lower() == "0x" else int(word)
    except ValueError:
        code = -1
    if not 0 <= code <= MAX_CODE or "_" in word:
        raise ValueError(f"a colour is a code of LDConfig.ldr, or 0x2RRGGBB, got {word[:40]!r}")
    return MAIN_COLOUR if code == EDGE_COLOUR else code
