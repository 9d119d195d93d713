"""Which pictures a model is scored on: all of a dataset, or what one fold of a split holds out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.dataset import DatasetRefused, read_split
from sorter.training.scores import brick_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sorter.dataset import Dataset, Picture, Split


@dataclass(frozen=True)
class FoldUsed:
    """The fold whose held-out pictures are scored.

    Args:
        file: of the split.
        by: what the split keeps whole.
        fold: counted from 1.
        folds: how many there are.
        notes: of the split, and what it leaks.
    """

    file: str
    by: str
    fold: int
    folds: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """Pictures to be scored, in the dataset's order, and the fold that they are of, if any."""

    pictures: tuple[Picture, ...]
    fold: FoldUsed | None = None


def held_out(dataset: Dataset, file: Path, fold: int | None = None, training_bricks: Collection[str] = ()) -> Chosen:
    """What a fold (from 1) of the split in ``file`` holds out; a model belongs to one fold.

    Args:
        dataset: that was split.
        file: from ``sorter dataset split``.
        fold: must be there if the split has several, because a model was trained on what the others hold out.
        training_bricks: of the model's card; only to say which fold fits if none is named.

    Raises:
        DatasetRefused: the split is none, or of another dataset, or has no such fold.
    """
    split = read_split(file, dataset)
    _check_paths(split, dataset, file)
    count = len(split.folds)
    if fold is None and count != 1:
        fitting = _fitting(split, dataset, training_bricks)
        hint = f" The model was trained on none of what fold {fitting[0]} holds out." if len(fitting) == 1 else ""
        raise DatasetRefused(
            file,
            f"has {count} folds, and a model belongs to one of them",
            remedy=f"Name the one that the model was trained without: --fold 1 to --fold {count}.{hint}",
        )
    number = 1 if fold is None else fold
    if not 1 <= number <= count:
        raise DatasetRefused(file, f"has {count} folds, no fold {number}", remedy=f"Name one from 1 to {count}.")
    return Chosen(
        split.held_out(dataset, number - 1),
        FoldUsed(str(file), split.by, number, count, (*split.notes, *(f"leak: {each}" for each in split.leaks))),
    )


def _check_paths(split: Split, dataset: Dataset, file: Path) -> None:
    """A split over inferred groups has no hash that could be compared, but its pictures must be there."""
    there = {each.path for each in dataset.pictures}
    missing = [path for fold in split.folds for path in fold.held_out if path not in there]
    if missing:
        raise DatasetRefused(
            file,
            f"holds out {len(missing)} pictures that {dataset.root} does not have, such as {missing[0]}",
            remedy="Name the dataset that was split, or make the split anew with sorter dataset split.",
        )


def _fitting(split: Split, dataset: Dataset, training_bricks: Collection[str]) -> list[int]:
    """Folds (from 1) that hold out nothing that was trained on; none where nobody knows what was."""
    trained = set(training_bricks)
    if not trained:
        return []
    return [
        number + 1
        for number in range(len(split.folds))
        if not trained & {brick_of(each) for each in split.held_out(dataset, number)}
    ]
