"""Which rendered pictures may be mixed in: they are never held out, so none may be a picture that is.

Pictures of class ``other`` show parts of no class. With them a network learns to say so, which its own classes alone do
not teach it: what it has never seen looks to it like what is nearest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.classify.card import OTHER
from sorter.training.errors import TrainingRefused
from sorter.training.labels import classes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.dataset import Dataset, Picture
    from sorter.training.labels import Loss
    from sorter.training.recipe import Recipe


def usable_rendered(
    rendered: Dataset, dataset: Dataset, labels: Sequence[str], loss: Loss
) -> tuple[list[Picture], list[str]]:
    """Rendered pictures of the trained classes, and notes on those that are not used.

    Left out are copies of pictures of the dataset, which a network would otherwise see although they are held out of
    it, and pictures of several classes where the loss takes one.

    Args:
        rendered: the folder of rendered pictures.
        dataset: all that is trained on or held out.
        labels: that are trained.
        loss: that fits the dataset.

    Raises:
        TrainingRefused: none is left.
    """
    real = {each.sha256 for each in dataset.pictures}
    usable, copies = [], 0
    for each in rendered.pictures:
        names = classes_of(each)
        if not {*names} <= {*labels} or (loss == "categorical" and len(names) != 1):
            continue
        if each.sha256 in real:
            copies += 1
        else:
            usable.append(each)
    if not usable:
        also = f", but {copies} that are in {dataset.root} too" if copies else ""
        raise TrainingRefused(
            f"{rendered.root} has no picture of {', '.join(labels)}{also}",
            remedy="Render the classes that are trained.",
        )
    notes = []
    if copies:
        notes.append(f"{rendered.root}: {copies} pictures are in {dataset.root} too, and are not mixed in")
    strange = len(rendered.pictures) - len(usable) - copies
    if strange:
        notes.append(f"{rendered.root}: {strange} pictures of classes that are not trained are not used")
    return usable, notes


def with_other(rendered: Dataset, labels: Sequence[str], loss: Loss, recipe: Recipe) -> tuple[str, ...]:
    """The labels, and ``other`` among them if the recipe mixes in parts of no class and there are some."""
    shows_others = any(each.class_name == OTHER for each in rendered.pictures)
    if recipe.other_share and loss == "categorical" and shows_others:
        return tuple(sorted({*labels, OTHER}))
    return tuple(labels)
