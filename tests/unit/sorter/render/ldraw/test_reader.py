"""Reading parts: the whole shape, right side out, or a refusal that names file and line."""

from __future__ import annotations

import filecmp
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.render.errors import GeometryRefused
from sorter.render.ldraw import LDrawPart, Library, PartReader
from sorter.render.ldraw.parsing import parse
from sorter.render.mass import centre_of_mass
from sorter.render.mesh import MAIN_COLOUR

TINY = Path(__file__).resolve().parents[4] / "data" / "ldraw"
FILE = Path("t.dat")
CERTIFIED = "0 T\n0 BFC CERTIFY CCW\n"
SIDES = "1 16 0 0 0 10 0 0 0 24 0 0 0 10 tbox.dat\n"
BOTTOM = "4 16 -10 24 10 10 24 10 10 24 -10 -10 24 -10\n"
BOTTOM_CLOCKWISE = "4 16 -10 24 -10 10 24 -10 10 24 10 -10 24 10\n"
BOX_MM3 = 8 * 8 * 9.6


def read(tmp_path: Path, text: str, **others: str) -> LDrawPart:
    """Read a part of this text from the tiny library; others are parts by number."""
    if not (tmp_path / "ldraw").exists():
        shutil.copytree(TINY, tmp_path / "ldraw")
    for number, content in {"t": text, **others}.items():
        (tmp_path / "ldraw" / "parts" / f"{number}.dat").write_text(content)
    return PartReader(Library(tmp_path / "ldraw")).read("t")


def size_mm(part: LDrawPart) -> list[float]:
    return np.ptp(part.mesh.corners_mm.reshape(-1, 3), axis=0).round(3).tolist()


def volumes_mm3(part: LDrawPart) -> list[float]:
    """By Gauss's theorem along x, y and z; the same for a surface without gaps."""
    corners = part.mesh.corners_mm - part.mesh.corners_mm.mean(axis=(0, 1))
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    return [float(corners[:, :, axis].mean(axis=1) @ areas[:, axis]) for axis in range(3)]


def test_the_tiny_library_is_what_its_generator_writes(tmp_path: Path) -> None:
    runpy.run_path(str(TINY / "generate.py"))["main"](tmp_path)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    kept = sorted(path.relative_to(TINY) for path in TINY.rglob("*") if path.suffix in {".dat", ".ldr"})
    assert written == kept
    assert filecmp.cmpfiles(TINY, tmp_path, [str(path) for path in kept], shallow=False)[1:] == ([], [])


def test_a_brick_is_as_large_as_in_the_hand_and_stands_on_its_feet() -> None:
    part = PartReader(Library(TINY)).read("T2x4.dat")
    assert (part.number, part.mesh.name, part.title, part.moved_to) == ("t2x4", "t2x4", "Brick 2 x 4", None)
    assert size_mm(part) == [32.0, 16.0, 11.2]
    corners = part.mesh.corners_mm.reshape(-1, 3)
    assert corners[:, 2].max() == pytest.approx(1.6), "studs point up, z = 0 is the brick's top"
    along_x, along_y, _ = volumes_mm3(part)
    wall, studs = 32 * 16 * 9.6 - 28.8 * 12.8 * 8, 8 * 17.63 * 1.6
    tubes = 3 * 8 * (31.35 - 17.63)
    assert along_x == pytest.approx(along_y)
    assert along_x == pytest.approx(wall + studs + tubes, rel=1e-3)
    assert part.notes == ()
    assert part.mesh.corners_mm.dtype == part.mesh.normals.dtype == np.float64
    assert part.mesh.colours.dtype == np.int32


def test_every_part_of_the_tiny_library_is_right_side_out() -> None:
    library = Library(TINY)
    reader = PartReader(library)
    for number in library.numbers:
        part = reader.read(number)
        assert min(volumes_mm3(part)) > 0, number
        facing = np.cross(
            part.mesh.corners_mm[:, 1] - part.mesh.corners_mm[:, 0],
            part.mesh.corners_mm[:, 2] - part.mesh.corners_mm[:, 0],
        )
        assert (np.einsum("ik,ijk->ij", facing, part.mesh.normals) > 0).all(), number


def test_a_number_that_moved_stays_usable() -> None:
    reader = PartReader(Library(TINY))
    part = reader.read("tolder")
    assert (part.number, part.moved_to, part.title) == ("tolder", "t2x4", "Brick 2 x 4")
    np.testing.assert_array_equal(part.mesh.corners_mm, reader.read("t2x4").mesh.corners_mm)


