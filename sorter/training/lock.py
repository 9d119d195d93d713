"""One process at a time trains in a run's folder."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sorter.training.errors import RunRefused
from sorter.training.record import RECORD, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the run's lock, which ends with the process at the latest: it is on its record's open file.

    Raises:
        RunRefused: it is no run, or must not be written to, or another process holds it.
    """
    read_record(folder)
    try:
        record = (folder / RECORD).open("r+b")  # NFS locks only what may be written
    except OSError as error:
        raise RunRefused(
            f"{folder} cannot be trained: {RECORD} cannot be opened for writing: {error.strerror}",
            remedy="See to its rights, or copy the run to another folder.",
        ) from error
    with record:
        try:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            why = "another process is training it" if isinstance(error, BlockingIOError) else error.strerror
            raise RunRefused(
                f"{folder} cannot be trained: {why}",
                remedy="Wait for it, or stop it, and then go on with: sorter train --resume RUN",
            ) from error
        yield
