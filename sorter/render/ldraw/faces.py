"""What makes LDraw's faces usable: quads split, splinters dropped, winding made sensible where nobody certified it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sorter.render.ldraw.normals import weld

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


def _dot(first: Floats, second: Floats) -> Floats:
    product: Floats = np.einsum("ij,ij->i", first, second)
    return product


def _halves(quads: Floats) -> tuple[Floats, Floats]:
    """How well each quad is split along its diagonal from its first corner.

    Gives the area that the smaller half has, with a minus where the halves face opposite ways (the diagonal is outside
    the quad, or it crosses itself).
    """
    first = np.cross(quads[:, 1] - quads[:, 0], quads[:, 2] - quads[:, 0])
    second = np.cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 0])
    smaller = np.minimum(np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)) / 2
    facing = _dot(first, second)
    return np.where(facing < 0, -smaller, smaller), facing


def triangles_of_quads(quads: Floats) -> tuple[Floats, Bools]:
    """Split n×4×3 quads into 2n×3×3 triangles with the same winding.

    The diagonal lies inside a concave quad. One that crosses itself (its corners are named in the wrong order, a
    "bowtie") is untangled first; its winding then means nothing, and the second result, n bool, is False for it.
    """
    if not len(quads):
        return np.zeros((0, 3, 3)), np.zeros(0, bool)
    quads = quads.copy()
    along, along_facing = _halves(quads)
    across, across_facing = _halves(np.roll(quads, -1, axis=1))
    is_bowtie = (along_facing < 0) & (across_facing < 0)
    if is_bowtie.any():
        quads[is_bowtie] = _untangled(quads[is_bowtie])
        along, _ = _halves(quads)
        across, _ = _halves(np.roll(quads, -1, axis=1))
    # Where both will do, the first one: twice as many equal splits as by the larger area, which rounding decides.
    turns = across > np.maximum(along * 1.001, 0)
    turns &= (along <= 0) | (along < across / 100)
    quads[turns] = np.roll(quads[turns], -1, axis=1)
    return quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 3), ~is_bowtie


def _untangled(quads: Floats) -> Floats:
    """The corners of bowties in such an order that no sides cross: of the two others, the one of larger area."""
    orders = [quads[:, [0, 1, 3, 2]], quads[:, [0, 2, 1, 3]]]
    areas = [np.linalg.norm(np.cross(each[:, 2] - each[:, 0], each[:, 3] - each[:, 1]), axis=1) for each in orders]
    better: Floats = np.where((areas[0] >= areas[1])[:, None, None], orders[0], orders[1])
    return better


def is_sound(corners: Floats, min_height: float) -> Bools:
    """Which of n×3×3 triangles are higher than ``min_height`` over their longest side; the others are splinters."""
    sides = np.roll(corners, -1, axis=1) - corners
    longest = np.sqrt((sides**2).sum(axis=2).max(axis=1))
    doubled_area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    sound: Bools = doubled_area > min_height * longest
    return sound


def oriented(corners: Floats, is_certified: Bools, weld_mm: float) -> tuple[Floats, int]:
    """Turn those n×3×3 triangles whose winding nobody certified, and say how many were turned.

    A face takes the winding of its neighbours across shared edges, certified ones first. Of a group of faces that
    touches no certified one, all are turned together so that they face away from the part's middle, on the whole: right
    for a closed body and for an outer wall, a guess for a wall that stands free inside.
    """
    if is_certified.all():
        return corners, 0
    vertices, _ = weld(corners.reshape(-1, 3), weld_mm)
    neighbours = _neighbours(vertices.reshape(-1, 3))
    middle = (corners.min(axis=(0, 1)) + corners.max(axis=(0, 1))) / 2
    from_middle = corners - middle
    outward = _dot(from_middle[:, 0], np.cross(from_middle[:, 1], from_middle[:, 2]))
    flips: list[bool | None] = [False if sure else None for sure in is_certified]

    def spread(begin: list[int]) -> list[int]:
        reached = list(begin)
        for face in reached:  # grows while it is gone through
            for other, is_same_way in neighbours.get(face, ()):
                if flips[other] is None:
                    flips[other] = bool(flips[face]) != is_same_way
                    reached.append(other)
        return reached

    spread(np.nonzero(is_certified)[0].tolist())
    for face in range(len(corners)):
        if flips[face] is None:
            flips[face] = False
            group = np.array(spread([face]))
            turned = np.array([bool(flips[each]) for each in group])
            if np.where(turned, -outward[group], outward[group]).sum() < 0:
                for each in group:
                    flips[each] = not flips[each]
    mask = np.array(flips, bool)
    result = corners.copy()
    result[mask] = result[mask, ::-1]
    return result, int(mask.sum())


def _neighbours(faces: NDArray[np.int64]) -> dict[int, list[tuple[int, bool]]]:
    """For each face, those that share an edge with it alone, and whether both name it in the same direction.

    Two faces that do so have opposite windings.
    """
    edges: dict[tuple[int, int], list[tuple[int, bool]]] = {}
    for face, corners in enumerate(faces.tolist()):
        for start, end in zip(corners, (*corners[1:], corners[0]), strict=True):
            edges.setdefault((min(start, end), max(start, end)), []).append((face, start < end))
    found: dict[int, list[tuple[int, bool]]] = {}
    for sharing in edges.values():
        if len(sharing) == 2:
            (first, first_way), (second, second_way) = sharing
            found.setdefault(first, []).append((second, first_way == second_way))
            found.setdefault(second, []).append((first, first_way == second_way))
    return found