def test_a_mirrored_part_is_not_inside_out() -> None:
    reader = PartReader(Library(TINY))
    plain, mirrored = reader.read("t45"), reader.read("t45m")
    assert volumes_mm3(mirrored) == pytest.approx(volumes_mm3(plain))
    flipped = centre_of_mass(plain.mesh.corners_mm).point_mm * [1, -1, 1]
    np.testing.assert_allclose(centre_of_mass(mirrored.mesh.corners_mm).point_mm, flipped, atol=1e-9)


def test_printed_colours_stay_and_the_part_takes_its_own(tmp_path: Path) -> None:
    colours = PartReader(Library(TINY)).read("ttile").mesh.colours
    assert sorted(set(colours.tolist())) == [4, MAIN_COLOUR, 0x2FF8000]
    other = read(
        tmp_path, CERTIFIED + "1 1 0 0 0 1 0 0 0 1 0 0 0 1 ttile.dat\n1 24 0 9 0 1 0 0 0 1 0 0 0 1 tdisc.dat\n"
    )
    assert sorted(set(other.mesh.colours.tolist())) == [1, 4, MAIN_COLOUR, 0x2FF8000]


@pytest.mark.parametrize(
    ("header", "bottom", "is_certified"),
    [
        ("0 BFC CERTIFY CCW\n", BOTTOM, True),
        ("0 BFC CERTIFY\n", BOTTOM, True),
        ("0 BFC CERTIFY CW\n", BOTTOM_CLOCKWISE, True),
        ("0 BFC CERTIFY CCW\n0 BFC CW\n", BOTTOM_CLOCKWISE, True),
        ("0 BFC CCW\n", BOTTOM, True),
        ("0 BFC CERTIFY CCW\n0 BFC NOCLIP\n0 BFC CLIP CW\n", BOTTOM_CLOCKWISE, True),
        ("0 BFC NOCERTIFY\n", BOTTOM, False),
        ("0 BFC NOCERTIFY\n", BOTTOM_CLOCKWISE, False),
        ("", BOTTOM_CLOCKWISE, False),
    ],
)
def test_winding_is_outward_however_it_was_stated(tmp_path: Path, header: str, bottom: str, is_certified: bool) -> None:
    part = read(tmp_path, "0 T\n" + header + SIDES + bottom)
    assert volumes_mm3(part) == pytest.approx([BOX_MM3] * 3)
    assert bool(part.notes) != is_certified


def test_a_statement_after_the_first_face_certifies_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "0 T\n" + BOTTOM_CLOCKWISE + "0 BFC CERTIFY CCW\n" + SIDES).notes


@pytest.mark.parametrize(("height", "inverted", "sign"), [(24, "", 1), (-24, "", 1), (24, "0 BFC INVERTNEXT\n", -1)])
def test_mirrors_and_invertnext_turn_what_they_place(tmp_path: Path, height: int, inverted: str, sign: int) -> None:
    whole = CERTIFIED + SIDES + BOTTOM
    part = read(tmp_path, f"{CERTIFIED}{inverted}1 16 0 0 0 1 0 0 0 {height} 0 0 0 1 tw.dat\n", tw=whole)
    assert volumes_mm3(part) == pytest.approx([sign * 24 * BOX_MM3] * 3)
    twice = read(tmp_path, f"{CERTIFIED}{inverted}1 16 0 0 0 1 0 0 0 {-height} 0 0 0 1 tw.dat\n", tw=whole)
    assert volumes_mm3(twice) == pytest.approx([sign * 24 * BOX_MM3] * 3)


def test_a_matrix_that_flattens_leaves_no_winding_to_trust(tmp_path: Path) -> None:
    flat = "1 16 0 24 0 10 0 0 0 0 0 0 0 10 tsquare.dat\n"
    square = CERTIFIED + "4 16 -1 5 -1 1 5 -1 1 5 1 -1 5 1\n"
    part = read(tmp_path, CERTIFIED + SIDES + flat, tsquare=square)
    assert volumes_mm3(part) == pytest.approx([BOX_MM3] * 3)
    assert "2 of 12 triangles" in part.notes[0]


def test_faces_that_nobody_certified_follow_those_that_are(tmp_path: Path) -> None:
    """A box with one certified face; the five others are wound at random."""
    sides = "1 16 0 0 0 10 0 0 0 24 0 0 0 10 tother.dat\n"
    other = (
        "0 Loose\n"
        "4 16 -1 0 -1 1 0 -1 1 0 1 -1 0 1\n"
        "4 16 -1 0 -1 1 0 -1 1 1 -1 -1 1 -1\n"
        "4 16 1 0 -1 1 0 1 1 1 1 1 1 -1\n"
        "4 16 -1 0 1 1 0 1 1 1 1 -1 1 1\n"
        "4 16 -1 0 -1 -1 0 1 -1 1 1 -1 1 -1\n"
    )
    part = read(tmp_path, CERTIFIED + sides + BOTTOM, tother=other)
    assert volumes_mm3(part) == pytest.approx([BOX_MM3] * 3)
    assert "10 of 12 triangles" in part.notes[0]


