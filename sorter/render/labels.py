"""What is really seen of each part on a rendered picture; ``sorter.dataset.labels`` writes it down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sorter.dataset.labels import PartLabel, PictureLabels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.render.world import PlacedPart, Scene


def labels_from_ids(
    path: str, scene: Scene, ids: NDArray[np.integer], silhouettes_px: Sequence[float]
) -> PictureLabels:
    """The labels of a picture.

    Args:
        path: of the picture in its folder.
        scene: what is on it.
        ids: H×W, which of the scene's parts is nearest at each pixel.
        silhouettes_px: for each part, how many pixels it would fill if nothing hid it and the picture had no edge.

    Raises:
        ValueError: the arguments do not fit one another.
    """
    camera = scene.camera
    if ids.shape != (camera.height_px, camera.width_px) or len(silhouettes_px) != len(scene.parts):
        raise ValueError(
            f"{path}: ids are {ids.shape} and silhouettes {len(silhouettes_px)}, for {camera.height_px}×"
            f"{camera.width_px} px and {len(scene.parts)} parts"
        )
    parts = [
        _label(part, ids == number, float(silhouettes_px[number]))
        for number, part in enumerate(scene.parts)
        if (ids == number).any()
    ]
    return PictureLabels(path, camera.width_px, camera.height_px, tuple(parts))


def _label(part: PlacedPart, is_seen: NDArray[np.bool_], silhouette_px: float) -> PartLabel:
    rows, columns = np.flatnonzero(is_seen.any(axis=1)), np.flatnonzero(is_seen.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    seen_px = int(is_seen.sum())
    # A pixel counts by its middle: a part may have a few more of them than its outline has area.
    visible = min(1.0, max(0.0001, round(seen_px / max(silhouette_px, 1.0), 4)))
    return PartLabel(
        class_name=part.class_name,
        design=part.mesh,
        colour=part.colour,
        pose=part.pose,
        yaw_deg=round(part.yaw_deg % 360.0, 3) % 360.0,
        box_px=(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top),
        visible=visible,
    )
