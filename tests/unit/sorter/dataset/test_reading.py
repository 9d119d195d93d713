"""Folders as they are found: a clear error or a warning, and nothing half-read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sorter.dataset import DatasetRefused, read_dataset


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(ascii(name).encode())
    return root


def revolutions(root: Path, *paths: str, name: str = "3001") -> None:
    one = {
        "revolution": "r1",
        "class": name,
        "brick": "b1",
        "colour": "red",
        "pose": "up",
        "photographs": [list(paths)],
    }
    (root / "revolutions.json").write_text(json.dumps({"what": "", "revolutions": [one]}))


def test_a_folder_per_class_is_read(tmp_path: Path) -> None:
    dataset = read_dataset(touch(tmp_path, "3001/a.jpg", "3001/b.PNG", "3002/a.jpg", "README.md", ".git/x.jpg"))
    assert [(each.path, each.class_name, each.split) for each in dataset.pictures] == [
        ("3001/a.jpg", "3001", None),
        ("3001/b.PNG", "3001", None),
        ("3002/a.jpg", "3002", None),
    ]
    assert (dataset.groups_from, dataset.warnings, dataset.classes) == ("unknown", (), ("3001", "3002"))


def test_the_published_layout_keeps_which_side_a_picture_stood_on(tmp_path: Path) -> None:
    dataset = read_dataset(touch(tmp_path, "train/3001/a.jpg", "test/3001/a.jpg", "val/3001/b.jpg", "notes/x.jpg"))
    assert [(each.class_name, each.split) for each in dataset.pictures] == [
        ("3001", "test"),
        ("3001", "train"),
        ("3001", "val"),
    ]
    assert "notes: left out" in dataset.warnings[0]


def test_what_has_no_class_is_told_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    dataset = read_dataset(touch(tmp_path, "3001/a.jpg", "3001/deep/b.jpg", "3001/notes.txt", "stray.jpg"))
    assert [each.path for each in dataset.pictures] == ["3001/a.jpg"]
    told = "\n".join(dataset.warnings)
    for part in ("stray.jpg", "empty: no picture in it", "deep: left out", "notes.txt: left out"):
        assert part in told


def test_a_folder_that_is_no_dataset_says_how_one_looks(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.jpg")
    with pytest.raises(DatasetRefused, match="2 files stand among the folders") as refused:
        read_dataset(tmp_path)
    assert "folder per class" in refused.value.remedy
    for wrong in (tmp_path / "none", tmp_path / "a.jpg"):
        with pytest.raises(DatasetRefused, match="is no folder"):
            read_dataset(wrong)


def test_a_name_that_cannot_be_printed_is_told_and_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "3001/a.jpg", "3001/b\n.jpg", "3001/c\udc80.jpg")
    dataset = read_dataset(tmp_path)
    assert [each.path for each in dataset.pictures] == ["3001/a.jpg"]
    assert len(dataset.warnings) == 2
    assert "\n".join(dataset.warnings).isascii()


def test_an_empty_index_is_no_dataset(tmp_path: Path) -> None:
    touch(tmp_path, "3001/a.jpg")
    (tmp_path / "index.jsonl").write_text("")
    with pytest.raises(DatasetRefused, match="names no picture"):
        read_dataset(tmp_path)


def test_a_picture_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    root = touch(tmp_path / "set", "3001/a.jpg")
    touch(tmp_path, "secret.jpg")
    (root / "3001" / "b.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(DatasetRefused, match=r"3001/b.jpg is a link"):
        read_dataset(root)


def test_revolutions_beside_the_folders_are_read_by_themselves(tmp_path: Path) -> None:
    touch(tmp_path, "3001/a.jpg", "3001/b.jpg", "3002/c.jpg")
    revolutions(tmp_path, "3001/a.jpg", "3001/gone.jpg")
    dataset = read_dataset(tmp_path)
    assert dataset.groups_from == "revolutions.json"
    assert [(each.brick, each.revolution, each.colour, each.pose) for each in dataset.pictures] == [
        ("b1", "r1", "red", "up"),
        (None, None, None, None),
        (None, None, None, None),
    ]
    told = "\n".join(dataset.warnings)
    assert "such as 3001/gone.jpg" in told
    assert "says nothing of 2 pictures, such as 3001/b.jpg" in told


@pytest.mark.parametrize("text", ["{", "[]", '{"revolutions": [{}]}', '{"revolutions": [{"revolution": 1}]}', "{}"])
def test_damaged_revolutions_are_refused_by_name(tmp_path: Path, text: str) -> None:
    touch(tmp_path, "3001/a.jpg")
    (tmp_path / "revolutions.json").write_text(text)
    with pytest.raises(DatasetRefused, match=r"revolutions\.json"):
        read_dataset(tmp_path)


def test_revolutions_that_contradict_the_folders_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "3001/a.jpg", "3002/b.jpg")
    revolutions(tmp_path, "3001/a.jpg", "3002/b.jpg")
    with pytest.raises(DatasetRefused, match=r"3002/b\.jpg is called 3001, its folder is 3002"):
        read_dataset(tmp_path)
    revolutions(tmp_path, "3001/a.jpg", "3001/a.jpg")
    with pytest.raises(DatasetRefused, match="stands in two revolutions"):
        read_dataset(tmp_path)
