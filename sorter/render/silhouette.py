"""How large a part would be in the picture if nothing hid it and the picture had no edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.render.projection import placed_corners_mm, project

if TYPE_CHECKING:
    from sorter.render.mesh import PartMesh
    from sorter.render.world import Camera, PlacedPart

_FINER = 8  # samples per pixel and direction
_FRACTION_BITS = 4  # of OpenCV's fixed-point coordinates
_LARGEST_PX = 4096


def silhouette_px(camera: Camera, part: PlacedPart, mesh: PartMesh) -> float:
    """The area of its outline in px², also past the picture's edges; 0 if it is behind the camera.

    All its triangles are filled one over the other, in a grid of 1/8 px.
    """
    corners = project(camera, placed_corners_mm(part, mesh.corners_mm).reshape(-1, 3))
    triangles = corners.reshape(-1, 3, 2)
    triangles = triangles[np.isfinite(triangles).all(axis=(1, 2))]
    if not len(triangles):
        return 0.0
    least = np.floor(triangles.min(axis=(0, 1))) - 1
    width, height = np.minimum(np.ceil(triangles.max(axis=(0, 1))) - least + 1, _LARGEST_PX).astype(int)
    canvas = np.zeros((height * _FINER, width * _FINER), np.uint8)
    # OpenCV's coordinates are of pixel middles, ours of their corners.
    fixed = np.rint(((triangles - least) * _FINER - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
    for triangle in fixed:
        cv2.fillConvexPoly(canvas, triangle, 1, shift=_FRACTION_BITS)
    # It fills whatever the outline touches: half a sample too far all around, of which eroding takes off a whole one.
    within = cv2.erode(canvas, np.ones((3, 3), np.uint8))
    return float(canvas.sum(dtype=np.int64) + within.sum(dtype=np.int64)) / 2 / _FINER**2
