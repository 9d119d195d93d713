"""The colours of the palette as Rebrickable and BrickLink number them.

Sources: Rebrickable's ``colors.csv`` (https://rebrickable.com/downloads/, as of 2025) and BrickLink's colour guide
(https://www.bricklink.com/catalogColors.asp), matched by LEGO's own colour numbers, which LDraw's ``LDConfig.ldr`` has
too. Rebrickable has LDraw's numbers but for the colours that LDraw numbered later than it did: Yellowish Green, Olive
Green and Coral.
"""

from __future__ import annotations

from typing import NamedTuple


class CatalogueColour(NamedTuple):
    """One colour.

    Args:
        name: in LDraw, and in this project's palette.
        ldraw_code: its number in LDraw.
        rebrickable_id: its number in Rebrickable.
        bricklink_id: its number in BrickLink.
    """

    name: str
    ldraw_code: int
    rebrickable_id: int
    bricklink_id: int


COLOURS: tuple[CatalogueColour, ...] = (
    CatalogueColour("Black", 0, 0, 11),
    CatalogueColour("Blue", 1, 1, 7),
    CatalogueColour("Green", 2, 2, 6),
    CatalogueColour("Dark Turquoise", 3, 3, 39),
    CatalogueColour("Red", 4, 4, 5),
    CatalogueColour("Dark Pink", 5, 5, 47),
    CatalogueColour("Bright Green", 10, 10, 36),
    CatalogueColour("Yellow", 14, 14, 3),
    CatalogueColour("White", 15, 15, 1),
    CatalogueColour("Tan", 19, 19, 2),
    CatalogueColour("Purple", 22, 22, 24),
    CatalogueColour("Orange", 25, 25, 4),
    CatalogueColour("Magenta", 26, 26, 71),
    CatalogueColour("Lime", 27, 27, 34),
    CatalogueColour("Dark Tan", 28, 28, 69),
    CatalogueColour("Bright Pink", 29, 29, 104),
    CatalogueColour("Medium Lavender", 30, 30, 157),
    CatalogueColour("Lavender", 31, 31, 154),
    CatalogueColour("Reddish Brown", 70, 70, 88),
    CatalogueColour("Light Bluish Grey", 71, 71, 86),
    CatalogueColour("Dark Bluish Grey", 72, 72, 85),
    CatalogueColour("Medium Blue", 73, 73, 42),
    CatalogueColour("Light Nougat", 78, 78, 90),
    CatalogueColour("Medium Nougat", 84, 84, 150),
    CatalogueColour("Medium Lilac", 85, 85, 89),  # both catalogues call it Dark Purple
    CatalogueColour("Nougat", 92, 92, 28),
    CatalogueColour("Bright Light Orange", 191, 191, 110),
    CatalogueColour("Bright Light Blue", 212, 212, 105),
    CatalogueColour("Bright Light Yellow", 226, 226, 103),
    CatalogueColour("Dark Blue", 272, 272, 63),
    CatalogueColour("Dark Green", 288, 288, 80),
    CatalogueColour("Dark Brown", 308, 308, 120),
    CatalogueColour("Dark Red", 320, 320, 59),
    CatalogueColour("Dark Azure", 321, 321, 153),
    CatalogueColour("Medium Azure", 322, 322, 156),
    CatalogueColour("Yellowish Green", 326, 158, 158),
    CatalogueColour("Olive Green", 330, 326, 155),
    CatalogueColour("Coral", 353, 1050, 220),
    CatalogueColour("Sand Green", 378, 378, 48),
    CatalogueColour("Sand Blue", 379, 379, 55),
    CatalogueColour("Dark Orange", 484, 484, 68),
)

REBRICKABLE_ANY_COLOUR = 9999  # "[No Color/Any Color]"
REBRICKABLE_UNKNOWN = -1  # "[Unknown]"
BRICKLINK_NO_COLOUR = 0  # "(Not Applicable)"
