"""Normals that are smooth where a surface is, and sharp at its edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

DEFAULT_CREASE_DEG = 30.0
"""LDraw's round primitives have 16 sides, 22.5° from one to the next; the flattest common slopes bend by 31° or 33°."""

WELD_MM = 0.01

_FLAT_COS = np.cos(np.radians(1.0))
_ALONG_COS = np.cos(np.radians(5.0))
_MAX_PAIRS = 2_000_000


def weld(points: Floats, within: float) -> tuple[Ints, Floats]:
    """Number n×3 points so that those nearer than ``within`` share a number; the numbers (n), and m×3 places.

    A number's place is that of its first point.
    """
    places, numbers = np.unique(points.round(9) + 0.0, axis=0, return_inverse=True)
    pairs = KDTree(places).query_pairs(within, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(places), len(places)))
    _, groups = connected_components(graph, directed=False)
    welded = groups[numbers.reshape(-1)].astype(np.int64)
    _, first = np.unique(welded, return_index=True)
    return welded, points[first]


def face_normals(corners: Floats) -> Floats:
    """n×3, unit length; zero for a triangle without area."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: Floats = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
    return unit


def smooth_normals(
    corners_mm: Floats,
    *,
    crease_deg: float = DEFAULT_CREASE_DEG,
    sharp_lines_mm: Floats | None = None,
    weld_mm: float = WELD_MM,
) -> Floats:
    """The normals of n×3×3 triangles, at each corner, n×3×3, unit length (zero where there is no area).

    A corner's normal is the mean over the faces that meet at its point and bend from its own by less than
    ``crease_deg``, weighted by each face's angle there (G. Thürmer, C. Wüthrich, Computing Vertex Normals from
    Polygonal Facets, 1998): so it does not matter how a quad was split. Two faces that bend along a sharp line through
    the point are not averaged, whatever their angle.

    Args:
        corners_mm: n×3×3, counter-clockwise seen from outside.
        crease_deg: faces that bend by more than this meet at an edge.
        sharp_lines_mm: m×2×3, ends of the lines along which the surface is sharp: LDraw's type 2.
        weld_mm: points nearer than this are one.
    """
    normals = face_normals(corners_mm)
    before = np.roll(corners_mm, 1, axis=1) - corners_mm
    after = np.roll(corners_mm, -1, axis=1) - corners_mm
    weights = _angles(before, after).reshape(-1)
    vertices, places = weld(corners_mm.reshape(-1, 3), weld_mm)
    sharp = _SharpDirections(places, sharp_lines_mm, weld_mm)
    order = np.argsort(vertices, kind="stable")
    counts = np.bincount(vertices)
    starts = np.cumsum(counts) - counts
    sums = np.zeros((len(vertices), 3))
    cos_crease = np.cos(np.radians(crease_deg))
    for valence in np.unique(counts).tolist():
        same = np.nonzero(counts == valence)[0]
        step = max(1, _MAX_PAIRS // valence**2)
        for begin in range(0, len(same), step):
            at = same[begin : begin + step]
            block = order[starts[at][:, None] + np.arange(valence)]
            sums[block] = _means(normals[block // 3], weights[block], at, cos_crease, sharp)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    own = np.repeat(normals, 3, axis=0)
    smooth = np.where(lengths > 1e-9, np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 1e-9), own)
    return smooth.reshape(-1, 3, 3)


def _angles(first: Floats, second: Floats) -> Floats:
    """Between vectors along the last axis, rad; by arctan, which is exact for small ones too."""
    sine = np.linalg.norm(np.cross(first, second), axis=-1)
    angles: Floats = np.arctan2(sine, (first * second).sum(axis=-1))
    return angles


def _means(normals: Floats, weights: Floats, at: Ints, cos_crease: float, sharp: _SharpDirections) -> Floats:
    """Sums for m points in each of which v faces meet: normals m×v×3, weights m×v; m×v×3, not of unit length."""
    valence = normals.shape[1]
    weighted = normals * weights[:, :, None]
    result = np.empty_like(normals)
    step = max(1, _MAX_PAIRS // (valence * len(normals)))
    for begin in range(0, valence, step):
        rows = normals[:, begin : begin + step]
        cosines = rows @ normals.transpose(0, 2, 1)
        is_joined = cosines >= cos_crease
        bent = np.nonzero(is_joined & (cosines < _FLAT_COS))
        if len(bent[0]):
            point, row, other = bent
            is_split = sharp.splits(at[point], rows[point, row], normals[point, other])
            is_joined[point[is_split], row[is_split], other[is_split]] = False
        result[:, begin : begin + step] = is_joined.astype(np.float64) @ weighted
    return result


class _SharpDirections:
    """The directions of the sharp lines that end at, or go through, each of a mesh's points."""

    def __init__(self, places: Floats, lines: Floats | None, within: float) -> None:
        points, directions = _lines_at_points(places, np.zeros((0, 2, 3)) if lines is None else lines, within)
        order = np.argsort(points, kind="stable")
        self._directions = directions[order]
        self._counts = np.bincount(points, minlength=len(places))
        self._starts = np.cumsum(self._counts) - self._counts

    def splits(self, points: Ints, first: Floats, second: Floats) -> Bools:
        """Whether faces with unit normals ``first`` and ``second``, k×3, bend along a sharp line through ``points``."""
        along = np.cross(first, second)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
        counts = self._counts[points]
        pair = np.repeat(np.arange(len(points)), counts)
        place = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
        direction = self._directions[self._starts[points][pair] + place]
        is_along = np.abs((along[pair] * direction).sum(axis=1)) > _ALONG_COS
        split = np.zeros(len(points), bool)
        split[pair[is_along]] = True
        return split


def _lines_at_points(places: Floats, lines: Floats, within: float) -> tuple[Ints, Floats]:
    """Which point lies on which line: k points and k×3 unit directions."""
    vectors = lines[:, 1] - lines[:, 0]
    lengths = np.linalg.norm(vectors, axis=1)
    lines, vectors, lengths = lines[lengths > within], vectors[lengths > within], lengths[lengths > within]
    if not len(lines):
        return np.zeros(0, np.int64), np.zeros((0, 3))
    directions = vectors / lengths[:, None]
    near = KDTree(places).query_ball_point(lines.mean(axis=1), lengths / 2 + within, return_sorted=True)
    line = np.repeat(np.arange(len(lines)), [len(each) for each in near])
    point = np.concatenate([np.array(each, np.int64) for each in near])
    offset = places[point] - lines[line, 0]
    aside = offset - (offset * directions[line]).sum(axis=1)[:, None] * directions[line]
    is_on = (aside**2).sum(axis=1) <= within**2
    return point[is_on], directions[line[is_on]]
