"""The simulated rig as a child process: started, waited for, watched, ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

from sorter.app.errors import DemoRefused, TwinFailed

if TYPE_CHECKING:
    from pathlib import Path

_READY_S = 60.0
_END_S = 5.0
_LINES_TOLD = 12
_MOST_LINE_BYTES = 65_536
_REFUSED = 2  # exit code of a twin that does not take its settings


class TwinProcess:
    """The process of ``python -m sorter.twin``, for as long as the block lasts; it ends with this program in any case.

    It is in a process group of its own, so that Ctrl-C reaches this program alone, which then says what happens.

    Args:
        settings: its settings file.
        log: what it says on stderr is written here.

    Raises:
        DemoRefused: it does not take its settings; nothing is left of it.
        TwinFailed: it did not say that it is ready; nothing is left of it.
    """

    def __init__(self, settings: Path, log: Path) -> None:
        self._settings = settings
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-P", "-m", "sorter.twin", str(self._settings)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check(self) -> None:
        """Raise TwinFailed if it has ended by itself."""
        if self._process is None or self._process.poll() is not None:
            code = None if self._process is None else self._process.returncode
            raise TwinFailed(f"ended in the middle (exit code {code})", self._said())

    def stop(self) -> None:
        """Let it end, or end it; harmless if it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None  # as it was started
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()  # the end of its standard input is its sign
        for end in (None, process.terminate, process.kill):
            if end is not None:
                end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
                break
        process.stdout.close()

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Read the line that says so."""
        assert process.stdout is not None  # as it was started
        said, until_s = b"", time.monotonic() + _READY_S
        while not said.endswith(b"\n"):
            left_s = max(0.0, until_s - time.monotonic())
            if not select.select([process.stdout], [], [], left_s)[0]:
                raise TwinFailed(f"was not ready within {_READY_S:g} s", self._said())
            more = os.read(process.stdout.fileno(), _MOST_LINE_BYTES)
            if not more:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_END_S)
                refused = self._refused() if process.returncode == _REFUSED else None
                raise refused or TwinFailed(f"did not start (exit code {process.returncode})", self._said())
            said += more
        try:
            json.loads(said)
        except ValueError as error:
            raise TwinFailed(f"said {said[:80]!r} where it must say that it is ready", self._said()) from error

    def _refused(self) -> DemoRefused | None:
        """What the twin does not take, in its own words."""
        try:
            said = json.loads(self._lines()[-1])
            return DemoRefused(said["message"], remedy=said["remedy"])
        except (IndexError, KeyError, TypeError, ValueError):
            return None

    def _said(self) -> str:
        """The end of what it said on stderr; an error as its message alone."""
        lines = self._lines()[-_LINES_TOLD:]
        for place, line in enumerate(lines):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                lines[place] = str(json.loads(line)["message"])
        return "\n".join(lines)

    def _lines(self) -> list[str]:
        return self._log.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
