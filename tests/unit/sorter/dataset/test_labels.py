"""``labels.json``: read no otherwise than it was written, and refused with the place where it says what cannot be."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.dataset import DatasetRefused
from sorter.dataset.labels import FolderLabels, PartLabel, PictureLabels, read_labels, write_labels

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
    assert read_labels(folder) == (labels, hashlib.sha256(file.read_bytes()).hexdigest())
    assert json.loads(file.read_text())["format"] == 1


@given(data=st.data())
def test_a_torn_file_is_refused_by_name(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("labels")
    file = write_labels(folder, FOLDER)
    whole = file.read_bytes().rstrip()
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(DatasetRefused, match=r"labels\.json"):
        read_labels(folder)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"format":1', '"format":2', "format"),
        ('"format":1,', "", "format: .*required"),
        ('"visible":0.75', '"visible":1.5', "less than or equal to 1"),
        ('"visible":0.75', '"visible":NaN', "visible"),
        ('"visible":0.75', '"visible":0', "greater than 0"),
        ('"yaw_deg":12.5', '"yaw_deg":"12.5"', r"pictures\.0\.parts\.0\.yaw_deg: .*valid number"),
        ('"yaw_deg":12.5', '"yaw_deg":12.5,"roll_deg":1', "roll_deg"),
        ("[3,4,10,20]", "[3,4,10]", "box_px"),
        ("[3,4,10,20]", "[3,4,10,200]", r"leaves pictures/00000\.jpg of 100×80 px"),
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
    with pytest.raises(DatasetRefused, match=told) as refused:
        read_labels(tmp_path)
    assert refused.value.path == file
    assert str(file) in refused.value.message
    assert refused.value.remedy


def test_a_picture_that_stands_twice_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetRefused, match=r"labels\.json: cannot be read: No such file") as missing:
        read_labels(tmp_path)
    assert "sorter render" in missing.value.remedy
    write_labels(tmp_path, replace(FOLDER, pictures=FOLDER.pictures * 2))
    with pytest.raises(DatasetRefused, match="stands twice"):
        read_labels(tmp_path)


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures/00000.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    write_labels(folder, FOLDER)
    with pytest.raises(DatasetRefused, match="is a link that leaves"):
        read_labels(folder)
