"""What a network for whole tables is shown: all that labels.json says, kept in a file that is not believed blindly."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.dataset import DatasetRefused, Picture, read_dataset, write_index
from sorter.training import table_cache
from sorter.training.batches import Batches
from sorter.training.errors import TrainingRefused
from sorter.training.inner import table_split
from sorter.training.recipe import AugmentationRecipe, Recipe
from sorter.training.table_labels import read_table_labels
from sorter.training.tables import (
    SEVERAL,
    UNDECIDED,
    PartsShown,
    Tables,
    check_tables,
    read_tables,
    table_targets,
    visibility,
)
from tests.unit.sorter.training.drawn_tables import labels_in, put_labels, with_part, write_drawn_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.errors import SorterError

SIZE = 48


def a_recipe(**more: Any) -> Recipe:
    whole: dict[str, Any] = {
        "name": "x",
        "input": "table",
        "backbone": {"name": "scratch", "blocks": (4,)},
        "crop": {"size_px": SIZE},
        "phases": ({"epochs": 1, "rate": 1e-3},),
        "batch_size": 4,
        "least_pictures": 2,
    }
    return Recipe(**{**whole, **more})


def read(root: Path, cache: Path | None = None, **more: Any) -> Tables:
    pictures = read_dataset(root).pictures
    return read_tables(root, pictures, read_table_labels(root, pictures), a_recipe(**more), cache)


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    root = tmp_path / "drawn"
    write_drawn_tables(root, 9)
    return root


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each time that pictures are read and scaled."""
    times: list[int] = []
    as_it_is = table_cache._made

    def counted(wanted: Any, workers: int, on_progress: Any) -> Any:
        times.append(len(wanted.pictures))
        yield from as_it_is(wanted, workers, on_progress)

    monkeypatch.setattr(table_cache, "_made", counted)
    return times


def same(one: Tables, other: Tables) -> bool:
    rows = np.arange(len(one))
    return one.pictures == other.pictures and bool((one.rgb[rows] == other.rgb[rows]).all())


def parts(*entries: tuple[int, float, tuple[float, float, float, float]]) -> PartsShown:
    return PartsShown(
        np.array([number for number, _, _ in entries], np.int64),
        np.array([box for _, _, box in entries], np.float32).reshape(-1, 4),
        np.array([visible for _, visible, _ in entries], np.float32),
    )


BOX = (10.0, 10.0, 8.0, 8.0)


def test_vectors_say_of_each_class_the_most_visible_part_and_of_several_the_second(drawn: Path) -> None:
    row = visibility(parts((0, 0.5, BOX), (0, 0.9, BOX), (2, 0.2, BOX)), 4)
    np.testing.assert_allclose(row, [0.9, 0.0, 0.2, 0.5])
    assert visibility(parts((1, 0.7, BOX)), 4).tolist() == [0.0, pytest.approx(0.7), 0.0, 0.0]
    assert visibility(parts(), 4).tolist() == [0.0] * 4
    unknown = visibility(parts((1, 1.0, BOX), (-1, 1.0, BOX)), 3)
    assert unknown.tolist() == [0.0, 1.0, 1.0], "a part of no known class is a part"


def test_two_parts_of_one_class_are_several(tmp_path: Path) -> None:
    """A vector of classes alone could not say so."""
    write_drawn_tables(tmp_path, 6)
    entries = labels_in(tmp_path)
    for number in range(2):
        entries[1] = with_part(entries[1], number, class_name="disc")
    put_labels(tmp_path, entries)
    lines = [json.loads(line) for line in (tmp_path / "index.jsonl").read_text().splitlines()]
    lines[1] |= {"class": "disc", "classes": ["disc"]}
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    tables = read(tmp_path)
    assert tables.visible[1].tolist() == [0.0, 1.0, 0.0, 1.0]


