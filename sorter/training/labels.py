"""Targets and the loss that fits them.

One class a picture makes integer targets and sparse categorical cross-entropy over a softmax. Several classes a
picture (a line of the index with ``classes``) make a 0 or 1 for each class and binary cross-entropy over a sigmoid
each. The two must not be mixed: with one class of ten a picture, "none of them" is right in nine of ten places, and a
network that learnt nothing shows 90 % binary accuracy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from sorter.training.errors import LossRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sorter.dataset import Picture

Loss = Literal["categorical", "sigmoid"]
SEVERAL_KEY = "classes"
"""Of a picture's line in the index: a list of all classes that it shows, where that is not just one."""


def classes_of(picture: Picture) -> tuple[str, ...]:
    """What the picture shows.

    Raises:
        LossRefused: its ``classes`` are no list of names.
    """
    listed = picture.extra.get(SEVERAL_KEY)
    if listed is None:
        return (picture.class_name,)
    if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
        raise LossRefused(
            f"{picture.path}: {SEVERAL_KEY} is {listed!r}, must be a list of names",
            remedy="Mend its line in index.jsonl.",
        )
    return tuple(sorted(set(listed)))


def labels_of(pictures: Iterable[Picture]) -> tuple[str, ...]:
    """All classes that are shown, in order."""
    return tuple(sorted({name for each in pictures for name in classes_of(each)}))


def fitting_loss(pictures: Iterable[Picture], wanted: Literal["auto", "categorical", "sigmoid"]) -> Loss:
    """The loss for these pictures.

    Raises:
        LossRefused: another one was asked for; the message says why it does not fit.
    """
    has_several = next((each for each in pictures if len(classes_of(each)) != 1), None)
    fitting: Loss = "categorical" if has_several is None else "sigmoid"
    if wanted in ("auto", fitting):
        return fitting
    if wanted == "sigmoid":
        raise LossRefused(
            'the recipe asks for loss = "sigmoid" (binary cross-entropy for each class), but each picture has exactly '
            "one class: nearly all of its targets would be 0, and a network that learnt nothing would show an accuracy "
            "close to 100 %",
            remedy='Write loss = "categorical" or "auto".',
        )
    assert has_several is not None
    raise LossRefused(
        f'the recipe asks for loss = "categorical", but {has_several.path} shows {len(classes_of(has_several))} '
        "classes: a softmax can name only one",
        remedy='Write loss = "sigmoid" or "auto", or leave such pictures out.',
    )


def targets_of(
    pictures: Sequence[Picture], labels: Sequence[str], loss: Loss
) -> NDArray[np.float32] | NDArray[np.int64]:
    """n int64 for categorical, n×c float32 of 0 and 1 for sigmoid; classes that are none of ``labels`` are left out.

    Raises:
        ValueError: a categorical picture's class is none of the labels.
    """
    number = {name: place for place, name in enumerate(labels)}
    if loss == "categorical":
        unknown = sorted(set(labels_of(pictures)) - number.keys())
        if unknown:
            raise ValueError(f"no label for {', '.join(unknown)}")
        return np.array([number[classes_of(each)[0]] for each in pictures], dtype=np.int64)
    targets = np.zeros((len(pictures), len(labels)), np.float32)
    for row, each in enumerate(pictures):
        for name in classes_of(each):
            if name in number:
                targets[row, number[name]] = 1.0
    return targets


def check_targets(targets: NDArray[np.generic], loss: Loss, class_count: int) -> None:
    """Refuse targets that are not those of the loss, before a single step.

    Raises:
        LossRefused: the classic trap, one-hot targets with a loss for each class or numbers with it, or the reverse.
    """
    if loss == "categorical":
        is_fitting = targets.ndim == 1 and np.issubdtype(targets.dtype, np.integer)
        is_fitting = is_fitting and bool(np.all((targets >= 0) & (targets < class_count)))  # type: ignore[operator]
        needed = f"one whole number from 0 to {class_count - 1} a picture"
    else:
        is_fitting = targets.shape[1:] == (class_count,) and bool(np.isin(targets, (0, 1)).all())
        needed = f"{class_count} numbers of 0 or 1 a picture"
        if is_fitting and len(targets) and bool((targets.sum(axis=1) == 1).all()):
            raise LossRefused(
                "targets are one-hot (exactly one class a picture), and binary cross-entropy would score each class "
                f"alone: naming none is right in {1 - 1 / class_count:.0%} of all places",
                remedy='Use loss = "categorical".',
            )
    if not is_fitting:
        raise LossRefused(
            f"{loss} loss needs {needed}, got targets of shape {targets.shape} and type {targets.dtype}",
            remedy='Use loss = "auto", which takes what fits.',
        )
