"""The twin's camera as a pinhole: where a point of the world is in the picture, and how a sprite is laid there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from sorter.types.sprites import SpriteCamera

    Floats = NDArray[np.float64]

_NEAREST_MM = 1.0
_STEP_MM = 1.0


@dataclass(frozen=True)
class Eye:
    """A pinhole camera above the side of negative y; up in the picture is away from it.

    Args:
        elevation_deg: it looks down by this.
        distance_mm: from the lens to the point of the table that is in the middle of the picture.
        px_per_mm: at that point.
        width_px, height_px: of the picture.
        aim_x_mm, aim_y_mm: that point.
    """

    elevation_deg: float
    distance_mm: float
    px_per_mm: float
    width_px: int
    height_px: int
    aim_x_mm: float = 0.0
    aim_y_mm: float = 0.0

    @classmethod
    def of_sprites(cls, camera: SpriteCamera, width_px: int, height_px: int) -> Eye:
        """The camera under which sprites were rendered: through it they look best. Pixels are as large as theirs."""
        return cls(camera.elevation_deg, camera.distance_mm, camera.px_per_mm, width_px, height_px)

    @property
    def position_mm(self) -> Floats:
        """3: where the lens is."""
        elevation = math.radians(self.elevation_deg)
        level_mm = self.distance_mm * math.cos(elevation)
        return np.array([self.aim_x_mm, self.aim_y_mm - level_mm, self.distance_mm * math.sin(elevation)])

    @property
    def axes(self) -> Floats:
        """3×3: right, down and forward in the picture, as unit vectors of the world in rows."""
        sin, cos = math.sin(math.radians(self.elevation_deg)), math.cos(math.radians(self.elevation_deg))
        return np.array([[1.0, 0.0, 0.0], [0.0, -sin, -cos], [0.0, cos, -sin]])

    def project(self, points_mm: ArrayLike) -> Floats:
        """n×2 px from the left and from the top, for n×3 mm; NaN behind the lens. Middles of pixels are at halves."""
        seen = (np.asarray(points_mm, dtype=np.float64) - self.position_mm) @ self.axes.T
        depth = np.where(seen[:, 2:] > _NEAREST_MM, seen[:, 2:], np.nan)
        middle = (self.width_px / 2, self.height_px / 2)
        projected: Floats = seen[:, :2] / depth * (self.px_per_mm * self.distance_mm) + middle
        return projected

    def ground_mm(self) -> Floats:
        """H×W×2: which point of the table's plane each pixel's middle shows; NaN above the horizon."""
        across = np.arange(self.width_px) + 0.5 - self.width_px / 2
        down = np.arange(self.height_px) + 0.5 - self.height_px / 2
        focal_px = self.px_per_mm * self.distance_mm
        right, below, forward = self.axes
        rays = across[None, :, None] * right + down[:, None, None] * below + focal_px * forward
        with np.errstate(divide="ignore"):
            lengths = np.where(rays[..., 2] < 0.0, -self.position_mm[2] / rays[..., 2], np.nan)
        ground: Floats = self.position_mm[:2] + lengths[..., None] * rays[..., :2]
        return ground

    def azimuth_deg(self, x_mm: float, y_mm: float) -> float:
        """By how much a part there shows more of its left side than one in the middle: what is to be added to its yaw.

        Seen from a lens that is not straight before it, a part looks as if it were turned counter-clockwise by this.
        """
        away = np.array([x_mm, y_mm]) - self.position_mm[:2]
        return math.degrees(math.atan2(away[0], away[1]))

    def placement(self, camera: SpriteCamera, x_mm: float, y_mm: float) -> Floats | None:
        """2×3: from px of a sprite, counted from its anchor, to px of the picture; None where it cannot be seen.

        The sprite is a plane through the part's middle on the table, at right angles to the line of sight. To first
        order what is on it moves, grows and turns as the pinhole says.
        """
        point = np.array([x_mm, y_mm, 0.0])
        sight = point - self.position_mm
        sight /= np.linalg.norm(sight)
        turn = math.radians(self.azimuth_deg(x_mm, y_mm))
        right = np.array([math.cos(turn), -math.sin(turn), 0.0])
        up = np.cross(right, sight)
        steps = _STEP_MM * np.array([right, -right, up, -up, np.zeros(3)])
        seen = self.project(point + steps)
        if not np.isfinite(seen).all():
            return None
        per_mm = np.stack([seen[0] - seen[1], seen[3] - seen[2]], axis=1) / (2 * _STEP_MM)
        return np.column_stack([per_mm / camera.px_per_mm, seen[4]])
