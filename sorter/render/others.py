"""Which designs are rendered: the classes' own, and others that stand for every part that is none of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from sorter.render.errors import RenderRefused
from sorter.render.ldraw.library import Library, normal_number
from sorter.render.ldraw.reader import PartReader
from sorter.render.poses import resting_poses

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sorter.render.recipe import SceneRecipe

_MOULD = re.compile(r"[a-z]*\d+")  # 3001 of 3001, 3001a and 3001p01: the mould, an older one of it, a printed one


def choose_others(
    root: Path, recipe: SceneRecipe, count: int, *, seed: int, without: Iterable[str] = ()
) -> tuple[str, ...]:
    """Numbers of designs by chance, in order: the same ones for the same library and arguments.

    Moved and doubled numbers, pieces of parts, printed parts, and parts that the scene has no room for are not among
    them.

    Args:
        root: the LDraw library's folder.
        recipe: says how long a part may be, and how rare a pose.
        count: how many.
        seed: of the chance.
        without: numbers of which neither the design nor another version of its mould is to be taken.

    Raises:
        GeometryRefused: the library is none.
        RenderRefused: it has not so many.
    """
    library = Library(root)
    reader = PartReader(library)
    taken = {mould for number in without for mould in _moulds(library, number)}
    numbers = [number for number in library.numbers if _mould(number) not in taken and _is_plain(number)]
    found: list[str] = []
    for place in np.random.default_rng([seed, len(numbers)]).permutation(len(numbers)):
        if len(found) == count:
            break
        number = numbers[int(place)]
        entry = library.listed_part(number)
        if not entry.is_alias and not entry.is_piece and _fits(reader, number, recipe):
            found.append(number)
    if len(found) < count:
        raise RenderRefused(
            f"{root} has {len(found)} other designs that the scene has room for, and {count} are asked for",
            remedy="Ask for fewer, or name a whole library.",
        )
    return tuple(sorted(found))


def _mould(number: str) -> str:
    match = _MOULD.match(number)
    return match[0] if match else number


def _moulds(library: Library, number: str) -> set[str]:
    """Of a number, and of the one under which the design is today."""
    found: set[str] = set()
    at: str | None = normal_number(number)
    while at is not None and _mould(at) not in found:
        found.add(_mould(at))
        at = library.listed_part(at).moved_to
    return found


def _is_plain(number: str) -> bool:
    """No printed part, no part of several, no sticker: a number and at most a version."""
    return re.fullmatch(r"\d+[a-z]?", number) is not None


def _fits(reader: PartReader, number: str, recipe: SceneRecipe) -> bool:
    try:
        mesh = reader.read(number).mesh
        if float(np.ptp(mesh.corners_mm.reshape(-1, 3), axis=0).max()) > recipe.parts.longest_mm:
            return False
        resting_poses(mesh, min_probability=recipe.parts.least_pose)
    except RenderRefused:  # cannot be read, or is flat: not one to choose
        return False
    return True
