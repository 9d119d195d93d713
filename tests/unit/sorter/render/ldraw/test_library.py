"""The library's folder: what the user named is used, and nothing outside it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from sorter.render.errors import GeometryRefused
from sorter.render.ldraw import Library, PartReader

TINY = Path(__file__).resolve().parents[4] / "data" / "ldraw"


def test_parts_are_listed_with_titles_and_what_they_moved_to() -> None:
    parts = {part.number: part for part in Library(TINY).parts()}
    assert parts["t2x4"].title == "Brick 2 x 4"
    assert parts["told"].moved_to == "t2x4"
    assert parts["told"].is_piece
    assert parts["talias"].title == "Brick 2 x 4 from Another Mould"
    assert parts["talias"].is_alias
    assert not any(number.startswith("s/") or number == "tstud" for number in parts)


def test_a_library_unpacked_in_capital_letters_is_found(tmp_path: Path) -> None:
    for file in TINY.rglob("*.*"):
        if file.suffix in {".dat", ".ldr"}:
            target = tmp_path / str(file.relative_to(TINY)).upper()
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    library = Library(tmp_path)
    assert library.part_file("T2X4.dat").name == "T2X4.DAT"
    assert library.find("S\\T2x4s01.dat") == tmp_path / "PARTS" / "S" / "T2X4S01.DAT"
    assert len(PartReader(library).read("t2x4").mesh.corners_mm) == 700
    assert len(library.colours) == 12


def test_a_folder_that_is_no_library_says_what_to_name_instead(tmp_path: Path) -> None:
    with pytest.raises(GeometryRefused, match=r"no folder parts and none called p[\s\S]*complete\.zip"):
        Library(tmp_path)
    (tmp_path / "ldraw").mkdir()
    with pytest.raises(GeometryRefused, match=f"Name {tmp_path / 'ldraw'} instead"):
        Library(tmp_path)
    with pytest.raises(GeometryRefused, match="No such file"):
        Library(tmp_path / "nothing")
    with pytest.raises(GeometryRefused, match="Not a directory"):
        Library(TINY / "LDConfig.ldr")
    (tmp_path / "p").mkdir()
    (tmp_path / "parts").mkdir()
    with pytest.raises(GeometryRefused, match="has no part"):
        Library(tmp_path)


def test_an_unknown_number_says_which_are_similar() -> None:
    with pytest.raises(GeometryRefused, match=r"no part 't2x5'\nSimilar numbers are t2x4"):
        Library(TINY).part_file("t2x5")
    with pytest.raises(GeometryRefused, match=r"ldraw\.org"):
        Library(TINY).part_file("987654321")


@pytest.mark.parametrize(
    "name", ["../secret.dat", "..\\..\\secret.dat", "/etc/passwd", "s/../../secret.dat", "link.dat", "", "s", "\0"]
)
def test_no_name_leads_out_of_the_library(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.dat").write_text("0 Secret\n")
    root = tmp_path / "ldraw"
    shutil.copytree(TINY, root)
    (root / "parts" / "link.dat").symlink_to(tmp_path / "secret.dat")
    (root / "parts" / "inner.dat").symlink_to(root / "parts" / "t2x4.dat")
    library = Library(root)
    assert library.find(name) is None
    with pytest.raises(GeometryRefused):
        library.part_file(name)
    assert library.find("inner.dat") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are those of POSIX")
def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    shutil.copytree(TINY, tmp_path / "ldraw")
    library = Library(tmp_path / "ldraw")
    (tmp_path / "ldraw" / "parts" / "t2x4.dat").unlink()
    with pytest.raises(GeometryRefused, match=r"t2x4\.dat: cannot be read: No such file"):
        library.parts()
    with pytest.raises(GeometryRefused, match=r"t2x4\.dat: cannot be read: No such file"):
        PartReader(library).read("told")


def test_a_library_without_colours_says_so_when_they_are_needed(tmp_path: Path) -> None:
    shutil.copytree(TINY, tmp_path / "ldraw")
    (tmp_path / "ldraw" / "LDConfig.ldr").unlink()
    library = Library(tmp_path / "ldraw")
    with pytest.raises(GeometryRefused, match=r"LDConfig\.ldr: is missing"):
        _ = library.colours
