"""What can be wrong with the ledger.

SorterError
└── LedgerError                          the record of parts cannot be kept
    ├── JournalRefused (ValueError)      a line of the file is not what this program writes
    ├── JournalBusy (RuntimeError)       another program writes into it
    └── JournalUnwritable (OSError)      the file cannot be opened, or a line did not reach the disk
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from pathlib import Path


class LedgerError(SorterError):
    """The record of parts cannot be kept; without it the rig does not sort."""

    def __init__(self, file: Path, problem: str, *, remedy: str) -> None:
        self.file = file
        super().__init__(f"{file} {problem}", remedy=remedy)

    def as_dict(self) -> dict[str, object]:
        """With ``file``."""
        return {**super().as_dict(), "file": str(self.file)}


class JournalRefused(LedgerError, ValueError):  # noqa: N818  (the name says it)
    """A line of the journal is not one that this program writes; ``line`` counts from 1."""

    def __init__(self, file: Path, line: int, reason: str) -> None:
        self.line = line
        super().__init__(
            file,
            f"line {line}: {reason}",
            remedy="Move the file away and keep it: the rig begins a new one. Or mend that line.",
        )


class JournalBusy(LedgerError, RuntimeError):  # noqa: N818  (the name says it)
    """Another program has the journal open for writing."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            file, "is written by another program", remedy="One rig at a time: end the other `sorter run` first."
        )


class JournalUnwritable(LedgerError, OSError):  # noqa: N818  (the name says it)
    """The journal cannot be opened, or what was to be written may not have reached the disk."""

    def __init__(self, file: Path, error: OSError) -> None:
        super().__init__(
            file,
            f"cannot be written: {error.strerror or error}",
            remedy="Check [paths] state in rig.toml, the disk's free space and who may write there; then start again.",
        )
