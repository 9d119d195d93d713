"""What scenes are drawn from: designs with their meshes and resting poses, and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.render.errors import RenderRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sorter.render.mesh import PartMesh
    from sorter.render.poses import RestingPose
    from sorter.render.world import Rgb


@dataclass(frozen=True, eq=False)
class Design:
    """One design of parts.

    Args:
        class_name: what it counts as; several designs may count as one class, such as ``other``.
        mesh: its surface.
        poses: how it may lie, at least one.
    """

    class_name: str
    mesh: PartMesh
    poses: tuple[RestingPose, ...]

    def __post_init__(self) -> None:
        """Refuse a design that cannot lie."""
        if not self.poses:
            raise ValueError(f"Design {self.mesh.name}: has no resting pose")

    @property
    def longest_mm(self) -> float:
        """The longest side of the box around it, as it is modelled."""
        corners = self.mesh.corners_mm.reshape(-1, 3)
        return float(np.ptp(corners, axis=0).max())


@dataclass(frozen=True, eq=False)
class Stock:
    """Everything that a picture may show.

    Args:
        designs: in order; a class is drawn first, then one of its designs.
        colours: linear RGB by name, of parts.
        fixed_colours: linear RGB by LDraw code, of what is printed on parts.
    """

    designs: tuple[Design, ...]
    colours: Mapping[str, Rgb]
    fixed_colours: Mapping[int, Rgb]

    @property
    def class_names(self) -> tuple[str, ...]:
        """In alphabetical order."""
        return tuple(sorted({design.class_name for design in self.designs}))

    def designs_of(self, class_name: str) -> tuple[Design, ...]:
        """The designs that count as a class."""
        return tuple(design for design in self.designs if design.class_name == class_name)

    @property
    def meshes(self) -> dict[str, PartMesh]:
        """By name, as backends take them."""
        return {design.mesh.name: design.mesh for design in self.designs}


def colours_named(known: Mapping[str, Rgb], names: Sequence[str]) -> dict[str, Rgb]:
    """The colours of these names.

    Raises:
        RenderRefused: a name is not among those that are known.
    """
    missing = [name for name in names if name not in known]
    if missing:
        raise RenderRefused(
            f"the library's LDConfig.ldr has no solid colour {', '.join(map(repr, missing))}",
            remedy="Take it out of the scene's parts.colours, or use a newer library.",
        )
    return {name: known[name] for name in names}
