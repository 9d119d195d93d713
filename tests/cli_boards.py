"""``sorter board`` as a process of its own, and emulated boards for it to talk to."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from firmware_bridge.emulator import BoardSettings
from firmware_bridge.emulator.pty_server import EmulatedBoard
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEED = 20.0


def sorter(*arguments: object, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sorter", "board", *map(str, arguments)]
    stdin = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    result = subprocess.run(command, capture_output=True, text=True, check=False, **stdin)  # type: ignore[call-overload]
    assert "Traceback" not in result.stderr, result.stderr
    return result  # type: ignore[no-any-return]


def asked(*arguments: object) -> dict[str, Any]:
    """The JSON report of a command that must work."""
    result = sorter(*arguments, "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    return json.loads(result.stdout)  # type: ignore[no-any-return]


@contextmanager
def running(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "sorter", "board", *map(str, arguments)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def board() -> Iterator[EmulatedBoard]:
    with EmulatedBoard(speed=SPEED) as emulated:
        yield emulated


@pytest.fixture
def slow_board() -> Iterator[EmulatedBoard]:
    """Lives as fast as a real one, for what has to be caught in mid-motion."""
    with EmulatedBoard(BoardSettings(boot_s=0.2)) as emulated:
        yield emulated


def ran(board: EmulatedBoard) -> list[str]:
    return [each.text for each in board.executed()]


def gcode(folder: Path, *lines: str) -> Path:
    file = folder / "program.gcode"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def long_program(tmp_path: Path) -> Path:
    return gcode(tmp_path, "G90", *(f"G1 X{(turn % 2) * 40} Y{turn % 7} F3000" for turn in range(2000)))
