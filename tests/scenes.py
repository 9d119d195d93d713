"""Drawn pictures of parts on a turntable, for tests that must not need photographs.

As in the photographs, the table is tinted, its light falls off, the room beyond the rim is dark, a part has a lit top,
a darker side and a soft shadow. Shapes are the classes: ``square``, ``bar`` and ``disc``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.types import Box, Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHAPES = ("square", "bar", "disc")
Rgb = tuple[float, float, float]
TINT: Rgb = (190.0, 140.0, 175.0)
RED: Rgb = (0.45, 0.03, 0.04)  # of the table's light, linear
WHITE: Rgb = (1.25, 1.25, 1.25)
BLACK: Rgb = (0.03, 0.035, 0.04)


@dataclass(frozen=True)
class Drawn:
    """A part: its shape, middle and size in parts of the picture's side, angle in degrees, colour as a factor."""

    shape: str = "square"
    x: float = 0.45
    y: float = 0.5
    size: float = 0.2
    angle_deg: float = 20.0
    colour: Rgb = RED


def outline(part: Drawn, side_px: int) -> NDArray[np.float32]:
    """n×2 points in px."""
    if part.shape == "disc":
        turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        points = np.stack([np.cos(turns), np.sin(turns)], axis=1) / 2
    else:
        width, height = (1.0, 1.0) if part.shape == "square" else (1.6, 0.5)
        points = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * (width, height)
    angle = np.deg2rad(part.angle_deg)
    turned = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return ((turned * part.size + (part.x, part.y)) * side_px).astype(np.float32)


def box_of(part: Drawn, side_px: int) -> Box:
    """The box around the part, its side face included."""
    points = outline(part, side_px)
    low, high = points.min(axis=0), points.max(axis=0)
    high[1] += _side_face(part) * side_px
    left, top = np.clip(np.floor(low), 0, side_px).astype(int)
    right, bottom = np.clip(np.ceil(high), 0, side_px).astype(int)
    return Box(int(left), int(top), int(right - left), int(bottom - top))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one.left_px + one.width_px, other.left_px + other.width_px) - max(one.left_px, other.left_px)
    height = min(one.top_px + one.height_px, other.top_px + other.height_px) - max(one.top_px, other.top_px)
    both = max(0, width) * max(0, height)
    return both / (one.width_px * one.height_px + other.width_px * other.height_px - both)


def _side_face(part: Drawn) -> float:
    return part.size * 0.25


def draw(
    *parts: Drawn, side_px: int = 300, tint: Rgb = TINT, seed: int = 0, marks: bool = False, light: float = 1.0
) -> NDArray[np.uint8]:
    """The picture, side×side×3 uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side_px, 0:side_px] / side_px
    fall_off = 1.0 - 0.35 * ((x - 0.5) ** 2 + (y - 0.7) ** 2)
    picture = light * fall_off[..., None] * np.array(tint)
    table = picture.copy()
    if marks:
        for middle in ((0.2, 0.7), (0.75, 0.35)):
            mark = np.zeros((side_px, side_px), np.float32)
            cv2.circle(mark, _px(middle, side_px), side_px // 25, 0.5, -1, cv2.LINE_AA)
            picture *= 1 - mark[..., None]
    for part in parts:
        drop = np.zeros((side_px, side_px), np.float32)
        shifted = outline(part, side_px) + np.float32(0.04 * side_px)
        cv2.fillPoly(drop, [np.rint(shifted).astype(np.int32)], 1.0)
        picture *= 1 - 0.25 * cv2.GaussianBlur(drop, (0, 0), side_px / 25)[..., None]
    for part in parts:
        factor = np.array(part.colour) ** (1 / 2.2)
        for height, shade in ((_side_face(part), 0.7), (0.0, 1.0)):
            for step in np.linspace(height, 0, 6 if height else 1):
                cover = np.zeros((side_px * 2, side_px * 2), np.uint8)
                points = 2 * (outline(part, side_px) + np.array([0, step * side_px]))
                cv2.fillPoly(cover, [np.rint(points).astype(np.int32)], 255, cv2.LINE_AA)
                share = cv2.resize(cover, (side_px, side_px), interpolation=cv2.INTER_AREA)[..., None] / 255.0
                picture += share * (table * factor * shade - picture)
    beyond = y < 0.06 + 0.35 * (x - 0.4) ** 2
    picture[beyond] = 12.0
    picture = cv2.GaussianBlur(picture, (0, 0), side_px / 450)
    return np.clip(picture + rng.normal(0, 1.2, picture.shape), 0, 255).astype(np.uint8)


def _px(place: tuple[float, float], side_px: int) -> tuple[int, int]:
    return int(place[0] * side_px), int(place[1] * side_px)


def frame(*parts: Drawn, sequence: int = 0, **how: object) -> Frame:
    """``draw`` as a frame."""
    return Frame(draw(*parts, **how), captured_at_s=0.0, sequence=sequence)  # type: ignore[arg-type]


def random_part(shape: str, rng: np.random.Generator) -> Drawn:
    """Anywhere near the middle, at any angle, of any colour."""
    colour = tuple(float(each) for each in rng.uniform(0.02, 1.2, 3))
    return Drawn(shape, rng.uniform(0.35, 0.6), rng.uniform(0.4, 0.65), 0.2, rng.uniform(0, 360), colour)
