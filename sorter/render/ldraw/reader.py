"""A part and everything that it refers to as one mesh in mm, z up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.render.errors import GeometryRefused
from sorter.render.ldraw.faces import is_sound, oriented
from sorter.render.ldraw.library import listed, normal_number
from sorter.render.ldraw.normals import DEFAULT_CREASE_DEG, WELD_MM, smooth_normals
from sorter.render.ldraw.parsing import ParsedFile, Reference, parse
from sorter.render.ldraw.text import lines_of
from sorter.render.mesh import MAIN_COLOUR, PartMesh

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.render.ldraw.library import Library, ListedPart

    Floats = NDArray[np.float64]

MM_PER_LDU = 0.4
"""https://www.ldraw.org/article/218.html, "Coordinate System": a 1×1 brick is 20 LDU wide, and 8 mm."""

_TO_MM = MM_PER_LDU * np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # LDraw's -y is up
_MIN_HEIGHT_MM = 1e-4
_MAX_TRIANGLES = 2_000_000
_MAX_KEPT_TRIANGLES = 1_000_000
_MAX_DEPTH = 60
_MAX_LDU = 1e7


@dataclass(frozen=True, eq=False)
class LDrawPart:
    """A part as it was read.

    Args:
        number: the design number that was asked for, ``mesh.name`` too.
        title: of the file, or of what it moved to.
        moved_to: the number under which the part is today, where ``number`` is a stub ("~Moved to"); otherwise None.
        mesh: its surface.
        notes: what was not certain, in words; empty as a rule.
    """

    number: str
    title: str
    moved_to: str | None
    mesh: PartMesh
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Surface:
    """A file with everything below it, in its own axes, LDU: see ``ParsedFile``."""

    triangles: Floats
    colours: NDArray[np.int32]
    certified: NDArray[np.bool_]
    lines: Floats


class PartReader:
    """Reads parts of one library; what several parts share is read once.

    Not for several threads at once.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._kept: dict[Path, _Surface] = {}
        self._kept_triangles = 0

    def read(self, number: str, *, crease_deg: float = DEFAULT_CREASE_DEG) -> LDrawPart:
        """Read the part with this design number, such as ``3001``.

        Faces of files that do not certify their winding (BFC) take that of their neighbours; see ``faces.oriented``.
        Their number is in the notes.

        Args:
            number: small or capital letters, with or without ``.dat``.
            crease_deg: see ``smooth_normals``.

        Raises:
            GeometryRefused: the library has no such part, or a file that it needs is missing, cyclic or malformed.
        """
        file = self.library.part_file(number)
        text = self.library.text(file)
        entry = listed(normal_number(number), lines_of(text)[0])
        today = self._today(entry)
        surface = self._surface(file, parse(file, text), [file])
        corners = surface.triangles @ _TO_MM.T
        keep = is_sound(corners, _MIN_HEIGHT_MM)
        if not keep.any():
            raise GeometryRefused(file, "has no surface, only lines or nothing", remedy="Name another part.")
        corners, turned = oriented(corners[keep], surface.certified[keep], WELD_MM)
        normals = smooth_normals(corners, crease_deg=crease_deg, sharp_lines_mm=surface.lines @ _TO_MM.T)
        return LDrawPart(
            number=entry.number,
            title=today.title,
            moved_to=today.number if today is not entry else None,
            mesh=PartMesh(entry.number, corners, normals, surface.colours[keep]),
            notes=_notes(int((~surface.certified[keep]).sum()), len(corners), turned),
        )

    def _today(self, entry: ListedPart) -> ListedPart:
        """What is at the end of a chain of stubs."""
        seen: set[str] = set()
        while entry.moved_to in self.library.numbers and entry.moved_to not in seen:
            seen.add(entry.moved_to)
            entry = self.library.listed_part(entry.moved_to)
        return entry

    def _surface(self, file: Path, parsed: ParsedFile, open_files: list[Path]) -> _Surface:
        """Put a file and what it refers to together; ``open_files`` are those on the way to it, itself the last."""
        blocks = [_Surface(parsed.triangles, parsed.colours, parsed.certified, parsed.lines)]
        count = len(parsed.triangles)
        for reference in parsed.references:
            inner = self._referred(file, reference, open_files)
            count += max(len(inner.triangles), len(inner.lines))
            if count > _MAX_TRIANGLES:
                raise _refused(file, reference, f"brings more than {_MAX_TRIANGLES} triangles")
            placed = _placed(inner, reference)
            if any(np.abs(each).max(initial=0.0) > _MAX_LDU for each in (placed.triangles, placed.lines)):
                raise _refused(file, reference, "puts something out of all reach")
            blocks.append(placed)
        return _Surface(
            np.concatenate([block.triangles for block in blocks]),
            np.concatenate([block.colours for block in blocks]),
            np.concatenate([block.certified for block in blocks]),
            np.concatenate([block.lines for block in blocks]),
        )

    def _referred(self, file: Path, reference: Reference, open_files: list[Path]) -> _Surface:
        inner = self.library.find(reference.name)
        if inner is None:
            raise GeometryRefused(
                file,
                f"refers to {reference.name[:80]!r}, which the library does not have",
                remedy="Unpack the whole of complete.zip from ldraw.org; parts are made of many files.",
                line=reference.line,
            )
        if inner in open_files:
            raise _refused(file, reference, f"refers to {reference.name!r}, which refers back to it")
        if len(open_files) >= _MAX_DEPTH:
            raise _refused(file, reference, f"stands {_MAX_DEPTH} files deep")
        if inner not in self._kept:
            surface = self._surface(inner, parse(inner, self.library.text(inner)), [*open_files, inner])
            self._keep(inner, surface)
            return surface
        return self._kept[inner]

    def _keep(self, file: Path, surface: _Surface) -> None:
        """Keep what others may refer to, and let go of what was read longest ago where it becomes too much."""
        self._kept[file] = surface
        self._kept_triangles += len(surface.triangles)
        while self._kept_triangles > _MAX_KEPT_TRIANGLES:
            self._kept_triangles -= len(self._kept.pop(next(iter(self._kept))).triangles)


def _refused(file: Path, reference: Reference, reason: str) -> GeometryRefused:
    return GeometryRefused(
        file, reason, remedy="Take the file from ldraw.org again, or mend the line.", line=reference.line
    )


def _placed(inner: _Surface, reference: Reference) -> _Surface:
    """A file's surface where a type 1 line puts it.

    A mirroring matrix (its determinant is negative) turns every face inside out, INVERTNEXT does so once more. One that
    flattens (its determinant is 0) leaves no way to tell.
    """
    determinant = float(np.linalg.det(reference.matrix))
    triangles = inner.triangles @ reference.matrix.T + reference.offset
    if (determinant < 0) != reference.is_inverted:
        triangles = triangles[:, ::-1]
    is_certified = reference.is_certified and determinant != 0
    colours = inner.colours
    if reference.colour != MAIN_COLOUR:
        colours = np.where(colours == MAIN_COLOUR, np.int32(reference.colour), colours)
    return _Surface(
        triangles,
        colours,
        inner.certified if is_certified else np.zeros(len(triangles), bool),
        inner.lines @ reference.matrix.T + reference.offset,
    )


def _notes(uncertified: int, count: int, turned: int) -> tuple[str, ...]:
    if not uncertified:
        return ()
    note = (
        f"{uncertified} of {count} triangles have no certified winding: they take that of their neighbours, "
        f"or face away from the part's middle ({turned} were turned)"
    )
    return (note,)
