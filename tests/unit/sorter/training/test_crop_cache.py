"""Crops that are kept: as good as fresh ones, never another picture's, and no reason for a training to fail late."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sorter.dataset import Picture
from sorter.errors import SorterError
from sorter.training import crop_cache
from sorter.training.crop_cache import prepare_cached
from sorter.training.errors import TrainingRefused
from sorter.training.examples import Examples, cut_all, prepare
from sorter.types import CropSpec
from tests.drawn_dataset import write_drawn_dataset

SPEC = CropSpec(size_px=32)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Picture, ...]]:
    root = tmp_path_factory.mktemp("drawn")
    pictures = write_drawn_dataset(root, shapes=("square", "disc"), colours=("red", "blue"), views=1, side_px=120)
    (root / "broken.png").write_bytes(b"no picture")
    return root, (*pictures, Picture("broken.png", "1" * 64, "square"))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the number of pictures each time that crops are made and not looked up."""
    counted: list[int] = []

    def counting(made_by: Callable[..., Any]) -> Callable[..., Any]:
        def counts(root: Path, pictures: Any, spec: CropSpec, **more: Any) -> Any:
            counted.append(len(pictures))
            return made_by(root, pictures, spec, **more)

        return counts

    monkeypatch.setattr(crop_cache, "prepare", counting(prepare))
    monkeypatch.setattr(crop_cache, "cut_all", counting(cut_all))
    return counted


def same(one: Examples, other: Examples) -> bool:
    return (
        one.pictures == other.pictures
        and one.left_out == other.left_out
        and one.rgb.dtype == other.rgb.dtype
        and one.rgb.shape == other.rgb.shape
        and bool((one.rgb == other.rgb).all())
        and bool((one.masks == other.masks).all())
    )


def test_crops_that_were_kept_are_those_that_would_be_made(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path, made: list[int]
) -> None:
    root, pictures = drawn
    done: list[int] = []
    fresh = prepare(root, pictures, SPEC)
    cache = tmp_path / "deep" / "cache"
    for _ in range(3):
        found = prepare_cached(root, pictures, SPEC, cache, on_progress=done.append)
        assert same(found, fresh)
        assert found.left_out[0].path == "broken.png"
    assert made == [len(pictures)]
    assert sum(done) == 3 * len(pictures)
    assert [each.suffix for each in cache.iterdir()] == [".npz"]


def test_every_part_of_a_dataset_finds_its_crops_in_the_one_file(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path, made: list[int]
) -> None:
    root, pictures = drawn
    copy = replace(pictures[0], path="copy.png")
    (root / "copy.png").write_bytes((root / pictures[0].path).read_bytes())
    everything = (copy, *pictures)
    for some in (pictures[:2], pictures[2:], (pictures[0], copy), everything):
        done: list[int] = []
        found = prepare_cached(root, some, SPEC, tmp_path, among=everything, on_progress=done.append)
        assert same(found, prepare(root, some, SPEC))
        assert sum(done) == len(everything)
    assert made == [len(pictures)]
    (root / "copy.png").unlink()


