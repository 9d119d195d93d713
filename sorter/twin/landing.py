"""Where a part comes to lie on the table, and how it gets there: it falls, slides and rocks a little, and is still.

Places are millimetres from the table's axis in the table's own frame; angles are counter-clockwise from above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.twin.scene import Part

    Floats = NDArray[np.float64]

FALL_S = 0.15
"""From leaving the feeder to touching the table."""
BEAM_SHARE = 0.6
"""Of the fall; there a part breaks the beam above the table."""
SETTLE_S = 0.15
"""From touching the table to lying still."""
GAP_MM = 1.0
"""Two parts that lie side by side are at least so far from each other."""
TABLE_MM = 75.0
"""The table's radius; a part whose middle would come to lie beyond falls off."""

_GRAVITY_MM_PER_S2 = 9810.0
_SPREAD_MM, _FURTHEST_MM = 2.0, 5.0
_SLIDE_MM = (2.0, 5.0)
_ROCK_DEG = (8.0, 25.0)
_ROCKS = 1.5  # times to and fro while it settles


class Pose2d(NamedTuple):
    """A place on the table and how far a part is turned there."""

    x_mm: float
    y_mm: float
    yaw_deg: float

    def turned(self, angle_deg: float) -> Pose2d:
        """The same, as seen when the table is turned by an angle."""
        sin, cos = math.sin(math.radians(angle_deg)), math.cos(math.radians(angle_deg))
        return Pose2d(
            cos * self.x_mm - sin * self.y_mm, sin * self.x_mm + cos * self.y_mm, (self.yaw_deg + angle_deg) % 360.0
        )


@dataclass(frozen=True)
class Fall:
    """How one part falls, before anybody knows what else lies there.

    Args:
        dropped_s: when it leaves the feeder.
        start: where it touches the table, seen from outside.
        goal: where it comes to lie if nothing else lies there, seen from outside.
        rock_deg: by how much it is turned at first.
    """

    dropped_s: float
    start: Pose2d
    goal: Pose2d
    rock_deg: float

    @property
    def touches_s(self) -> float:
        """When it touches the table."""
        return self.dropped_s + FALL_S

    @property
    def breaks_beam_s(self) -> float:
        """When it passes the beam above the table."""
        return self.dropped_s + BEAM_SHARE * FALL_S

    def above_mm(self, time_s: float) -> float:
        """How high above the table it is."""
        fallen_s = min(max(time_s - self.dropped_s, 0.0), FALL_S)
        return _GRAVITY_MM_PER_S2 / 2.0 * (FALL_S**2 - fallen_s**2)


def fall(dropped_s: float, chance: random.Random) -> Fall:
    """Draw how a part falls: to about the middle of the table, turned any way."""
    radius_mm = _FURTHEST_MM + 1.0
    x_mm = y_mm = 0.0
    while radius_mm > _FURTHEST_MM:
        x_mm, y_mm = chance.gauss(0.0, _SPREAD_MM), chance.gauss(0.0, _SPREAD_MM)
        radius_mm = math.hypot(x_mm, y_mm)
    yaw_deg = chance.uniform(0.0, 360.0)
    direction, slide_mm = chance.uniform(0.0, math.tau), chance.uniform(*_SLIDE_MM)
    rock_deg = chance.choice((-1.0, 1.0)) * chance.uniform(*_ROCK_DEG)
    start = Pose2d(x_mm + slide_mm * math.cos(direction), y_mm + slide_mm * math.sin(direction), yaw_deg + rock_deg)
    return Fall(dropped_s, start, Pose2d(x_mm, y_mm, yaw_deg), rock_deg)


@dataclass(frozen=True, eq=False)
class Lying:
    """A part on the table, in the table's frame.

    Args:
        part: which.
        start, goal: from where it slides, and where it comes to lie.
        corners_mm: n×2, of what it covers then.
        reach_mm: from its middle to the furthest of these.
        rock_deg: by how much it is turned at first.
        touched_s: when it touched the table.
    """

    part: Part
    start: Pose2d
    goal: Pose2d
    corners_mm: Floats
    reach_mm: float
    rock_deg: float
    touched_s: float

    def pose(self, time_s: float) -> Pose2d:
        """Where it is: slower and slower on its way, rocking less and less."""
        share = min(max((time_s - self.touched_s) / SETTLE_S, 0.0), 1.0)
        left = (1.0 - share) ** 2
        if left == 0.0:
            return self.goal
        return Pose2d(
            self.goal.x_mm + left * (self.start.x_mm - self.goal.x_mm),
            self.goal.y_mm + left * (self.start.y_mm - self.goal.y_mm),
            self.goal.yaw_deg + left * self.rock_deg * math.cos(math.tau * _ROCKS * share),
        )


