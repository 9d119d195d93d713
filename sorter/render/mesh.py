"""A part's surface, as every reader makes it and every renderer takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAIN_COLOUR = 16
"""LDraw's code for the colour of the part itself."""


@dataclass(frozen=True, eq=False)
class PartMesh:
    """Triangles in mm, z up where studs point up.

    Args:
        name: the design number, such as ``3001``.
        corners_mm: n×3×3 float64: triangle, corner, xyz; counter-clockwise seen from outside.
        normals: n×3×3 float64, unit length, at the same corners; smooth where the surface is.
        colours: n int32, LDraw colour codes; ``MAIN_COLOUR`` is the part's own, others are fixed (a printed tile).
    """

    name: str
    corners_mm: NDArray[np.float64]
    normals: NDArray[np.float64]
    colours: NDArray[np.int32]

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit one another."""
        count = len(self.corners_mm)
        if (
            self.corners_mm.shape != (count, 3, 3)
            or self.normals.shape != (count, 3, 3)
            or self.colours.shape != (count,)
        ):
            raise ValueError(
                f"PartMesh {self.name}: needs n×3×3 corners and normals and n colours, got {self.corners_mm.shape}, "
                f"{self.normals.shape}, {self.colours.shape}"
            )
        if count == 0:
            raise ValueError(f"PartMesh {self.name}: has no triangle")
