"""How large a part would be in the picture if nothing hid it and the picture had no edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.render.projection import placed_corners_mm, project

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    return float(coverage(triangles - least, width, height, _FINER).sum(dtype=np.float64))


def coverage(triangles_px: NDArray[np.float64], width_px: int, height_px: int, finer: int) -> NDArray[np.float32]:
    """H×W: the share of each pixel that triangles cover, filled one over the other in a grid ``finer`` times as fine.

    Args:
        triangles_px: n×3×2, from the left and from the top; the middle of the first pixel is (0.5, 0.5).
        width_px, height_px: of what is looked at.
        finer: samples per pixel and direction.
    """
    canvas = np.zeros((height_px * finer, width_px * finer), np.uint8)
    # OpenCV's coordinates are of pixel middles, ours of their corners.
    for triangle in np.rint((triangles_px * finer - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32):
        cv2.fillConvexPoly(canvas, triangle, 1, shift=_FRACTION_BITS)
    # It fills whatever the outline touches: half a sample too far all around, of which eroding takes off a whole one.
    within = cv2.erode(canvas, np.ones((3, 3), np.uint8))
    samples = (canvas + within).reshape(height_px, finer, width_px, finer)
    shares: NDArray[np.float32] = samples.mean(axis=(1, 3), dtype=np.float32) / np.float32(2.0)
    return shares
