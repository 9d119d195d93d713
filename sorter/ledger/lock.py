"""One program at a time writes into a ledger, and the next one is told which that is."""

from __future__ import annotations

import fcntl
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from sorter.ledger.errors import LedgerBusy, LedgerUnwritable

_MOST_BYTES = 400  # of what is said about the holder


class WriterLock:
    """Held from the making until ``close``, or until the process is gone.

    It is a file of its own beside the ledger, as SQLite loses its own locks when anybody in the process closes the
    ledger's file. It stays there; what stands in it is for whoever is refused.

    Raises:
        LedgerBusy: another program holds it.
        LedgerUnwritable: the folder cannot be made, or not be written to.
    """

    def __init__(self, ledger: Path) -> None:
        file = ledger.with_name(f"{ledger.name}.lock")
        self._descriptor = -1
        try:
            ledger.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, _MOST_BYTES, 0).decode(errors="replace").strip()
            self.close()
            raise LedgerBusy(ledger, holder) from error
        except OSError as error:
            self.close()
            raise LedgerUnwritable(ledger, error.strerror or str(error)) from error
        self._say(_who())

    def close(self) -> None:
        """Let go; harmless if that is done."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _say(self, holder: str) -> None:
        """On a full disk nobody is told who holds it, and it is held all the same."""
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, holder.encode()[:_MOST_BYTES], 0)
        except OSError:
            os.ftruncate(self._descriptor, 0)


def _who() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return f"process {os.getpid()} ({command}), since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n"
