"""What is really seen of each part on a rendered picture."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sorter.dataset.labels import FolderLabels, read_labels, write_labels
from sorter.render.backends.protocol import NOTHING
from sorter.render.labels import labels_from_ids
from tests.unit.sorter.render.solids import box_mesh, placed, scene

if TYPE_CHECKING:
    import pytest

CUBE = box_mesh((10.0, 10.0, 10.0), "cube")


def test_boxes_are_of_what_is_really_seen() -> None:
    here = scene(placed(CUBE, yaw_deg=359.9999), placed(CUBE), placed(CUBE))
    ids = np.full((here.camera.height_px, here.camera.width_px), NOTHING, np.int16)
    ids[10:20, 30:50] = 0
    ids[12:14, 30:40] = 2  # lies over it
    ids[19, 49] = NOTHING
    labels = labels_from_ids("pictures/00007.jpg", here, ids, [400.0, 90.0, 10.0])
    assert labels.path == "pictures/00007.jpg"
    assert [each.box_px for each in labels.parts] == [(30, 10, 20, 10), (30, 12, 10, 2)]
    assert [each.visible for each in labels.parts] == [0.4475, 1.0]
    assert labels.parts[0].yaw_deg == 0.0


@given(
    ids=st.lists(st.integers(NOTHING, 2), min_size=48, max_size=48),
    silhouettes_px=st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
)
def test_parts_without_a_pixel_do_not_count_and_visible_is_a_share(
    tmp_path_factory: pytest.TempPathFactory, ids: list[int], silhouettes_px: list[float]
) -> None:
    here = scene(placed(CUBE), placed(CUBE), placed(CUBE))
    here = replace(here, camera=replace(here.camera, width_px=8, height_px=6))
    seen = np.array(ids, np.int16).reshape(6, 8)
    labels = labels_from_ids("a.jpg", here, seen, silhouettes_px)
    assert len(labels.parts) == len(set(ids) - {NOTHING})
    assert all(0 < each.visible <= 1 and math.isfinite(each.visible) for each in labels.parts)
    for number, each in zip(sorted(set(ids) - {NOTHING}), labels.parts, strict=True):
        left, top, width, height = each.box_px
        box = seen[top : top + height, left : left + width] == number
        assert box.sum() == (seen == number).sum()
        assert all(edge.any() for edge in (box[0], box[-1], box[:, 0], box[:, -1]))
    folder = tmp_path_factory.mktemp("labels")
    write_labels(folder, FolderLabels("stand-in 1", "00ff", 1, "a" * 64, (labels,)))
    assert read_labels(folder)[0].pictures == (labels,)
