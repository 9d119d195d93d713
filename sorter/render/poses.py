"""How a part may lie on a table, and how often: from its geometry alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

from sorter.render.errors import RenderRefused
from sorter.render.facets import Facets, facets_of
from sorter.render.mass import CentreOfMass, MassSource, centre_of_mass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sorter.render.mesh import PartMesh

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DEFAULT_MIN_PROBABILITY = 0.02

_SAME_MM = 0.3
_SAME_SHARE = 0.98
_UPRIGHT_COS = np.cos(np.radians(5.0))
_LEVEL_SINE = np.sin(np.radians(5.0))
_STANDING_RATIO = 1.1
_MAX_TURNS = 96
_MAX_COMPARED = 2000
_FIRST_COMPARED = 50


@dataclass(frozen=True, eq=False)
class RestingPose:
    """One way in which a part lies still.

    Args:
        name: ``up`` (studs up, as LDraw draws it), ``down`` (studs down), ``side``, ``end`` (standing, its longest side
            upright), and ``p0``, ``p1`` … for what is tilted; a second one of a name is ``side-2``.
        rotation: 3×3 float64, from the mesh's axes to the world's; afterwards the lowest point is to be put on z = 0.
        probability: how often it lies so, among all poses of the part that were kept; they sum to 1.
        height_mm: from the table to the part's highest point.
        centre_height_mm: from the table to its centre of mass.
        margin_mm: how far the centre of mass would have to be moved sideways for it to topple; near 0 it hardly stands.
        mass_source: whether the centre of mass could be trusted: ``volume``, or else ``surface``; see ``mass``.
    """

    name: str
    rotation: Floats
    probability: float
    height_mm: float
    centre_height_mm: float
    margin_mm: float
    mass_source: MassSource


def resting_poses(mesh: PartMesh, *, min_probability: float = DEFAULT_MIN_PROBABILITY) -> tuple[RestingPose, ...]:
    """The poses in which a part comes to rest on a table, the most probable first; at least one.

    The part is set down with every orientation as likely, and topples until it is stable (``facets``). Poses that look
    the same when turned about the vertical are one, such as the two long sides of a brick, with their probabilities
    added. Real parts bounce: a pose that hardly stands (``margin_mm``) is rarer than it says here.

    The same mesh always gives the same poses.

    Args:
        mesh: its corners alone matter.
        min_probability: rarer poses are left out, but never all.

    Raises:
        RenderRefused: the part is flat, and so can be given no weight.
    """
    points = np.unique(mesh.corners_mm.reshape(-1, 3).round(3) + 0.0, axis=0)
    mass = centre_of_mass(mesh.corners_mm)
    facets = facets_of(points, mass.point_mm)
    if facets is None:
        raise RenderRefused(
            f"part {mesh.name}: it has no volume, so there is no saying how it lies",
            remedy="Leave it out, or name another part.",
        )
    chances = facets.resting()
    stable = np.nonzero(chances > 0)[0]
    order = np.lexsort((*facets.normals[stable].T.round(3), facets.distances_mm[stable].round(3)))
    candidates = [_pose(points, mass, facets, int(side), float(chances[side])) for side in stable[order]]
    merged = sorted(_merged(points - mass.point_mm, candidates), key=lambda pose: -round(pose.probability, 6))
    kept = [pose for pose in merged if pose.probability >= min_probability] or merged[:1]
    total = sum(pose.probability for pose in kept)
    return tuple(
        replace(pose, name=name, probability=pose.probability / total)
        for pose, name in zip(kept, _names(points, kept), strict=True)
    )


def _pose(points: Floats, mass: CentreOfMass, facets: Facets, side: int, chance: float) -> RestingPose:
    rotation = _turn_down(facets.normals[side])
    heights = points @ rotation[2]
    return RestingPose(
        name="",
        rotation=rotation,
        probability=chance,
        height_mm=float(np.ptp(heights)),
        centre_height_mm=float(rotation[2] @ mass.point_mm - heights.min()),
        margin_mm=float(facets.margins_mm[side]),
        mass_source=mass.source,
    )


def _turn_down(normal: Floats) -> Floats:
    """The rotation by the smallest angle that turns a unit vector down, to -z; about x where it points up."""
    down = -normal[2]
    axis = np.array([-normal[1], normal[0], 0.0])  # normal × -z, of length sine
    if down < -1 + 1e-12:
        return np.diag([1.0, -1.0, -1.0])
    cross = np.array([[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
    rotation: Floats = np.eye(3) + cross + cross @ cross / (1 + down)
    return rotation


def _merged(points: Floats, poses: Sequence[RestingPose]) -> list[RestingPose]:
    """One pose for all that look the same up to a turn about the vertical; the first of each stands for them."""
    found: list[RestingPose] = []
    placed: list[_Placed] = []
    for pose in poses:
        this = _Placed(points @ pose.rotation.T)
        for place, known in enumerate(found):
            is_near = abs(known.centre_height_mm - pose.centre_height_mm) <= _SAME_MM
            if is_near and abs(known.height_mm - pose.height_mm) <= _SAME_MM and placed[place].looks_like(this):
                found[place] = replace(known, probability=known.probability + pose.probability)
                break
        else:
            found.append(pose)
            placed.append(this)
    return found


class _Placed:
    """A part's points in a pose, its centre of mass at the origin."""

    def __init__(self, points: Floats) -> None:
        self.points = points
        self.tree = KDTree(points)
        self.radii = np.hypot(points[:, 0], points[:, 1])
        self.some = points[:: -(-len(points) // _MAX_COMPARED)]

    def looks_like(self, other: _Placed) -> bool:
        """Whether a turn about z puts nearly all points of each on points of the other."""
        return any(self._covers(other.some @ turn.T) and other._covers(self.some @ turn) for turn in self._turns(other))

    def _covers(self, points: Floats) -> bool:
        first = points[:: -(-len(points) // _FIRST_COMPARED)]
        return self._share(first) >= 2 * _SAME_SHARE - 1 and self._share(points) >= _SAME_SHARE

    def _share(self, points: Floats) -> float:
        """Of points that are near one of these."""
        distances, _ = self.tree.query(points, distance_upper_bound=_SAME_MM)
        return float(np.isfinite(distances).mean())

    def _turns(self, other: _Placed) -> Iterator[Floats]:
        """Those that put one point of the other, the one with the fewest to choose from, on a point of this."""
        own = np.column_stack([self.radii, self.points[:, 2]])
        theirs = np.column_stack([other.radii, other.points[:, 2]])
        tree = KDTree(own)
        counts = tree.query_ball_point(theirs, _SAME_MM, return_length=True)
        usable = (other.radii > other.radii.max() / 2) & (counts > 0)
        if not usable.any():
            return
        anchor = int(np.argmin(np.where(usable, counts, np.iinfo(np.int64).max)))
        matches = tree.query_ball_point(theirs[anchor], _SAME_MM, return_sorted=True)
        angles = np.arctan2(self.points[matches, 1], self.points[matches, 0])
        turns = angles - np.arctan2(other.points[anchor, 1], other.points[anchor, 0])
        for turn in np.unique((turns % (2 * np.pi)).round(4))[:_MAX_TURNS]:
            cosine, sine = np.cos(turn), np.sin(turn)
            yield np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _names(points: Floats, poses: Sequence[RestingPose]) -> list[str]:
    longest, *_ = sizes = sorted(np.ptp(points, axis=0), reverse=True)
    names: list[str] = []
    tilted = 0
    for pose in poses:
        up = pose.rotation[2, 2]
        if up > _UPRIGHT_COS:
            name = "up"
        elif up < -_UPRIGHT_COS:
            name = "down"
        elif abs(up) < _LEVEL_SINE:
            is_standing = pose.height_mm > longest / _STANDING_RATIO and longest > _STANDING_RATIO * sizes[1]
            name = "end" if is_standing else "side"
        else:
            name, tilted = f"p{tilted}", tilted + 1
        same = sum(known == name or known.startswith(f"{name}-") for known in names)
        names.append(f"{name}-{same + 1}" if same else name)
    return names
