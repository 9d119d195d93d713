"""Compose the light of a picture from the bare table and sprites.

Light is linear, H×W×3 float32, in any unit; ``BareTable.light`` says how bright the bare table is in it. What the
camera makes of it (exposure, noise, 8 bits) comes after.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.twin.eye import Eye
    from sorter.twin.sprite_files import Sprites, SpriteView
    from sorter.types.sprites import SpriteCells

    Floats = NDArray[np.float32]
    Affine = NDArray[np.float64]
    Rgb = tuple[float, float, float]
    Patch = tuple[slice, slice]


_RIM_PX = 8.0  # of half resolution, over which a shadow ends


@dataclass(frozen=True)
class PlacedSprite:
    """A part on the table.

    Args:
        design: its number.
        pose: the name of its resting pose.
        yaw_deg: how far it is turned, counter-clockwise from above.
        x_mm, y_mm: where the middle of it is; see ``SpritePose.outline_mm`` for which point that is.
        reflectance: its colour, linear RGB from 0 to 1.
    """

    design: str
    pose: str
    yaw_deg: float
    x_mm: float
    y_mm: float
    reflectance: Rgb


@dataclass(frozen=True)
class BareTable:
    """The table without a part.

    Args:
        light: how bright it is, linear RGB: its own colour times that of the light times the camera's white balance.
        surround: how bright it is past the disc's edge.
        radius_mm: of the disc.
    """

    light: Rgb
    surround: Rgb = (0.0, 0.0, 0.0)
    radius_mm: float = 75.0


def bare_table(table: BareTable, eye: Eye) -> Floats:
    """H×W×3: the disc about the axis, in front of what is past it, its edge smooth by a pixel."""
    ground = eye.ground_mm()
    radius = np.nan_to_num(np.hypot(ground[..., 0], ground[..., 1]), nan=np.inf, posinf=1e9)
    down, across = np.gradient(np.minimum(radius, 10.0 * table.radius_mm))
    steps = np.maximum(np.hypot(down, across), 1e-6)
    on_it = np.clip((table.radius_mm - radius) / steps + 0.5, 0.0, 1.0)[..., None]
    light: Floats = (on_it * np.array(table.light) + (1.0 - on_it) * np.array(table.surround)).astype(np.float32)
    return light


def compose(background: Floats, placed: Sequence[PlacedSprite], *, light: Rgb, sprites: Sprites, eye: Eye) -> Floats:
    """Lay parts on a picture of the table: their shadows first, then they themselves, the farthest first.

    Each is shown at the stored yaw that is nearest, where and as large as the pinhole shows its middle on the table.

    Args:
        background: H×W×3 float32 linear light, of the eye's size; it is not changed.
        placed: parts on the table, none or several; they should not overlap on it.
        light: how bright the bare table is, as in ``BareTable``: how much light there is for the parts.
        sprites: of the parts.
        eye: the camera.

    Raises:
        KeyError: there is no such sprite.
        ValueError: the background has another size than the eye.
    """
    if background.shape != (eye.height_px, eye.width_px, 3):
        raise ValueError(f"compose: needs {eye.height_px}×{eye.width_px}×3 for this eye, got {background.shape}")
    picture: Floats = background.astype(np.float32, copy=True)
    camera = sprites.content.camera
    laid = []
    for part in sorted(placed, key=lambda each: -each.y_mm):
        affine = eye.placement(camera, part.x_mm, part.y_mm)
        if affine is not None:
            yaw_deg = part.yaw_deg + eye.azimuth_deg(part.x_mm, part.y_mm)
            laid.append((part, sprites.view(part.design, part.pose, yaw_deg), affine))
    for part, view, affine in laid:
        _shade(picture, view, affine, part.reflectance)
    for part, view, affine in laid:
        _lay(picture, view, affine, part.reflectance, light)
    return picture


def _shade(picture: Floats, view: SpriteView, affine: Affine, reflectance: Rgb) -> None:
    matrix = _from_cell(affine, view.shadow_cells, 2)
    where = _patch(matrix, view.shadow, picture)
    if where is None:
        return
    layers = np.dstack([view.shadow + np.float32(own) * view.glow for own in reflectance])
    np.subtract(layers, 1.0, out=layers)
    layers *= _fading(view.shadow.shape)[..., None]
    layers += 1.0
    picture[where] *= _warped(layers, matrix, where, outside=1.0)


@lru_cache(maxsize=128)
def _fading(shape: tuple[int, int]) -> Floats:
    """0 at a cell's rim, 1 inside: what is cut off there, or what a lossy sheet has brought there, shows no edge."""
    down, across = (np.minimum(np.arange(size), np.arange(size)[::-1]) for size in shape)
    share = np.clip(np.minimum(down[:, None], across[None, :]) / _RIM_PX, 0.0, 1.0)
    weight: Floats = (share**2 * (3.0 - 2.0 * share)).astype(np.float32)
    return weight


def _lay(picture: Floats, view: SpriteView, affine: Affine, reflectance: Rgb, light: Rgb) -> None:
    matrix = _from_cell(affine, view.body_cells, 1)
    where = _patch(matrix, view.mask, picture)
    if where is None:
        return
    size = (view.mask.shape[1], view.mask.shape[0])
    gloss = cv2.resize(view.gloss, size, interpolation=cv2.INTER_LINEAR)
    bounce = cv2.resize(view.bounce, size, interpolation=cv2.INTER_LINEAR)
    layers = np.empty((*view.mask.shape, 4), np.float32)
    for channel, (own, level) in enumerate(zip(reflectance, light, strict=True)):
        seen = gloss + np.float32(own) * view.diffuse / (1.0 - np.float32(own) * bounce)
        layers[..., channel] = seen * view.mask * np.float32(level)
    layers[..., 3] = view.mask
    laid = _warped(layers, matrix, where, outside=0.0)
    picture[where] *= 1.0 - laid[..., 3:]
    picture[where] += laid[..., :3]


def _from_cell(affine: Affine, cells: SpriteCells, coarser: int) -> Affine:
    """2×3: from indices of a cell's pixels, each ``coarser`` px wide, to indices of the picture's."""
    linear = affine[:, :2]
    corner = affine[:, 2] - linear @ (cells.anchor_x_px, cells.anchor_y_px)
    # The middle of the pixel with index 0 is at 0.5, here and there.
    return np.column_stack([linear * coarser, corner + linear @ (0.5 * coarser, 0.5 * coarser) - 0.5])


def _patch(matrix: Affine, cell: Floats, picture: Floats) -> Patch | None:
    """Rows and columns of the picture that a cell may reach; None if it is all outside."""
    height, width = cell.shape
    corners = np.array([[x, y, 1.0] for x in (-1.0, width) for y in (-1.0, height)]) @ matrix.T
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)) + 1, picture.shape[1::-1]).astype(int)
    return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def _warped(layers: Floats, matrix: Affine, where: Patch, *, outside: float) -> Floats:
    rows, columns = where
    moved = matrix.copy()
    moved[:, 2] -= (columns.start, rows.start)
    warped: Floats = cv2.warpAffine(
        layers,
        moved,
        (columns.stop - columns.start, rows.stop - rows.start),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(outside, outside, outside, outside),
    ).astype(np.float32, copy=False)
    return warped
