"""The index: nothing is lost, nothing is guessed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.dataset import DatasetRefused, Picture, append, read_dataset, read_index, write_index
from sorter.dataset.index import INDEX_NAME, line_of

SHA = "0123456789abcdef" * 4
ONE = Picture("3001/a.png", SHA, "3001", brick="3001-red", angle_deg=5.8, source="camera", extra={"exposure_s": 0.01})

texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
names = st.text("abc ä.\u2028'\"", min_size=1, max_size=8).filter(lambda name: name.strip(".") != "")
known = st.sampled_from(
    ("path", "sha256", "class", "brick", "pose", "revolution", "angle_deg", "colour", "source", "split")
)
pictures = st.builds(
    Picture,
    path=st.lists(names, min_size=1, max_size=3).map("/".join),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    class_name=texts,
    brick=st.none() | texts,
    pose=st.none() | texts,
    revolution=st.none() | texts,
    angle_deg=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    colour=st.none() | texts,
    source=st.sampled_from(("camera", "render", "import")),
    split=st.sampled_from((None, "train", "test", "val")),
    extra=st.dictionaries(
        texts.filter(lambda key: key not in ("path", "class", "brick")), st.integers() | texts, max_size=3
    ),
)


@given(st.lists(pictures, max_size=5, unique_by=lambda picture: picture.path))
def test_everything_that_was_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, written: list[Picture]
) -> None:
    root = tmp_path_factory.mktemp("index")
    ignored = ("sha256", "pose", "revolution", "angle_deg", "colour", "source", "split")
    written = [
        replace(each, extra={key: value for key, value in each.extra.items() if key not in ignored}) for each in written
    ]
    write_index(root, written[:2])
    append(root, written[2:])
    read, warnings = read_index(root)
    assert read == sorted(written, key=lambda each: each.path)
    assert warnings == []


def test_a_writer_that_was_killed_costs_one_line_and_no_more(tmp_path: Path) -> None:
    write_index(tmp_path, [ONE])
    file = tmp_path / INDEX_NAME
    file.write_bytes(file.read_bytes() + line_of(replace(ONE, path="3001/b.png")).encode()[:40])
    read, warnings = read_index(tmp_path)
    assert read == [ONE]
    assert "line 2 is torn" in warnings[0]

    append(tmp_path, [replace(ONE, path="3001/c.png")])
    read, warnings = read_index(tmp_path)
    assert [each.path for each in read] == ["3001/a.png", "3001/c.png"]
    assert warnings == []


def test_an_editor_that_leaves_the_last_line_open_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / INDEX_NAME).write_text(line_of(ONE))
    assert read_index(tmp_path) == ([ONE], [])
    append(tmp_path, [replace(ONE, path="3001/b.png")])
    assert [each.path for each in read_index(tmp_path)[0]] == ["3001/a.png", "3001/b.png"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"class": 3001}, "class is a text"),
        ({"path": ""}, "path is a text"),
        ({"path": "../a.png"}, "not one inside the dataset's folder"),
        ({"path": "/etc/passwd"}, "not one inside the dataset's folder"),
        ({"path": "a\\b.png"}, "not one inside the dataset's folder"),
        ({"path": "3001//a.png"}, "not one inside the dataset's folder"),
        ({"sha256": "ABC"}, "64 hexadecimal digits"),
        ({"angle_deg": "5"}, "angle_deg is a number"),
        ({"angle_deg": True}, "angle_deg is a number"),
        ({"angle_deg": 10**400}, "too large"),
        ({"source": "phone"}, "source is one of"),
        ({"split": "dev"}, "split is one of"),
        ({"brick": ""}, "brick is a text or null"),
    ],
)
def test_a_wrong_line_is_named_with_its_number(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    good = line_of(ONE)
    bad = json.dumps({**json.loads(good), "path": "3001/b.png", **changed})
    (tmp_path / INDEX_NAME).write_text(f"{good}\n{bad}\n{line_of(replace(ONE, path='c.png'))}\n")
    with pytest.raises(DatasetRefused, match="line 2") as refused:
        read_index(tmp_path)
    assert said in refused.value.message
    assert refused.value.as_dict()["line"] == 2


@pytest.mark.parametrize("line", ["{", "[]", '{"path": NaN}', "\udc80"])
def test_a_line_that_is_no_json_object_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / INDEX_NAME).write_bytes(line.encode(errors="surrogateescape") + b"\n")
    with pytest.raises(DatasetRefused, match="line 1"):
        read_index(tmp_path)


def test_a_path_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / INDEX_NAME).write_text(f"{line_of(ONE)}\n{line_of(ONE)}\n")
    with pytest.raises(DatasetRefused, match=r"line 2: 3001/a\.png stands twice"):
        read_dataset(tmp_path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "set"
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    with pytest.raises(DatasetRefused, match="link that leaves"):
        write_index(root, [replace(ONE, path="out/a.png")])
    assert list(root.iterdir()) == [root / "out"]


def test_a_refused_index_leaves_the_old_one(tmp_path: Path) -> None:
    write_index(tmp_path, [ONE])
    with pytest.raises(DatasetRefused, match="stands twice"):
        write_index(tmp_path, [ONE, ONE])
    with pytest.raises(DatasetRefused):
        append(tmp_path, [replace(ONE, path="../b.png")])
    assert read_index(tmp_path)[0] == [ONE]
    assert [each.name for each in tmp_path.iterdir()] == [INDEX_NAME]


def test_groups_that_the_index_names_are_used(tmp_path: Path) -> None:
    write_index(tmp_path, [ONE, replace(ONE, path="3001/b.png")])
    dataset = read_dataset(tmp_path)
    assert dataset.groups_from == "index"
    assert dataset.pictures[0].copies == ("3001/b.png",)
    assert read_dataset(tmp_path).sha256 == dataset.sha256
