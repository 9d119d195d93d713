"""What a folder of pictures is rendered from: ``render.json`` in it, written before the first picture."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, StringConstraints, ValidationError, model_validator

import sorter
from sorter.render.errors import FolderRefused
from sorter.render.recipe import SceneRecipe  # noqa: TC001  (pydantic reads it)
from sorter.toml import TomlModel
from sorter.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS_NAME = "render.json"
MOST_PARTS = 3
OTHER = "other"
"""The class of parts that are of no class; ``sorter.classify.card`` has the same name for it."""

BackendName = Literal["mitsuba", "blender"]

_MOST_DIFFERENCES = 8
_Name = Annotated[str, StringConstraints(pattern=r"^\S(.{0,62}\S)?$")]
_Parts = Annotated[int, Field(ge=1, le=MOST_PARTS)]


def drawn_by() -> dict[str, str]:
    """Versions of what draws the random numbers here."""
    return {"sorter": sorter.__version__, "numpy": np.__version__}


class RenderSettings(TomlModel):
    """Everything that decides what the pictures show, but for the library's files.

    How many there are, and who renders them, decides nothing: picture n is the same in every folder of these settings.

    Args:
        designs: pairs of class name and design number, in order; several designs may count as one class.
        seed: of everything random.
        parts: least and most parts on a picture.
        views: pictures of each table of parts, turned on by even steps over a whole turn.
        other_share: of the tables: those whose first part is of class ``OTHER``; None lets it take turns like any
            class.
        backend: what renders.
        scene: the recipe, in full.
        versions: of sorter and NumPy, whose numbers are drawn; told if they differ, not refused.
    """

    format: Literal[1] = 1
    designs: Annotated[tuple[tuple[_Name, _Name], ...], Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, le=2**31)]
    parts: tuple[_Parts, _Parts] = (1, 1)
    views: Annotated[int, Field(ge=1, le=360)] = 1
    other_share: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    backend: BackendName
    scene: SceneRecipe
    versions: dict[str, str] = Field(default_factory=drawn_by)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.parts[0] > self.parts[1]:
            raise ValueError("parts: the least stands before the most")
        if list(self.designs) != sorted(set(self.designs)):
            raise ValueError("designs: must be in order, each once")
        return self

    def __hash__(self) -> int:
        return hash((self.designs, self.seed, self.backend, self.scene))

    @property
    def class_names(self) -> tuple[str, ...]:
        """In order."""
        return tuple(sorted({class_name for class_name, _ in self.designs}))

    @property
    def scene_sha256(self) -> str:
        """Of the scene recipe, 64 hexadecimal digits."""
        return hashlib.sha256(self.scene.model_dump_json().encode()).hexdigest()


def write_settings(folder: Path, settings: RenderSettings) -> None:
    """Write ``render.json``, whole.

    Raises:
        OSError: it cannot be written.
    """
    write_whole(folder / SETTINGS_NAME, settings.model_dump_json(indent=2) + "\n")


def read_settings(folder: Path) -> RenderSettings:
    """Read ``render.json``.

    Raises:
        FolderRefused: it is missing, or says what cannot be.
    """
    file = folder / SETTINGS_NAME
    try:
        return RenderSettings.model_validate_json(file.read_bytes())
    except OSError as error:
        raise FolderRefused(
            f"{file} cannot be read: {error.strerror}", remedy="Name a folder of rendered pictures, or a new one."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise FolderRefused(
            ": ".join([str(file), *([where] if where else []), first["msg"]]),
            remedy="It is of another version, or was changed by hand: render into another folder.",
        ) from error


def differences(begun: RenderSettings, now: RenderSettings) -> list[str]:
    """What two settings do not share, each as ``key: old, now new``; versions do not count."""
    old, new = (dict(_flat(each.model_dump(mode="json", exclude={"versions"}))) for each in (begun, now))
    found = [
        f"{key}: {_short(old.get(key))}, now {_short(new.get(key))}"
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]
    if len(found) > _MOST_DIFFERENCES:
        found = [*found[:_MOST_DIFFERENCES], f"and {len(found) - _MOST_DIFFERENCES} more"]
    return found


def _flat(value: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{above}{key}.")
        elif key == "designs":
            yield f"{above}{key}", " ".join(name if name == number else f"{name}={number}" for name, number in inner)
        else:
            yield f"{above}{key}", inner


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 120 else text[:117] + "..."
