"""What lies where on pictures of whole tables: ``labels.json`` in their folder, read strictly.

Of each picture the file says ``path``, ``width_px``, ``height_px`` and its ``parts``; of each part ``class``,
``box_px`` (left, top, width, height of what is seen) and ``visible`` (its visible fraction). What else it says is not
needed here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sorter.training.errors import TrainingRefused
from sorter.training.labels import classes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sorter.dataset import Picture

LABELS_NAME = "labels.json"

_LOOSE = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)
_REMEDY = "Render the folder anew with `sorter render`, or name another folder."

_Px = Annotated[int, Field(ge=0)]
_Size = Annotated[int, Field(ge=1)]


class PartOnTable(BaseModel):
    """A part of which something is seen.

    ``box_px`` is left, top, width and height in px of the picture; ``visible`` is over 0 up to 1, of what would be seen
    of it if nothing hid it.
    """

    model_config = _LOOSE

    class_name: Annotated[str, Field(alias="class", min_length=1)]
    box_px: tuple[_Px, _Px, _Size, _Size]
    visible: Annotated[float, Field(gt=0.0, le=1.0)]


class LabelledTable(BaseModel):
    """One picture; its path is in the folder, with slashes."""

    model_config = _LOOSE

    path: Annotated[str, Field(min_length=1)]
    width_px: _Size
    height_px: _Size
    parts: tuple[PartOnTable, ...]


class _File(BaseModel):
    model_config = _LOOSE

    format: Literal[1]
    pictures: tuple[LabelledTable, ...]


@dataclass(frozen=True)
class TableLabels:
    """The file.

    Args:
        by_path: each picture.
        sha256: of the file's bytes.
    """

    by_path: Mapping[str, LabelledTable]
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
        TrainingRefused: it is missing, says what cannot be, or does not agree with the index.
    """
    file = root / LABELS_NAME
    try:
        content = file.read_bytes()
        read = _File.model_validate_json(content)
    except OSError as error:
        raise TrainingRefused(
            f"{file} cannot be read: {error.strerror}; it says which parts a picture of a whole table shows",
            remedy="Name a folder that `sorter render` made, or take a recipe for single parts.",
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = ": ".join([str(file), *([where] if where else []), first["msg"]])
        raise TrainingRefused(what, remedy=_REMEDY) from error
    by_path: dict[str, LabelledTable] = {}
    for each in read.pictures:
        if each.path in by_path:
            raise TrainingRefused(f"{file}: {each.path} stands twice", remedy=_REMEDY)
        for part in each.parts:
            left, top, width, height = part.box_px
            if left + width > each.width_px or top + height > each.height_px:
                raise TrainingRefused(
                    f"{file}: box_px {list(part.box_px)} of {part.class_name} leaves {each.path} of {each.width_px}×"
                    f"{each.height_px} px",
                    remedy=_REMEDY,
                )
        by_path[each.path] = each
    for picture in pictures:
        _check_agreement(file, picture, by_path.get(picture.path))
    return TableLabels(by_path, hashlib.sha256(content).hexdigest())


def _check_agreement(file: Path, picture: Picture, labelled: LabelledTable | None) -> None:
    if labelled is None:
        raise TrainingRefused(f"{file} says nothing of {picture.path}, which the index names", remedy=_REMEDY)
    shown = tuple(sorted({part.class_name for part in labelled.parts}))
    if shown != classes_of(picture):
        raise TrainingRefused(
            f"{file} says that {picture.path} shows {', '.join(shown) or 'nothing'}, the index says "
            f"{', '.join(classes_of(picture)) or 'nothing'}",
            remedy=_REMEDY,
        )
