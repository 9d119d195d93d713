"""``labels.json``: what is really seen of each part, read no otherwise than it was written."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.render.backends.protocol import NOTHING
from sorter.render.errors import FolderRefused
from sorter.render.labels import FolderLabels, PartLabel, PictureLabels, labels_from_ids, read_labels, write_labels
from tests.unit.sorter.render.solids import box_mesh, placed, scene

CUBE = box_mesh((10.0, 10.0, 10.0), "cube")
PART = PartLabel("3001", "3001", "Red", "up", 12.5, (3, 4, 10, 20), 0.75)
FOLDER = FolderLabels("stand-in 1", "00ff", 1, "a" * 64, (PictureLabels("pictures/00000.jpg", 100, 80, (PART,)),))

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@st.composite
def part_labels(draw: st.DrawFn, width_px: int, height_px: int) -> PartLabel:
    left, top = draw(st.integers(0, width_px - 1)), draw(st.integers(0, height_px - 1))
    box = (left, top, draw(st.integers(1, width_px - left)), draw(st.integers(1, height_px - top)))
    yaw_deg, visible = draw(st.floats(0, 360, exclude_max=True)), draw(st.floats(0, 1, exclude_min=True))
    return PartLabel(draw(texts), draw(texts), draw(texts), draw(texts), yaw_deg, box, visible)


@st.composite
def folder_labels(draw: st.DrawFn) -> FolderLabels:
    pictures = []
    for number in range(draw(st.integers(0, 3))):
        size = draw(st.integers(1, 5000)), draw(st.integers(1, 5000))
        pictures.append(PictureLabels(f"pictures/{number}.jpg", *size, tuple(draw(st.lists(part_labels(*size))))))
    return FolderLabels(draw(texts), draw(texts), draw(st.integers(0, 2**31)), "0" * 64, tuple(pictures))


@given(labels=folder_labels())
def test_labels_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, labels: FolderLabels) -> None:
    folder = tmp_path_factory.mktemp("labels")
    file = write_labels(folder, labels)
    assert read_labels(folder) == labels
    assert json.loads(file.read_text())["format"] == 1


@given(data=st.data())
def test_a_torn_file_is_refused_by_name(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("labels")
    file = write_labels(folder, FOLDER)
    whole = file.read_bytes().rstrip()
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(FolderRefused, match=r"labels\.json"):
        read_labels(folder)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"format":1', '"format":2', "format"),
        ('"visible":0.75', '"visible":1.5', "less than or equal to 1"),
        ('"visible":0.75', '"visible":NaN', "visible"),
        ('"visible":0.75', '"visible":0', "greater than 0"),
        ('"yaw_deg":12.5', '"yaw_deg":"12.5"', r"pictures\.0\.parts\.0\.yaw_deg: .*valid number"),
        ('"yaw_deg":12.5', '"yaw_deg":12.5,"roll_deg":1', "roll_deg"),
        ("[3,4,10,20]", "[3,4,10]", "box_px"),
        ("[3,4,10,20]", "[3,4,10,200]", "leaves the picture of 100×80 px"),
        ("[3,4,10,20]", "[-3,4,10,20]", "greater than or equal to 0"),
        ('"class":"3001",', "", "class"),
        ("pictures/00000.jpg", "../00000.jpg", "not one inside"),
        ("pictures/00000.jpg", "/etc/passwd", "not one inside"),
    ],
)
def test_what_cannot_be_is_refused_with_file_and_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    file = write_labels(tmp_path, FOLDER)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(FolderRefused, match=told) as refused:
        read_labels(tmp_path)
    assert "labels.json" in refused.value.message


def test_a_picture_that_stands_twice_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderRefused, match=r"labels\.json cannot be read: No such file"):
        read_labels(tmp_path)
    write_labels(tmp_path, replace(FOLDER, pictures=FOLDER.pictures * 2))
    with pytest.raises(FolderRefused, match="stands twice"):
        read_labels(tmp_path)


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
    write_labels(folder, replace(FOLDER, pictures=(labels,)))
    assert read_labels(folder).pictures == (labels,)