def area_mm2(part: LDrawPart) -> float:
    corners = part.mesh.corners_mm
    crossed = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(crossed, axis=1).sum() / 2)


@pytest.mark.parametrize(
    ("quad", "area_ldu"),
    [
        ("0 0 0 4 0 0 4 0 4 0 0 4", 16.0),
        ("0 0 0 4 0 4 8 0 0 4 0 12", 32.0),  # an arrow head; the notch is its second corner
        ("4 0 12 0 0 0 4 0 4 8 0 0", 32.0),  # and its third
        ("0 0 0 4 0 4 4 0 0 0 0 4", 16.0),  # a bowtie: 2nd and 3rd corner are named in the wrong order
        ("0 0 0 4 0 0 0 0 4 4 0 4", 16.0),  # a bowtie: 3rd and 4th
        ("0 0 0 4 0 0 8 0 0 4 0 4", 16.0),  # a corner that is none
        ("0 0 0 4 0 0 4 0 0 0 0 4", 8.0),  # two corners in one place
    ],
)
def test_a_quad_keeps_its_area(tmp_path: Path, quad: str, area_ldu: float) -> None:
    part = read(tmp_path, f"{CERTIFIED}4 16 {quad}\n")
    assert area_mm2(part) == pytest.approx(area_ldu * 0.16)
    if part.notes == ():  # all halves face the same way
        corners = part.mesh.corners_mm
        crossed = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert len(set(np.sign(crossed[:, 2]).tolist())) == 1


