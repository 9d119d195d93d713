"""What the twin's parts are made of: solid LEGO colours, and how often each is met.

Values are those of LDraw.org's LDConfig.ldr, update 2024-04-05 (CC BY 4.0), linear by IEC 61966-2-1. How often is a
guess at a mixed box: a few colours make up most of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    Rgb = tuple[float, float, float]

_COLOURS: dict[str, tuple[tuple[int, int, int], float]] = {
    "Black": ((0x1B, 0x2A, 0x34), 14.0),
    "White": ((0xF4, 0xF4, 0xF4), 12.0),
    "Light Bluish Grey": ((0x96, 0x96, 0x96), 13.0),
    "Dark Bluish Grey": ((0x64, 0x64, 0x64), 10.0),
    "Red": ((0xB4, 0x00, 0x00), 12.0),
    "Yellow": ((0xFA, 0xC8, 0x0A), 8.0),
    "Blue": ((0x1E, 0x5A, 0xA8), 7.0),
    "Tan": ((0xD7, 0xBA, 0x8C), 6.0),
    "Reddish Brown": ((0x5F, 0x31, 0x09), 5.0),
    "Green": ((0x00, 0x85, 0x2B), 4.0),
    "Orange": ((0xD6, 0x79, 0x23), 3.0),
    "Dark Tan": ((0x89, 0x7D, 0x62), 2.0),
    "Dark Red": ((0x72, 0x00, 0x12), 2.0),
    "Dark Blue": ((0x19, 0x32, 0x5A), 2.0),
    "Lime": ((0xA5, 0xCA, 0x18), 2.0),
    "Medium Blue": ((0x73, 0x96, 0xC8), 2.0),
    "Bright Green": ((0x58, 0xAB, 0x41), 1.0),
    "Bright Light Orange": ((0xFC, 0xAC, 0x00), 1.0),
    "Dark Azure": ((0x46, 0x9B, 0xC3), 1.0),
    "Dark Green": ((0x00, 0x45, 0x1A), 1.0),
    "Dark Turquoise": ((0x06, 0x9D, 0x9F), 1.0),
    "Purple": ((0x67, 0x1F, 0x81), 1.0),
    "Sand Green": ((0x70, 0x8E, 0x7C), 1.0),
}
_BATCH = 0.04  # two parts of one colour differ by about this much of a channel's logarithm


def drawn_reflectance(chance: random.Random) -> Rgb:
    """A colour as linear RGB from 0 to 1, common ones more often, a little off as from another batch."""
    rgb, _ = chance.choices(list(_COLOURS.values()), [weight for _, weight in _COLOURS.values()])[0]
    red, green, blue = (min(1.0, _linear(value) * math.exp(chance.uniform(-_BATCH, _BATCH))) for value in rgb)
    return red, green, blue


def _linear(value: int) -> float:
    share = value / 255.0
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
