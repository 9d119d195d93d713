"""What can be wrong with the ledger.

SorterError
└── LedgerError                            the record of parts cannot be kept, or not be read
    ├── LedgerBusy (RuntimeError)          another program writes into it
    ├── LedgerMissing (FileNotFoundError)  there is none to read
    ├── LedgerUnreadable (OSError)         the file cannot be opened for reading
    ├── LedgerUnwritable (OSError)         the file cannot be opened for writing, or something did not reach the disk
    │   └── LedgerFull                     there is no room left on the disk
    ├── LedgerTooNew (ValueError)          a newer program made it
    ├── LedgerTooOld (ValueError)          an older program made it, and whoever only reads cannot bring it up to date
    ├── LedgerDamaged (ValueError)         it is not what was written
    └── NoLedger (ValueError)              the file is something else
"""

from __future__ import annotations

import errno
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


class LedgerBusy(LedgerError, RuntimeError):  # noqa: N818  (the name says it)
    """Another program writes into the ledger; ``holder`` says which, or is empty where nobody knows."""

    def __init__(self, file: Path, holder: str = "") -> None:
        self.holder = holder
        super().__init__(
            file,
            "is written by another program" + (f": {holder}" if holder else ""),
            remedy="One rig at a time: end that program first, such as another `sorter run`. Nothing was changed.",
        )


class LedgerMissing(LedgerError, FileNotFoundError):  # noqa: N818  (the name says it)
    """There is no ledger to read."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            file,
            "is not there: nothing was sorted with this state folder yet",
            remedy="Look whether [paths] state in rig.toml is the folder you mean. `sorter run` begins a ledger.",
        )


class LedgerUnreadable(LedgerError, OSError):  # noqa: N818  (the name says it)
    """The ledger cannot be opened for reading."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            file,
            f"cannot be read: {reason}",
            remedy="Look who may read it, and write beside it: SQLite keeps a file of that name with -shm at its end.",
        )


class LedgerUnwritable(LedgerError, OSError):  # noqa: N818  (the name says it)
    """The ledger cannot be opened for writing, or what was to be written may not have reached the disk."""

    def __init__(self, file: Path, reason: str, *, remedy: str | None = None) -> None:
        super().__init__(
            file,
            f"cannot be written: {reason}",
            remedy=remedy
            or "Check [paths] state in rig.toml, the disk, and who may write there; then go on, or start again.",
        )


class LedgerFull(LedgerUnwritable):
    """There is no room left on the disk; ``errno`` is ENOSPC. What was written before is whole.

    ``is_rolled_back``: SQLite has met it itself and knows what there is; else it was an error of the disk that had no
    room.
    """

    def __init__(self, file: Path, *, is_rolled_back: bool = True) -> None:
        self.is_rolled_back = is_rolled_back
        super().__init__(
            file,
            "there is no room left on the disk",
            remedy="Make room on that disk, then go on: what was written before is whole, and nothing is half there.",
        )
        self.errno = errno.ENOSPC


class LedgerTooNew(LedgerError, ValueError):  # noqa: N818  (the name says it)
    """A newer program made the ledger; ``revision`` is its version."""

    def __init__(self, file: Path, revision: str) -> None:
        self.revision = revision
        super().__init__(
            file,
            f"was written by a newer version of this program (its tables are of version {revision!r})",
            remedy="Update this program, or name another state folder in rig.toml. The file was left as it is.",
        )


class LedgerTooOld(LedgerError, ValueError):  # noqa: N818  (the name says it)
    """An older program made the ledger, and reading alone cannot bring it up to date."""

    def __init__(self, file: Path, revision: str) -> None:
        self.revision = revision
        super().__init__(
            file,
            f"is of an older version of this program (its tables are of version {revision!r})",
            remedy="Start `sorter run` once: it brings the file up to date and keeps what is in it.",
        )


class LedgerDamaged(LedgerError, ValueError):  # noqa: N818  (the name says it)
    """The ledger is not what was written into it; ``reason`` says what was found."""

    def __init__(self, file: Path, reason: str) -> None:
        self.reason = reason
        super().__init__(
            file,
            f"is damaged: {reason}",
            remedy="It was left as it is. Move it away with the files whose names begin with its own, and keep them: "
            "then the rig begins a new one. `sqlite3 OLD .recover | sqlite3 NEW` saves what can be read.",
        )


class NoLedger(LedgerError, ValueError):  # noqa: N818  (the name says it)
    """The file is something else than a ledger."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            file,
            f"is no ledger: {reason}",
            remedy="It was left as it is. Move it away, or name another state folder in rig.toml.",
        )