def test_what_is_hardly_visible_is_undecided() -> None:
    visible = np.array([[0.0, 0.1, 0.25, 1.0]], np.float32)
    assert table_targets(visible, 0.25).tolist() == [[0.0, UNDECIDED, 1.0, 1.0]]


def test_a_folder_gives_vectors_boxes_and_whole_pictures(drawn: Path) -> None:
    tables = read(drawn)
    assert tables.labels == ("bar", "disc", "square", SEVERAL)
    assert tables.visible.shape == tables.targets.shape == (9, 4)
    assert tables.targets[:, -1].tolist() == [0.0, 1.0, 1.0] * 3
    for labelled, shown, row in zip(labels_in(drawn), tables.parts, tables.visible, strict=True):
        names = {part.class_name for part in labelled.parts}
        assert {tables.labels[place] for place in np.flatnonzero(row[:-1])} == names
        np.testing.assert_allclose(shown.boxes_px * 2, [part.box_px for part in labelled.parts])  # 96 to 48 px
    rgb = tables.rgb[np.arange(9)]
    assert (rgb.shape, rgb.dtype) == ((9, SIZE, SIZE, 3), np.uint8)
    whole = cv2.cvtColor(cv2.imread(str(drawn / "pictures/00002.png")), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(rgb[2], cv2.resize(whole, (SIZE, SIZE), interpolation=cv2.INTER_AREA))


def test_a_picture_that_is_no_square_is_shown_whole_and_its_boxes_with_it(tmp_path: Path) -> None:
    rgb = np.full((60, 120, 3), 200, np.uint8)
    rgb[10:30, 40:60] = (255, 0, 0)
    square = table_cache.in_square(rgb, 60, 7)
    assert (square[:15] == 7).all()
    assert (square[45:] == 7).all()
    left, top, width, height = table_cache.fit_of(120, 60, 60).box((40, 10, 20, 20))
    assert (left, top, width, height) == (20.0, 20.0, 10.0, 10.0)
    assert (square[21:29, 21:29] == (255, 0, 0)).all()
    assert (square[15:45, :19] == 200).all()


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(16, 224))
def test_any_picture_fits_its_square(width: int, height: int, size: int) -> None:
    left, top, wide, high = table_cache.fit_of(width, height, size).box((0, 0, width, height))
    assert min(left, top) >= 0
    assert max(left + wide, top + high) <= size + 1e-6
    assert max(wide, high) == pytest.approx(size)


def test_the_same_file_is_mapped_again_and_not_made(drawn: Path, tmp_path: Path, made: list[int]) -> None:
    cache = tmp_path / "cache"
    first, again, alone = read(drawn, cache), read(drawn, cache), read(drawn)
    assert made == [9, 9], "once for the cache, once without one"
    assert same(first, again)
    assert same(first, alone)
    assert not first.rgb.pictures.flags.writeable
    assert first.rgb.pictures.base is not None, "mapped, not read"
    assert [each.suffix for each in cache.iterdir()] == [".rgb"]


def other_labels(root: Path) -> None:
    entries = labels_in(root)
    entries[0] = with_part(entries[0], 0, visible=0.5)
    put_labels(root, entries)


def other_picture(root: Path) -> None:
    file = root / "pictures/00003.png"
    os.utime(file, ns=(1, 1))


def other_index(root: Path) -> None:
    write_index(root, read_dataset(root).pictures[:-1])


@pytest.mark.parametrize("change", [other_labels, other_picture, other_index], ids=["labels", "picture", "index"])
def test_whatever_changes_in_the_folder_makes_the_file_anew(
    drawn: Path, tmp_path: Path, made: list[int], change: Callable[[Path], None]
) -> None:
    read(drawn, tmp_path / "cache")
    change(drawn)
    assert same(read(drawn, tmp_path / "cache"), read(drawn))
    assert len(made) == 3


