"""``sorter run`` as a process that is killed, and what can be seen of it from outside while it lives."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = Path(__file__).with_name("kill_host.py")

_POLL_S = 0.001
_END_S = 30.0
_INTENDED = "SELECT 1 FROM parts WHERE outcome IS NULL AND intended_at_s > ? LIMIT 1"


@dataclass(frozen=True)
class Files:
    """Where a rig's files lie.

    Args:
        rig: its rig.toml.
        ledger: its ledger.
        truth: the twin's file of what really happens.
        logs: folder for what each program says and sends.
    """

    rig: Path
    ledger: Path
    truth: Path
    logs: Path

    def said(self, number: int) -> Path:
        """What program ``number`` says on stderr and stdout."""
        return self.logs / f"{number:04}.said"

    def wire(self, number: int) -> Path:
        """What it sends to the board, and hears."""
        return self.logs / f"{number:04}.wire"


class Host:
    """A program that homes, starts and sorts by itself. Use it as a context manager: it is dead afterwards.

    Args:
        files: of the rig.
        number: of the program, for its files.
        speed: of its clock.
        parts: after so many it ends by itself; None: when the hopper is empty.
    """

    def __init__(self, files: Files, number: int, speed: float, parts: int | None = None) -> None:
        self.files, self.number = files, number
        enough = [] if parts is None else ["--parts", str(parts)]
        wishes = ["--home", "--start", "--until-empty", *enough, "--log", str(files.wire(number))]
        command = [sys.executable, "-P", str(HOST), str(speed), "run", "--config", str(files.rig), *wishes]
        environment = {**os.environ, "COLUMNS": "250"}
        with files.said(number).open("wb") as said:
            self.started_s = time.monotonic()
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment
            )

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def said(self) -> str:
        """All that it has said."""
        return self.files.said(self.number).read_text(encoding="utf-8", errors="replace")

    @property
    def code(self) -> int | None:
        """Its exit code; None while it lives."""
        return self._process.poll()

    def kill(self) -> None:
        """End it as a power cut would: nothing of it runs any more when this returns."""
        if self.code is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(_END_S)

    def wait_until(self, is_so: Callable[[], bool], most_s: float) -> bool:
        """Wait until something is so, or the program has ended; False if neither came within ``most_s``."""
        until_s = time.monotonic() + most_s
        while time.monotonic() < until_s:
            if self.code is not None or is_so():
                return True
            time.sleep(_POLL_S)
        return False

    def wait_for(self, seconds: float) -> None:
        """Let it live for so long, if it does."""
        self.wait_until(lambda: False, seconds)

    # --- what can be waited for ---------------------------------------------------------------------------------

    def waits_for_state(self, state: str) -> Callable[[], bool]:
        """Whether it has said that the rig is in a state."""
        return lambda: f"{state}\n" in self.said

    def waits_for_intention(self) -> Callable[[], bool]:
        """Whether it has written down that a part is to be pushed."""
        ledger = self.files.ledger

        def is_so() -> bool:
            if not ledger.exists():
                return False
            try:  # a connection of its own each time: none is open when the next program begins
                with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True, timeout=0.01)) as connection:
                    return connection.execute(_INTENDED, (self.started_s,)).fetchone() is not None
            except sqlite3.OperationalError:  # its tables are being made, or it is busy
                return False

        return is_so

    def waits_for_strike(self, strikes: int) -> Callable[[], bool]:
        """Whether the arm has struck a part so many times since now: the sweep may be the first time."""
        file, begin = self.files.truth, self.files.truth.stat().st_size

        def is_so() -> bool:
            with file.open("rb") as truth:
                truth.seek(begin)
                return truth.read().count(b'"pushed"') >= strikes

        return is_so

    def waits_for_line(self, begin: str) -> Callable[[], bool]:
        """Whether a line that begins so was sent to the board since now."""
        file = self.files.wire(self.number)
        since = file.stat().st_size

        def is_so() -> bool:
            with file.open("rb") as wire:
                wire.seek(since)
                return begin.encode() in wire.read()

        return is_so

    def waits_for_commit(self, commits: int) -> Callable[[], bool]:
        """Whether the ledger's log was written to so many times: then the disk is being waited for, mostly."""
        log = self.files.ledger.with_name(f"{self.files.ledger.name}-wal")
        seen, changes = _mark(log), 0

        def is_so() -> bool:
            nonlocal seen, changes
            now = _mark(log)
            if now != seen:
                seen, changes = now, changes + 1
            return changes >= commits

        return is_so


def _mark(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
