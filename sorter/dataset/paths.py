"""Paths inside a dataset's folder, and files that are written whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sorter.dataset.errors import DatasetRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


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


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that a reader sees whole or not at all: temporary name, fsync, rename.

    Until the block ends without an error, whatever stood under the name stays as it was.

    Raises:
        OSError: it cannot be written.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            os.fchmod(file.fileno(), 0o644)
            yield file
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


def write_whole(path: Path, content: str | bytes) -> None:
    """Write bytes, or text as UTF-8, by ``whole_file``."""
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
