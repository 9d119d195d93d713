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
    from collections.abc import Sequence
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


def _design(class_name: str, part: LDrawPart, recipe: SceneRecipe) -> Design:
    for note in part.notes:
        log.info("%s: %s", part.number, note)
    return Design(class_name, part.mesh, resting_poses(part.mesh, min_probability=recipe.parts.least_pose))
