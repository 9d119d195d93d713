"""Calibration stands on what inner networks never saw: no brick on both sides, and every exception is said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.training.errors import TrainingRefused
from sorter.training.inner import InnerSplit, inner_split
from tests.unit.sorter.dataset.pictures import invented

if TYPE_CHECKING:
    from sorter.dataset import Dataset

ROOT = Path("set")


def split(dataset: Dataset, folds: int = 2, seed: int = 1) -> InnerSplit:
    return inner_split(dataset, dataset.pictures, folds, seed)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    groups = []
    for name in ("3001", "3002", "3003")[: draw(st.integers(1, 3))]:
        for brick in range(draw(st.integers(1, 5))):
            turns = range(draw(st.integers(1, 2)))
            groups += [(name, f"{name}-{brick}", f"{name}-{brick}-{turn}", draw(st.integers(1, 4))) for turn in turns]
    return invented(ROOT, groups, is_brick_known=draw(st.booleans()))


@settings(deadline=None, max_examples=60)
@given(datasets(), st.integers(2, 4), st.integers(0, 1000))
def test_whatever_is_held_out_is_whole_and_held_out_once_and_leaves_something_to_train_on(
    dataset: Dataset, folds: int, seed: int
) -> None:
    sizes = Counter(each.class_name for each in dataset.pictures)
    if sum(count for count in sizes.values() if count > 1) < folds:
        with pytest.raises(TrainingRefused, match=f"{len(dataset.pictures)} pictures cannot be cut into {folds}"):
            inner_split(dataset, dataset.pictures, folds, seed)
        return
    made = inner_split(dataset, dataset.pictures, folds, seed)
    held = Counter(path for fold in made.held_out for path in fold)
    assert len(made.held_out) == folds
    assert all(made.held_out)
    assert set(held.values()) == {1}
    assert set(held) <= {each.path for each in dataset.pictures}
    for fold in made.held_out:
        out = [each for each in dataset.pictures if each.path in set(fold)]
        rest = [each for each in dataset.pictures if each.path not in set(fold)]
        assert {each.class_name for each in out} <= {each.class_name for each in rest}, (
            "nobody can know an unseen class"
        )
        if made.by != "random":
            assert not {getattr(each, made.by) for each in out} & {getattr(each, made.by) for each in rest}
    if made.by != "brick":
        assert any("too good for bricks that were not" in note for note in made.notes)
    never = set(dataset.classes) - {each.class_name for each in dataset.pictures if each.path in held}
    assert all(any("never held out inside" in note and name in note for note in made.notes) for name in never)
    assert inner_split(dataset, dataset.pictures[::-1], folds, seed) == made, "a run that goes on is the same run"


def test_bricks_stay_whole_and_nothing_has_to_be_said() -> None:
    made = split(invented(ROOT, [(name, f"{name}{brick}", f"{name}{brick}-{turn}", 3)
                                 for name in "ab" for brick in range(4) for turn in range(2)]), 3)  # fmt: skip
    assert made.by == "brick"
    assert made.notes == ()
    assert sum(map(len, made.held_out)) == 48


def test_one_brick_of_each_class_falls_back_to_its_revolutions_and_says_so() -> None:
    dataset = invented(ROOT, [(name, name, f"{name}-{turn}", 3) for name in "ab" for turn in range(3)])
    made = split(dataset)
    assert made.by == "revolution"
    assert "no inner split by brick" in made.notes[0]
    assert "held-out revolutions of bricks that were seen in training" in made.notes[1]


def test_one_revolution_of_each_class_falls_back_to_pictures_and_says_so() -> None:
    made = split(invented(ROOT, [(name, name, name, 4) for name in "ab"]))
    assert made.by == "random"
    assert ["no inner split by brick" in made.notes[0], "no inner split by revolution" in made.notes[1]] == [True, True]
    assert "held-out pictures of bricks that were seen in training" in made.notes[2]


def test_bricks_that_nobody_knows_fall_back_to_revolutions() -> None:
    dataset = invented(
        ROOT, [(name, "", f"{name}{turn}", 3) for name in "ab" for turn in range(4)], is_brick_known=False
    )
    made = split(dataset)
    assert made.by == "revolution"
    assert "nobody knows which brick" in made.notes[0]


def test_a_class_of_one_brick_beside_others_is_always_trained_on_and_named() -> None:
    bricks = ("a1", "a2", "b1", "b2", "c1")
    made = split(invented(ROOT, [(brick[0], brick, brick, 3) for brick in bricks]))
    assert made.by == "brick"
    assert {path[0] for fold in made.held_out for path in fold} == {"a", "b"}
    assert made.notes == ("never held out inside, for want of a second brick: c",)


def test_one_class_alone_held_out_would_show_no_mistakes_the_other_way() -> None:
    """What is wrongly taken for it could never be counted, and a card would promise too much."""
    turns = [("a", "a1", "a1", 3), ("a", "a2", "a2", 3), ("b", "b1", "b1-1", 3), ("b", "b1", "b1-2", 3)]
    made = split(invented(ROOT, turns))
    assert made.by == "revolution"
    assert "a alone could be held out" in made.notes[0]
    assert {path[0] for fold in made.held_out for path in fold} == {"a", "b"}


def test_pictures_of_no_known_brick_are_trained_on_and_that_is_said() -> None:
    """They may show a brick that is held out: then it is no unseen brick any more."""
    dataset = invented(ROOT, [(brick[0], brick, brick, 3) for brick in ("a1", "a2", "a3", "b1", "b2")])
    lost = dataset.pictures[0].path
    pictures = tuple(
        replace(each, brick=None, revolution=None) if each.path == lost else each for each in dataset.pictures
    )
    made = split(replace(dataset, pictures=pictures))
    assert lost not in {path for fold in made.held_out for path in fold}
    assert any("1 pictures of no known brick" in note and lost in note and "too good" in note for note in made.notes)


def test_only_pictures_that_are_trained_on_are_held_out() -> None:
    """The others stand in the outer fold, or could not be used."""
    dataset = invented(ROOT, [("a", f"a{brick}", f"a{brick}", 3) for brick in range(6)])
    some = [each for each in dataset.pictures if each.brick not in ("a0", "a1")]
    made = inner_split(dataset, some, 2, 1)
    assert {path for fold in made.held_out for path in fold} == {each.path for each in some}


def test_another_seed_holds_out_other_bricks() -> None:
    dataset = invented(ROOT, [("a", f"a{brick}", f"a{brick}", 2) for brick in range(12)])
    assert len({split(dataset, 3, seed).held_out for seed in range(5)}) > 1


def test_too_few_pictures_are_refused_with_what_to_do() -> None:
    with pytest.raises(TrainingRefused, match="2 pictures cannot be cut into 3 inner folds") as caught:
        split(invented(ROOT, [("a", "a", "a", 2)]), 3)
    assert "inner_folds lower" in caught.value.remedy
