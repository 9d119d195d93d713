"""What can be wrong with an inventory's file.

SorterError
└── InventoryRefused (ValueError)    a file is no inventory, or damaged
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from pathlib import Path


class InventoryRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """A file is no inventory that can be read; ``line`` counts from 1, None if it is the whole file."""

    def __init__(self, file: Path, line: int | None, reason: str, *, remedy: str | None = None) -> None:
        self.file = file
        self.line = line
        self.reason = reason
        where = f"{file}: " if line is None else f"{file}: line {line}: "
        super().__init__(where + reason, remedy=remedy or "Mend that, or export the list anew; nothing was taken over.")

    def as_dict(self) -> dict[str, object]:
        """With ``file`` and ``line``."""
        return {**super().as_dict(), "file": str(self.file), "line": self.line}
