"""What went over the wire, both ways: the last lines in memory, all of them in a rotating file when asked.

One entry a line: seconds since the link was opened, ``>`` for what the host wrote or ``<`` for what the board said, and
the bytes as a Python literal without its quotes: ``12.345678 > N1001 G1 X10*93\\n``. ``read_log`` reads them back.
"""

from __future__ import annotations

import ast
import logging
import logging.handlers
import re
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEPT_ENTRIES = 2000
_FILE_BYTES = 5_000_000
_FILES_KEPT = 3
_TIME = re.compile(r"-?\d+\.\d{6}", re.ASCII)
_DATA = re.compile(r"(?:[^\\]|\\(?:[\\'tnr]|x[0-9a-f]{2}))*")  # only the escapes that repr writes


@dataclass(frozen=True, slots=True)
class Entry:
    """Bytes that crossed the wire: ``time_s`` since the link was opened, ``is_sent`` if the host wrote them."""

    time_s: float
    is_sent: bool
    data: bytes

    def __str__(self) -> str:
        return f"{self.time_s:.6f} {'>' if self.is_sent else '<'} {repr(self.data)[2:-1]}"


class WireLog:
    """A ring buffer of entries, and a file if one is named. Thread-safe.

    Args:
        file: grows to 5 MB, then it is rotated; three older ones are kept.

    Raises:
        Refused: the file cannot be written.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT_ENTRIES)
        self._lock = threading.Lock()
        self._file: logging.Handler | None = None
        if file is not None:
            try:
                self._file = logging.handlers.RotatingFileHandler(
                    file, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="ascii"
                )
            except OSError as error:
                raise Refused(
                    f"{file} cannot be written: {error.strerror or error}",
                    remedy="Name a file in a folder that exists and is yours to write to.",
                ) from error

    def add(self, time_s: float, data: bytes, *, is_sent: bool) -> None:
        """Note bytes that have just been written or read."""
        entry = Entry(time_s, is_sent, data)
        with self._lock:
            self._entries.append(entry)
            if self._file is not None:
                self._file.handle(logging.LogRecord("wire", logging.INFO, "", 0, str(entry), None, None))

    def entries(self) -> list[Entry]:
        """The last entries, oldest first."""
        with self._lock:
            return list(self._entries)

    def close(self) -> None:
        """Close the file; more than once is harmless. What is added later is kept in memory only."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def read_log(file: Path) -> Iterator[Entry]:
    """The entries of a file that a ``WireLog`` wrote.

    Raises:
        Refused: it cannot be read, or a line is no entry; with its number.
    """
    try:
        text = file.read_bytes().decode("ascii", errors="replace")
    except OSError as error:
        raise Refused(
            f"{file} cannot be read: {error.strerror or error}", remedy="Name a file that was written with --log."
        ) from error
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else (), start=1):
        entry = _entry(line)
        if entry is None or str(entry) != line:
            raise Refused(
                f"{file}: line {number} is no log entry: {line[:60]!r}",
                remedy="Name a file that was written with --log.",
            )
        yield entry


def _entry(line: str) -> Entry | None:
    try:
        time_text, direction, data = line.split(" ", 2)
        if not (_TIME.fullmatch(time_text) and _DATA.fullmatch(data)):
            return None
        quote = '"' if "'" in data and '"' not in data else "'"
        value = ast.literal_eval(f"b{quote}{data}{quote}")
        return Entry(float(time_text), {">": True, "<": False}[direction], value) if isinstance(value, bytes) else None
    except (KeyError, ValueError, SyntaxError):
        return None
