"""The inner split: which of the training pictures each inner network does without."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from sorter.dataset import Dataset, DatasetRefused, make_split
from sorter.training.errors import TrainingRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.dataset import Picture

By = Literal["brick", "revolution", "random"]


@dataclass(frozen=True)
class InnerSplit:
    """What is held out of each inner network.

    Args:
        by: what stays whole; bricks, or what comes nearest to them.
        held_out: for each network the paths.
        notes: what a reader of scores has to know.
    """

    by: By
    held_out: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def inner_split(dataset: Dataset, pictures: Sequence[Picture], folds: int, seed: int) -> InnerSplit:
    """Cut training pictures by brick; by revolution where there are too few bricks, by picture where nothing is known.

    Each step down is told in the notes: what is measured on bricks that were seen is too good.

    Raises:
        TrainingRefused: there are not even pictures enough.
    """
    part = replace(dataset, pictures=tuple(pictures))
    notes: list[str] = []
    for by in get_args(By):
        try:
            split = make_split(part, by, folds, seed=seed)
        except DatasetRefused as error:
            notes.append(f"no inner split by {by}: {error.message}")
            continue
        can_be_held_out = set(part.classes) - set(split.never_held_out)
        if len(can_be_held_out) < 2 and by != "random":  # nothing taken wrongly for the one class could be counted
            notes.append(f"no inner split by {by}: {', '.join(can_be_held_out)} alone could be held out")
            continue
        if by != "brick":
            notes.append(
                f"calibration and thresholds come from held-out {'pictures' if by == 'random' else 'revolutions'} of "
                "bricks that were seen in training: they are too good for bricks that were not"
            )
        if split.left_out:
            notes.append(
                f"{len(split.left_out)} pictures of no known {by}, such as {split.left_out[0]}, are trained on inside: "
                f"where they show a {by} that is held out, what is measured on it is too good"
            )
        if split.never_held_out:
            notes.append(f"never held out inside, for want of a second {by}: {', '.join(split.never_held_out)}")
        return InnerSplit(by, tuple(fold.held_out for fold in split.folds), tuple(notes))
    raise TrainingRefused(
        f"{len(pictures)} pictures cannot be cut into {folds} inner folds: {notes[-1]}",
        remedy="Take more pictures, or set inner_folds lower in the recipe.",
    )


def table_split(pictures: Sequence[Picture], folds: int, seed: int) -> InnerSplit:
    """Cut pictures of whole tables at random: each is a scene of its own, and shows bricks of its own.

    Raises:
        TrainingRefused: there are fewer than folds.
    """
    if len(pictures) < folds:
        raise TrainingRefused(
            f"{len(pictures)} pictures cannot be cut into {folds} inner folds",
            remedy="Render more pictures, or set inner_folds lower in the recipe.",
        )
    paths = sorted(each.path for each in pictures)
    order = np.random.default_rng(seed).permutation(len(paths))
    held_out = tuple(tuple(sorted(paths[place] for place in order[fold::folds])) for fold in range(folds))
    return InnerSplit("random", held_out, ("held out inside are whole pictures of tables, at random",))
