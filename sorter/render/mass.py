"""Where a part's weight acts, from a surface that may have gaps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_MAX_SPREAD_MM = 0.5
_MAX_SPREAD_SHARE = 0.02

MassSource = Literal["volume", "surface"]


@dataclass(frozen=True, eq=False)
class CentreOfMass:
    """A part's centre of mass, of plastic of one density.

    Args:
        point_mm: 3 float64, in the mesh's axes.
        source: ``volume``: from the integral over what the surface encloses. ``surface``: the gaps are too large for
            that, and it is the middle of the surface's area, which for thin walls is nearly the same (over 296 common
            LDraw parts: within 1.4 mm, nine in ten within 0.6 mm).
        spread_mm: how far apart the volume's estimates are: 0 for a closed surface.
    """

    point_mm: Floats
    source: MassSource
    spread_mm: float


def centre_of_mass(corners_mm: Floats) -> CentreOfMass:
    """The centre of mass of what n×3×3 triangles enclose, counter-clockwise seen from outside.

    LDraw's surfaces have gaps where one piece stands on another (a stud has no bottom), and Gauss's theorem turns a gap
    into an error. But it can be applied along x, y or z alone, and each time only gaps that face along that axis count.
    So all three are computed, and the two that agree best on the volume are believed, if they agree on the centre to
    0.5 mm or 2 % of the part's diagonal. Where triangles only meet in T-junctions nothing is lost.
    """
    low, high = corners_mm.min(axis=(0, 1)), corners_mm.max(axis=(0, 1))
    middle = (low + high) / 2
    corners = corners_mm - middle
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    # The mean over the sides' midpoints is a triangle's mean of any quadratic form (Hammer and Stroud, 1956).
    points = (corners + np.roll(corners, -1, axis=1)) / 2
    volumes, centres = [], []
    for axis in range(3):
        across = points * points[:, :, axis : axis + 1]
        across[:, :, axis] /= 2
        volume = float(points[:, :, axis].mean(axis=1) @ areas[:, axis])
        if volume > 0:
            volumes.append(volume)
            centres.append(areas[:, axis] @ across.mean(axis=1) / volume)
    pairs = list(combinations(range(len(volumes)), 2))
    spread_mm = float("inf")
    if pairs:
        first, second = min(pairs, key=lambda pair: abs(volumes[pair[0]] - volumes[pair[1]]))
        spread_mm = float(np.linalg.norm(centres[first] - centres[second]))
        point = (centres[first] + centres[second]) / 2
        limit_mm = max(_MAX_SPREAD_MM, _MAX_SPREAD_SHARE * float(np.linalg.norm(high - low)))
        if spread_mm <= limit_mm and (np.abs(point) <= (high - low) / 2).all():
            return CentreOfMass(middle + point, "volume", spread_mm)
    sizes = np.linalg.norm(areas, axis=1)
    return CentreOfMass(middle + sizes @ corners.mean(axis=1) / sizes.sum(), "surface", spread_mm)
