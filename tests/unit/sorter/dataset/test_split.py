"""Splits: whoever trusts a score must be able to trust what it was measured on."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.dataset import Dataset, DatasetRefused, SplitLeaks, colour_folds, leaks, make_split, read_split, write_split
from sorter.dataset.likeness import Pair
from sorter.dataset.reading import with_copies
from tests.unit.sorter.dataset.pictures import invented

ROOT = Path("set")


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    groups = []
    for name in ("3001", "3002", "3003")[: draw(st.integers(1, 3))]:
        for brick in range(draw(st.integers(3, 5))):
            turns = range(draw(st.integers(1, 2)))
            groups += [(name, f"{name}-{brick}", f"{name}-{brick}-{turn}", draw(st.integers(1, 6))) for turn in turns]
    return invented(ROOT, groups)


ways = st.sampled_from(("brick", "revolution", "random"))


@given(datasets(), ways, st.integers(2, 3), st.integers(0, 1000))
def test_every_picture_is_held_out_once_and_trained_on_otherwise(
    dataset: Dataset, by: str, folds: int, seed: int
) -> None:
    split = make_split(dataset, by, folds, seed=seed)  # type: ignore[arg-type]
    held = Counter(path for fold in split.folds for path in fold.held_out)
    assert held == Counter(each.path for each in dataset.pictures)
    for fold in range(folds):
        assert {*split.training(dataset, fold), *split.held_out(dataset, fold)} == set(dataset.pictures)
        assert split.training(dataset, fold)


@given(datasets(), st.sampled_from(("brick", "revolution")), st.integers(2, 3), st.integers(0, 1000))
def test_no_brick_and_no_revolution_stands_on_both_sides(dataset: Dataset, by: str, folds: int, seed: int) -> None:
    split = make_split(dataset, by, folds, seed=seed)  # type: ignore[arg-type]
    assert leaks(split, dataset) == ()
    for fold in range(folds):
        held = {getattr(each, by) for each in split.held_out(dataset, fold)}
        assert not held & {getattr(each, by) for each in split.training(dataset, fold)}


@given(datasets(), ways, st.integers(2, 3), st.integers(0, 1000))
def test_classes_are_spread_as_evenly_as_their_groups_allow(dataset: Dataset, by: str, folds: int, seed: int) -> None:
    split = make_split(dataset, by, folds, seed=seed)  # type: ignore[arg-type]
    for name in dataset.classes:
        own = [each for each in dataset.pictures if each.class_name == name]
        largest = 1 if by == "random" else max(Counter(getattr(each, by) for each in own).values())
        counts = [sum(each.class_name == name for each in split.held_out(dataset, fold)) for fold in range(folds)]
        assert max(counts) - min(counts) <= largest


@given(datasets(), ways, st.integers(0, 1000))
def test_the_same_pictures_are_split_the_same_way_everywhere(dataset: Dataset, by: str, seed: int) -> None:
    shuffled = replace(dataset, pictures=dataset.pictures[::-1])
    one, other = (make_split(each, by, 2, seed=seed) for each in (dataset, shuffled))  # type: ignore[arg-type]
    assert one == other


def test_another_seed_gives_another_split() -> None:
    dataset = invented(ROOT, [("3001", f"b{brick}", f"r{brick}", 3) for brick in range(12)])
    assert len({make_split(dataset, "brick", 3, seed=seed).folds for seed in range(5)}) > 1


def test_a_class_of_one_brick_is_never_held_out_and_that_is_said() -> None:
    dataset = invented(ROOT, [("3001", "a", "a1", 3), ("3001", "b", "b1", 3), ("3039", "c", "c1", 3)])
    split = make_split(dataset, "brick", 2)
    assert split.never_held_out == ("3039",)
    assert "never held out" in split.notes[0]
    assert all("3039" in {each.class_name for each in split.training(dataset, fold)} for fold in range(2))


def test_a_copy_in_another_brick_keeps_both_on_one_side() -> None:
    dataset = invented(ROOT, [("3001", brick, brick, 3) for brick in "abcd"])
    first = dataset.pictures[0]
    pictures = [
        replace(each, sha256=first.sha256) if each.path == "3001/c/1.png" else each for each in dataset.pictures
    ]
    copied = replace(dataset, pictures=tuple(with_copies(pictures)))
    for seed in range(8):
        assert leaks(make_split(copied, "brick", 2, seed=seed), copied) == ()


def test_pictures_of_no_known_group_are_on_neither_side() -> None:
    dataset = invented(ROOT, [("3001", brick, brick, 3) for brick in "abc"])
    lost = dataset.pictures[0].path
    pictures = tuple(
        replace(each, brick=None, revolution=None) if each.path == lost else each for each in dataset.pictures
    )
    split = make_split(replace(dataset, pictures=pictures), "brick", 2, unreadable=[dataset.pictures[-1].path])
    assert split.left_out == (lost, dataset.pictures[-1].path)
    assert all(lost not in {each.path for each in split.training(dataset, fold)} for fold in range(2))


def test_more_folds_than_bricks_are_refused() -> None:
    dataset = invented(ROOT, [("3001", "a", "a1", 3), ("3001", "b", "b1", 3)])
    with pytest.raises(DatasetRefused, match="do not fill 3 folds by brick"):
        make_split(dataset, "brick", 3)
    with pytest.raises(ValueError, match="2 folds or more"):
        make_split(dataset, "brick", 1)


def test_bricks_that_nobody_knows_are_not_made_up() -> None:
    dataset = invented(ROOT, [("3001", "a", "a1", 3), ("3001", "b", "b1", 3)], is_brick_known=False)
    with pytest.raises(DatasetRefused, match="nobody knows which brick"):
        make_split(dataset, "brick", 2)
    assert len(make_split(dataset, "revolution", 2).folds) == 2


def test_a_random_split_of_a_turntable_is_refused_and_each_leak_is_named(tmp_path: Path) -> None:
    dataset = invented(tmp_path, [("3001", "a", "a1", 9), ("3002", "b", "b1", 9)])
    first, second = (dataset.pictures[place].path for place in (0, 1))
    pictures = tuple(
        with_copies(
            [
                replace(each, sha256=dataset.pictures[0].sha256) if place < 9 else each
                for place, each in enumerate(dataset.pictures)
            ]
        )
    )
    dataset = replace(dataset, pictures=pictures)
    split = make_split(dataset, "random", 9)
    file = tmp_path / "split.json"
    with pytest.raises(SplitLeaks) as refused:
        write_split(file, split, dataset, [Pair(first, second, 0.1)])
    for what in ("exact copies", "near copies", "revolutions", "bricks"):
        assert any(what in each for each in refused.value.leaks), what
    assert "(a1)" in str(refused.value)
    assert list(tmp_path.iterdir()) == []

    write_split(file, split, dataset, is_leak_allowed=True)
    assert json.loads(file.read_text())["leaks"]


def test_a_split_is_read_as_it_was_written_and_only_for_its_dataset(tmp_path: Path) -> None:
    dataset = invented(tmp_path, [("3001", brick, brick, 2) for brick in "abcd"])
    file = tmp_path / "split.json"
    written = write_split(file, make_split(dataset, "brick", 2), dataset)
    assert read_split(file, dataset) == written
    with pytest.raises(DatasetRefused, match="another state of the dataset"):
        read_split(file, replace(dataset, pictures=dataset.pictures[1:]))
    for text in ("{", "[]", '{"format": 2}', '{"format": 1}'):
        file.write_text(text)
        with pytest.raises(DatasetRefused, match=r"split\.json"):
            read_split(file, dataset)
    with pytest.raises(DatasetRefused, match="cannot be written"):
        write_split(tmp_path / "none" / "split.json", written, dataset)


def test_each_fold_by_colour_holds_out_the_next_colour_of_each_class() -> None:
    dataset = invented(
        ROOT, [("3001", "a", "a1", 2), ("3001", "b", "b1", 2), ("3001", "c", "c1", 2), ("3039", "d", "d1", 2)]
    )
    colours = {"a": "red", "b": "brown", "c": "gray", "d": "red"}
    dataset = replace(
        dataset, pictures=tuple(replace(each, colour=colours[each.brick or ""]) for each in dataset.pictures)
    )
    split = colour_folds(dataset)
    assert [fold.groups for fold in split.folds] == [("3001-brown",), ("3001-gray",), ("3001-red",)]
    assert split.never_held_out == ("3039",)
    with pytest.raises(DatasetRefused, match="no class has pictures of two colours"):
        colour_folds(replace(dataset, pictures=dataset.pictures[-2:]))
