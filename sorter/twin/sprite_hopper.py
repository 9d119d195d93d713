"""A hopper of parts that sprites show: known and unknown designs, in any colour, as they come to lie."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sorter.twin.errors import HopperRefused
from sorter.twin.plastic import drawn_reflectance
from sorter.twin.scene import Part

if TYPE_CHECKING:
    import random

    from sorter.types.sprites import SpriteDesign, SpritePose, SpriteSet
    from sorter.types.twin import TwinParts


class SpriteHopper:
    """A ``Hopper``. Each part's design is drawn by itself, known ones alike, so a class comes about as often as any.

    Args:
        content: the sprites.
        parts: which of their designs the network knows, and how many of the others there are.

    Raises:
        HopperRefused: there is no sprite of a kind that is asked for.
    """

    def __init__(self, content: SpriteSet, parts: TwinParts) -> None:
        self._known = tuple(each for each in content.designs if each.class_name in parts.classes)
        self._unknown = tuple(each for each in content.designs if each not in self._known)
        self._unknown_share = parts.unknown_share
        self._content = content
        if not self._known and parts.unknown_share < 1.0:
            there = ", ".join(each.class_name for each in content.designs if each.class_name is not None)
            raise HopperRefused(
                f"there is no sprite of any of the classes {', '.join(parts.classes) or '(none)'}",
                remedy=f"Name some of those that there are: {there or 'none'}; or bake others: sorter render sprites.",
            )
        if not self._unknown and parts.unknown_share > 0.0:
            raise HopperRefused(
                "every sprite shows a class that the network knows, so there are no unknown parts",
                remedy="Set unknown_share to 0, or bake sprites of other designs: sorter render sprites.",
            )

    def draw(self, number: int, chance: random.Random) -> Part:
        """See ``Hopper``."""
        is_unknown = chance.random() < self._unknown_share
        design = chance.choice(self._unknown if is_unknown else self._known)
        return self._lying(
            Part(
                number=number,
                design=design.number,
                class_name=None if is_unknown else design.class_name,
                brick=None,
                pose="",
                reflectance=drawn_reflectance(chance),
                revolution=None,
                outline_mm=(),
                height_mm=0.0,
            ),
            design,
            chance,
        )

    def again(self, part: Part, chance: random.Random) -> Part:
        """See ``Hopper``: of the same colour, in a pose of its own."""
        return self._lying(part, self._content.design(part.design), chance)

    def _lying(self, part: Part, design: SpriteDesign, chance: random.Random) -> Part:
        pose: SpritePose = chance.choices(design.poses, [each.probability for each in design.poses])[0]
        return replace(part, pose=pose.name, outline_mm=pose.outline_mm, height_mm=pose.height_mm)
