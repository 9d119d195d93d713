"""Drawn pictures of a turntable as a pinhole camera sees it: marks and a brick turn with it, the light does not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.twin.eye import Eye
from sorter.types import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

STUD_MM, BRICK_MM, STUD_HIGH_MM = 8.0, 9.6, 1.7
_FINER = 2
EYE = Eye(45.0, 300.0, 3.0, 320, 240)


@dataclass(frozen=True)
class Mark:
    """A stroke of a pen: its middle, size and angle on the table, and how dark it is."""

    x_mm: float = 18.0
    y_mm: float = 6.0
    long_mm: float = 9.0
    wide_mm: float = 3.0
    angle_deg: float = 35.0
    dark: float = 0.5


@dataclass(frozen=True)
class Brick:
    """A brick: studs along and across, its middle and yaw on the table."""

    along: int = 4
    across: int = 2
    x_mm: float = 4.0
    y_mm: float = -3.0
    yaw_deg: float = 20.0
    colour: tuple[float, float, float] = (0.75, 0.12, 0.1)
    high_mm: float = BRICK_MM


@dataclass(frozen=True)
class DrawnTable:
    """A table with what is on it, before a camera.

    Args:
        eye: the camera.
        marks: on the table.
        brick: on the table, or None.
        glare: whether a spot of light and a dark thing stay where they are when the table turns.
        noise: of a pixel, of 255.
        is_clockwise: growing angles turn it clockwise.
    """

    eye: Eye = EYE
    marks: tuple[Mark, ...] = (Mark(),)
    brick: Brick | None = None
    glare: bool = False
    noise: float = 1.2
    is_clockwise: bool = False
    tint: tuple[float, float, float] = field(default=(190.0, 175.0, 165.0))

    def picture(self, table_deg: float, seed: int = 0, *, brick: Brick | None = None) -> NDArray[np.uint8]:
        """H×W×3 while the table stands at an angle; ``brick`` in place of its own."""
        turn = -table_deg if self.is_clockwise else table_deg
        laid = self.brick if brick is None else brick
        finer = 1 if laid is None else _FINER  # edges of marks are soft as they are
        eye = finer_eye(self.eye, finer)
        ground = _ground_mm(eye)
        picture = _light(eye)[..., None] * np.array(self.tint, np.float32)
        for mark in self.marks:
            picture *= 1.0 - np.float32(mark.dark) * _on_mark(ground, mark, turn, eye.px_per_mm)[..., None]
        if self.glare:
            spot = np.hypot(ground[..., 0] + 12.0, ground[..., 1] - 8.0) < 4.0
            picture[spot] *= 1.2
            picture[: eye.height_px // 2, : eye.width_px // 11] = 40.0
        if laid is not None:
            _draw_brick(picture, eye, laid, turn)
        small = cv2.resize(picture, (self.eye.width_px, self.eye.height_px), interpolation=cv2.INTER_AREA)
        noise = np.random.default_rng(seed).standard_normal(small.shape, dtype=np.float32) * np.float32(self.noise)
        return np.clip(np.rint(small + noise), 0, 255).astype(np.uint8)

    def frame(self, table_deg: float, seed: int = 0, *, brick: Brick | None = None) -> Frame:
        return Frame(self.picture(table_deg, seed, brick=brick), captured_at_s=float(seed), sequence=seed)


def finer_eye(eye: Eye, finer: int) -> Eye:
    return replace(eye, px_per_mm=eye.px_per_mm * finer, width_px=eye.width_px * finer, height_px=eye.height_px * finer)


@lru_cache(maxsize=4)
def _ground_mm(eye: Eye) -> Floats:
    return eye.ground_mm().astype(np.float32)


@lru_cache(maxsize=4)
def _light(eye: Eye) -> Floats:
    """What does not turn: brighter on one side."""
    ground = _ground_mm(eye)
    return np.clip(1.0 - 0.002 * ground[..., 0] + 0.003 * ground[..., 1], 0.3, 1.2)


def _turned(x: Floats, y: Floats, angle_deg: float) -> tuple[Floats, Floats]:
    cos, sin = np.float32(np.cos(np.radians(angle_deg))), np.float32(np.sin(np.radians(angle_deg)))
    return cos * x - sin * y, sin * x + cos * y


def _on_mark(ground: Floats, mark: Mark, turn_deg: float, px_per_mm: float) -> Floats:
    """0 to 1, over about a pixel at the mark's edge."""
    x, y = _turned(ground[..., 0], ground[..., 1], -turn_deg)  # on the table itself
    along, aside = _turned(x - np.float32(mark.x_mm), y - np.float32(mark.y_mm), -mark.angle_deg)
    inside_mm = np.minimum(mark.long_mm / 2 - np.abs(along), mark.wide_mm / 2 - np.abs(aside))
    return np.clip(inside_mm * np.float32(px_per_mm) + 0.5, 0.0, 1.0)


def _draw_brick(picture: Floats, eye: Eye, brick: Brick, turn_deg: float) -> None:
    middle_x, middle_y = _turned(np.array(brick.x_mm), np.array(brick.y_mm), turn_deg)
    half_long, half_wide = (studs * STUD_MM / 2 - 0.1 for studs in (brick.along, brick.across))

    def placed(points: Floats) -> NDArray[np.int32]:
        x, y = _turned(points[:, 0], points[:, 1], brick.yaw_deg + turn_deg)
        seen = eye.project(np.stack([x + middle_x, y + middle_y, points[:, 2]], axis=1))
        return np.rint(seen * 8.0).astype(np.int32)  # three binary places

    def fill(points: Floats, shade: float) -> None:
        hull = cv2.convexHull(placed(points))
        cover = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillConvexPoly(cover, hull, 1, shift=3)
        picture[cover > 0] = 255.0 * shade * np.array(brick.colour)

    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (half_long, half_wide)
    bottom = np.column_stack([corners, np.zeros(4)])
    top = np.column_stack([corners, np.full(4, brick.high_mm)])
    fill(np.concatenate([bottom, top]), 0.6)
    fill(top, 1.0)
    turns = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    circle = 2.4 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    for column in range(brick.along):
        for row in range(brick.across):
            place = (column - (brick.along - 1) / 2, row - (brick.across - 1) / 2)
            spot = circle + np.multiply(place, STUD_MM)
            low = np.column_stack([spot, np.full(24, brick.high_mm)])
            high = np.column_stack([spot, np.full(24, brick.high_mm + STUD_HIGH_MM)])
            fill(np.concatenate([low, high]), 0.7)
            fill(high, 1.1)