def test_without_a_folder_nothing_is_kept(drawn: tuple[Path, tuple[Picture, ...]], made: list[int]) -> None:
    root, pictures = drawn
    before = sorted(root.rglob("*"))
    assert same(prepare_cached(root, pictures, SPEC, None), prepare(root, pictures, SPEC))
    assert made == [len(pictures)]
    assert sorted(root.rglob("*")) == before


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "label": lambda each: replace(each, class_name="bar"),
    "classes": lambda each: replace(each, extra={"classes": ["disc", "square"]}),
    "content": lambda each: replace(each, sha256="2" * 64),
    "name": lambda each: replace(each, path="disc/red_00.png"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_picture_that_was_changed_is_made_anew(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path, made: list[int], change: Callable[[Picture], Picture]
) -> None:
    root, pictures = drawn
    prepare_cached(root, pictures, SPEC, tmp_path)
    changed = [change(pictures[0]), *pictures[1:]]
    assert same(prepare_cached(root, changed, SPEC, tmp_path), prepare(root, changed, SPEC))
    assert len(made) == 2


@pytest.mark.parametrize(
    "spec", [replace(SPEC, size_px=40), replace(SPEC, window_mm=50.0), replace(SPEC, table_grey=9)]
)
def test_another_way_to_crop_is_made_anew(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path, made: list[int], spec: CropSpec
) -> None:
    root, pictures = drawn
    prepare_cached(root, pictures, SPEC, tmp_path)
    assert same(prepare_cached(root, pictures, spec, tmp_path), prepare(root, pictures, spec))
    assert len(made) == 2


def test_other_pictures_are_not_mistaken_for_these(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path, made: list[int]
) -> None:
    root, pictures = drawn
    for some in (pictures, pictures[1:], pictures[::-1]):
        assert same(prepare_cached(root, some, SPEC, tmp_path), prepare(root, some, SPEC))
    assert len(made) == 3


def test_a_brick_that_was_named_later_is_known_although_the_crop_was_kept(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path, made: list[int]
) -> None:
    """Splits go by it: crops kept from before must not bring back what was thought then."""
    root, pictures = drawn
    prepare_cached(root, pictures, SPEC, tmp_path)
    renamed = [replace(each, brick="another", revolution="r9", angle_deg=12.0) for each in pictures]
    found = prepare_cached(root, renamed, SPEC, tmp_path)
    assert len(made) == 1
    assert {(each.brick, each.revolution, each.angle_deg) for each in found.pictures} == {("another", "r9", 12.0)}


@pytest.mark.parametrize(
    "module", ["training.examples", "pictures", "vision.locate", "vision.crop", "vision.table", "types.pictures"]
)
def test_code_that_makes_crops_another_way_does_not_get_the_old_ones(
    drawn: tuple[Path, tuple[Picture, ...]],
    tmp_path: Path,
    made: list[int],
    monkeypatch: pytest.MonkeyPatch,
    module: str,
) -> None:
    root, pictures = drawn
    prepare_cached(root, pictures, SPEC, tmp_path)
    as_it_is = crop_cache.inspect.getsource
    monkeypatch.setattr(
        crop_cache.inspect,
        "getsource",
        lambda each: as_it_is(each) + "# another version" * (each.__name__ == f"sorter.{module}"),
    )
    prepare_cached(root, pictures, SPEC, tmp_path)
    assert len(made) == 2


def test_a_damaged_file_is_made_anew_and_whole_again(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path, made: list[int]
) -> None:
    root, pictures = drawn
    fresh = prepare_cached(root, pictures, SPEC, tmp_path)
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    compressed = bytearray(whole)
    compressed[whole.index(b"PK\x01\x02") + 10] = 99  # a way to compress that nobody knows
    for content in (b"", whole[:40], whole[: len(whole) // 2], whole[:-1], bytes(flipped), bytes(compressed), b"hello"):
        file.write_bytes(content)
        assert same(prepare_cached(root, pictures, SPEC, tmp_path), fresh)
        assert same(prepare_cached(root, pictures, SPEC, tmp_path), fresh)
        assert file.read_bytes() == whole
    assert len(made) == 8


def test_a_file_that_was_kept_for_others_under_this_name_is_not_believed(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path
) -> None:
    root, pictures = drawn
    prepare_cached(root, pictures[:2], SPEC, tmp_path / "a")
    prepare_cached(root, pictures[2:], SPEC, tmp_path / "b")
    [one], [other] = (tmp_path / "a").iterdir(), (tmp_path / "b").iterdir()
    one.write_bytes(other.read_bytes())
    assert same(prepare_cached(root, pictures[:2], SPEC, tmp_path / "a"), prepare(root, pictures[:2], SPEC))


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_folder_that_cannot_be_written_is_said_before_the_work_is_done(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, pictures = drawn
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for cache in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        with pytest.raises(TrainingRefused, match="crops cannot be kept there") as caught:
            prepare_cached(root, pictures, SPEC, cache)
        assert str(cache) in caught.value.message
        assert "it only saves time" in caught.value.remedy
    monkeypatch.setattr(crop_cache.tempfile, "TemporaryFile", no_space)
    with pytest.raises(TrainingRefused, match="No space left"):
        prepare_cached(root, pictures, SPEC, tmp_path / "readonly")
    assert made == []


def test_a_disk_that_fills_up_is_said_and_leaves_no_half_a_file(
    drawn: tuple[Path, tuple[Picture, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, pictures = drawn
    monkeypatch.setattr(np, "savez", no_space)
    with pytest.raises(SorterError, match="No space left on device") as caught:
        prepare_cached(root, pictures, SPEC, tmp_path / "cache")
    assert isinstance(caught.value, TrainingRefused)
    assert list((tmp_path / "cache").iterdir()) == []


def test_pictures_of_which_none_can_be_used_are_refused_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"x")
    with pytest.raises(TrainingRefused, match="none of 1 pictures"):
        prepare_cached(tmp_path, [Picture("broken.png", "1" * 64, "a")], SPEC, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
