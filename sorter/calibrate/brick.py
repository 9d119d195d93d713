"""A brick of known size, seen while the table turns, tells how large a pixel is and where the axis is. Pure.

The camera is taken for a pinhole without distortion, its principal point in the middle of the picture, the picture's
horizon level. The brick is a box with studs, studs up. What is compared is the box around it in the picture (left, top,
right, bottom) from each angle. That box is wider than the brick by what blur and the search for its edge add, the same
from all sides: two more unknowns, which the change from view to view tells apart from the brick's own size, and which
are known to be small.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.fitting import Fit, NoFit, fitted
from sorter.calibrate.view import LEAST_VIEWS, TableView, fit_turning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sorter.types import Box

    Floats = NDArray[np.float64]

_PITCH_MM = 8.0
_GAP_MM = 0.2  # a brick is so much shorter than its studs' pitches
_STUD_RADIUS_MM, _STUD_HIGH_MM = 2.4, 1.7
_USUAL_FOCAL = 1.25  # of the picture's shorter side
_FOCAL_SPREAD = 0.5  # of its logarithm: from a wide lens to a long one
_USUAL_ELEVATION_DEG, _ELEVATION_SPREAD_DEG = 45.0, 15.0
_USUALLY_WIDER_PX, _WIDER_SPREAD_PX = 0.3, 0.8
_WORST_PX = 0.02  # of the picture's shorter side: a fit that leaves more has not seen this brick
_YAWS = 12
_ROBUST_ROUNDS = 10
_CAUCHY = 1.5  # standard deviations from which on an edge counts less
_LEAST_SPREAD_PX = 0.25
_SYSTEMATIC = 1.6  # times what the scatter says: the lens and the brick's rounded edges are the same in every view
_LEAST_MM_PER_PX, _MOST_MM_PER_PX = 1e-3, 10.0  # what no camera above a table is beyond
_EDGE_PX = 0.5  # so much longer or shorter a brick may look by what is taken for its edge


@dataclass(frozen=True)
class BrickSize:
    """A brick: its studs, and how high its body is."""

    along: int
    across: int
    high_mm: float

    @property
    def long_mm(self) -> float:
        """Its longer side."""
        return self.along * _PITCH_MM - _GAP_MM

    @property
    def wide_mm(self) -> float:
        """Its shorter side."""
        return self.across * _PITCH_MM - _GAP_MM

    def hull_mm(self) -> Floats:
        """n×3: points whose hull it is, about its middle; z is up."""
        half_long, half_wide = self.long_mm / 2, self.wide_mm / 2
        corners = np.array([[x, y] for x in (-half_long, half_long) for y in (-half_wide, half_wide)])
        turns = np.arange(12) * (2.0 * np.pi / 12)
        circle = _STUD_RADIUS_MM * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        inset = (half_long - (_PITCH_MM - _GAP_MM) / 2, half_wide - (_PITCH_MM - _GAP_MM) / 2)
        studs = np.concatenate([circle + np.multiply((x, y), inset) for x in (-1, 1) for y in (-1, 1)])
        return np.concatenate(
            [
                np.column_stack([corners, np.zeros(4)]),
                np.column_stack([corners, np.full(4, self.high_mm)]),
                np.column_stack([studs, np.full(len(studs), self.high_mm + _STUD_HIGH_MM)]),
            ]
        )


BRICKS = {
    "3001": BrickSize(4, 2, 9.6),
    "3002": BrickSize(3, 2, 9.6),
    "3003": BrickSize(2, 2, 9.6),
    "3004": BrickSize(2, 1, 9.6),
    "3010": BrickSize(4, 1, 9.6),
    "3622": BrickSize(3, 1, 9.6),
    "3020": BrickSize(4, 2, 3.2),
    "3021": BrickSize(3, 2, 3.2),
    "3022": BrickSize(2, 2, 3.2),
    "3710": BrickSize(4, 1, 3.2),
}
"""Bricks and plates that many people have, by design number."""


@dataclass(frozen=True, eq=False)
class BrickFit:
    """What a brick told.

    Args:
        view: the camera's.
        mm_per_px: what a pixel spans, across, at the axis.
        mm_per_px_deviation: one standard deviation.
        centre_deviation_px: of the axis' place.
        elevation_deg: the camera looks down by this.
        is_clockwise: growing angles turn the table clockwise, seen from above.
        residual_px: by how much the boxes are elsewhere than the fit says, root mean square.
    """

    view: TableView
    mm_per_px: float
    mm_per_px_deviation: float
    centre_deviation_px: float
    elevation_deg: float
    is_clockwise: bool
    residual_px: float


# Places of the unknowns: elevation (deg), ln of the focal length (px), ln of px per mm at the axis, the axis in the
# picture (px), the brick's middle on the table (mm) and yaw (rad) at table angle 0, and what the boxes are wider by.
_ELEVATION, _FOCAL, _SCALE, _X, _Y, _EAST, _NORTH, _YAW, _WIDER, _HIGHER = range(10)
_STEPS = np.array([5.0, 0.2, 0.1, 5.0, 5.0, 3.0, 3.0, 0.2, 2.0, 2.0])


def fit_brick(
    angles_deg: Sequence[float], boxes: Sequence[Box], size: BrickSize, picture_px: tuple[int, int]
) -> BrickFit:
    """From the boxes around a brick at known angles of the table to the camera's view and scale.

    Args:
        angles_deg: of the table, n ≥ 6, over 150 deg or more.
        boxes: n, in px; the whole brick was seen in each.
        size: of the brick, which lies with its studs up.
        picture_px: width and height.

    Raises:
        NotMeasured: too few views, or the boxes are not those of such a brick that turns.
    """
    edges = np.array(
        [(box.left_px, box.top_px, box.left_px + box.width_px, box.top_px + box.height_px) for box in boxes],
        dtype=np.float64,
    ).reshape(-1, 4)
    middles = np.stack([edges[:, [0, 2]].mean(axis=1), edges[:, [1, 3]].mean(axis=1)], axis=1)
    try:
        rough = fit_turning(angles_deg, middles)
    except NotMeasured:
        if len(edges) < LEAST_VIEWS:
            raise
        rough = None  # a brick that lies on the axis hardly moves, and its boxes tell all the same
    angles = np.radians(np.asarray(angles_deg, dtype=np.float64))
    found: dict[bool, Fit] = {}
    for is_clockwise in (True, False) if rough is None else (rough.is_clockwise,):
        turned = -angles if is_clockwise else angles
        with contextlib.suppress(NoFit):
            found[is_clockwise] = _fit_one_way(turned, edges, size, picture_px, rough.view if rough else None)
    if not found:
        raise _another_brick(size, "nothing fits")
    is_clockwise, fit = min(found.items(), key=lambda each: each[1].residual)
    if fit.residual > _WORST_PX * min(picture_px):
        raise _another_brick(size, f"its outline is {fit.residual:.1f} px elsewhere")
    values, deviations = fit.values, fit.deviations
    mm_per_px = math.exp(-values[_SCALE])
    if not (_LEAST_MM_PER_PX < mm_per_px < _MOST_MM_PER_PX and np.isfinite(deviations).all()):
        raise _another_brick(size, f"a pixel would be {mm_per_px:.3g} mm")
    edge = _EDGE_PX / (size.long_mm / mm_per_px)
    return BrickFit(
        view=_view(values, picture_px),
        mm_per_px=mm_per_px,
        mm_per_px_deviation=mm_per_px * math.hypot(_SYSTEMATIC * float(deviations[_SCALE]), edge),
        centre_deviation_px=_SYSTEMATIC * float(np.hypot(deviations[_X], deviations[_Y])),
        elevation_deg=float(values[_ELEVATION]),
        is_clockwise=is_clockwise,
        residual_px=fit.residual,
    )


def _another_brick(size: BrickSize, why: str) -> NotMeasured:
    return NotMeasured(
        f"what was seen is not a brick of {size.long_mm:.1f} × {size.wide_mm:.1f} mm that turns: {why}",
        remedy="See that the table turns, and lay that very brick on it, studs up, near the middle but wholly in the "
        "picture.",
    )


def _fit_one_way(
    angles: Floats, edges: Floats, size: BrickSize, picture_px: tuple[int, int], rough: TableView | None
) -> Fit:
    """The best fit for one sense of turning, from several yaws to begin with."""
    width_px, height_px = picture_px
    shorter_px = min(picture_px)
    hull = size.hull_mm()
    # The widest view shows about the diagonal.
    scale = float((edges[:, 2] - edges[:, 0]).max()) / math.hypot(size.long_mm, size.wide_mm)
    middles = np.stack([edges[:, [0, 2]].mean(axis=1), edges[:, [1, 3]].mean(axis=1)], axis=1)
    x, y = rough.centre_px if rough is not None else middles.mean(axis=0)
    start = np.zeros(10)
    start[_ELEVATION] = _USUAL_ELEVATION_DEG
    start[_FOCAL], start[_SCALE] = math.log(_USUAL_FOCAL * shorter_px), math.log(scale)
    start[_X], start[_Y] = x, y
    view = rough or TableView.guessed(width_px, height_px)
    places = view.on_table(middles) / scale  # mm; each turned back to the table at 0
    cos, sin = np.cos(-angles), np.sin(-angles)
    start[_EAST] = float(np.mean(cos * places[:, 0] - sin * places[:, 1]))
    start[_NORTH] = float(np.mean(sin * places[:, 0] + cos * places[:, 1]))

    def residuals(values: Floats) -> Floats:
        left = (_edges(values, angles, hull, picture_px) - edges).ravel()
        usual = (
            (values[_FOCAL] - math.log(_USUAL_FOCAL * shorter_px)) / _FOCAL_SPREAD,
            (values[_ELEVATION] - _USUAL_ELEVATION_DEG) / _ELEVATION_SPREAD_DEG,
            (values[_WIDER] - _USUALLY_WIDER_PX) / _WIDER_SPREAD_PX,
            (values[_HIGHER] - _USUALLY_WIDER_PX) / _WIDER_SPREAD_PX,
        )
        return np.concatenate([left, usual])

    def begun(yaw: float) -> Floats:
        values = start.copy()
        values[_YAW] = yaw
        return values

    starts = [begun(math.pi * place / _YAWS) for place in range(_YAWS)]
    fits: list[Fit] = []
    for values in sorted(starts, key=lambda values: _cost(residuals(values)))[:3]:
        with contextlib.suppress(NoFit):
            fits.append(fitted(residuals, values, _STEPS))
    if not fits:
        raise NoFit("no start leads anywhere")
    return _without_outliers(residuals, min(fits, key=lambda fit: fit.residual))


def _without_outliers(residuals: Callable[[Floats], Floats], fit: Fit) -> Fit:
    """The same with less weight (Cauchy's) for edges that are far off: a view in which shadow was taken for brick."""
    for _ in range(_ROBUST_ROUNDS):
        left = residuals(fit.values)
        spread = max(_LEAST_SPREAD_PX, float(np.median(np.abs(left))) / 0.6745)
        weights = 1.0 / np.sqrt(1.0 + np.square(left / (_CAUCHY * spread)))

        def weighted(values: Floats, weights: Floats = weights) -> Floats:
            return residuals(values) * weights

        fit = fitted(weighted, fit.values, _STEPS)
    return fit


def _cost(left: Floats) -> float:
    return float(left @ left) if np.isfinite(left).all() else math.inf


def _edges(values: Floats, angles: Floats, hull: Floats, picture_px: tuple[int, int]) -> Floats:
    """n×4: left, top, right and bottom of the brick's boxes, as these unknowns have it."""
    yaws = values[_YAW] + angles
    cos, sin = np.cos(yaws)[:, None], np.sin(yaws)[:, None]
    x = cos * hull[:, 0] - sin * hull[:, 1]
    y = sin * hull[:, 0] + cos * hull[:, 1]
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x += cos * values[_EAST] - sin * values[_NORTH]
    y += sin * values[_EAST] + cos * values[_NORTH]
    points = np.stack([x, y, np.broadcast_to(hull[:, 2], x.shape)], axis=-1)
    seen = _projected(values, points, picture_px)
    low, high = seen.min(axis=1), seen.max(axis=1)
    wider = np.array([values[_WIDER], values[_HIGHER]]) / 2.0
    return np.concatenate([low - wider, high + wider], axis=1)


def _camera(values: Floats, picture_px: tuple[int, int]) -> tuple[Floats, Floats]:
    """3×3 and 3: from mm about the axis to right, down and forward of the lens, times its focal length in px."""
    elevation = math.radians(values[_ELEVATION])
    sin, cos = math.sin(elevation), math.cos(elevation)
    focal_px, px_per_mm = math.exp(values[_FOCAL]), math.exp(values[_SCALE])
    turned = np.array([[1.0, 0.0, 0.0], [0.0, -sin, -cos], [0.0, cos, -sin]])
    offset = np.array([values[_X] - picture_px[0] / 2, values[_Y] - picture_px[1] / 2])
    axis = np.array([*(offset / px_per_mm), focal_px / px_per_mm])
    return turned, axis


def _projected(values: Floats, points: Floats, picture_px: tuple[int, int]) -> Floats:
    turned, axis = _camera(values, picture_px)
    seen = points @ turned.T + axis
    depth = np.where(seen[..., 2:] > 1.0, seen[..., 2:], np.nan)
    projected: Floats = seen[..., :2] / depth * math.exp(values[_FOCAL]) + np.array(picture_px) / 2.0
    return projected


def _view(values: Floats, picture_px: tuple[int, int]) -> TableView:
    """The same camera as a homography of the table's plane, its unit a pixel at the axis."""
    turned, axis = _camera(values, picture_px)
    focal_px, px_per_mm = math.exp(values[_FOCAL]), math.exp(values[_SCALE])
    lens = np.array([[focal_px, 0.0, picture_px[0] / 2], [0.0, focal_px, picture_px[1] / 2], [0.0, 0.0, 1.0]])
    plane = np.column_stack([turned[:, :2] / px_per_mm, axis])
    matrix = lens @ plane
    return TableView(matrix / matrix[2, 2])
