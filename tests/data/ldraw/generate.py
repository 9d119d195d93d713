"""Writes the tiny library of parts beside it, in LDraw's layout, of the project's own geometry.

    python tests/data/ldraw/generate.py

Numbers begin with t, so that nobody takes them for LEGO's. Sizes are those of real bricks: LDU of 0.4 mm, -y is up.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path

Point = tuple[float, float, float]

HEADER = "0 {title}\n0 Name: {name}\n0 Author: the tests\n\n0 BFC CERTIFY {winding}\n\n"
COLOURS = """\
0 Colours of the tests
0 // the names and codes of common plastics, values of our own
0 !COLOUR Black CODE 0 VALUE #1A1A1E EDGE #808080
0 !COLOUR Blue CODE 1 VALUE #1E50A0 EDGE #333333
0 !COLOUR Red CODE 4 VALUE #B01010 EDGE #333333
0 !COLOUR Yellow CODE 14 VALUE #F8C810 EDGE #333333
0 !COLOUR White CODE 15 VALUE #F4F4F4 EDGE #333333
0 !COLOUR Main_Colour CODE 16 VALUE #FFFF80 EDGE #333333
0 !COLOUR Edge_Colour CODE 24 VALUE #7F7F7F EDGE #333333
0 !COLOUR Light_Bluish_Grey CODE 71 VALUE #969696 EDGE #333333
0 !COLOUR Trans_Clear CODE 47 VALUE #FCFCFC EDGE #C9C9C9 ALPHA 128
0 !COLOUR Chrome_Silver CODE 383 VALUE #CECECE EDGE 8 CHROME
0 !COLOUR Rubber_Black CODE 256 VALUE #1A1A1E EDGE #808080 RUBBER
0 !COLOUR Glitter_Clear CODE 117 VALUE #EEEEEE EDGE #BABABA ALPHA 128 MATERIAL GLITTER VALUE #FFFFFF FRACTION 0.1 SIZE 1
"""


def number(value: float) -> str:
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def numbers(points: list[Point]) -> str:
    return " ".join(number(value) for point in points for value in point)


def face(points: list[Point], outward: Point, winding: str = "CCW") -> str:
    """A line of type 3 or 4 whose corners go round as ``winding`` says, seen from ``outward``."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = points[:3]
    first, second = (bx - ax, by - ay, bz - az), (cx - bx, cy - by, cz - bz)
    normal = (
        first[1] * second[2] - first[2] * second[1],
        first[2] * second[0] - first[0] * second[2],
        first[0] * second[1] - first[1] * second[0],
    )
    is_counter_clockwise = sum(one * other for one, other in zip(normal, outward, strict=True)) > 0
    if is_counter_clockwise != (winding == "CCW"):
        points.reverse()
    return f"{len(points)} 16 {numbers(points)}\n"


def edge(*points: Point) -> str:
    return f"2 24 {numbers(list(points))}\n"


def placed(name: str, at: Point, scale: Point = (1, 1, 1), *, is_inverted: bool = False) -> str:
    matrix = [(scale[0], 0, 0), (0, scale[1], 0), (0, 0, scale[2])]
    inverted = "0 BFC INVERTNEXT\n" if is_inverted else ""
    return f"{inverted}1 16 {numbers([at, *matrix])} {name}\n"


def circle(count: int) -> list[tuple[float, float]]:
    turns = [2 * math.pi * step / count for step in range(count + 1)]
    return [(math.cos(turn), math.sin(turn)) for turn in turns]


def cylinder(count: int) -> str:
    """Radius 1, from y = 0 to y = 1, without ends; with the lines of type 5 along which it is smooth."""
    ring = circle(count)
    text = ""
    for (ax, az), (bx, bz), (cx, cz) in zip(ring[:-1], ring[1:], [*ring[2:], ring[1]], strict=True):
        text += face([(ax, 0, az), (bx, 0, bz), (bx, 1, bz), (ax, 1, az)], (ax + bx, 0, az + bz))
        text += f"5 24 {numbers([(bx, 0, bz), (bx, 1, bz), (ax, 0, az), (cx, 0, cz)])}\n"
    return text


def disc(count: int, winding: str) -> str:
    """Radius 1, at y = 0, facing up."""
    ring = circle(count)
    pairs = itertools.pairwise(ring)
    return "".join(face([(0, 0, 0), (ax, 0, az), (bx, 0, bz)], (0, -1, 0), winding) for (ax, az), (bx, bz) in pairs)


