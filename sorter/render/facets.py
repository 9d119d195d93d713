"""The flat sides of a convex hull: on which a body comes to rest, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, QhullError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_FLAT_COS = np.cos(np.radians(1.0))
_BENT_COS = np.cos(np.radians(5.0))
_MIN_MARGIN_MM = 0.05


@dataclass(frozen=True, eq=False)
class Facets:
    """The sides of a convex hull, triangles of one side put together.

    Args:
        normals: n×3 float64, outward, unit length.
        distances_mm: n, how high the centre of mass is above the table when the body lies on the side.
        margins_mm: n, how far inside the side's outline the centre of mass stands; below 0 the body topples.
        chances: n, that the body, dropped with every orientation as likely, first lies on the side; they sum to 1.
        topples_to: n, the side that it goes on to where it topples, otherwise the side itself.
    """

    normals: Floats
    distances_mm: Floats
    margins_mm: Floats
    chances: Floats
    topples_to: Ints

    def resting(self) -> Floats:
        """n: the chance that the body comes to rest on the side, after all toppling; they sum to 1."""
        chances = self.chances.copy()
        for side in np.argsort(-self.distances_mm, kind="stable"):  # toppling only goes down
            target = self.topples_to[side]
            if target != side:
                chances[target] += chances[side]
                chances[side] = 0.0
        return chances


def facets_of(points_mm: Floats, centre_mm: Floats) -> Facets | None:
    """The sides of the convex hull of n×3 points, for a centre of mass inside it.

    None if the hull is flat, or the centre is not inside.

    Quasi-static: the body is set down without speed, and rolls over edges until it is stable. See K. Goldberg et al.,
    Part Pose Statistics: Estimators and Experiments, IEEE Transactions on Robotics and Automation 15 (1999).
    trimesh has the same estimate, but takes every triangle for a side and lets a body balance on the narrowest: a brick
    1×4 then lies on its studs' rims and an edge, tilted by 45°, in one case of eight.
    """
    points = points_mm - centre_mm
    try:
        hull = ConvexHull(points)
    except (QhullError, ValueError):
        return None
    if (hull.equations[:, 3] >= 0).any():
        return None
    triangles = points[hull.simplices]
    inward = np.einsum("ij,ij->i", np.cross(triangles[:, 1], triangles[:, 2]), triangles[:, 0]) < 0
    triangles[inward] = triangles[inward, ::-1]
    crossed = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    weighted = hull.equations[:, :3] * (np.linalg.norm(crossed, axis=1, keepdims=True) + 1e-9)
    side_of, normals = _sides(hull.equations[:, :3], weighted, hull.neighbors)
    count = len(normals)
    chances = np.bincount(side_of, _solid_angles(triangles), minlength=count) / (4 * np.pi)
    distances = np.full(count, -np.inf)
    np.maximum.at(distances, side_of, np.einsum("ijk,ik->ij", triangles, normals[side_of]).max(axis=1))
    margins, topples_to = _toppling(points, hull, side_of, normals, distances)
    return Facets(normals, distances, margins, chances / chances.sum(), topples_to)


def _sides(normals: Floats, weighted: Floats, neighbours: Ints) -> tuple[Ints, Floats]:
    """Number triangles so that those that touch and bend by less than a degree share a number; and m×3 mean normals.

    Where that would go on around a bend, every triangle remains a side of its own.
    """
    first = np.repeat(np.arange(len(normals)), 3)
    second = neighbours.reshape(-1)
    is_flat = np.einsum("ij,ij->i", normals[first], normals[second]) >= _FLAT_COS
    ones = np.ones(int(is_flat.sum()), np.int8)
    graph = coo_matrix((ones, (first[is_flat], second[is_flat])), shape=(len(normals), len(normals)))
    count, side_of = connected_components(graph, directed=False)
    means = _mean_normals(side_of, weighted, count)
    is_bent = np.einsum("ij,ij->i", means[side_of], normals) < _BENT_COS
    alone = np.isin(side_of, side_of[is_bent])
    side_of = np.where(alone, count + np.arange(len(normals)), side_of)
    _, side_of = np.unique(side_of, return_inverse=True)
    return side_of, _mean_normals(side_of, weighted, int(side_of.max()) + 1)


def _mean_normals(side_of: Ints, weighted: Floats, count: int) -> Floats:
    sums = np.zeros((count, 3))
    np.add.at(sums, side_of, weighted)
    means: Floats = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-300)
    return means


def _solid_angles(triangles: Floats) -> Floats:
    """Seen from the origin, sr (A. Van Oosterom, J. Strackee, The Solid Angle of a Plane Triangle, 1983)."""
    first, second, third = (triangles[:, corner] for corner in range(3))
    lengths = np.linalg.norm(triangles, axis=2)
    volume = np.abs(np.einsum("ij,ij->i", first, np.cross(second, third)))
    below = lengths.prod(axis=1)
    for one, other, rest in ((first, second, 2), (second, third, 0), (third, first, 1)):
        below = below + np.einsum("ij,ij->i", one, other) * lengths[:, rest]
    angles: Floats = 2 * np.arctan2(volume, below)
    return angles


def _toppling(
    points: Floats, hull: ConvexHull, side_of: Ints, normals: Floats, distances: Floats
) -> tuple[Floats, Ints]:
    """How far the origin stands inside each side's outline, and over which edge it topples."""
    triangle, edge = np.nonzero(side_of[:, None] != side_of[hull.neighbors])
    other = side_of[hull.neighbors[triangle, edge]]  # the neighbour lies across from the corner of the same place
    own = side_of[triangle]
    start = points[hull.simplices[triangle, (edge + 1) % 3]]
    end = points[hull.simplices[triangle, (edge + 2) % 3]]
    opposite = points[hull.simplices[triangle, edge]]
    outward = np.cross(end - start, normals[own])
    lengths = np.linalg.norm(outward, axis=1, keepdims=True)
    outward = np.divide(outward, lengths, out=np.zeros_like(outward), where=lengths > 0)
    outward *= np.sign(np.einsum("ij,ij->i", outward, start - opposite))[:, None]
    inside = np.einsum("ij,ij->i", outward, start)
    margins = np.full(len(normals), np.inf)
    np.minimum.at(margins, own, inside)
    topples_to = np.arange(len(normals))
    order = np.lexsort((other, inside))
    for place in order:
        side, target = own[place], other[place]
        is_over = inside[place] < _MIN_MARGIN_MM and topples_to[side] == side
        if is_over and distances[target] < distances[side]:
            topples_to[side] = target
    return margins, topples_to
