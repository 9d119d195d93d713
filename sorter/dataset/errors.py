"""What can be wrong with a dataset.

SorterError
├── DatasetRefused (ValueError)      a folder or an index that cannot be read as a dataset
└── SplitLeaks (ValueError)          a split that has the same thing on both sides
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class DatasetRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """A file or folder cannot be used as a dataset; ``line`` counts from 1, None if it is no matter of a line."""

    def __init__(self, path: Path, reason: str, *, remedy: str, line: int | None = None) -> None:
        self.path = path
        self.line = line
        where = f"{path}: " if line is None else f"{path}: line {line}: "
        super().__init__(f"{where}{reason}", remedy=remedy)

    def as_dict(self) -> dict[str, object]:
        """With ``file`` and ``line``."""
        return {**super().as_dict(), "file": str(self.path), "line": self.line}


class SplitLeaks(SorterError, ValueError):  # noqa: N818  (the name says it)
    """A split has the same thing on both sides; ``leaks`` names each. Nothing was written."""

    def __init__(self, leaks: Sequence[str]) -> None:
        self.leaks = tuple(leaks)
        super().__init__(
            "this split leaks, so nothing was written:\n" + "\n".join(f"- {each}" for each in self.leaks),
            remedy="Split by brick or by revolution, and take copies out; or say --allow-leaks: the file names them.",
        )

    def as_dict(self) -> dict[str, object]:
        """With ``leaks``."""
        return {**super().as_dict(), "leaks": list(self.leaks)}