def ring(inner: float) -> str:
    """Between radius ``inner`` and 1, at y = 0, facing up."""
    text = ""
    for (ax, az), (bx, bz) in zip(circle(16)[:-1], circle(16)[1:], strict=True):
        inside = [(inner * bx, 0.0, inner * bz), (inner * ax, 0.0, inner * az)]
        text += face([(ax, 0, az), (bx, 0, bz), *inside], (0, -1, 0))
    return text


def circle_edge() -> str:
    pairs = zip(circle(16)[:-1], circle(16)[1:], strict=True)
    return "".join(edge((ax, 0, az), (bx, 0, bz)) for (ax, az), (bx, bz) in pairs)


def open_box() -> str:
    """From -1 to 1 in x and z, from y = 0 to y = 1; no face at y = 1."""
    text = face([(-1, 0, -1), (1, 0, -1), (1, 0, 1), (-1, 0, 1)], (0, -1, 0))
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    for (ax, az), (bx, bz) in itertools.pairwise(corners):
        text += face([(ax, 0, az), (bx, 0, bz), (bx, 1, bz), (ax, 1, az)], (ax + bx, 0, az + bz))
        text += edge((ax, 0, az), (bx, 0, bz)) + edge((ax, 1, az), (bx, 1, bz)) + edge((ax, 0, az), (ax, 1, az))
    return text


def rim(outer: tuple[float, float, float, float], inner: tuple[float, float, float, float], y: float) -> str:
    """Facing down, between two rectangles: x from, x to, z from, z to."""

    def corners(box: tuple[float, float, float, float]) -> list[Point]:
        return [(box[0], y, box[2]), (box[1], y, box[2]), (box[1], y, box[3]), (box[0], y, box[3])]

    outside, inside = corners(outer), corners(inner)
    text = ""
    for place in range(4):
        other = (place + 1) % 4
        text += face([outside[place], outside[other], inside[other], inside[place]], (0, 1, 0))
    return text


def tube(x: float) -> str:
    return (
        placed("tcyl.dat", (x, 4, 0), (8, 20, 8))
        + placed("tcyl.dat", (x, 4, 0), (6, 20, 6), is_inverted=True)
        + placed("tring.dat", (x, 24, 0), (8, -1, 8))
        + placed("tedge.dat", (x, 24, 0), (8, 1, 8))
    )


def body(half_x: float, half_z: float) -> str:
    """A brick without studs: walls of 4 LDU, open below."""
    return (
        placed("tbox.dat", (0, 0, 0), (half_x, 24, half_z))
        + placed("tbox.dat", (0, 4, 0), (half_x - 4, 20, half_z - 4), is_inverted=True)
        + rim((-half_x, half_x, -half_z, half_z), (4 - half_x, half_x - 4, 4 - half_z, half_z - 4), 24)
    )


def studs(count_x: int, count_z: int) -> str:
    return "".join(
        placed("tstud.dat", (20 * x - 10 * (count_x - 1), 0, 20 * z - 10 * (count_z - 1)))
        for x in range(count_x)
        for z in range(count_z)
    )


def slope() -> str:
    """45 degrees, 2 x 2: a row of studs behind, solid but for a box below them."""
    side = [(0, 10), (0, -10), (20, -30), (24, -30), (24, 10)]  # y, z
    text = ""
    for x in (-20.0, 20.0):
        points = [(x, float(y), float(z)) for y, z in side]
        text += face([points[0], points[1], points[2], points[4]], (x, 0, 0))
        text += face([points[2], points[3], points[4]], (x, 0, 0))
        text += "".join(edge(points[place - 1], points[place]) for place in range(5))
    for ((ay, az), (by, bz)), outward in zip(
        itertools.pairwise(side), [(0, -1, 0), (0, -1, -1), (0, 0, -1)], strict=False
    ):
        text += face([(-20, ay, az), (20, ay, az), (20, by, bz), (-20, by, bz)], outward)
        text += edge((-20, ay, az), (20, ay, az)) + edge((-20, by, bz), (20, by, bz))
    text += face([(-20, 0, 10), (20, 0, 10), (20, 24, 10), (-20, 24, 10)], (0, 0, 1))
    text += placed("tbox.dat", (0, 4, 0), (16, 20, 6), is_inverted=True)
    text += rim((-20, 20, -30, 10), (-16, 16, -6, 6), 24)
    return text + placed("tstud.dat", (-10, 0, 0)) + placed("tstud.dat", (10, 0, 0))


