"""Which steps of the calibration are done, and what is not in rig.toml: ``calibration.json`` in the state folder.

What a step measured for the rig to use stands in rig.toml. Here stands when it was done, a sentence on what came of it,
and how the camera sees the table, which only the calibration itself uses again. If the file is lost, nothing is but
that.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from sorter.calibrate.errors import RecordRefused
from sorter.calibrate.view import TableView
from sorter.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RECORD_FILE = "calibration.json"

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_Row = Annotated[tuple[float, ...], Field(min_length=3, max_length=3)]


@dataclass(frozen=True)
class Done:
    """A step that was done: when (ISO 8601 with zone), and what came of it."""

    at: str
    result: str

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class SeenTable:
    """How frames of a size see the table: the rows of ``TableView.matrix``."""

    width_px: Annotated[int, Field(ge=1)]
    height_px: Annotated[int, Field(ge=1)]
    rows: Annotated[tuple[_Row, ...], Field(min_length=3, max_length=3)]

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class _Content:
    format: Literal[1]
    steps: dict[str, Done]
    seen: SeenTable | None = None

    __pydantic_config__ = _STRICT


_READER: TypeAdapter[_Content] = TypeAdapter(_Content)


class Record:
    """The file of one rig.

    Args:
        folder: the state folder; it is made when something is to be kept.

    Raises:
        RecordRefused: the file is there and cannot be read, or is none of these.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / RECORD_FILE
        self._content = self._read()

    @property
    def steps(self) -> Mapping[str, Done]:
        """What was done, by the step's name."""
        return dict(self._content.steps)

    def check_writable(self) -> None:
        """Raise RecordRefused if what will be done could not be written down."""
        try:
            there = next(each for each in self.file.parents if each.exists())
            is_folder = there.is_dir()
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error
        if not is_folder or not os.access(there, os.W_OK):
            raise self._unwritable(f"{there} may not be written to" if is_folder else f"{there} is no folder")

    def view(self, width_px: int, height_px: int) -> TableView | None:
        """How the camera sees the table, if that was measured with frames of this shape."""
        seen = self._content.seen
        if seen is None or seen.width_px * height_px != seen.height_px * width_px:
            return None
        return TableView(np.array(seen.rows)).scaled(width_px / seen.width_px)

    def keep(self, step: str, result: str, *, seen: tuple[TableView, int, int] | None = None) -> None:
        """Write down that a step was done.

        Args:
            step: its name.
            result: what came of it.
            seen: how the camera sees the table, and the width and height of its frames, where the step measured that.

        Raises:
            RecordRefused: the file cannot be written.
        """
        now = dt.datetime.now(dt.UTC).astimezone().isoformat(timespec="seconds")
        kept = self._content.seen
        if seen is not None:
            view, width_px, height_px = seen
            kept = SeenTable(width_px, height_px, tuple(tuple(map(float, row)) for row in view.matrix))
        content = _Content(1, {**self._content.steps, step: Done(now, result)}, kept)
        self._write(content)
        self._content = content

    def _read(self) -> _Content:
        try:
            return _READER.validate_json(self.file.read_bytes())
        except FileNotFoundError:
            return _Content(1, {})
        except OSError as error:
            raise RecordRefused(
                self.file,
                f"cannot be read: {error.strerror}",
                remedy=f"See that you may read it, and that {self.file.parent} is a folder, or name another as [paths] "
                "state in rig.toml.",
            ) from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise RecordRefused(self.file, f"is none of calibrate's: {where}: {first['msg']}") from error

    def _write(self, content: _Content) -> None:
        text = json.dumps(_READER.dump_python(content, mode="json"), indent=1, ensure_ascii=False) + "\n"
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.file, text)
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error

    def _unwritable(self, reason: str) -> RecordRefused:
        return RecordRefused(
            self.file,
            f"cannot be written: {reason}",
            remedy=f"See that the folder {self.file.parent} can be written to, or name another as [paths] state in "
            "rig.toml. What was written into rig.toml stays.",
        )
