"""The file of what really happened: a line of JSON an event, written out at once; see ``sorter.types.twin``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol, Self

from sorter.twin.errors import TwinRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TextIO

    Detail = str | int | float | bool | Sequence[int] | Sequence[str] | None

_PLACES = 6


class Truth(Protocol):
    """Where the world says what really happened."""

    def write(self, event: str, time_s: float, **details: Detail) -> None:
        """Take down an event at a time of the board's clock; times never run backwards."""


class TruthFile(Truth):
    """A file, begun anew when it is entered as a context manager.

    Args:
        path: where.
        host_s: from the board's clock to the host's monotonic one.
    """

    def __init__(self, path: Path, host_s: Callable[[float], float]) -> None:
        self._path = path
        self._host_s = host_s
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Begin the file.

        Raises:
            TwinRefused: it cannot be written there.
        """
        try:
            self._file = self._path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise TwinRefused(
                f"truth: {self._path} cannot be written: {error.strerror}",
                remedy="Name a file in a folder that there is.",
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        if self._file is not None:
            self._file.close()

    def write(self, event: str, time_s: float, **details: Detail) -> None:
        """See ``Truth``; floats are rounded to a millionth. Raises ValueError if the file is not open."""
        if self._file is None:
            raise ValueError(f"{self._path} is not open")
        line: dict[str, Detail] = {"event": event, "at_s": self._host_s(time_s), **details}
        rounded = {name: round(value, _PLACES) if isinstance(value, float) else value for name, value in line.items()}
        self._file.write(json.dumps(rounded, ensure_ascii=False) + "\n")
