"""How a camera shows colours: from a part's colour relative to the table's to linear sRGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class CameraColours:
    """A camera's colours, fitted on parts of known colour (benchmarks/colour_fit.py).

    Args:
        by_tint: 3×3 matrices: the first as it is, the next times the table's tint, the next times its square.
        least_tint, most_tint: of the table, ln(red / blue) in linear RGB; the range in which it was fitted.
        brighter_cost, darker_cost: delta E for a pixel e times as bright, or as dark, as the palette's colour.
        spread: delta E within which two colours fit about equally well.
        shading: natural logarithms of the darkest and brightest that a face of a colour is taken for.
    """

    by_tint: tuple[Matrix, ...]
    least_tint: float
    most_tint: float
    brighter_cost: float
    darker_cost: float
    spread: float
    shading: tuple[float, float] = (-1.6, 0.3)

    def matrix(self, tint: float) -> NDArray[np.float64]:
        """The 3×3 matrix for a table of this tint."""
        within = min(max(tint, self.least_tint), self.most_tint)
        total: NDArray[np.float64] = sum(
            (np.array(each) * within**power for power, each in enumerate(self.by_tint)), np.zeros((3, 3))
        )
        return total


NEUTRAL = CameraColours(
    by_tint=(((0.85, 0.0, 0.0), (0.0, 0.85, 0.0), (0.0, 0.0, 0.85)),),
    least_tint=0.0,
    most_tint=0.0,
    brighter_cost=40.0,
    darker_cost=12.0,
    spread=2.5,
)
"""A camera that shows colours as they are, over a white table that reflects 85 %."""

PHOTOGRAPHS = CameraColours(
    by_tint=(
        ((1.090, -0.192, 0.078), (-0.006, 0.971, 0.069), (-0.115, 0.005, 0.825)),
        ((0.059, 0.013, 0.120), (0.183, 0.387, -0.074), (0.022, -0.022, 0.204)),
        ((-1.552, 0.374, -0.010), (-0.573, 0.177, -0.574), (-0.165, 0.159, -0.377)),
    ),
    least_tint=-0.45,
    most_tint=0.65,
    brighter_cost=35.0,
    darker_cost=20.4,
    spread=1.1,
)
"""The camera of the published turntable photographs, which changed its white balance as it liked."""
