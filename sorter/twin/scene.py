"""What the twin's world and its camera hand each other: parts, and where they are at one instant.

The table's axis is the origin; x is to the right in the picture, y away from the camera, angles are counter-clockwise
from above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from sorter.types.pictures import RgbArray

    Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    """One part of the hopper, as it came to lie.

    Args:
        number: counts the parts of this twin from 1; a part that is fed again keeps it.
        design: its design number.
        class_name: what the classifier should call it; None if it knows no such part.
        brick: which photographed brick it is; None for a sprite.
        pose: the resting pose.
        reflectance: its colour, linear RGB from 0 to 1; photographs have their own.
        revolution: which photographed revolution shows it; None for a sprite.
        outline_mm: what it covers of the table at yaw 0: corners of a convex polygon around its middle,
            counter-clockwise.
        height_mm: of its highest point above the table.
    """

    number: int
    design: str
    class_name: str | None
    brick: str | None
    pose: str
    reflectance: Rgb
    revolution: int | None
    outline_mm: tuple[tuple[float, float], ...]
    height_mm: float


@dataclass(frozen=True)
class SeenPart:
    """A part at one instant: its middle, how far it is turned, and how high above the table it is in its fall."""

    part: Part
    x_mm: float
    y_mm: float
    yaw_deg: float
    above_mm: float = 0.0


@dataclass(frozen=True)
class Scene:
    """Everything that the camera can see at one instant: how far the table is turned, and the parts."""

    table_deg: float
    parts: tuple[SeenPart, ...] = ()


class Hopper(Protocol):
    """Where parts come from."""

    def draw(self, number: int, chance: random.Random) -> Part:
        """Part number ``number``, in the pose in which it will come to lie; equal chance gives equal parts."""

    def again(self, part: Part, chance: random.Random) -> Part:
        """The same part, fed once more: in another pose perhaps."""


class PictureMaker(Protocol):
    """What makes pictures of scenes."""

    def picture(self, scenes: Sequence[Scene], sequence: int) -> RgbArray:
        """H×W×3 uint8: the mean of the scenes, spread evenly over the exposure, noise by ``sequence``."""
