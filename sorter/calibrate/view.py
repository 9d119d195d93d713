"""How the camera sees the table's plane: where a point of the table is in the picture. Pure.

The camera looks on the table at a slant, from near by, so a circle on the table is an ellipse in the picture, and the
ellipse's middle is not the axis. But the way from the plane of the table to the picture is a homography, and a point
that turns with the table by known angles tells all of it, but for the scale, in linear equations:

    x (1 + p cos a + q sin a) = cx + ax cos a + bx sin a        and so for y

(cx, cy) is then where the axis meets the table. Coordinates on the table: x to the right in the picture, y away from
the camera, angles counter-clockwise from above; the unit is what a pixel spans, across, at the axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.calibrate.errors import NotMeasured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

GUESSED_ELEVATION_DEG = 45.0
_GUESSED_FOCAL = 1.25  # of the picture's shorter side: a lens of 44 degrees
LEAST_VIEWS = 6
_LEAST_SPAN_DEG = 150.0
_LEAST_RADIUS_PX = 0.5
_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class TableView:
    """The homography from the table to the picture.

    Args:
        matrix: 3×3; from (x, y, 1) on the table to the picture's pixels, whose middles are at halves.
    """

    matrix: Floats

    @classmethod
    def guessed(cls, width_px: int, height_px: int, elevation_deg: float = GUESSED_ELEVATION_DEG) -> TableView:
        """A usual lens that looks down by 45 degrees, the axis in the middle of the picture."""
        return cls.of_camera(elevation_deg, _GUESSED_FOCAL * min(width_px, height_px), (width_px / 2, height_px / 2))

    @classmethod
    def of_camera(cls, elevation_deg: float, focal_px: float, centre_px: tuple[float, float]) -> TableView:
        """A pinhole whose line of sight meets the table at the axis, which is at ``centre_px`` in the picture.

        Args:
            elevation_deg: it looks down by this.
            focal_px: of the lens; also the distance from it to the axis, as the unit is a pixel there.
            centre_px: x and y.
        """
        sin, cos = math.sin(math.radians(elevation_deg)), math.cos(math.radians(elevation_deg))
        x, y = centre_px
        slope = cos / focal_px  # what is further away is smaller
        return cls(np.array([[1.0, x * slope, x], [0.0, y * slope - sin, y], [0.0, slope, 1.0]]))

    def project(self, points: ArrayLike) -> Floats:
        """…×2 px, from the left and from the top, of …×2 on the table; NaN for what is behind the camera."""
        flat = np.asarray(points, dtype=np.float64)
        raised = flat @ self.matrix[:, :2].T + self.matrix[:, 2]
        depth = np.where(raised[..., 2:] > 1e-6, raised[..., 2:], np.nan)
        seen: Floats = raised[..., :2] / depth
        return seen

    def on_table(self, points_px: ArrayLike) -> Floats:
        """…×2 on the table of …×2 px; the reverse of ``project``, below the horizon."""
        flat = np.asarray(points_px, dtype=np.float64)
        inverse = np.linalg.inv(self.matrix)
        lowered = flat @ inverse[:, :2].T + inverse[:, 2]
        found: Floats = lowered[..., :2] / lowered[..., 2:]
        return found

    @property
    def centre_px(self) -> tuple[float, float]:
        """Where the axis meets the table."""
        x, y, depth = self.matrix[:, 2]
        return float(x / depth), float(y / depth)

    @property
    def elevation_deg(self) -> float:
        """How steeply the camera looks down on the axis, 0 to 90."""
        large, small = self._scales()
        return math.degrees(math.asin(min(1.0, small / large)))

    def _scales(self) -> tuple[float, float]:
        """Pixels a unit at the axis, in the direction in which that is most, and in the one in which it is least."""
        large, small = np.linalg.svd(_slopes_at_axis(self.matrix), compute_uv=False)
        return float(large), float(small)

    def scaled(self, factor: float) -> TableView:
        """The same in a picture that is ``factor`` times as large; the unit is a pixel of that one."""
        return TableView(np.diag([factor, factor, 1.0]) @ self.matrix @ np.diag([1.0 / factor, 1.0 / factor, 1.0]))


@dataclass(frozen=True, eq=False)
class TurningFit:
    """What a point that turned with the table tells.

    Args:
        view: the camera's.
        radius: of the point's circle, in the view's units: pixels at the axis.
        is_clockwise: growing angles turn the table clockwise, seen from above.
        residual_px: by how much the point was elsewhere than the fit says, root mean square.
        centre_deviation_px: one standard deviation of the axis' place.
        radius_deviation: one standard deviation of the radius.
    """

    view: TableView
    radius: float
    is_clockwise: bool
    residual_px: float
    centre_deviation_px: float
    radius_deviation: float


def fit_turning(angles_deg: Sequence[float], points_px: ArrayLike) -> TurningFit:
    """From where a point of the table was seen while the table stood at known angles, to how the camera sees it.

    Args:
        angles_deg: of the table, n ≥ 6, over 150 deg or more.
        points_px: n×2.

    Raises:
        NotMeasured: too few views, too small a turn, or the point did not move on a circle.
    """
    points = np.asarray(points_px, dtype=np.float64)
    angles = np.radians(np.asarray(angles_deg, dtype=np.float64))
    if points.shape != (len(angles), 2):
        raise ValueError(f"{len(angles)} angles go with as many points, got {points.shape}")
    if len(angles) < LEAST_VIEWS or _span_deg(np.degrees(angles)) < _LEAST_SPAN_DEG:
        raise NotMeasured(
            f"it was seen from {len(angles)} places over {_span_deg(np.degrees(angles)):.0f} deg, and "
            f"{LEAST_VIEWS} over {_LEAST_SPAN_DEG:.0f} deg are needed",
            remedy="Lay it nearer to the table's middle, so that it stays in the picture all the way round.",
        )
    middle = points.mean(axis=0)
    spread = max(float(np.abs(points - middle).max()), 1e-9)
    solved, covariance, residual = _solved(angles, (points - middle) / spread)
    cx, ax, bx, cy, ay, by, p, q = solved
    back = np.array([[spread, 0.0, middle[0]], [0.0, spread, middle[1]], [0.0, 0.0, 1.0]])
    matrix = back @ np.array([[ax, bx, cx], [ay, by, cy], [p, q, 1.0]])
    slopes = _slopes_at_axis(matrix)
    radius = float(np.linalg.svd(slopes, compute_uv=False)[0])
    residual_px = residual * spread
    least_px = max(_LEAST_RADIUS_PX, 3.0 * residual_px)
    if not np.isfinite(matrix).all() or radius < least_px or abs(np.linalg.det(slopes)) < 1e-6 * radius**2:
        raise NotMeasured(
            f"what was seen does not move on a circle: it is {residual_px:.1f} px beside it, of {radius:.1f} px radius",
            remedy="Lay one single thing on the table, away from its middle, and see that it does not slide or roll.",
        )
    is_clockwise = bool(np.linalg.det(slopes) > 0.0)  # the picture's y points down
    deviations = np.sqrt(np.maximum(np.diag(covariance), 0.0)) * spread
    return TurningFit(
        view=TableView(_upright(matrix, radius, is_clockwise=is_clockwise)),
        radius=radius,
        is_clockwise=is_clockwise,
        residual_px=residual_px,
        centre_deviation_px=float(np.hypot(deviations[0], deviations[3])),
        radius_deviation=float(np.hypot(deviations[1], deviations[2])),
    )


def _solved(angles: Floats, points: Floats) -> tuple[Floats, Floats, float]:
    """The eight unknowns, their covariance, and the root mean square of what is left."""
    cos, sin = np.cos(angles), np.sin(angles)
    one, none = np.ones_like(cos), np.zeros_like(cos)
    x, y = points.T
    across = np.stack([one, cos, sin, none, none, none, -x * cos, -x * sin], axis=1)
    down = np.stack([none, none, none, one, cos, sin, -y * cos, -y * sin], axis=1)
    equations, seen = np.concatenate([across, down]), np.concatenate([x, y])
    solved, depth = np.zeros(8), one
    for _ in range(_ROUNDS):  # the equations are of distances times depth: weigh that out
        weights = np.concatenate([1.0 / depth, 1.0 / depth])
        solved = np.linalg.lstsq(equations * weights[:, None], seen * weights, rcond=None)[0]
        depth = np.maximum(1.0 + solved[6] * cos + solved[7] * sin, 0.05)
    left = (equations @ solved - seen) * np.concatenate([1.0 / depth, 1.0 / depth])
    variance = float(left @ left) / max(1, len(left) - 8)
    weighted = equations * np.concatenate([1.0 / depth, 1.0 / depth])[:, None]
    return solved, np.linalg.pinv(weighted.T @ weighted) * variance, math.sqrt(2.0 * variance)


def _slopes_at_axis(matrix: Floats) -> Floats:
    """2×2: how the picture's place changes with that on the table, at the axis."""
    x, y, depth = matrix[:, 2]
    top = matrix[:2, :2] * depth - np.outer((x, y), matrix[2, :2])
    slopes: Floats = top / depth**2
    return slopes


def _upright(matrix: Floats, radius: float, *, is_clockwise: bool) -> Floats:
    """The same plane with its x across the picture, its unit a pixel at the axis, and counter-clockwise angles."""
    mirror = np.diag([1.0, -1.0, 1.0]) if is_clockwise else np.eye(3)
    turned = matrix @ mirror @ np.diag([1.0 / radius, 1.0 / radius, 1.0])
    # Which direction on the table is across the picture: the one in which y does not change.
    _, (to_y_of_x, to_y_of_y) = _slopes_at_axis(turned)
    angle = math.atan2(-to_y_of_x, to_y_of_y) if to_y_of_y else math.pi / 2
    cos, sin = math.cos(angle), math.sin(angle)
    if (_slopes_at_axis(turned) @ (cos, sin))[0] < 0.0:
        cos, sin = -cos, -sin
    turned = turned @ np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    upright: Floats = turned / turned[2, 2]
    return upright


def _span_deg(angles_deg: Floats) -> float:
    """The smallest arc that holds all angles."""
    around = np.sort(angles_deg % 360.0)
    if len(around) < 2:
        return 0.0
    gaps = np.diff(np.append(around, around[0] + 360.0))
    return float(360.0 - gaps.max())