def landing(part: Part, falling: Fall, table_deg: float, others: Sequence[Lying]) -> Lying | None:
    """Where a part comes to lie that touches a table turned by ``table_deg``, beside what lies there.

    Returns:
        None if there is no room for it: it falls off.
    """
    start, goal = falling.start.turned(-table_deg), falling.goal.turned(-table_deg)
    corners = corners_mm(part, goal)
    reach_mm = max(math.hypot(*corner) for corner in part.outline_mm)
    shift_mm = _shift_mm(goal, start, corners, reach_mm, others)
    goal = goal._replace(x_mm=goal.x_mm + float(shift_mm[0]), y_mm=goal.y_mm + float(shift_mm[1]))
    if math.hypot(goal.x_mm, goal.y_mm) > TABLE_MM:
        return None
    return Lying(part, start, goal, corners + shift_mm, reach_mm, falling.rock_deg, falling.touches_s)


def slid(lying: Lying, now_s: float, towards: Pose2d, others: Sequence[Lying]) -> Lying:
    """A part that slides from where it lies to another place, and is still.

    Args:
        lying: as it lies.
        now_s: when it begins.
        towards: where it comes to lie, in the table's frame, or a little off where something lies there already.
        others: that lie on the table.
    """
    start = lying.pose(now_s)
    corners = corners_mm(lying.part, towards)
    shift_mm = _shift_mm(towards, start, corners, lying.reach_mm, others)
    goal = towards._replace(x_mm=towards.x_mm + float(shift_mm[0]), y_mm=towards.y_mm + float(shift_mm[1]))
    return Lying(lying.part, start, goal, corners + shift_mm, lying.reach_mm, start.yaw_deg - goal.yaw_deg, now_s)


def _shift_mm(goal: Pose2d, start: Pose2d, corners: Floats, reach_mm: float, others: Sequence[Lying]) -> Floats:
    """2: by how much a part must lie nearer to where it slides from, or beyond, to be clear of all others."""
    way = np.array([start.x_mm - goal.x_mm, start.y_mm - goal.y_mm])
    way /= np.linalg.norm(way)
    shift_mm = np.zeros(2)
    is_clear = False
    while not is_clear:
        is_clear = True
        for other in others:
            away_mm = math.hypot(goal.x_mm + shift_mm[0] - other.goal.x_mm, goal.y_mm + shift_mm[1] - other.goal.y_mm)
            if away_mm < reach_mm + other.reach_mm + GAP_MM:
                further_mm = _way_out_mm(corners + shift_mm, other.corners_mm, way)
                shift_mm = shift_mm + further_mm * way
                is_clear = is_clear and further_mm == 0.0
    return shift_mm


def corners_mm(part: Part, pose: Pose2d) -> Floats:
    """n×2: the corners of what a part covers of the table."""
    sin, cos = math.sin(math.radians(pose.yaw_deg)), math.cos(math.radians(pose.yaw_deg))
    corners: Floats = np.array(part.outline_mm) @ np.array([[cos, sin], [-sin, cos]]) + (pose.x_mm, pose.y_mm)
    return corners


def _way_out_mm(outline: Floats, other: Floats, way: Floats) -> float:
    """How far an outline must be moved along ``way`` to be clear of another; 0 if it is.

    Two convex polygons are apart by at least what lies between them in the direction of an edge's normal
    (separating axis theorem).
    """
    normals = np.concatenate([_normals(outline), -_normals(other)])
    gaps_mm = (other @ normals.T).min(axis=0) - (outline @ normals.T).max(axis=0)
    if gaps_mm.max() >= GAP_MM:
        return 0.0
    closing = normals @ way  # by how much a millimetre of the way narrows the gap; it must widen it
    leaving = closing < -1e-9
    return float(((GAP_MM - gaps_mm[leaving]) / -closing[leaving]).min()) + 1e-6


def _normals(outline: Floats) -> Floats:
    """Unit normals of the edges of a counter-clockwise polygon, pointing outwards."""
    edges = np.roll(outline, -1, axis=0) - outline
    normals = np.column_stack([edges[:, 1], -edges[:, 0]])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    outward: Floats = (normals / np.where(lengths > 0.0, lengths, 1.0))[lengths[:, 0] > 0.0]
    return outward
