"""One process at a time trains in a run's folder."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sorter.dataset.locks import open_locked
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
        record = open_locked(folder / RECORD)
    except BlockingIOError as error:
        raise RunRefused(
            f"{folder} cannot be trained: another process is training it",
            remedy="Wait for it, or stop it, and then go on with: sorter train --resume RUN",
        ) from error
    except OSError as error:
        raise RunRefused(
            f"{folder} cannot be trained: {RECORD} cannot be opened for writing and locked: {error.strerror}",
            remedy="See to its rights, or copy the run to another folder.",
        ) from error
    with record:
        yield
