"""What is refused before a single step: nothing to tell apart, too few pictures, what no card could say at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from sorter.classify.card import Label, ModelName
from sorter.training.errors import TrainingRefused
from sorter.training.labels import classes_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sorter.dataset import Picture
    from sorter.training.recipe import Recipe


def check_enough(data: Path, recipe: Recipe, pictures: Sequence[Picture], labels: Sequence[str]) -> None:
    """Refuse a single class, and classes of too few pictures.

    Raises:
        TrainingRefused: with what there is.
    """
    if len(labels) < 2:
        there = f"one class only, {labels[0]}" if labels else "no class"
        raise TrainingRefused(
            f"{data}: there is {there}: nothing to tell apart",
            remedy="Add pictures of another class, each class in a folder of its own.",
        )
    counts = {name: sum(name in classes_of(each) for each in pictures) for name in labels}
    few = [f"{name} ({count})" for name, count in counts.items() if count < recipe.least_pictures]
    if few:
        raise TrainingRefused(
            f"{data}: too few usable pictures of {', '.join(few)}; the recipe asks for "
            f"{recipe.least_pictures} of each class",
            remedy="Take more pictures, leave the class out with --without, or lower least_pictures in the recipe.",
        )


def check_name(name: str) -> None:
    """Refuse a model's name that no card may have.

    Raises:
        TrainingRefused: with what a name is.
    """
    if not _fits(ModelName, name):
        raise TrainingRefused(
            f"{name!r} cannot be the name of a model",
            remedy="Take 1 to 64 of the letters A to Z and a to z, digits, '.', '_' and '-'; first a letter or digit.",
        )


def check_labels(labels: Sequence[str]) -> None:
    """Refuse names of classes that no card may have.

    Raises:
        TrainingRefused: with those that do not fit.
    """
    unfit = [repr(each) for each in labels if not _fits(Label, each)]
    if unfit:
        raise TrainingRefused(
            f"no model can have a class of the name {' or '.join(unfit)}",
            remedy="Give it a name of 1 to 64 characters on one line, without spaces around it, or leave it out with "
            "--without.",
        )


def _fits(kind: Any, text: str) -> bool:
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True
