"""What a network said of pictures whose class is known: the one value that calibration and evaluation work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.dataset import Picture

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

UNKNOWN = -1
"""Target of a picture whose class is none of the network's."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Logits of n pictures for c classes.

    Args:
        labels: names of the c classes.
        logits: n×c float64, before any temperature.
        targets: n int64, index into ``labels``, or UNKNOWN.
        class_names: n true classes, also of those that are UNKNOWN.
        paths: n, as in the dataset.
        bricks: n; where nobody knows the brick, the revolution's name, or the path where nobody knows that either.
        revolutions: n; the brick's name, or the path, where nobody knows it.
        angles_deg: n float64, NaN where nobody knows the angle.
    """

    labels: tuple[str, ...]
    logits: FloatArray
    targets: IntArray
    class_names: tuple[str, ...]
    paths: tuple[str, ...]
    bricks: tuple[str, ...]
    revolutions: tuple[str, ...]
    angles_deg: FloatArray

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        count = len(self.paths)
        lengths = {len(self.targets), len(self.class_names), len(self.bricks), len(self.revolutions)}
        if lengths | {len(self.angles_deg)} != {count} or self.logits.shape != (count, len(self.labels)):
            raise ValueError(f"scores of {count} pictures and {len(self.labels)} labels do not fit each other")

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """n, True where the class is one of the network's."""
        return np.asarray(self.targets != UNKNOWN)

    def taken(self, chosen: NDArray[np.generic]) -> Scores:
        """The pictures of a mask or of indices."""
        rows = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else np.asarray(chosen, dtype=np.int64)

        def of(values: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(values[row] for row in rows)

        return Scores(
            self.labels,
            self.logits[rows],
            self.targets[rows],
            of(self.class_names),
            of(self.paths),
            of(self.bricks),
            of(self.revolutions),
            self.angles_deg[rows],
        )


def joined(parts: Sequence[Scores]) -> Scores:
    """Scores of several networks with the same labels, one after the other.

    Raises:
        ValueError: there is none, or their labels differ.
    """
    if not parts or any(each.labels != parts[0].labels for each in parts):
        raise ValueError("scores can be joined where there are some, all with the same labels")
    return Scores(
        parts[0].labels,
        np.concatenate([each.logits for each in parts]),
        np.concatenate([each.targets for each in parts]),
        tuple(name for each in parts for name in each.class_names),
        tuple(name for each in parts for name in each.paths),
        tuple(name for each in parts for name in each.bricks),
        tuple(name for each in parts for name in each.revolutions),
        np.concatenate([each.angles_deg for each in parts]),
    )


def scores_of(labels: Sequence[str], logits: FloatArray, pictures: Sequence[Picture]) -> Scores:
    """What was said of these pictures, with who they are."""
    number = {name: place for place, name in enumerate(labels)}
    return Scores(
        labels=tuple(labels),
        logits=logits,
        targets=np.array([number.get(each.class_name, UNKNOWN) for each in pictures], np.int64),
        class_names=tuple(each.class_name for each in pictures),
        paths=tuple(each.path for each in pictures),
        bricks=tuple(brick_of(each) for each in pictures),
        revolutions=tuple(each.revolution or each.brick or each.path for each in pictures),
        angles_deg=np.array([np.nan if each.angle_deg is None else each.angle_deg for each in pictures]),
    )


def brick_of(picture: Picture) -> str:
    """The name by which pictures of one brick are held together: brick, else revolution, else the picture itself."""
    return picture.brick or picture.revolution or picture.path
