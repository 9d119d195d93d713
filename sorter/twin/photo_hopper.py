"""A hopper of parts that photographs show: each part is one revolution of a dataset, one brick in one pose."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sorter.dataset import read_dataset
from sorter.twin.errors import HopperRefused
from sorter.twin.scene import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sorter.dataset import Picture
    from sorter.types.twin import TwinParts

_REACH_MM = 18.0  # from a part's middle to its corners: what a brick of 2×4 studs has
_HEIGHT_MM = 12.0
_CORNERS = 8
_OUTLINE_MM = tuple(
    (_REACH_MM * math.cos(math.tau * corner / _CORNERS), _REACH_MM * math.sin(math.tau * corner / _CORNERS))
    for corner in range(_CORNERS)
)
_OWN_COLOUR = (0.0, 0.0, 0.0)
_NO_REVOLUTIONS = (
    'Write down which belong together: "revolution" in index.jsonl, or a revolutions.json beside the folders; '
    "docs/dataset.md tells both."
)


@dataclass(frozen=True)
class Revolution:
    """Photographs of one part in one pose over one turn of the table.

    Args:
        class_name: as the dataset says.
        brick: as the dataset says; None if it does not.
        pose: how it lies; empty if nobody wrote it down.
        paths: of the photographs.
        angles_deg: of each; even steps over the turn where the dataset does not say all of them.
    """

    class_name: str
    brick: str | None
    pose: str
    paths: tuple[Path, ...]
    angles_deg: tuple[float, ...]

    def nearest(self, yaw_deg: float) -> Path:
        """The photograph whose angle is nearest to a yaw."""
        return min(
            zip(self.paths, self.angles_deg, strict=True),
            key=lambda each: abs((each[1] - yaw_deg + 180.0) % 360.0 - 180.0),
        )[0]


class PhotoHopper:
    """A ``Hopper``. Every known revolution comes once before any comes again, and so does every unknown one.

    What a photographed part covers of the table, and how high it is, is not measured: it is that of a brick of 2×4
    studs, whichever way that is turned.

    Args:
        folder: in one of the dataset's layouts.
        parts: which of its classes the network knows, and how many of the others there are.
        seed: decides the order.

    Raises:
        DatasetRefused: the folder is no dataset.
        HopperRefused: nobody says which photographs are of one revolution, or there are no parts of a kind that is
            asked for.
    """

    def __init__(self, folder: Path, parts: TwinParts, *, seed: int) -> None:
        self.revolutions = _revolutions(folder)
        known = [number for number, each in enumerate(self.revolutions) if each.class_name in parts.classes]
        unknown = [number for number, each in enumerate(self.revolutions) if each.class_name not in parts.classes]
        there = ", ".join(sorted({each.class_name for each in self.revolutions}))
        if not known and parts.unknown_share < 1.0:
            raise HopperRefused(
                f"{folder} shows none of the classes {', '.join(parts.classes) or '(none)'}",
                remedy=f"Name some of those that it shows: {there}.",
            )
        if not unknown and parts.unknown_share > 0.0:
            raise HopperRefused(
                f"{folder} shows only classes that the network knows, so there are no unknown parts",
                remedy="Set unknown_share to 0, or name a folder that shows other classes too.",
            )
        self._unknown_share = parts.unknown_share
        self._known, self._unknown = _deck(known, f"{seed} known"), _deck(unknown, f"{seed} unknown")
        self._classes = frozenset(parts.classes)

    def draw(self, number: int, chance: random.Random) -> Part:
        """See ``Hopper``; the order of calls decides which revolution is next."""
        is_unknown = chance.random() < self._unknown_share
        revolution = next(self._unknown if is_unknown else self._known)
        shown = self.revolutions[revolution]
        return Part(
            number=number,
            design=shown.class_name,
            class_name=shown.class_name if shown.class_name in self._classes else None,
            brick=shown.brick,
            pose=shown.pose,
            reflectance=_OWN_COLOUR,
            revolution=revolution,
            outline_mm=_OUTLINE_MM,
            height_mm=_HEIGHT_MM,
        )

    def again(self, part: Part, chance: random.Random) -> Part:
        """See ``Hopper``: any revolution of the same brick, where the dataset tells bricks."""
        if part.brick is None:
            return part
        same = [
            number
            for number, each in enumerate(self.revolutions)
            if (each.class_name, each.brick) == (part.design, part.brick)
        ]
        revolution = chance.choice(same)
        return replace(part, revolution=revolution, pose=self.revolutions[revolution].pose)


def _deck(numbers: Sequence[int], seed: str) -> Iterator[int]:
    """All of them in a random order, over and over, each time in another one."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    while numbers:
        yield from chance.sample(numbers, len(numbers))


def _revolutions(folder: Path) -> tuple[Revolution, ...]:
    dataset = read_dataset(folder)
    grouped: dict[tuple[str, str], dict[str, Picture]] = defaultdict(dict)
    for each in dataset.pictures:
        if each.revolution is not None and each.sha256:  # without a hash it could not be read
            grouped[each.class_name, each.revolution].setdefault(each.sha256, each)
    if not grouped:
        raise HopperRefused(f"{folder}: nobody says which photographs are of one revolution", remedy=_NO_REVOLUTIONS)
    return tuple(_revolution(folder, list(pictures.values())) for _, pictures in sorted(grouped.items()))


def _revolution(folder: Path, pictures: list[Picture]) -> Revolution:
    first = pictures[0]
    told = [each.angle_deg for each in pictures if each.angle_deg is not None]
    even = tuple(360.0 * number / len(pictures) for number in range(len(pictures)))
    return Revolution(
        class_name=first.class_name,
        brick=first.brick,
        pose=first.pose or "",
        paths=tuple(folder / each.path for each in pictures),
        angles_deg=tuple(told) if len(told) == len(pictures) else even,
    )
