"""Paths inside a dataset's folder, and files that are written whole."""

from __future__ import annotations

import os
import tempfile
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


def write_whole(path: Path, text: str) -> None:
    """Write a UTF-8 file so that a reader sees the old one or the new one, never a part: temporary, fsync, rename."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
