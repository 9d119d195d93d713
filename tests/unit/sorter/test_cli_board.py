"""``sorter board``: the real command line, as a process of its own, against an emulated board behind a real pty."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from firmware_bridge.emulator import BoardSettings
from firmware_bridge.emulator.pty_server import EmulatedBoard
from sorter.cli.commands import app
from sorter.cli.exit_codes import ExitCode
from tests.cli_boards import SPEED, asked, ran, running, sorter

# --- what cannot be opened ------------------------------------------------------------------------------------------

EVERY_COMMAND = [
    ["info"],
    ["move", "X=1"],
    ["home", "X"],
    ["servo", "0", "90"],
    ["output", "fan", "0", "1"],
    ["output", "pin", "4", "1"],
    ["monitor"],
    ["stop"],
]


@pytest.mark.parametrize("arguments", EVERY_COMMAND, ids=" ".join)
def test_a_missing_port_is_named_by_every_command(arguments: list[str], tmp_path: Path) -> None:
    result = sorter(*arguments, "--port", tmp_path / "nothing")
    assert result.returncode == ExitCode.HARDWARE
    assert f"{tmp_path}/nothing does not exist" in result.stderr


def test_a_port_that_another_program_holds_is_refused_and_the_holder_named(board: EmulatedBoard) -> None:
    board.take_port(is_taken=True)
    result = sorter("info", "--port", board.path, "--json")
    assert result.returncode == ExitCode.HARDWARE
    error = json.loads(result.stdout)["error"]
    assert error["kind"] == "PortError"
    assert f"pid {os.getpid()}" in error["message"]


def test_a_log_that_cannot_be_written_is_refused_before_the_board_is_reset(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    result = sorter("info", "--port", board.path, "--log", tmp_path / "no" / "folder")
    assert result.returncode == ExitCode.USAGE
    assert "cannot be written" in result.stderr
    assert board.truth().resets == 0


# --- ports ----------------------------------------------------------------------------------------------------------


def devices(*ids: tuple[int, int]) -> Any:
    from firmware_bridge.transport import UsbDevice

    return lambda: [
        UsbDevice(Path(f"/dev/ttyUSB{index}"), vendor, product, "") for index, (vendor, product) in enumerate(ids)
    ]


@pytest.mark.parametrize(
    ("ids", "auto", "words"),
    [
        ([], None, "auto takes none: no board found"),
        ([(0x1A86, 0x7523)], "/dev/ttyUSB0", "/dev/ttyUSB0: CH340 (1a86:7523)"),
        ([(0x1A86, 0x7523), (0x2341, 0x42)], None, "auto takes none: 2 boards found"),
    ],
)
def test_ports_says_which_one_auto_takes_or_why_none(
    monkeypatch: pytest.MonkeyPatch, ids: list[tuple[int, int]], auto: str | None, words: str
) -> None:
    monkeypatch.setattr("firmware_bridge.ports.usb_devices", devices(*ids))
    assert words in CliRunner().invoke(app, ["board", "ports"]).output
    data = json.loads(CliRunner().invoke(app, ["board", "ports", "--json"]).output)
    assert (data["auto"], len(data["ports"])) == (auto, len(ids))
    assert (data["why_none"] is None) == (auto is not None)
    CliRunner().invoke(app, ["board", "ports"])  # leaves the process in text mode


# --- info -----------------------------------------------------------------------------------------------------------


def test_info_reports_the_axes_as_the_firmware_has_them(board: EmulatedBoard) -> None:
    data = asked("info", "--port", board.path)
    assert data["axes"]["X"] == {"steps_per_unit": 80.0, "max_speed": 300.0, "acceleration": 3000.0}
    assert data["axes"]["Z"] == {"steps_per_unit": 400.0, "max_speed": 5.0, "acceleration": 100.0}
    assert data["position"] == {"X": 0.0, "Y": 0.0, "Z": 0.0, "E": 0.0}
    assert data["endstops"] == {"x_min": False, "y_min": False, "z_min": False}
    assert data["firmware"].startswith("Marlin 2.0.9.7")
    assert data["missing"] == {}


def test_info_warns_of_a_firmware_whose_emergency_stop_waits() -> None:
    with EmulatedBoard(BoardSettings(emergency_parser=False), speed=SPEED) as board:
        result = sorter("info", "--port", board.path)
    assert result.returncode == ExitCode.OK
    assert "missing:       EMERGENCY_PARSER: without it an emergency stop waits" in result.stdout
    assert "x_min open" in result.stdout


def test_what_crosses_the_wire_is_logged_on_demand(board: EmulatedBoard, tmp_path: Path) -> None:
    log = tmp_path / "wire.log"
    asked("info", "--port", board.path, "--log", log)
    assert "M503 S0" in log.read_text(encoding="ascii")


# --- move -----------------------------------------------------------------------------------------------------------


def test_a_move_arrives_and_takes_its_settings_from_the_firmware(board: EmulatedBoard) -> None:
    data = asked("move", "X=90", "y=-10", "--port", board.path)
    assert {axis: data["position"][axis] for axis in "XY"} == {"X": 90.0, "Y": -10.0}
    assert data["axes"]["X"] == {"steps_per_unit": 80.0, "max_speed": 300.0, "acceleration": 3000.0}
    assert data["planned_s"] > 0.0
    assert board.truth().steps["X"] == 7200
    assert board.truth().steps["Y"] == -800


def test_given_settings_reach_the_board(board: EmulatedBoard) -> None:
    options = ["--steps", "X=8.889", "--max-speed", "X=360", "--acceleration", "X=1800", "--speed", "1"]
    result = sorter("move", "X=90", *options, "--port", board.path)
    assert result.returncode == ExitCode.OK
    assert "0.45 s planned" in result.stdout  # 90/360 + 360/1800
    assert "0 is where each axis stood before" in result.stdout
    assert board.truth().steps["X"] == 800
    assert "M203 X360" in ran(board)


@pytest.mark.parametrize(
    "arguments",
    [
        ["X"],
        ["Q=5"],
        ["X=nan"],
        ["X=1e2"],
        ["X=1", "X=2"],
        ["X=721"],
        ["X=-721"],
        ["X=1", "--speed", "0"],
        ["X=1", "--speed", "nan"],
        ["X=1", "--speed", "1.1"],
        ["X=1", "--steps", "Y=5"],
        ["X=1", "--steps", "X=0"],
        ["X=1", "--max-speed", "X=-1"],
        ["X=1", "--acceleration", "fast"],
        [],
    ],
    ids=" ".join,
)
def test_a_wrong_move_is_refused_before_the_port_is_opened(board: EmulatedBoard, arguments: list[str]) -> None:
    result = sorter("move", *arguments, "--port", board.path)
    assert result.returncode == ExitCode.USAGE
    assert board.truth().resets == 0


def test_a_far_move_happens_when_it_is_meant(board: EmulatedBoard) -> None:
    assert asked("move", "X=721", "--far", "--speed", "1", "--port", board.path)["position"]["X"] == 721.0


def test_a_move_too_short_for_marlin_is_refused(board: EmulatedBoard) -> None:
    result = sorter("move", "X=0.01", "--port", board.path, "--json")
    assert result.returncode == ExitCode.BAD_INPUT
    assert json.loads(result.stdout)["error"]["kind"] == "Refused"
    assert not any(text.startswith("G1") for text in ran(board))


def test_ctrl_c_stops_a_move(slow_board: EmulatedBoard) -> None:
    with running("move", "X=700", "--speed", "0.1", "--port", slow_board.path) as process:
        slow_board.wait_until(lambda truth: truth.steps["X"] > 100, 20.0)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "nothing moves" in errors
    truth = slow_board.truth()
    assert not truth.is_moving
    assert truth.steps["X"] < 700 * 80


# --- home -----------------------------------------------------------------------------------------------------------


def test_an_axis_is_homed_and_only_that_one(board: EmulatedBoard) -> None:
    data = asked("home", "x", "--port", board.path)
    assert (data["axis"], data["position"]["X"]) == ("X", 0.0)
    axes = board.truth().axes
    assert axes["X"].is_homed
    assert not axes["Y"].is_homed


def test_a_switch_that_is_not_found_is_explained() -> None:
    stock = BoardSettings()
    settings = replace(stock, x=replace(stock.x, home_switch_at_steps=None))
    with EmulatedBoard(settings, speed=SPEED) as board:
        result = sorter("home", "X", "--port", board.path)
        assert result.returncode == ExitCode.HARDWARE
        assert "homing X: the switch was not found, and Marlin halted itself" in result.stderr
        assert "can be used again" in result.stderr
        assert asked("info", "--port", board.path)["firmware"]


def test_no_axis_is_homed_that_is_not_named(board: EmulatedBoard) -> None:
    for axis in ("E", "XY", "all"):
        assert sorter("home", axis, "--port", board.path).returncode == ExitCode.USAGE
    assert sorter("home", "--port", board.path).returncode == ExitCode.USAGE
    assert board.truth().resets == 0


def test_ctrl_c_while_homing_is_an_emergency_stop() -> None:
    stock = BoardSettings(boot_s=0.2)
    settings = replace(stock, x=replace(stock.x, home_switch_at_steps=-8000, homing_speed_units_per_s=5.0))
    with EmulatedBoard(settings) as board:
        with running("home", "X", "--port", board.path) as process:
            board.wait_until(lambda truth: truth.steps["X"] < -50, 20.0)
            resets = board.truth().resets
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert process.returncode == ExitCode.INTERRUPTED
        assert "emergency stop: M112 was written" in errors
        assert board.truth().resets > resets
        assert not board.truth().is_moving


# --- outputs --------------------------------------------------------------------------------------------------------


def test_a_servo_is_told_its_angle(board: EmulatedBoard) -> None:
    assert asked("servo", 0, 90, "--port", board.path) == {"servo": 0, "angle_deg": 90.0}
    assert board.truth().servos[0].commanded_deg == 90.0


def test_a_fan_and_a_pin_are_driven(board: EmulatedBoard) -> None:
    assert asked("output", "fan", 0, 200, "--port", board.path) == {"fan": 0, "level": 200}
    assert board.truth().fans == (200,)
    assert asked("output", "pin", 4, 128, "--port", board.path) == {"pin": 4, "level": 128}
    assert board.truth().pins[4] == 128


@pytest.mark.parametrize("arguments", [["servo", 3, 90], ["output", "pin", 0, 1]], ids=["servo", "pin"])
def test_what_the_firmware_refuses_is_an_error(board: EmulatedBoard, arguments: list[object]) -> None:
    result = sorter(*arguments, "--port", board.path)
    assert result.returncode == ExitCode.HARDWARE
    assert "the board refused" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["servo", "0", "181"],
        ["servo", "0", "nan"],
        ["servo", "x", "1"],
        ["output", "fan", "8", "1"],
        ["output", "fan", "0", "256"],
        ["output", "pin", "4", "-1"],
        ["output", "lamp", "4", "1"],
    ],
    ids=" ".join,
)
def test_a_wrong_output_is_refused(board: EmulatedBoard, arguments: list[str]) -> None:
    result = sorter(*arguments, "--port", board.path)
    assert result.returncode in (ExitCode.USAGE, ExitCode.BAD_INPUT)
    assert not any(text.startswith(("M280", "M106", "M42")) for text in ran(board))


# --- stop -----------------------------------------------------------------------------------------------------------


def test_stop_resets_the_board_and_says_what_was_done(board: EmulatedBoard) -> None:
    asked("output", "fan", 0, 255, "--port", board.path)
    resets = board.truth().resets
    data = asked("stop", "--port", board.path)
    assert data["m112_was_written"]
    assert data["said_start"]
    assert board.truth().resets >= resets + 2
    assert board.truth().fans == (0,)


def test_stop_says_who_holds_the_port_and_that_only_he_can_stop(board: EmulatedBoard) -> None:
    board.take_port(is_taken=True)
    result = sorter("stop", "--port", board.path)
    assert result.returncode == ExitCode.HARDWARE
    assert f"pid {os.getpid()}" in result.stderr
    assert "nothing was stopped" in result.stderr
    assert "only that program" in result.stderr
    assert board.truth().resets == 0