def test_another_size_grey_or_version_makes_the_file_anew(
    drawn: Path, tmp_path: Path, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    read(drawn, cache)
    read(drawn, cache, crop={"size_px": 32})
    read(drawn, cache, crop={"size_px": SIZE, "table_grey": 9})
    as_it_is = table_cache.inspect.getsource
    monkeypatch.setattr(table_cache.inspect, "getsource", lambda module: as_it_is(module) + "# another")
    read(drawn, cache)
    assert len(made) == 4
    assert len(list(cache.iterdir())) == 4


def test_a_torn_or_damaged_file_is_made_anew_and_whole_again(drawn: Path, tmp_path: Path, made: list[int]) -> None:
    cache = tmp_path / "cache"
    fresh = read(drawn)
    read(drawn, cache)
    [file] = cache.iterdir()
    whole = file.read_bytes()

    def flipped(place: int) -> bytes:
        changed = bytearray(whole)
        changed[place] ^= 0x10
        return bytes(changed)

    damages = [b"", b"x", whole[:40], whole[:4096], whole[: len(whole) // 2], whole[:-1], whole + b"\0"]
    damages += [flipped(place) for place in (0, 20, 45, 52, 60, 5000, len(whole) - 30, len(whole) - 1)]
    before = len(made)
    for number, content in enumerate(damages, start=1):
        file.write_bytes(content)
        assert same(read(drawn, cache), fresh)
        assert len(made) == before + number
        assert file.read_bytes() == whole
    assert same(read(drawn, cache), fresh)
    assert len(made) == before + len(damages)


def test_a_disk_that_fills_up_is_said_and_leaves_no_half_a_file(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(TrainingRefused, match="pictures of tables cannot be kept there: No space left") as caught:
        read(drawn, tmp_path / "cache")
    assert "or none: it only saves time" in caught.value.remedy
    assert list((tmp_path / "cache").iterdir()) == []


def test_every_fold_finds_its_pictures_in_one_file(drawn: Path, tmp_path: Path, made: list[int]) -> None:
    pictures = read_dataset(drawn).pictures
    labels = read_table_labels(drawn, pictures)
    one, other = (
        read_tables(drawn, some, labels, a_recipe(), tmp_path / "cache", among=pictures)
        for some in (pictures[:5], pictures[5:])
    )
    assert made == [9]
    np.testing.assert_array_equal(np.concatenate([one.rgb[:5], other.rgb[:4]]), read(drawn).rgb[np.arange(9)])


def test_pictures_that_cannot_be_used_are_left_out_with_the_reason(drawn: Path, tmp_path: Path) -> None:
    (drawn / "pictures/00001.png").unlink()
    (drawn / "pictures/00002.png").write_bytes((drawn / "pictures/00003.png").read_bytes())
    entries = labels_in(drawn)
    entries[4] = replace(entries[4], width_px=97)
    put_labels(drawn, entries)
    for cache in (None, tmp_path / "cache", tmp_path / "cache"):
        tables = read(drawn, cache)
        reasons = {each.path[-9:-4]: each.reason for each in tables.left_out}
        assert set(reasons) == {"00001", "00002", "00004"}
        assert "No such file" in reasons["00001"]
        assert "SHA-256" in reasons["00002"]
        assert reasons["00004"] == "has 96×96 px, and 97×96 px in its labels"
        assert [each.path[-9:-4] for each in tables.pictures] == ["00000", "00003", *(f"0000{n}" for n in range(5, 9))]


def test_a_folder_of_which_nothing_can_be_used_is_refused(drawn: Path) -> None:
    for file in (drawn / "pictures").iterdir():
        file.write_bytes(b"x")
    with pytest.raises(TrainingRefused, match="none of 9 pictures can be used, such as pictures/00000"):
        read(drawn)


@pytest.mark.parametrize(
    ("change", "refused", "told"),
    [
        (lambda text: text[:100], DatasetRefused, "labels.json"),
        (lambda text: text.replace('"format":1', '"format":2'), DatasetRefused, "format"),
        (lambda text: text.replace('"visible":1.0', '"visible":0.0', 1), DatasetRefused, "pictures.0.parts.0.visible"),
        (lambda text: text.replace('"visible":1.0', '"visible":"a"', 1), DatasetRefused, "pictures.0.parts.0.visible"),
        (lambda text: text.replace('"box_px":[', '"box_px":[9', 1), DatasetRefused, "leaves pictures/00000.png"),
        (lambda text: text.replace("00001.png", "00000.png"), DatasetRefused, "stands twice"),
        (lambda text: text.replace("00001.png", "x.png"), TrainingRefused, "says nothing of pictures/00001.png"),
        (lambda text: text.replace('"disc"', '"cone"'), TrainingRefused, "the index says"),
    ],
)
def test_labels_that_cannot_be_are_refused_with_what_and_where(
    drawn: Path, change: Callable[[str], str], refused: type[SorterError], told: str
) -> None:
    file = drawn / "labels.json"
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(refused) as caught:
        read(drawn)
    assert told in caught.value.message
    assert str(file) in caught.value.message
    assert caught.value.remedy


def test_a_folder_without_labels_is_refused_with_what_makes_them(drawn: Path) -> None:
    (drawn / "labels.json").unlink()
    with pytest.raises(DatasetRefused, match=r"labels\.json: cannot be read: No such file") as caught:
        read(drawn)
    assert "sorter render" in caught.value.remedy


def test_a_class_named_several_is_refused(tmp_path: Path) -> None:
    write_drawn_tables(tmp_path, 3)
    for file in (tmp_path / "labels.json", tmp_path / "index.jsonl"):
        file.write_text(file.read_text(encoding="utf-8").replace('"disc"', '"several"'), encoding="utf-8")
    lines = [json.loads(line) for line in (tmp_path / "index.jsonl").read_text().splitlines()]
    text = "".join(
        json.dumps({**x, **({"classes": sorted(x["classes"])} if "classes" in x else {})}) + "\n" for x in lines
    )
    (tmp_path / "index.jsonl").write_text(text)
    with pytest.raises(TrainingRefused, match="has a class named 'several'"):
        read(tmp_path)


def test_too_few_tables_of_one_or_of_several_are_refused(drawn: Path) -> None:
    tables = read(drawn)
    check_tables(drawn, a_recipe(), tables)
    with pytest.raises(TrainingRefused, match=r"tables without several \(0\)"):
        check_tables(drawn, a_recipe(), tables.taken([1, 2, 4, 5, 7, 8]))
    with pytest.raises(TrainingRefused, match=r"several \(0\)"):
        check_tables(drawn, a_recipe(least_pictures=1), tables.taken([0, 3, 6]))


def test_parts_that_are_moved_out_are_not_there_any_more() -> None:
    shown = parts((0, 0.8, (0.0, 0.0, 10.0, 10.0)), (1, 1.0, (30.0, 30.0, 10.0, 10.0)))
    still = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(shown.moved(still, SIZE).visible, [0.8, 1.0])
    half = shown.moved(np.array([[1.0, 0.0, -5.0], [0.0, 1.0, 0.0]]), SIZE)
    np.testing.assert_allclose(half.visible, [0.4, 1.0], atol=1e-5)
    np.testing.assert_allclose(half.boxes_px, [[0, 0, 5, 10], [25, 30, 10, 10]])
    gone = shown.moved(np.array([[1.0, 0.0, -20.0], [0.0, 1.0, 0.0]]), SIZE)
    assert gone.visible.tolist() == [0.0, 1.0]
    assert visibility(gone, 3).tolist() == [0.0, 1.0, 0.0], "one part is left"


@settings(deadline=None, max_examples=60)
@given(st.floats(-3.2, 3.2), st.floats(-60, 60), st.floats(-60, 60), st.booleans())
def test_nothing_is_more_visible_after_it_was_moved(turn: float, x: float, y: float, is_mirrored: bool) -> None:
    shown = parts((0, 0.8, (0.0, 3.0, 10.0, 12.0)), (1, 1.0, (30.0, 30.0, 10.0, 10.0)))
    matrix = np.array([[np.cos(turn), -np.sin(turn), x], [np.sin(turn), np.cos(turn), y]])
    if is_mirrored:
        matrix = matrix @ np.array([[-1.0, 0.0, SIZE - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    moved = shown.moved(matrix, SIZE)
    assert ((moved.visible >= 0.0) & (moved.visible <= shown.visible + 1e-6)).all()
    assert (moved.boxes_px >= 0.0).all()
    assert (moved.boxes_px[:, :2] + moved.boxes_px[:, 2:] <= SIZE + 1e-3).all()


CHANGING = AugmentationRecipe(shift=0.3, rotation_deg=180.0, scale=0.2, mirror_share=0.5, brightness=0.2, noise=3.0)


def test_batches_depend_on_seed_epoch_and_place_alone(drawn: Path, tmp_path: Path) -> None:
    recipe = a_recipe(augmentation=CHANGING.model_dump())

    def some(seed: int, epoch: int, first: int = 0, cache: Path | None = None) -> list[tuple[bytes, list[list[float]]]]:
        tables = read(drawn, cache)
        batches = Batches(tables, tables.targets, recipe, (seed, 0))
        return [(each.rgb.tobytes(), each.targets.tolist()) for each in batches.epoch(epoch, first)]

    assert some(1, 0) == some(1, 0, cache=tmp_path / "cache") == some(1, 0, cache=tmp_path / "cache")
    assert some(1, 0, first=2) == some(1, 0)[2:]
    assert some(1, 0) != some(1, 1)
    assert some(1, 0) != some(2, 0)


def test_targets_follow_what_augmentation_moves_out(drawn: Path) -> None:
    tables = read(drawn)
    still = Batches(tables, tables.targets, a_recipe(), (1, 0))
    assert {tuple(row) for each in still.epoch(0) for row in each.targets.tolist()} == {
        tuple(row) for row in tables.targets.tolist()
    }
    far = a_recipe(augmentation={"shift": 0.5})
    moved = np.concatenate(
        [each.targets for n in range(8) for each in Batches(tables, tables.targets, far, (1, 0)).epoch(n)]
    )
    assert moved.dtype == np.float32
    assert (moved == UNDECIDED).any()
    assert (moved[:, -1] == 1.0).mean() < (tables.targets[:, -1] == 1.0).mean()


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 40), st.integers(2, 5), st.integers(0, 99))
def test_tables_are_cut_into_folds_each_picture_once(count: int, folds: int, seed: int) -> None:
    pictures = [Picture(f"{number}.png", "", "a") for number in range(count)]
    if count < folds:
        with pytest.raises(TrainingRefused, match=f"{count} pictures cannot be cut into {folds}"):
            table_split(pictures, folds, seed)
        return
    made = table_split(pictures, folds, seed)
    assert sorted(path for fold in made.held_out for path in fold) == sorted(each.path for each in pictures)
    assert max(map(len, made.held_out)) - min(map(len, made.held_out)) <= 1
    assert made == table_split(pictures[::-1], folds, seed)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"loss": "categorical"}, "a table may show several classes"),
        ({"crop": {"window_mm": 50.0}}, "crop.window_mm: is for single parts"),
        ({"balance": 0.5}, "balance: is for single parts"),
        ({"rendered_share": 0.5}, "rendered_share: is for single parts"),
        ({"label_smoothing": 0.1}, "label_smoothing: is for single parts"),
        (
            {"augmentation": {"recolour_share": 0.5, "hue_deg": 3.0}},
            "augmentation.recolour_share, augmentation.hue_deg",
        ),
    ],
)
def test_a_recipe_for_tables_with_what_only_single_parts_have_is_refused(more: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        a_recipe(**more)
