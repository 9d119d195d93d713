"""The folder of an LDraw parts library: which files it has, under which names, and where one is.

Layout and search order: https://www.ldraw.org/article/218.html, "Library Header"; names are the same in small and
capital letters, and ``\\`` parts folders in them. Only what is listed here can be opened, so that no name in a file,
such as ``..\\..\\secret.dat``, leads out of the folder.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sorter.render.errors import GeometryRefused
from sorter.render.ldraw.colours import Colours, read_colours
from sorter.render.ldraw.text import lines_of

_FOLDERS = ("parts", "parts/s", "p", "p/48", "p/8")
_SEARCHED = ("parts", "p")
_CONFIG = "ldconfig.ldr"
_MAX_BYTES = 50_000_000
_TITLE_BYTES = 512
_MOVED = re.compile(r"~Moved\s+to\s+(\S+)", re.IGNORECASE)
_GET = "Unpack complete.zip from https://library.ldraw.org/updates and name the folder in it that holds parts and p."


@dataclass(frozen=True)
class ListedPart:
    """A part as the library lists it.

    Args:
        number: its design number, the file's name in small letters without ``.dat``.
        title: the file's first line, with single spaces, without the ``=`` and ``~`` that mark it.
        moved_to: the number under which the part is today, where the file is a stub ("~Moved to"); otherwise None.
        is_alias: an ``=`` stands before the title: the same mould under a second number.
        is_piece: a ``~`` stands before the title: a piece of other parts, not to be had alone (or a stub).
    """

    number: str
    title: str
    moved_to: str | None
    is_alias: bool
    is_piece: bool


def listed(number: str, first_line: str) -> ListedPart:
    """What a part's first line says; a line that is no title gives an empty one."""
    kind, _, rest = first_line.lstrip("\ufeff").strip().partition(" ")
    title = " ".join(rest.split()) if kind == "0" else ""
    moved = _MOVED.match(title)
    moved_to = moved[1].lower().replace("\\", "/").removesuffix(".dat") if moved else None
    return ListedPart(number, title.lstrip("~=_|").strip(), moved_to, title.startswith("="), title.startswith("~"))


class Library:
    """A folder in LDraw's own layout: ``parts/``, ``parts/s/``, ``p/``, ``p/48/``, ``p/8/`` and ``LDConfig.ldr``.

    It is listed once, here; files that are added later are not seen.

    Raises:
        GeometryRefused: the folder is none, or not one of these.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files: dict[str, Path] = {}
        self._config: Path | None = None
        try:
            self._list()
        except OSError as error:
            where = Path(error.filename) if isinstance(error.filename, str) else root
            raise GeometryRefused(
                where, f"cannot be read as an LDraw library: {error.strerror}", remedy=_GET
            ) from error

    def _list(self) -> None:
        real_root = os.path.realpath(self.root)
        top = {entry.name.lower(): Path(entry.path) for entry in _sorted_entries(self.root)}
        missing = [name for name in _SEARCHED if name not in top or not top[name].is_dir()]
        if missing:
            inner = [name for name in top.values() if name.name.lower() == "ldraw" and name.is_dir()]
            raise GeometryRefused(
                self.root,
                f"is no LDraw library: it has no folder {' and none called '.join(missing)}",
                remedy=f"Name {inner[0]} instead." if inner else _GET,
            )
        for folder in _FOLDERS:
            path: Path | None = self.root
            for step in folder.split("/"):
                path = _folder_called(path, step) if path is not None else None
            for entry in _sorted_entries(path) if path is not None else ():
                if entry.name.lower().endswith(".dat") and _is_inside(entry, real_root):
                    self._files.setdefault(f"{folder}/{entry.name.lower()}", Path(entry.path))
        self._config = top.get(_CONFIG)
        if not any(key.startswith("parts/") for key in self._files):
            raise GeometryRefused(self.root / "parts", "has no part (no .dat file)", remedy=_GET)

    @cached_property
    def colours(self) -> Colours:
        """The colours of ``LDConfig.ldr``.

        Raises:
            GeometryRefused: the file is missing or malformed.
        """
        if self._config is None:
            raise GeometryRefused(self.root / "LDConfig.ldr", "is missing", remedy=_GET)
        return read_colours(self._config, self.text(self._config))

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The design numbers of all parts, sorted, stubs and aliases too."""
        keys = (key.split("/") for key in self._files)
        return tuple(sorted(steps[1].removesuffix(".dat") for steps in keys if steps[0] == "parts" and len(steps) == 2))

    def parts(self) -> tuple[ListedPart, ...]:
        """All parts with their titles, sorted by number; opens every part's file for its first line.

        Raises:
            GeometryRefused: a file cannot be read.
        """
        return tuple(self.listed_part(number) for number in self.numbers)

    def listed_part(self, number: str) -> ListedPart:
        """One part's title, and whether it moved.

        Raises:
            GeometryRefused: the library has no such part, or its file cannot be read.
        """
        path = self.part_file(number)
        try:
            with path.open("rb") as file:
                first = file.readline(_TITLE_BYTES)
        except OSError as error:
            raise _unreadable(path, error) from error
        return listed(normal_number(number), lines_of(first.decode("utf-8", errors="replace"))[0])

    def part_file(self, number: str) -> Path:
        """The file of the part with this design number, such as ``3001``.

        Raises:
            GeometryRefused: the library has no such part; similar numbers are named.
        """
        wanted = normal_number(number)
        path = None if "/" in wanted else self._files.get(f"parts/{wanted}.dat")
        if path is None:
            close = difflib.get_close_matches(wanted, self.numbers, n=3)
            raise GeometryRefused(
                self.root / "parts",
                f"has no part {number!r}",
                remedy=f"Similar numbers are {', '.join(close)}." if close else "Look the number up on ldraw.org.",
            )
        return path

    def find(self, name: str) -> Path | None:
        """The file that a type 1 line means by ``name``, such as ``stud.dat`` or ``s\\3001s01.dat``; None if none."""
        wanted = name.strip().lower().replace("\\", "/")
        return next((path for top in _SEARCHED if (path := self._files.get(f"{top}/{wanted}")) is not None), None)

    def text(self, path: Path) -> str:
        """The whole of one of the library's files; bytes that are no UTF-8 are replaced (old authors' names).

        Raises:
            GeometryRefused: it cannot be read, or is too long to be a part.
        """
        try:
            with path.open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except OSError as error:
            raise _unreadable(path, error) from error
        if len(data) > _MAX_BYTES:
            raise GeometryRefused(
                path, f"is longer than {_MAX_BYTES} bytes", remedy="Take the file out; it is no part."
            )
        return data.decode("utf-8-sig", errors="replace")


def normal_number(number: str) -> str:
    """A design number as the library's files have it: small letters, without ``.dat``."""
    return number.strip().lower().replace("\\", "/").removesuffix(".dat")


def _unreadable(path: Path, error: OSError) -> GeometryRefused:
    return GeometryRefused(path, f"cannot be read: {error.strerror}", remedy="Check its permissions.")


def _sorted_entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _folder_called(parent: Path, name: str) -> Path | None:
    found = (Path(entry.path) for entry in _sorted_entries(parent) if entry.name.lower() == name and entry.is_dir())
    return next(found, None)


def _is_inside(entry: os.DirEntry[str], real_root: str) -> bool:
    """Whether it is a regular file, or a link to one in the library."""
    if entry.is_symlink():
        return Path(os.path.realpath(entry.path)).is_relative_to(real_root) and entry.is_file()
    return entry.is_file()
