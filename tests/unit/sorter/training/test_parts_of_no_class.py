"""Rendered parts of no class: they become a label, have their share, and never count as a class of the rig's."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sorter.classify import load_model
from sorter.classify.card import OTHER
from sorter.dataset import read_dataset, write_index
from sorter.training.export import export
from sorter.training.recipe import Recipe, read_recipe
from sorter.training.rendered import with_other
from sorter.training.start import Wish, resume, start
from tests.drawn_dataset import write_drawn_dataset
from tests.unit.sorter.training.test_runs_that_go_wrong import Listener

if TYPE_CHECKING:
    from pathlib import Path

SHARES = {"rendered_share": 0.25, "other_share": 0.25}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photographs")
    write_drawn_dataset(root, shapes=("bar", "disc"), colours=("red", "blue", "yellow"), views=8)
    return root


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two classes, and a third shape that is of no class."""
    root = tmp_path_factory.mktemp("rendered")
    pictures = write_drawn_dataset(root, shapes=("bar", "disc", "square"), colours=("green",), views=8, seed=9)
    write_index(
        root,
        [
            replace(each, source="render", class_name=OTHER if each.class_name == "square" else each.class_name)
            for each in pictures
        ],
    )
    return root


def small(**changes: object) -> Recipe:
    tiny = read_recipe("tiny")
    phases = tuple(phase.model_copy(update={"epochs": 1}) for phase in tiny.phases)
    return tiny.model_copy(update={"phases": phases, "inner_folds": 2, "patience": None, **SHARES, **changes})


def test_they_become_a_label_where_the_recipe_wants_them(data: Path, rendered: Path) -> None:
    others = read_dataset(rendered)
    assert with_other(others, ("bar", "disc"), "categorical", small()) == ("bar", "disc", OTHER)
    assert with_other(others, ("bar", "disc"), "categorical", small(other_share=0.0)) == ("bar", "disc")
    assert with_other(others, ("bar", "disc"), "sigmoid", small()) == ("bar", "disc")
    assert with_other(read_dataset(data), ("bar", "disc"), "categorical", small()) == ("bar", "disc")


def test_a_run_gone_on_with_has_the_same_label_and_pictures(data: Path, rendered: Path, tmp_path: Path) -> None:
    begun = start(Wish(data, tmp_path / "run", small(), rendered=rendered), Listener())
    assert begun.record.labels == ("bar", "disc", OTHER)
    again = resume(tmp_path / "run", Listener())
    assert again.record.labels == begun.record.labels
    assert begun.rendered is not None
    assert again.rendered is not None
    assert [each.path for each in again.rendered.pictures] == [each.path for each in begun.rendered.pictures]
    assert sum(each.class_name == OTHER for each in again.rendered.pictures) == 8


def test_without_a_folder_the_recipe_says_what_it_lacks(data: Path, tmp_path: Path) -> None:
    listener = Listener()
    begun = start(Wish(data, tmp_path / "run", small()), listener)
    assert begun.record.labels == ("bar", "disc")
    assert any("mixes in 50% of rendered pictures, none given" in notice for notice in listener.notices)


@pytest.mark.timeout(180)
def test_the_exported_model_has_the_label_and_no_brick_of_it(data: Path, rendered: Path, tmp_path: Path) -> None:
    run = start(Wish(data, tmp_path / "run", small(), rendered=rendered), Listener())
    run.train(Listener(), threading.Event())
    scores = run.scores("inner-1", "int8")
    assert scores.labels == ("bar", "disc", OTHER)
    assert set(scores.class_names) == {"bar", "disc"}, "nothing rendered is held out"
    export(run, tmp_path / "model", Listener(), is_int8_drop_allowed=True)
    assert load_model(tmp_path / "model").card.labels == ("bar", "disc", OTHER)
    readme = (tmp_path / "model" / "README.md").read_text()
    assert "2 classes of parts: bar, disc. It says `other`" in readme
    assert "with 16 rendered pictures of its classes, 8 of parts of no class" in readme
