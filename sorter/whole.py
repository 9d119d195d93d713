"""Files that are written whole: a reader sees all of one, or what stood there before, whatever happens meanwhile."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

_MODE = 0o644


@contextmanager
def whole_file(
    path: Path, *, may_replace: bool = True, is_as_before: bool = False, check: Callable[[], None] = lambda: None
) -> Iterator[BinaryIO]:
    """A file to write into: temporary name, fsync, rename.

    Until the block ends without an error, whatever stood under the name stays as it was.

    Args:
        path: its name; its folder is there.
        may_replace: it may take the place of a file; else that is a FileExistsError, also if it came meanwhile.
        is_as_before: it takes the place of a file, and gets the mode of that one, and for root its owner too.
        check: called last, when all is written and only the name is missing; what it raises leaves all as it was.

    Raises:
        OSError: it cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            if is_as_before:
                status = path.stat()
                os.fchmod(file.fileno(), status.st_mode & 0o7777)
                if os.geteuid() == 0:  # or the file would be root's from now on
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
            else:
                os.fchmod(file.fileno(), _MODE)
            yield file
            file.flush()
            os.fsync(file.fileno())
        check()
        if may_replace:
            temporary.replace(path)
        else:
            _put_beside(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_whole(path: Path, content: str | bytes, *, may_replace: bool = True) -> None:
    """Write bytes, or text as UTF-8, by ``whole_file``."""
    with whole_file(path, may_replace=may_replace) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def _put_beside(temporary: Path, path: Path) -> None:
    """Give a file its name, unless there is one of that name."""
    try:
        os.link(temporary, path)  # which fails if the file has come to be there meanwhile
    except FileExistsError:
        raise
    except OSError:  # a file system without links, such as a memory stick's
        if path.exists():
            raise
        temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
