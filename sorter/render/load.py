"""Read what is wanted of an LDraw library into a stock."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from sorter.render.errors import RenderRefused
from sorter.render.ldraw.library import Library
from sorter.render.ldraw.reader import PartReader
from sorter.render.mesh import MAIN_COLOUR
from sorter.render.poses import resting_poses
from sorter.render.stock import Design, Stock, colours_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sorter.render.ldraw.reader import LDrawPart
    from sorter.render.recipe import SceneRecipe
    from sorter.render.world import Rgb

log = logging.getLogger(__name__)


def load_stock(root: Path, wanted: Sequence[tuple[str, str]], recipe: SceneRecipe) -> Stock:
    """The designs that are wanted, with their poses, and the colours of the scene.

    Args:
        root: the LDraw library's folder.
        wanted: pairs of class name and design number, such as ``("3001", "3001")`` or ``("other", "3020")``.
        recipe: says which colours, how rare a pose may be, and how long a part.

    Raises:
        GeometryRefused: the library is none, or cannot give a design.
        RenderRefused: a design is longer than the scene allows, has no volume, stands twice, or there is none.
    """
    if not wanted:
        raise RenderRefused("there is no design to render", remedy="Name at least one class.")
    numbers = [number for _, number in wanted]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise RenderRefused(f"{', '.join(twice)} is named twice", remedy="Name each design once.")
    library = Library(root)
    reader = PartReader(library)
    designs = []
    for class_name, number in wanted:
        design = _design(class_name, reader.read(number), recipe)
        if design.longest_mm > recipe.parts.longest_mm:
            raise RenderRefused(
                f"{number} is {design.longest_mm:.0f} mm long, and the scene takes {recipe.parts.longest_mm:.0f}",
                remedy="Leave it out, or raise parts.longest_mm and camera.view_mm in the scene.",
            )
        designs.append(design)
    codes = sorted({int(code) for design in designs for code in np.unique(design.mesh.colours)} - {MAIN_COLOUR})
    known = {each.name: each.linear for each in library.colours if each.finish == "solid" and each.alpha == 255}
    fixed: dict[int, Rgb] = {code: library.colours[code].linear for code in codes}
    return Stock(tuple(designs), colours_named(known, recipe.parts.colours), fixed)


def fitting_designs(root: Path, recipe: SceneRecipe, *, without: Iterable[str] = ()) -> tuple[str, ...]:
    """Numbers of all designs of a library that the scene has room for, in order.

    A design stands once, not again under numbers that it had before. What cannot be read or has no volume is left out
    with a warning.

    Args:
        root: the LDraw library's folder.
        recipe: says how long a part may be.
        without: design numbers to leave out, and whatever is the same design as one of those.

    Raises:
        GeometryRefused: the library is none.
    """
    library = Library(root)
    reader = PartReader(library)
    taken = {_today(library, number) for number in without}
    found = []
    for entry in library.parts():
        today = _today(library, entry.number)
        if entry.is_alias or today in taken:
            continue
        taken.add(today)
        try:
            part = reader.read(entry.number)
            corners = part.mesh.corners_mm.reshape(-1, 3)
            if float(np.ptp(corners, axis=0).max()) <= recipe.parts.longest_mm:
                resting_poses(part.mesh, min_probability=recipe.parts.least_pose)
                found.append(entry.number)
        except RenderRefused as error:
            log.warning("left out: %s", error.message)
    return tuple(found)


def _design(class_name: str, part: LDrawPart, recipe: SceneRecipe) -> Design:
    for note in part.notes:
        log.info("%s: %s", part.number, note)
    return Design(class_name, part.mesh, resting_poses(part.mesh, min_probability=recipe.parts.least_pose))


def _today(library: Library, number: str) -> str:
    """The number under which a design is today."""
    seen = {number}
    while number in library.numbers:
        moved_to = library.listed_part(number).moved_to
        if moved_to is None or moved_to in seen:
            break
        number = moved_to
        seen.add(number)
    return number