def test_splinters_are_dropped_and_nothing_else(tmp_path: Path) -> None:
    part = read(tmp_path, CERTIFIED + "3 16 0 0 0 1 0 0 2 0 0\n3 16 0 0 0 1 0 0 1 0 1\n3 16 1 1 1 1 1 1 1 1 1\n")
    assert len(part.mesh.corners_mm) == 1
    with pytest.raises(GeometryRefused, match="has no surface"):
        read(tmp_path, CERTIFIED + "2 24 0 0 0 1 1 1\n5 24 0 0 0 1 1 1 2 2 2 3 3 3\n0 nothing\n\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("3 16 0 0 0 1 0 0 1 0", "type 3 has a colour and 9 numbers, got 9 words"),
        ("4 16 0 0 0 1 0 0 1 0 0 1 1 1 9", "type 4 has a colour and 12 numbers, got 14 words"),
        ("4 16 0 0 0 1 0 0 1 0 0 1 1 1 9 9 9", "got 16 words"),
        ("2 24 0 0 0 1 0 x", "got 'x'"),
        ("5 24 0 0 0 1 0 0 nan 0 0 1 0 0", "got 'nan'"),
        ("3 16 0 0 0 1 0 0 1 0 1e7", "got '1e7'"),
        ("3 16 0 0 0 1 0 0 1 0 1_0", "got '1_0'"),
        ("3 red 0 0 0 1 0 0 1 0 1", "a colour is a code"),
        ("3 0x4FF0000 0 0 0 1 0 0 1 0 1", "a colour is a code"),
        ("3 -1 0 0 0 1 0 0 1 0 1", "a colour is a code"),
        ("1 16 0 0 0 1 0 0 0 1 0 0 0 1", "type 1 has a colour, 12 numbers and a file"),
        ("1 16 0 0 0 1 0 0 0 1 0 0 0 1 gone.dat", "'gone.dat', which the library does not have"),
        ("1 16 0 0 0 1 0 0 0 1 0 0 0 1 ..\\..\\secret.dat", "which the library does not have"),
        ("1 16 0 0 0 1 0 0 0 1 0 0 0 1 T.DAT", "refers to 'T.DAT', which refers back to it"),
        ("6 16 0 0 0", "a line begins with its type, 0 to 5, got '6'"),
        ("brick", "got 'brick'"),
        ("0 BFC CERTFY", "got CERTFY"),
        ("0 BFC", "got nothing"),
        ("0 FILE second.ldr", "begins a second document"),
        ("0 BFC INVERTNEXT\n3 16 0 0 0 1 0 0 1 0 1", "INVERTNEXT, which a line of type 1 must follow"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(GeometryRefused) as caught:
        read(tmp_path, CERTIFIED + line + "\n")
    assert said in caught.value.reason
    assert caught.value.line == 3 + line.count("\n")
    assert caught.value.file.name == "t.dat"
    assert str(caught.value).count("\n") == 1, "what is wrong, then what to do"


def test_a_mistake_further_down_is_named_where_it_is(tmp_path: Path) -> None:
    outer, other = (CERTIFIED + f"1 16 0 0 0 1 0 0 0 1 0 0 0 1 {name}.dat\n" for name in ("ta", "t"))
    with pytest.raises(GeometryRefused, match=r"ta\.dat: line 3: refers to 't\.dat', which refers back") as caught:
        read(tmp_path, outer, ta=other)
    assert caught.value.line == 3


def test_files_that_multiply_are_stopped(tmp_path: Path) -> None:
    text = {
        f"t{depth}": CERTIFIED + f"1 16 0 0 0 1 0 0 0 1 0 0 0 1 {name}.dat\n" * 40
        for depth, name in enumerate(("tdisc", "t0", "t1", "t2"))
    }
    with pytest.raises(GeometryRefused, match="brings more than 2000000 triangles"):
        read(tmp_path, text["t3"], **text)


def test_files_that_grow_out_of_bounds_or_stand_too_deep_are_stopped(tmp_path: Path) -> None:
    deep = {f"t{n}": CERTIFIED + f"1 16 0 0 0 1 0 0 0 1 0 0 0 1 t{n + 1}.dat\n" for n in range(70)}
    with pytest.raises(GeometryRefused, match="files deep"):
        read(tmp_path, deep["t0"], **deep, t70=CERTIFIED)
    large = {f"t{n}": CERTIFIED + f"1 16 0 0 0 1e6 0 0 0 1e6 0 0 0 1e6 t{n + 1}.dat\n" for n in range(9)}
    with pytest.raises(GeometryRefused, match="out of all reach"):
        read(tmp_path, large["t0"], **large, t9=CERTIFIED + "2 24 0 0 0 1 1 1\n")


def test_line_ends_of_any_system_count_alike() -> None:
    for end in ("\n", "\r\n", "\r"):
        with pytest.raises(GeometryRefused, match="line 3"):
            parse(FILE, (CERTIFIED + "3 16 0\n").replace("\n", end))


numbers = st.sampled_from(("0", "1", "-1", "2.5", "1e3", "1e400", "nan", "x", "²", "0x2FF0000", "9" * 5000))
lines = st.builds(
    " ".join,
    st.tuples(
        st.sampled_from(("0", "1", "2", "3", "4", "5", "6", "0 BFC", "0 FILE")), st.sampled_from(("16", "24", "CW"))
    ).flatmap(lambda start: st.lists(numbers, max_size=15).map(lambda rest: [*start, *rest])),
)


@given(st.lists(lines | st.text(max_size=30), max_size=8).map("\n".join))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    try:
        parsed = parse(FILE, text)
    except GeometryRefused as error:
        refused = error
    else:
        assert np.isfinite(parsed.triangles).all()
        assert len(parsed.triangles) == len(parsed.colours) == len(parsed.certified)
        return
    assert refused.line is not None
    assert refused.remedy


def coordinates() -> st.SearchStrategy[str]:
    return st.lists(st.integers(-3, 3), min_size=12, max_size=12).map(lambda many: " ".join(map(str, many)))


@given(st.lists(coordinates(), min_size=1, max_size=6))
def test_no_quad_is_lost_or_grows(quads: list[str]) -> None:
    parsed = parse(FILE, CERTIFIED + "".join(f"4 16 {quad}\n" for quad in quads))
    corners = np.array([quad.split() for quad in quads], float).reshape(-1, 4, 3)
    assert len(parsed.triangles) == 2 * len(quads)
    for quad, halves in zip(corners, parsed.triangles.reshape(-1, 2, 3, 3), strict=True):
        assert {tuple(point) for point in halves.reshape(-1, 3)} == {tuple(point) for point in quad}


def test_all_parts_of_a_real_library_are_read_right_side_out(ldraw_library: Path) -> None:
    library = Library(ldraw_library)
    reader = PartReader(library)
    for number in library.numbers[:400]:
        part = reader.read(number)
        assert sorted(volumes_mm3(part))[1] > 0, f"{number} is inside out"


@pytest.mark.parametrize(
    ("number", "size", "moved_to"),
    [
        ("3001", [32.0, 16.0, 11.2], None),
        ("3024", [8.0, 8.0, 4.8], None),
        ("3039", [16.0, 16.0, 11.2], None),
        ("3660", [16.0, 16.0, 11.2], "3660a"),
    ],
)
def test_real_parts_have_their_size(ldraw_library: Path, number: str, size: list[float], moved_to: str | None) -> None:
    part = PartReader(Library(ldraw_library)).read(number)
    assert size_mm(part) == size
    assert part.moved_to == moved_to
    assert part.notes == ()
