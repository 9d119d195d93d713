"""``sorter home``: the real command line, as a process of its own, against an emulated board behind a real pty."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_bridge.emulator import BoardSettings
from firmware_bridge.emulator.pty_server import EmulatedBoard
from sorter.cli.exit_codes import ExitCode
from tests.cli_rigs import rig_file, sorter


def test_the_whole_rig_is_homed_and_the_arm_parked(board: EmulatedBoard, tmp_path: Path) -> None:
    result = sorter("home", "--config", rig_file(tmp_path, board.path), "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    data = json.loads(result.stdout)
    assert data["homed"] == "all"
    assert [(each["name"], each["position_deg"], each["is_homed"]) for each in data["axes"]] == [
        ("turntable", 0.0, True),
        ("chute", 0.0, True),
    ]
    assert data["endstops"]["x_min"] in (True, False)
    assert board.truth().axes["X"].is_homed
    assert board.truth().servos[0].commanded_deg == 20.0


def test_one_axis_is_homed_and_only_that_one(board: EmulatedBoard, tmp_path: Path) -> None:
    result = sorter("home", "turntable", "--config", rig_file(tmp_path, board.path))
    assert result.returncode == ExitCode.OK, result.stderr
    assert result.stdout.startswith("the turntable is homed, in ")
    assert "chute: not homed" in result.stdout
    assert not board.truth().axes["X"].is_homed


def test_an_axis_that_the_rig_does_not_have_is_named(board: EmulatedBoard, tmp_path: Path) -> None:
    result = sorter("home", "X", "--config", rig_file(tmp_path, board.path))
    assert result.returncode == ExitCode.USAGE
    assert "this rig has no axis 'X'" in " ".join(result.stderr.replace("│", " ").split())
    assert board.truth().resets == 0


@pytest.mark.parametrize("axis", ["chute", None])
def test_a_switch_that_is_not_found_is_explained(axis: str | None, tmp_path: Path) -> None:
    stock = BoardSettings()
    with EmulatedBoard(replace(stock, x=replace(stock.x, home_switch_at_steps=None)), speed=20.0) as board:
        names = [] if axis is None else [axis]
        result = sorter("home", *names, "--config", rig_file(tmp_path, board.path), "--json")
    assert result.returncode == ExitCode.HARDWARE
    error = json.loads(result.stdout)["error"]
    assert error["kind"] == "BoardHalted"
    assert "did not find its switch" in error["message"]
    assert "press the switch by hand" in error["remedy"]


def test_ctrl_c_while_homing_is_an_emergency_stop(tmp_path: Path) -> None:
    stock = BoardSettings(boot_s=0.2)
    settings = replace(stock, x=replace(stock.x, home_switch_at_steps=-8000, homing_speed_units_per_s=5.0))
    with EmulatedBoard(settings) as board:
        command = [sys.executable, "-m", "sorter", "home", "--config", str(rig_file(tmp_path, board.path))]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
            board.wait_until(lambda truth: truth.steps["X"] < -10, 40.0)
            resets = board.truth().resets
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert process.returncode == ExitCode.INTERRUPTED, errors
        assert "emergency stop: M112 was written" in errors
        assert board.truth().resets > resets
        assert not board.truth().is_moving
