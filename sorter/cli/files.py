"""Files that a command was asked to write."""

from __future__ import annotations

from pathlib import Path


def write_report(file: Path, text: str) -> None:
    """Write a page, a table or numbers, whole.

    Raises:
        DatasetRefused: it cannot be written.
    """
    from sorter.dataset import DatasetRefused
    from sorter.whole import write_whole

    try:
        write_whole(file, text)
    except OSError as error:
        raise DatasetRefused(
            file, f"cannot be written: {error.strerror}", remedy="Name a file in a folder that you may write to."
        ) from error
