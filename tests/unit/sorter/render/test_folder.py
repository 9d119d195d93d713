"""A folder of pictures: nothing torn is believed, nothing is mixed, and nobody else's files are touched."""

from __future__ import annotations

import errno
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.dataset import look_and_check, read_dataset
from sorter.dataset.labels import read_labels
from sorter.render import folder as folder_module
from sorter.render.errors import FolderRefused
from sorter.render.folder import RenderFolder, opened
from sorter.render.journal import Entry, line_of, read_journal
from sorter.render.picture import picture_path
from sorter.render.recipe import read_scene_recipe
from sorter.training.labels import fitting_loss
from sorter.training.rendered import usable_rendered
from sorter.training.table_labels import read_table_labels
from tests.unit.sorter.render import stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sorter.render.settings import RenderSettings


@contextmanager
def writing(root: Path, wanted: RenderSettings | None = None) -> Iterator[RenderFolder]:
    with opened(root, wanted or stand_in.settings(), on_notice=lambda _: None) as folder:
        yield folder


def filled(root: Path, count: int, **changes: object) -> Path:
    job = stand_in.job(**changes)
    with writing(root, job.settings) as folder:
        for number in range(count):
            folder.put(stand_in.picture(job, number))
        folder.publish()
    return root


def notices(root: Path) -> tuple[list[int], list[str]]:
    told: list[str] = []
    with opened(root, stand_in.settings(), told.append) as folder:
        return sorted(folder.entries), told


def test_a_folder_is_a_dataset_with_everything_that_is_known(tmp_path: Path) -> None:
    dataset = read_dataset(filled(tmp_path / "set", 12))
    assert len(dataset.pictures) == 11  # one shows nothing
    assert dataset.classes == ("3001", "3003", "other")
    labels, _ = read_labels(tmp_path / "set")
    assert [each.path for each in labels.pictures] == [picture_path(number) for number in range(12)]
    first, label = dataset.pictures[0], labels.pictures[0].parts[0]
    assert (first.source, first.brick, first.revolution) == ("render", None, None)
    assert (first.pose, first.colour, first.angle_deg) == ("up", "Red", label.yaw_deg)
    assert "changed" not in {finding.kind for finding in look_and_check(dataset).findings}
    assert (labels.backend, labels.seed) == ("stand-in 1", 1)


def test_several_parts_on_a_picture_are_told_as_training_reads_them(tmp_path: Path) -> None:
    dataset = read_dataset(filled(tmp_path / "set", 4, parts=(1, 2)))
    two, one = dataset.pictures[:2]
    assert two.extra["classes"] == ["3001", "3003"]
    assert (two.pose, two.angle_deg, two.colour) == (None, None, None)
    assert one.extra == {}


def test_training_takes_the_pictures_of_its_classes(tmp_path: Path) -> None:
    rendered, real = read_dataset(filled(tmp_path / "set", 12)), read_dataset(filled(tmp_path / "real", 3, seed=2))
    usable, notes = usable_rendered(rendered, real, ("3001", "3003"), "categorical")
    assert {each.class_name for each in usable} == {"3001", "3003"}
    assert notes == [f"{rendered.root}: 4 pictures of classes that are not trained are not used"]
    several = read_dataset(filled(tmp_path / "several", 12, parts=(1, 2)))
    assert fitting_loss(several.pictures, "auto") == "sigmoid"
    with_several, _ = usable_rendered(several, real, ("3001", "3003", "other"), "categorical")
    assert len(with_several) == 8  # of twelve, three show two and one shows none
    read_table_labels(several.root, several.pictures)


def test_a_folder_goes_on_with_its_own_settings_only(tmp_path: Path) -> None:
    root = filled(tmp_path / "set", 2)
    before = stand_in.content(root)
    scene = read_scene_recipe()
    other_scene = scene.model_copy(update={"picture": scene.picture.model_copy(update={"samples": 7})})
    for changes, told in (
        ({"seed": 2}, "seed: 1, now 2"),
        ({"parts": (1, 3)}, r"parts: \[1, 1\], now \[1, 3\]"),
        ({"designs": (("3001", "3001"),)}, "designs: 3001 3003 other=3020, now 3001"),
        ({"backend": "blender"}, "backend: mitsuba, now blender"),
        ({"scene": other_scene}, r"scene\.picture\.samples: \d+, now 7"),
    ):
        with pytest.raises(FolderRefused, match=told), writing(root, stand_in.settings(**changes)):
            pass
    assert stand_in.content(root) == before


def test_another_version_is_told_and_taken(tmp_path: Path) -> None:
    root = filled(tmp_path / "set", 1, versions={"sorter": "0.0.0", "numpy": "1.0"})
    numbers, told = notices(root)
    assert numbers == [0]
    assert "was begun with sorter 0.0.0" in told[0]


def test_pictures_of_two_renderers_or_libraries_are_not_mixed(tmp_path: Path) -> None:
    root = filled(tmp_path / "set", 1)
    other = stand_in.two_renderers(stand_in.job(), 6)
    with writing(root) as folder:
        with pytest.raises(FolderRefused, match="begun by stand-in 1, and picture 6 was rendered by stand-in 2"):
            folder.put(other)
        moved = stand_in.RenderedPicture(1, other.jpeg, other.labels, "stand-in 1", "ffffffffffffffff")
        with pytest.raises(FolderRefused, match="other geometry"):
            folder.put(moved)
    assert [each.name for each in (root / "pictures").iterdir()] == ["00000.jpg"]


