"""``journal.jsonl`` of a folder of pictures: a line for each that is finished, in the order in which they were.

A writer may be killed, and a disk may lose power: a line is believed only if it is whole and has the check that its
text gives, and a picture only if its bytes have the hash that its line names. What is not believed is rendered anew.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from sorter.dataset.labels import PictureLabels  # noqa: TC001  (pydantic reads it)
from sorter.render.picture import picture_path
from sorter.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

JOURNAL_NAME = "journal.jsonl"

_LINE = re.compile(r'(\{.*),"check":"([0-9a-f]{16})"\}')
_UNSYNCED = 32  # lines that a loss of power may cost; a killed process costs none


@dataclass(frozen=True)
class Entry:
    """A finished picture.

    Args:
        number: from 0.
        sha256: of its file.
        backend, geometry: what it was made by and from; see ``RenderedPicture``.
        labels: what is on it.
    """

    number: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    backend: str
    geometry: str
    labels: PictureLabels

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


_ENTRY = TypeAdapter(Entry)


def line_of(entry: Entry) -> str:
    """The entry as a line, without its end."""
    text = _ENTRY.dump_json(entry, by_alias=True).decode()
    return f'{text[:-1]},"check":"{_check(text[:-1])}"}}'


def _check(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def entry_of(line: str) -> Entry | None:
    """The entry of a line, None if it cannot be believed."""
    match = _LINE.fullmatch(line)
    if match is None or _check(match[1]) != match[2]:
        return None
    try:
        entry = _ENTRY.validate_json(match[1] + "}")
    except ValidationError:
        return None
    return entry if entry.labels.path == picture_path(entry.number) else None


def read_journal(file: Path) -> tuple[dict[int, Entry], int]:
    """What is believed, by number, and how many lines are not; of several lines about a picture the last counts.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        text = file.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return {}, 0
    entries: dict[int, Entry] = {}
    unbelieved = 0
    for line in text.split("\n"):
        entry = entry_of(line)
        if entry is not None:
            entries[entry.number] = entry
        elif line:
            unbelieved += 1
    return entries, unbelieved


class Journal:
    """The journal, open to be added to.

    Args:
        file: is replaced by ``entries``, whole, so that no torn line is left.
        entries: that are believed.

    Raises:
        OSError: it cannot be written; from ``add`` and at the end too.
    """

    def __init__(self, file: Path, entries: Iterable[Entry]) -> None:
        write_whole(file, "".join(f"{line_of(each)}\n" for each in entries))
        self._opened = file.open("ab", buffering=0)
        self._unsynced = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def add(self, entry: Entry) -> None:
        """Add a line, in one write; made durable with every 32nd."""
        data = f"{line_of(entry)}\n".encode()
        written = self._opened.write(data)
        if written != len(data):  # the disk is full; the next write says so
            self._opened.write(data[written or 0 :])
        self._unsynced += 1
        if self._unsynced >= _UNSYNCED:
            self.sync()

    def sync(self) -> None:
        """Make all lines durable."""
        os.fsync(self._opened.fileno())
        self._unsynced = 0
