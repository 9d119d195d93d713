"""What is known of a labelled picture, and of a folder of them."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Source = Literal["camera", "render", "import"]
GroupsFrom = Literal["index", "revolutions.json", "inferred", "unknown"]
SOURCES: tuple[str, ...] = get_args(Source)
SPLITS = ("train", "test", "val")
"""Folders of the published layout, each holding a folder per class."""


@dataclass(frozen=True)
class Picture:
    """One labelled picture.

    Args:
        path: relative to the dataset's folder, with slashes.
        sha256: of the file's bytes, 64 small hexadecimal digits; empty if the file could not be read.
        class_name: what it shows, such as ``3001``; ``class`` in the index.
        brick: which physical part, unique over the dataset; None if nobody knows.
        pose: how it rests, such as ``up``.
        revolution: which turn of the table, unique over the dataset.
        angle_deg: of the table.
        colour: of the part, as it was named.
        source: where it comes from.
        split: ``train``, ``test`` or ``val`` where it was published in such a folder.
        copies: other paths of the dataset with the same bytes; found when a dataset is read, not in the index.
        extra: what else its line in the index says; JSON values.
    """

    path: str
    sha256: str
    class_name: str
    brick: str | None = None
    pose: str | None = None
    revolution: str | None = None
    angle_deg: float | None = None
    colour: str | None = None
    source: Source = "import"
    split: str | None = None
    copies: tuple[str, ...] = field(default=(), compare=False)
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Refuse what no index can hold."""
        if not self.path or not self.class_name:
            raise ValueError("a picture has a path and a class")
        if self.angle_deg is not None and not math.isfinite(self.angle_deg):
            raise ValueError(f"an angle is a finite number of degrees, got {self.angle_deg}")
        if self.source not in SOURCES:
            raise ValueError(f"source is one of {', '.join(SOURCES)}, got {self.source!r}")
        if self.split is not None and self.split not in SPLITS:
            raise ValueError(f"split is one of {', '.join(SPLITS)}, got {self.split!r}")


@dataclass(frozen=True)
class Dataset:
    """A folder of labelled pictures.

    Args:
        root: the folder.
        pictures: in order of their paths.
        groups_from: who says which brick and revolution a picture belongs to.
        warnings: what was left out when it was read, and why.
        confidence: share of pictures (0 to 1) whose inferred group leaves no doubt; None where none was inferred.
    """

    root: Path
    pictures: tuple[Picture, ...]
    groups_from: GroupsFrom
    warnings: tuple[str, ...] = ()
    confidence: float | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in order."""
        return tuple(sorted({each.class_name for each in self.pictures}))

    @property
    def sha256(self) -> str:
        """Of paths, contents, classes and groups: two datasets with the same one are split the same way."""
        digest = hashlib.sha256()
        for each in sorted(self.pictures, key=lambda picture: picture.path):
            known = [each.path, each.sha256, each.class_name, each.brick or "", each.revolution or ""]
            if "classes" in each.extra:  # of a picture of several parts, which training reads
                known.append(json.dumps(each.extra["classes"]))
            digest.update("\x1f".join(known).encode() + b"\n")
        return digest.hexdigest()