def test_what_is_somebody_elses_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    (tmp_path / "link").symlink_to("nowhere")
    for root, told in (
        (tmp_path, "holds no rendered pictures"),
        (tmp_path / "letter.txt", "is no folder"),
        (tmp_path / "link", "is no folder"),
        (tmp_path / "none" / "set", "there is no folder .*none"),
    ):
        with pytest.raises(FolderRefused, match=told), writing(root):
            pass
    assert sorted(each.name for each in tmp_path.iterdir()) == ["letter.txt", "link"]


def test_an_empty_folder_and_one_that_was_killed_at_its_start_are_taken(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / ".render.json.abc.part").write_text('{"format"')
    assert filled(tmp_path, 1)
    assert not list(tmp_path.glob(".*.part"))


def test_two_processes_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with writing(tmp_path / "set") as folder:
        folder.put(stand_in.picture(stand_in.job(), 0))
        with pytest.raises(FolderRefused, match="another process is rendering"), writing(tmp_path / "set"):
            pass
    with writing(tmp_path / "set") as folder:
        assert list(folder.entries) == [0]


def test_a_damaged_or_foreign_record_is_refused(tmp_path: Path) -> None:
    file = filled(tmp_path / "set", 1) / "render.json"
    for text, told in (("{", "Invalid JSON"), ('{"format": 2}', "format"), (file.read_text()[:-20], "Invalid JSON")):
        file.write_text(text)
        with pytest.raises(FolderRefused, match=told), writing(tmp_path / "set"):
            pass


def test_fewer_pictures_than_there_are_is_refused(tmp_path: Path) -> None:
    with writing(filled(tmp_path / "set", 5)) as folder:
        assert folder.missing(7) == [5, 6]
        with pytest.raises(FolderRefused, match="2 pictures beyond the 3"):
            folder.missing(3)


def test_changed_missing_and_torn_pictures_are_not_believed(tmp_path: Path) -> None:
    root = filled(tmp_path / "set", 6)
    pictures = root / "pictures"
    (pictures / "00001.jpg").unlink()
    (pictures / "00002.jpg").write_bytes((pictures / "00002.jpg").read_bytes()[:-1])
    (pictures / "00003.jpg").write_bytes(b"")
    (pictures / ".00004.jpg.xyz.part").write_bytes(b"half")
    numbers, told = notices(root)
    assert numbers == [0, 4, 5]
    assert told == [f"{root}: 3 pictures are missing or were changed, and are rendered anew"]
    assert not list(pictures.glob(".*"))
    assert [each.path for each in read_dataset(root).pictures] == [picture_path(number) for number in (0, 4, 5)]


def entries(count: int) -> list[Entry]:
    made = [stand_in.picture(stand_in.job(parts=(1, 2)), number) for number in range(count)]
    return [Entry(each.number, "a" * 64, each.backend, each.geometry, each.labels) for each in made]


ENTRIES = entries(4)
JOURNAL = "".join(f"{line_of(each)}\n" for each in ENTRIES).encode()


@given(end=st.integers(0, len(JOURNAL)), more=st.binary(max_size=30), is_gone_on_with=st.booleans())
def test_a_journal_cut_off_anywhere_is_believed_up_to_there(
    tmp_path_factory: pytest.TempPathFactory, end: int, more: bytes, is_gone_on_with: bool
) -> None:
    file = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    added = f"{line_of(ENTRIES[0])}\n".encode() if is_gone_on_with else b""
    file.write_bytes(JOURNAL[:end] + more + b"\n" + added)
    found, _ = read_journal(file)
    whole = JOURNAL[: end + 1].count(b"\n")
    assert set(found.items()) <= {(each.number, each) for each in ENTRIES}
    assert {*range(whole)} <= found.keys() | ({whole - 1} if more.strip(b"\n") else set())


@settings(max_examples=200)
@given(place=st.integers(0, len(JOURNAL) - 1), byte=st.integers(0, 255))
def test_a_journal_with_one_wrong_byte_loses_that_line_and_says_nothing_wrong(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int
) -> None:
    file = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    file.write_bytes(JOURNAL[:place] + bytes([byte]) + JOURNAL[place + 1 :])
    found, _ = read_journal(file)
    assert set(found.items()) <= {(each.number, each) for each in ENTRIES}
    assert len(found) >= len(ENTRIES) - 2


def test_a_line_about_another_path_than_its_own_is_not_believed(tmp_path: Path) -> None:
    strange = Entry(1, "a" * 64, "stand-in 1", "00", ENTRIES[0].labels)
    (tmp_path / "journal.jsonl").write_text(line_of(strange) + "\n")
    assert read_journal(tmp_path / "journal.jsonl") == ({}, 1)


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_named_and_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    root = filled(tmp_path / "set", 3)
    before = stand_in.content(root)

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with writing(root) as folder:
        with monkeypatch.context() as patched:
            if call == "fsync":
                patched.setattr(os, "fsync", full)
            else:
                patched.setattr(folder_module, "write_whole", full)
            with pytest.raises(FolderRefused, match="No space left on device") as refused:
                folder.put(stand_in.picture(stand_in.job(), 3))
        assert "Make room" in refused.value.remedy
        assert 3 not in folder.entries
    assert stand_in.content(root) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_must_not_be_written_to_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FolderRefused, match="Permission denied"), writing(tmp_path / "set"):
            pass
    finally:
        tmp_path.chmod(0o700)


def test_settings_say_what_they_are_made_of(tmp_path: Path) -> None:
    data = json.loads((filled(tmp_path / "set", 1) / "render.json").read_text())
    assert data["designs"] == [["3001", "3001"], ["3003", "3003"], ["other", "3020"]]
    assert data["scene"]["camera"]["distance_mm"]
    assert "library" not in data