def tile() -> str:
    """1 x 1, printed with a red and an orange triangle."""
    text = placed("tbox.dat", (0, 0, 0), (10, 8, 10)) + face(
        [(-10, 8, -10), (10, 8, -10), (10, 8, 10), (-10, 8, 10)], (0, 1, 0)
    )
    red = face([(-8, -0.05, -8), (8, -0.05, -8), (-8, -0.05, 8)], (0, -1, 0)).replace("3 16", "3 4")
    orange = face([(8, -0.05, 8), (8, -0.05, -6), (-6, -0.05, 8)], (0, -1, 0)).replace("3 16", "3 0x2FF8000")
    return text + red + orange


FILES = {
    "p/tcyl.dat": ("Cylinder", "CCW", cylinder(16)),
    "p/tdisc.dat": ("Disc", "CW", disc(16, "CW")),
    "p/tring.dat": ("Ring", "CCW", ring(0.75)),
    "p/tedge.dat": ("Circle", "CCW", circle_edge()),
    "p/tbox.dat": ("Box without a Bottom", "CCW", open_box()),
    "p/48/tcyl.dat": ("Fine Cylinder", "CCW", cylinder(48)),
    "p/48/tdisc.dat": ("Fine Disc", "CW", disc(48, "CW")),
    "p/8/tdisc.dat": ("Coarse Disc", "CW", disc(8, "CW")),
    "p/tstud.dat": (
        "Stud",
        "CCW",
        placed("tedge.dat", (0, 0, 0), (6, 1, 6))
        + placed("tedge.dat", (0, -4, 0), (6, 1, 6))
        + placed("tcyl.dat", (0, 0, 0), (6, -4, 6))
        + placed("tdisc.dat", (0, -4, 0), (6, 1, 6)),
    ),
    "parts/s/t2x4s01.dat": ("~Brick  2 x  4 without Studs", "CCW", body(40, 20) + tube(-20) + tube(0) + tube(20)),
    "parts/t2x4.dat": ("Brick  2 x  4", "CCW", placed("s\\t2x4s01.dat", (0, 0, 0)) + studs(4, 2)),
    "parts/t2x2.dat": ("Brick  2 x  2", "CCW", body(20, 20) + tube(0) + studs(2, 2)),
    "parts/t1x2.dat": (
        "Brick  1 x  2",
        "CCW",
        body(20, 10)
        + placed("tcyl.dat", (0, 4, 0), (3, 20, 3))
        + placed("tdisc.dat", (0, 24, 0), (3, -1, 3))
        + studs(2, 1),
    ),
    "parts/t45.dat": ("Slope Brick 45  2 x  2", "CCW", slope()),
    "parts/t45m.dat": ("Slope Brick 45  2 x  2 Mirrored", "CCW", placed("T45.DAT", (0, 0, 0), (1, 1, -1))),
    "parts/tround.dat": (
        "Plate  1 x  1 Round",
        "CCW",
        placed("48\\tcyl.dat", (0, 0, 0), (10, 8, 10))
        + placed("48\\tdisc.dat", (0, 0, 0), (10, 1, 10))
        + placed("48\\tdisc.dat", (0, 8, 0), (10, -1, 10))
        + placed("tstud.dat", (0, 0, 0)),
    ),
    "parts/ttile.dat": ("Tile  1 x  1 with a Print", "CCW", tile()),
    "parts/told.dat": ("~Moved to t2x4", "CCW", placed("t2x4.dat", (0, 0, 0))),
    "parts/tolder.dat": ("~Moved To told", "CCW", placed("told.dat", (0, 0, 0))),
    "parts/talias.dat": ("=Brick  2 x  4 from Another Mould", "CCW", placed("t2x4.dat", (0, 0, 0))),
}


def main(root: Path) -> None:
    for path, (title, winding, text) in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = HEADER.format(title=title, name=file.name, winding=winding) + text
        file.write_text(whole, encoding="utf-8", newline="\r\n")
    (root / "LDConfig.ldr").write_text(COLOURS, encoding="utf-8", newline="\r\n")


if __name__ == "__main__":
    main(Path(__file__).parent)
