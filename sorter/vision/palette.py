"""Solid colours of LEGO parts: numbers, names and values.

Source: LDraw.org, LDConfig.ldr, update 2024-04-05 (CC BY 4.0); the LEGO numbers and names in it are those of LEGO
Digital Designer. Of its solid colours these are the ones that are common in present-day and recent sets; a rig that
meets others is given a palette of its own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PaletteColour:
    """One colour.

    Args:
        ldraw_code: its number in LDraw.
        name: its name in LDraw, which mostly is BrickLink's.
        lego_id: LEGO's own number.
        lego_name: LEGO's own name.
        srgb: red, green and blue, 0 to 255, sRGB.
    """

    ldraw_code: int
    name: str
    lego_id: int
    lego_name: str
    srgb: tuple[int, int, int]


PALETTE: tuple[PaletteColour, ...] = (
    PaletteColour(0, "Black", 26, "Black", (0x1B, 0x2A, 0x34)),
    PaletteColour(1, "Blue", 23, "Bright Blue", (0x1E, 0x5A, 0xA8)),
    PaletteColour(2, "Green", 28, "Dark Green", (0x00, 0x85, 0x2B)),
    PaletteColour(3, "Dark Turquoise", 107, "Bright Bluish Green", (0x06, 0x9D, 0x9F)),
    PaletteColour(4, "Red", 21, "Bright Red", (0xB4, 0x00, 0x00)),
    PaletteColour(5, "Dark Pink", 22, "Medium Reddish Violet / Bright Purple", (0xD3, 0x35, 0x9D)),
    PaletteColour(10, "Bright Green", 37, "Bright Green", (0x58, 0xAB, 0x41)),
    PaletteColour(14, "Yellow", 24, "Bright Yellow", (0xFA, 0xC8, 0x0A)),
    PaletteColour(15, "White", 1, "White", (0xF4, 0xF4, 0xF4)),
    PaletteColour(19, "Tan", 5, "Brick Yellow", (0xD7, 0xBA, 0x8C)),
    PaletteColour(22, "Purple", 104, "Bright Violet", (0x67, 0x1F, 0x81)),
    PaletteColour(25, "Orange", 106, "Bright Orange", (0xD6, 0x79, 0x23)),
    PaletteColour(26, "Magenta", 124, "Bright Reddish Violet", (0x90, 0x1F, 0x76)),
    PaletteColour(27, "Lime", 119, "Bright Yellowish Green", (0xA5, 0xCA, 0x18)),
    PaletteColour(28, "Dark Tan", 138, "Sand Yellow", (0x89, 0x7D, 0x62)),
    PaletteColour(29, "Bright Pink", 222, "Light Purple", (0xFF, 0x9E, 0xCD)),
    PaletteColour(30, "Medium Lavender", 324, "Medium Lavender", (0xA0, 0x6E, 0xB9)),
    PaletteColour(31, "Lavender", 325, "Lavender", (0xCD, 0xA4, 0xDE)),
    PaletteColour(70, "Reddish Brown", 192, "Reddish Brown", (0x5F, 0x31, 0x09)),
    PaletteColour(71, "Light Bluish Grey", 194, "Medium Stone Grey", (0x96, 0x96, 0x96)),
    PaletteColour(72, "Dark Bluish Grey", 199, "Dark Stone Grey", (0x64, 0x64, 0x64)),
    PaletteColour(73, "Medium Blue", 102, "Medium Blue", (0x73, 0x96, 0xC8)),
    PaletteColour(78, "Light Nougat", 283, "Light Nougat", (0xFF, 0xC9, 0x95)),
    PaletteColour(84, "Medium Nougat", 312, "Medium Nougat", (0xAA, 0x7D, 0x55)),
    PaletteColour(85, "Medium Lilac", 268, "Medium Lilac", (0x44, 0x1A, 0x91)),
    PaletteColour(92, "Nougat", 18, "Nougat", (0xBB, 0x80, 0x5A)),
    PaletteColour(191, "Bright Light Orange", 191, "Flame Yellowish Orange", (0xFC, 0xAC, 0x00)),
    PaletteColour(212, "Bright Light Blue", 212, "Light Royal Blue", (0x9D, 0xC3, 0xF7)),
    PaletteColour(226, "Bright Light Yellow", 226, "Cool Yellow", (0xFF, 0xEC, 0x6C)),
    PaletteColour(272, "Dark Blue", 140, "Earth Blue", (0x19, 0x32, 0x5A)),
    PaletteColour(288, "Dark Green", 141, "Earth Green", (0x00, 0x45, 0x1A)),
    PaletteColour(308, "Dark Brown", 308, "Dark Brown", (0x35, 0x21, 0x00)),
    PaletteColour(320, "Dark Red", 154, "New Dark Red", (0x72, 0x00, 0x12)),
    PaletteColour(321, "Dark Azure", 321, "Dark Azur", (0x46, 0x9B, 0xC3)),
    PaletteColour(322, "Medium Azure", 322, "Medium Azur", (0x68, 0xC3, 0xE2)),
    PaletteColour(326, "Yellowish Green", 326, "Spring Yellowish Green", (0xE2, 0xF9, 0x9A)),
    PaletteColour(330, "Olive Green", 330, "Olive Green", (0x77, 0x77, 0x4E)),
    PaletteColour(353, "Coral", 353, "Vibrant Coral", (0xFF, 0x6D, 0x77)),
    PaletteColour(378, "Sand Green", 151, "Sand Green", (0x70, 0x8E, 0x7C)),
    PaletteColour(379, "Sand Blue", 135, "Sand Blue", (0x70, 0x81, 0x9A)),
    PaletteColour(484, "Dark Orange", 38, "Dark Orange", (0x91, 0x50, 0x1C)),
)
