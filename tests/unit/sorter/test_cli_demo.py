"""``sorter demo``: the whole rig on its twin, as a process; what it reports is true, and nothing is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from sorter.cli.exit_codes import ExitCode
from sorter.config import read_sorting_config
from sorter.ledger import LEDGER_FILE, open_reader

PARTS = 12
SPEED = 20


def environment(folder: Path) -> dict[str, str]:
    """Whatever the demo leaves lying about, it leaves in there."""
    return {**os.environ, "COLUMNS": "250", "TMPDIR": str(folder)}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "sorter", "demo", *map(str, arguments)]


def demo(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, env=environment(folder), timeout=300
    )
    assert "Traceback" not in result.stderr, result.stderr
    return result


@contextmanager
def running(folder: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    with subprocess.Popen(command(*arguments), text=True, env=environment(folder), **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if text in line:
            return
    raise AssertionError(f"{text!r} was never said, but: {''.join(said)}")


def twin_of(process: subprocess.Popen[str]) -> psutil.Process:
    (twin,) = (each for each in psutil.Process(process.pid).children() if "sorter.twin" in each.cmdline())
    return twin


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as a socket has to lie in it; empty again afterwards."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="d") as name:
        yield Path(name)
        assert list(Path(name).iterdir()) == []


def test_a_hopper_is_sorted_and_the_report_is_that_of_the_truth(folder: Path, tmp_path: Path) -> None:
    keep, file = tmp_path / "k", tmp_path / "report.json"
    result = demo(
        folder, "--parts", PARTS, "--speed", SPEED, "--unknown", "0.25", "--headless", "--report", file, "--keep", keep
    )
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    assert f"{PARTS} parts of {PARTS} fed" in result.stdout
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert (data["parts_fed"], data["lost"], data["double_counted"], data["collisions"]) == (PARTS, 0, 0, [])
    assert data["known_fed"] + data["unknown_fed"] == PARTS
    assert data["sorted"] + data["rejected"] + data["unknown_rejected"] == PARTS
    assert data["incidents"]["hopper empty"] >= 1
    assert 0.0 < data["bound_share"] <= 1.0
    assert 0.0 < data["host_share"] < 1.0
    assert data["parts_per_minute"] < data["parts_per_minute_bound"]
    assert data["is_whole"]
    with open_reader(keep / "state" / LEDGER_FILE) as reader:
        rows = tuple(reader.all_parts())
    assert all(row.outcome is not None for row in rows)
    assert len(rows) >= PARTS - data["sharing_a_row"]
    assert read_sorting_config(keep / "rig.toml").sort is not None
    assert json.loads((keep / "report.json").read_text(encoding="utf-8")) == data


def test_ctrl_c_finishes_the_part_reports_what_there_is_and_leaves_nothing(folder: Path) -> None:
    with running(
        folder, "--parts", 500, "--speed", SPEED, "--report", folder.parent / f"{folder.name}.json"
    ) as process:
        wait_for(process, "part 1:")
        twin = twin_of(process)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
    file = folder.parent / f"{folder.name}.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    assert process.returncode == ExitCode.INTERRUPTED, said
    assert "interrupted: " in out
    assert not data["is_whole"]
    assert 1 <= data["parts_fed"] < 500
    assert not twin.is_running()


def test_a_twin_that_dies_in_the_middle_is_told_and_nothing_is_left(folder: Path) -> None:
    with running(folder, "--parts", 500, "--speed", SPEED) as process:
        wait_for(process, "part 1:")
        twin_of(process).kill()
        _, said = process.communicate(timeout=60)
    assert process.returncode == ExitCode.HARDWARE
    assert "error: the simulated rig ended in the middle (exit code -9)" in said


def test_a_twin_never_outlives_a_demo_that_was_killed(folder: Path) -> None:
    with running(folder, "--parts", 500, "--speed", SPEED) as process:
        wait_for(process, "connecting")
        twin = twin_of(process)
        process.kill()
        process.communicate(timeout=60)
    twin.wait(20)
    for left in folder.iterdir():  # nobody could take it away
        subprocess.run(["rm", "-r", str(left)], check=True)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--speed", "0"], ExitCode.USAGE, "--speed"),
        (["--speed", "nan"], ExitCode.USAGE, "--speed"),
        (["--unknown", "2"], ExitCode.USAGE, "--unknown"),
        (["--parts", "0"], ExitCode.USAGE, "--parts"),
        (["--views", "0"], ExitCode.USAGE, "--views"),
        (["--report", "/nowhere/report.json"], ExitCode.USAGE, "--report"),
        (["--photos", "/nowhere"], ExitCode.BAD_INPUT, "/nowhere is no folder"),
        (["--model", "none"], ExitCode.BAD_INPUT, 'there is no model "none"'),
        (["--model", "/nowhere/model"], ExitCode.BAD_INPUT, "/nowhere/model"),
        (["--keep", "/proc/demo"], ExitCode.BAD_INPUT, "/proc/demo cannot be made"),
        (["--keep", "/etc"], ExitCode.BAD_INPUT, "/etc is not empty"),
    ],
)
def test_what_cannot_be_is_said_at_once(folder: Path, arguments: list[str], code: ExitCode, told: str) -> None:
    result = demo(folder, "--headless", *arguments)
    assert result.returncode == code, result.stderr
    assert told in result.stderr


def test_a_folder_without_photographs_is_refused_in_the_twins_own_words(folder: Path, tmp_path: Path) -> None:
    result = demo(folder, "--headless", "--photos", tmp_path)
    assert result.returncode == ExitCode.BAD_INPUT
    assert str(tmp_path) in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_photographs_of_bricks_that_were_trained_on_are_named(folder: Path, turntable_data: Path) -> None:
    result = demo(folder, "--parts", 6, "--speed", SPEED, "--photos", turntable_data, "--headless", "--json")
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    data = json.loads(result.stdout)
    assert (data["parts_fed"], data["lost"], data["double_counted"]) == (6, 0, 0)
    assert data["bricks_seen_in_training"]
    assert data["misrouted_interval"]["method"] in ("bricks", "wilson")
