"""Read the LDraw parts library: file format 1.0.2 (https://www.ldraw.org/article/218.html) with the BFC extension.

    library = Library(Path("~/ldraw").expanduser())
    part = PartReader(library).read("3001")  # part.mesh is in mm, z up

The library is a folder that the user names; nothing of it is in this project. See ``docs/ldraw.md``.
"""

from sorter.render.ldraw.colours import Colour, Colours, linear_rgb
from sorter.render.ldraw.library import Library, ListedPart
from sorter.render.ldraw.normals import DEFAULT_CREASE_DEG, smooth_normals
from sorter.render.ldraw.reader import LDrawPart, PartReader

__all__ = [
    "DEFAULT_CREASE_DEG",
    "Colour",
    "Colours",
    "LDrawPart",
    "Library",
    "ListedPart",
    "PartReader",
    "linear_rgb",
    "smooth_normals",
]
