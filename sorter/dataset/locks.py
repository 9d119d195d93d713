"""One process at a time writes into a folder."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO


def open_locked(file: Path, *, is_made: bool = False) -> BinaryIO:
    """Open a file for writing and lock it; the lock is on the open file, so it ends with the process at the latest.

    Args:
        file: is not changed. It must not be replaced by another one of its name, which would not be locked.
        is_made: make it if it is not there.

    Raises:
        BlockingIOError: another process holds the lock.
        OSError: the file cannot be opened for writing, or not be locked.
    """
    opened = file.open("a+b" if is_made else "r+b")  # NFS locks only what may be written
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        opened.close()
        raise
    return opened
