"""What lies where on pictures of whole tables: ``labels.json`` in their folder, held against its index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.dataset.labels import LABELS_NAME, PictureLabels, read_labels
from sorter.training.errors import TrainingRefused
from sorter.training.labels import classes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sorter.dataset import Picture

_REMEDY = "Render the folder anew with `sorter render`, or name another folder."


@dataclass(frozen=True)
class TableLabels:
    """The file.

    Args:
        by_path: each picture.
        sha256: of the file's bytes.
    """

    by_path: Mapping[str, PictureLabels]
    sha256: str

    def classes(self, pictures: Iterable[Picture]) -> tuple[str, ...]:
        """Names of the classes that these pictures show, in order."""
        return tuple(sorted({part.class_name for each in pictures for part in self.by_path[each.path].parts}))


def read_table_labels(root: Path, pictures: Iterable[Picture]) -> TableLabels:
    """What ``labels.json`` says of these pictures.

    Args:
        root: the folder of pictures.
        pictures: of its index.

    Raises:
        DatasetRefused: it is missing, or says what cannot be.
        TrainingRefused: it does not agree with the index.
    """
    labels, sha256 = read_labels(root)
    by_path = {each.path: each for each in labels.pictures}
    for picture in pictures:
        _check_agreement(root / LABELS_NAME, picture, by_path.get(picture.path))
    return TableLabels(by_path, sha256)


def _check_agreement(file: Path, picture: Picture, labelled: PictureLabels | None) -> None:
    if labelled is None:
        raise TrainingRefused(f"{file} says nothing of {picture.path}, which the index names", remedy=_REMEDY)
    shown = tuple(sorted({part.class_name for part in labelled.parts}))
    if shown != classes_of(picture):
        raise TrainingRefused(
            f"{file} says that {picture.path} shows {', '.join(shown) or 'nothing'}, the index says "
            f"{', '.join(classes_of(picture)) or 'nothing'}",
            remedy=_REMEDY,
        )
