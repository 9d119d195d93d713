"""What can be wrong with the twin's files.

SorterError
└── SpritesRefused (ValueError)      a folder of sprites that cannot be used
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from pathlib import Path


class SpritesRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """A file of a folder of sprites is missing, malformed or not the one that its ``sprites.json`` tells of."""

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path} {reason}", remedy=remedy)

    def as_dict(self) -> dict[str, object]:
        """With ``file``."""
        return {**super().as_dict(), "file": str(self.path)}
