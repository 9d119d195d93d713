"""The files of a folder of pictures: written whole, and never more than there is room for."""

from __future__ import annotations

import enum
import os
import re
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]{0,99}/){0,8}[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.jpg")
"""What a picture may be called; no such name leads out of the folder."""

_UNFINISHED = ".unfinished"  # what is being written; there is one thread, so one name is enough
_BLOCK_BYTES = 4096  # a file takes whole blocks of the disk


class Worth(enum.StrEnum):
    """How much a picture is missed when it is gone; the values are names of folders."""

    ORDINARY = "ordinary"
    UNCERTAIN = "uncertain"  # of rejected and uncertain parts, and of incidents: dropped last


class PictureFiles:
    """The files, and an index of them: what there is of each worth, oldest first. One thread calls it."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._there: dict[Worth, OrderedDict[str, int]] = {worth: OrderedDict() for worth in Worth}
        self._newest_ns = 0
        self._is_read = False
        self.used_bytes = dict.fromkeys(Worth, 0)

    def write(self, name: str, data: bytes, worth: Worth) -> bool:
        """Write it, after older ones have made room; False if only pictures that are worth more could do that.

        Raises:
            OSError: the disk refused; the picture is not there, and nothing else is half there.
        """
        if not self._is_read:
            self._read()
        size = _on_disk(len(data))
        for each in Worth:
            if name in self._there[each]:
                self._remove(name, each)
        must_stay = self.used_bytes[Worth.UNCERTAIN] if worth is Worth.ORDINARY else 0
        if size + must_stay > self._max_bytes:
            return False
        self._shrink_to(self._max_bytes - size)
        self._write_whole(self._folder / worth / name, data)
        self._there[worth][name] = size
        self.used_bytes[worth] += size
        return True

    def _write_whole(self, file: Path, data: bytes) -> None:
        unfinished = self._folder / _UNFINISHED
        newest_ns = max(time.time_ns(), self._newest_ns + 1)  # a clock that was set back changes no order
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as out:
                out.write(data)
            os.utime(unfinished, ns=(newest_ns, newest_ns))
            unfinished.replace(file)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        self._newest_ns = newest_ns

    def _shrink_to(self, most_bytes: int) -> None:
        for worth in (Worth.ORDINARY, Worth.UNCERTAIN):
            while sum(self.used_bytes.values()) > most_bytes and self._there[worth]:
                self._remove(next(iter(self._there[worth])), worth)

    def _remove(self, name: str, worth: Worth) -> None:
        file = self._folder / worth / name
        file.unlink(missing_ok=True)  # somebody else may have taken it away
        self.used_bytes[worth] -= self._there[worth].pop(name)
        _remove_empty(file.parent, self._folder / worth)

    def _read(self) -> None:
        """Find out what is there, and bring it within the bound."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / _UNFINISHED).unlink(missing_ok=True)
        for worth in Worth:
            root = self._folder / worth
            found = sorted(_files(root, ""))
            self._there[worth] = OrderedDict((name, _on_disk(size)) for _, name, size in found)
            self._newest_ns = max([self._newest_ns, *(at_ns for at_ns, _, _ in found)])
            self.used_bytes[worth] = sum(self._there[worth].values())
            for name in [name for _, name, size in found if size == 0]:  # the power went before the disk had it
                self._remove(name, worth)
        self._shrink_to(self._max_bytes)
        self._is_read = True


def _files(root: Path, below: str) -> Iterator[tuple[int, str, int]]:
    """Time (ns), name and bytes of each picture of ours; links are not followed."""
    try:
        entries = list(os.scandir(root / below))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = below + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _files(root, name + "/")
        elif entry.is_file(follow_symlinks=False) and NAME.fullmatch(name):
            status = entry.stat(follow_symlinks=False)
            yield status.st_mtime_ns, name, status.st_size


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return  # something is left in it, which is no harm
        folder = folder.parent


def _on_disk(bytes_: int) -> int:
    return -(-bytes_ // _BLOCK_BYTES) * _BLOCK_BYTES
