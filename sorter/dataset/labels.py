"""What is where on the pictures of a folder: ``labels.json``, written whole and read strictly.

    {"format": 1, "backend": "mitsuba llvm 3.9.1", "geometry": "5f0c…", "seed": 1, "scene_sha256": "9f86…",
     "pictures": [
    {"path": "pictures/00000.jpg", "width_px": 300, "height_px": 300, "parts": [{"class": "3001", "design": "3001",
     "colour": "Red", "pose": "up", "yaw_deg": 12.5, "box_px": [101, 87, 90, 64], "visible": 1.0}]}
    ]}

A picture stands on one line. ``sorter render`` writes it beside ``index.jsonl``, which datasets are read by; this says
more, and networks for whole tables are trained on it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from sorter.dataset.errors import DatasetRefused
from sorter.dataset.paths import inside
from sorter.whole import write_whole

if TYPE_CHECKING:
    from pathlib import Path

LABELS_NAME = "labels.json"

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_REMEDY = (
    "Give the `sorter render` command that made the pictures again: it writes the file anew and renders only what is "
    "missing. Or name another folder."
)

_Text = Annotated[str, Field(min_length=1)]
_Px = Annotated[int, Field(ge=0)]
_Size = Annotated[int, Field(ge=1)]
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class PartLabel:
    """A part of which something is seen.

    Args:
        class_name: what it counts as, ``class`` in the file.
        design: its design number; the class's name too, but where several designs count as one class.
        colour: by name.
        pose: name of its resting pose.
        yaw_deg: turned about the vertical after the pose, 0 up to 360.
        box_px: left, top, width, height of what is really seen, in whole pixels: of [0, 0, 1, 1] the first alone.
        visible: how much of what would be seen of it if nothing hid it and the picture had no edge, over 0 up to 1.
    """

    class_name: Annotated[_Text, Field(alias="class")]
    design: _Text
    colour: _Text
    pose: _Text
    yaw_deg: Annotated[float, Field(ge=0.0, lt=360.0)]
    box_px: tuple[_Px, _Px, _Size, _Size]
    visible: Annotated[float, Field(gt=0.0, le=1.0)]

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True)
class PictureLabels:
    """What is on one picture.

    Args:
        path: in the folder, with slashes.
        width_px, height_px: of the picture.
        parts: in the order in which they were put on the table; those of which nothing is seen do not count.
    """

    path: _Text
    width_px: _Size
    height_px: _Size
    parts: tuple[PartLabel, ...]

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    def __post_init__(self) -> None:
        """Refuse a box that leaves the picture."""
        for part in self.parts:
            left, top, width, height = part.box_px
            if left + width > self.width_px or top + height > self.height_px:
                raise ValueError(
                    f"box_px {list(part.box_px)} of {part.class_name} leaves {self.path} of {self.width_px}×"
                    f"{self.height_px} px"
                )


@dataclass(frozen=True)
class FolderLabels:
    """The whole file.

    Args:
        backend: what rendered it, with its version.
        geometry: hash of the meshes that were rendered; another release of the library has another one.
        seed: of everything random.
        scene_sha256: hash of the scene recipe; the recipe itself stands in ``render.json``.
        pictures: in order of their numbers.
    """

    format: Literal[1] = field(default=1, kw_only=True)
    backend: str
    geometry: str
    seed: int
    scene_sha256: _Sha256
    pictures: tuple[PictureLabels, ...]

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True)
class _Stated(FolderLabels):
    """As it is read: a file that does not state its format is not believed."""

    format: Literal[1] = field(kw_only=True)


PICTURE_LABELS = TypeAdapter(PictureLabels)
"""To and from JSON, as a picture stands in the file; the renderer's journal has it too."""
_WRITTEN, _READ = TypeAdapter(FolderLabels), TypeAdapter(_Stated)


def write_labels(folder: Path, labels: FolderLabels) -> Path:
    """Write ``labels.json``, whole, a line a picture.

    Raises:
        OSError: it cannot be written; the old one is as it was.
    """
    file = folder / LABELS_NAME
    head = _WRITTEN.dump_json(replace(labels, pictures=()), exclude={"pictures"}).decode()
    lines = ",\n".join(PICTURE_LABELS.dump_json(each, by_alias=True).decode() for each in labels.pictures)
    write_whole(file, f'{head.removesuffix("}")},"pictures":[\n{lines}\n]}}\n')
    return file


def read_labels(folder: Path) -> tuple[FolderLabels, str]:
    """Read ``labels.json``: what it says, and the SHA-256 of the bytes that say so.

    Raises:
        DatasetRefused: it is missing, says what cannot be, or names a picture twice or one outside the folder.
    """
    file = folder / LABELS_NAME
    try:
        content = file.read_bytes()
        read = _READ.validate_json(content)
    except OSError as error:
        raise DatasetRefused(
            file,
            f"cannot be read: {error.strerror}; it says which parts lie where on each picture",
            remedy="Name a folder that `sorter render` made (the same command writes the file anew), or take a recipe "
            "for single parts, which needs none.",
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise DatasetRefused(file, ": ".join([*([where] if where else []), first["msg"]]), remedy=_REMEDY) from error
    seen: set[str] = set()
    for each in read.pictures:
        if each.path in seen:
            raise DatasetRefused(file, f"{each.path} stands twice", remedy=_REMEDY)
        seen.add(each.path)
        inside(folder, each.path, stated_in=file)
    labels = FolderLabels(read.backend, read.geometry, read.seed, read.scene_sha256, read.pictures)
    return labels, hashlib.sha256(content).hexdigest()
