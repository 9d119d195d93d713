"""Paths inside a dataset's folder."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from sorter.dataset.errors import DatasetRefused


def inside(root: Path, name: str, *, stated_in: Path, line: int | None = None) -> Path:
    """The file ``name`` (relative, with slashes) under ``root``.

    Raises:
        DatasetRefused: the path leaves the folder: absolute, with ``..``, or through a link.
    """
    path = PurePosixPath(name)
    is_plain = not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name
    if not is_plain or not path.parts or str(path) != name:
        raise DatasetRefused(
            stated_in,
            f"the path {name!r} is not one inside the dataset's folder",
            remedy="Write paths relative to the folder, with slashes, without '..': train/3001/0001.jpg.",
            line=line,
        )
    whole = root / path
    if not Path(os.path.realpath(whole)).is_relative_to(os.path.realpath(root)):
        raise DatasetRefused(
            stated_in,
            f"{name} is a link that leaves the dataset's folder",
            remedy="Copy the picture into the folder in place of the link.",
            line=line,
        )
    return whole
