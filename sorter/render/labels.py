"""What is where on rendered pictures: ``labels.json`` in their folder, written whole and read strictly.

    {"format": 1, "backend": "mitsuba llvm 3.9.1", "geometry": "5f0c…", "seed": 1, "scene_sha256": "9f86…",
     "pictures": [
    {"path": "pictures/00000.jpg", "width_px": 300, "height_px": 300, "parts": [{"class": "3001", "design": "3001",
     "colour": "Red", "pose": "up", "yaw_deg": 12.5, "box_px": [101, 87, 90, 64], "visible": 1.0}]}
    ]}

A picture stands on one line. ``index.jsonl`` beside it is what datasets are read by; this says more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from sorter.dataset.errors import DatasetRefused
from sorter.dataset.paths import inside, write_whole
from sorter.render.errors import FolderRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.render.world import PlacedPart, Scene

LABELS_NAME = "labels.json"

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_REMEDY = "Give the command that rendered the pictures again: it writes the file anew and renders only what is missing."

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
                    f"box_px {list(part.box_px)} of {part.class_name} leaves the picture of "
                    f"{self.width_px}×{self.height_px} px"
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


PICTURE_LABELS = TypeAdapter(PictureLabels)
"""To and from JSON, as a picture stands in the file; the journal has it too."""
_FILE = TypeAdapter(FolderLabels)


def labels_from_ids(
    path: str, scene: Scene, ids: NDArray[np.integer], silhouettes_px: Sequence[float]
) -> PictureLabels:
    """The labels of a picture.

    Args:
        path: of the picture in its folder.
        scene: what is on it.
        ids: H×W, which of the scene's parts is nearest at each pixel.
        silhouettes_px: for each part, how many pixels it would fill if nothing hid it and the picture had no edge.

    Raises:
        ValueError: the arguments do not fit one another.
    """
    camera = scene.camera
    if ids.shape != (camera.height_px, camera.width_px) or len(silhouettes_px) != len(scene.parts):
        raise ValueError(
            f"{path}: ids are {ids.shape} and silhouettes {len(silhouettes_px)}, for {camera.height_px}×"
            f"{camera.width_px} px and {len(scene.parts)} parts"
        )
    parts = [
        _label(part, ids == number, float(silhouettes_px[number]))
        for number, part in enumerate(scene.parts)
        if (ids == number).any()
    ]
    return PictureLabels(path, camera.width_px, camera.height_px, tuple(parts))


def _label(part: PlacedPart, is_seen: NDArray[np.bool_], silhouette_px: float) -> PartLabel:
    rows, columns = np.flatnonzero(is_seen.any(axis=1)), np.flatnonzero(is_seen.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    seen_px = int(is_seen.sum())
    # A pixel counts by its middle: a part may have a few more of them than its outline has area.
    visible = min(1.0, max(0.0001, round(seen_px / max(silhouette_px, 1.0), 4)))
    return PartLabel(
        class_name=part.class_name,
        design=part.mesh,
        colour=part.colour,
        pose=part.pose,
        yaw_deg=round(part.yaw_deg % 360.0, 3) % 360.0,
        box_px=(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top),
        visible=visible,
    )


def write_labels(folder: Path, labels: FolderLabels) -> Path:
    """Write ``labels.json``, whole, a line a picture.

    Raises:
        OSError: it cannot be written; the old one is as it was.
    """
    file = folder / LABELS_NAME
    head = _FILE.dump_json(replace(labels, pictures=()), exclude={"pictures"}).decode()
    lines = ",\n".join(PICTURE_LABELS.dump_json(each, by_alias=True).decode() for each in labels.pictures)
    write_whole(file, f'{head.removesuffix("}")},"pictures":[\n{lines}\n]}}\n')
    return file


def read_labels(folder: Path) -> FolderLabels:
    """Read ``labels.json``.

    Raises:
        FolderRefused: it is missing, says what cannot be, or names a picture twice or one outside the folder.
    """
    file = folder / LABELS_NAME
    try:
        labels = _FILE.validate_json(file.read_bytes())
    except OSError as error:
        raise FolderRefused(f"{file} cannot be read: {error.strerror}", remedy=_REMEDY) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise FolderRefused(
            ": ".join([str(file), *([where] if where else []), first["msg"]]), remedy=_REMEDY
        ) from error
    seen: set[str] = set()
    for each in labels.pictures:
        if each.path in seen:
            raise FolderRefused(f"{file}: {each.path} stands twice", remedy=_REMEDY)
        seen.add(each.path)
        try:
            inside(folder, each.path, stated_in=file)
        except DatasetRefused as error:
            raise FolderRefused(error.message, remedy=_REMEDY) from error
    return labels
