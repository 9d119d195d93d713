"""Design numbers as Rebrickable and BrickLink write them.

Mostly they are the same. They differ where a catalogue keeps several moulds of one design apart, or has joined moulds
that another one keeps apart. Sources: Rebrickable's part pages and ``parts.csv`` (https://rebrickable.com/downloads/),
BrickLink's catalogue (https://www.bricklink.com/catalogTree.asp?itemType=P), LDraw's parts list.
"""

from __future__ import annotations

from typing import NamedTuple


class PartNumber(NamedTuple):
    """One design.

    Args:
        design: its number here, which is LDraw's.
        rebrickable: under which number it is written for Rebrickable.
        bricklink: under which for BrickLink.
        others: further numbers that the catalogues have for moulds of it, which the rig does not tell apart.
    """

    design: str
    rebrickable: str
    bricklink: str
    others: tuple[str, ...] = ()


PART_NUMBERS: tuple[PartNumber, ...] = (
    PartNumber("2456", "2456", "2456"),
    PartNumber("3001", "3001", "3001"),
    PartNumber("3002", "3002", "3002"),
    PartNumber("3003", "3003", "3003"),
    PartNumber("3004", "3004", "3004"),
    PartNumber("3010", "3010", "3010"),
    PartNumber("3039", "3039", "3039"),
    PartNumber("32064", "32064c", "32064", ("32064a", "32064b")),
    PartNumber("3660", "3660", "3660"),
    PartNumber("3701", "3701", "3701"),
    # Not of the shipped model, but common, and not the same everywhere.
    PartNumber("3062b", "3062b", "3062"),
    PartNumber("3068b", "3068b", "3068"),
    PartNumber("3069b", "3069b", "3069"),
    PartNumber("3070b", "3070b", "3070"),
)
