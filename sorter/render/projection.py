"""Where a point of the world is in the picture; the same pinhole for every backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from sorter.render.world import Camera, PlacedPart

_NEAREST_MM = 1e-3


def axes(camera: Camera) -> NDArray[np.float64]:
    """3×3: the picture's right, its down, and forward, as unit vectors of the world in rows.

    Raises:
        ValueError: the camera stands where it looks, or looks straight down or up without an azimuth to tell its top.
    """
    forward = np.subtract(camera.target_mm, camera.position_mm).astype(np.float64)
    length = float(np.linalg.norm(forward))
    if length < _NEAREST_MM:
        raise ValueError("Camera: position and target are the same point")
    forward /= length
    right = np.cross(forward, (0.0, 0.0, 1.0))
    level = float(np.linalg.norm(right))
    right = np.array((1.0, 0.0, 0.0)) if level < 1e-9 else right / level
    down = np.cross(forward, right)
    roll = np.deg2rad(camera.roll_deg)
    return np.stack((right * np.cos(roll) + down * np.sin(roll), down * np.cos(roll) - right * np.sin(roll), forward))


def project(camera: Camera, points_mm: ArrayLike) -> NDArray[np.float64]:
    """n×2 px from the left and from the top, for n×3 mm; NaN behind the lens.

    The middle of the first pixel is (0.5, 0.5).
    """
    seen = (np.asarray(points_mm, dtype=np.float64) - camera.position_mm) @ axes(camera).T
    depth = np.where(seen[:, 2:] > _NEAREST_MM, seen[:, 2:], np.nan)
    focal_px = camera.width_px / 2 / np.tan(np.deg2rad(camera.fov_deg) / 2)
    middle = (camera.width_px / 2, camera.height_px / 2)
    projected: NDArray[np.float64] = seen[:, :2] / depth * focal_px + middle
    return projected


def placed_corners_mm(part: PlacedPart, corners_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of a part's mesh where they are in the world, of the same shape, …×3."""
    placed: NDArray[np.float64] = corners_mm @ part.rotation.T + np.asarray(part.offset_mm)
    return placed


def reached_pixels(
    camera: Camera, placed: Iterable[NDArray[np.float64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the pixels in the boxes around parts, each given by its corners in the world, …×3 mm."""
    may_be = np.zeros((camera.height_px, camera.width_px), bool)
    size = (camera.width_px, camera.height_px)
    for corners_mm in placed:
        corners = project(camera, corners_mm.reshape(-1, 3))
        if not np.isfinite(corners).all():
            may_be[:] = True  # something of it is behind the lens
            continue
        left, top = np.clip(np.floor(corners.min(axis=0)), 0, size).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, size).astype(int)
        may_be[top:bottom, left:right] = True
    rows, columns = np.nonzero(may_be)
    return rows, columns
