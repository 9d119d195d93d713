"""``sorter board``: the real command line, as a process of its own, against an emulated board behind a real pty."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from firmware_bridge.emulator import BoardSettings
from firmware_bridge.emulator.pty_server import EmulatedBoard
from firmware_bridge.errors import Refused
from sorter.cli.board_program import Interpreter, Settings, unframed
from sorter.cli.commands import app
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEED = 20.0
STOCK = Settings(
    {"X": 80.0, "Y": 80.0}, {"X": 300.0, "Y": 300.0}, {"X": 3000.0, "Y": 3000.0}, travel_acceleration=3000.0
)


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


# --- stream ---------------------------------------------------------------------------------------------------------


def test_a_file_is_sent_without_comments_and_all_of_it_runs(board: EmulatedBoard, tmp_path: Path) -> None:
    file = gcode(
        tmp_path, "\ufeff; Größe", "", "G90 ; absolute", "(go)", "N3 G1 X10 F6000*50", "G91", "G1 X5", "G4 P100", "G90"
    )
    data = asked("stream", file, "--port", board.path)
    assert data["lines"] == data["accepted"] == 6
    assert data["complaints"] == []
    assert data["seconds"] > 0.0
    assert data["lines_per_second"] > 0.0
    assert data["resends"] == 0
    assert data["longest_wait_s"] >= 0.0
    texts = [text for text in ran(board) if not text.startswith(("M118", "M503"))]
    assert texts[texts.index("G1 X10 F6000") - 1 :] == ["G90", "G1 X10 F6000", "G91", "G1 X5", "G4 P100", "G90", "M400"]
    assert board.truth().steps["X"] == 15 * 80


def test_a_long_file_arrives_whole_and_in_order(board: EmulatedBoard, tmp_path: Path) -> None:
    file = gcode(tmp_path, "G90", *(f"G1 X{turn % 40} Y{turn % 7} F18000" for turn in range(2000)))
    result = sorter("stream", file, "--port", board.path)
    assert result.returncode == ExitCode.OK, result.stderr
    assert "2001 lines, all done" in result.stdout
    moves = [text for text in ran(board) if text.startswith("G1 ")]
    assert moves == file.read_text(encoding="utf-8").splitlines()[1:]
    assert not board.truth().is_moving


@pytest.mark.parametrize(
    "line",
    ["hello", "g1 x10", "X10", "G1 X1°", "M112", "M0112", "M410", "M999", "M0", "M1", "M110 N5", "M28 a.g", "N3 G1*1"],
)
def test_a_bad_line_is_named_and_nothing_is_sent(board: EmulatedBoard, tmp_path: Path, line: str) -> None:
    file = gcode(tmp_path, "G90", "G1 X10 F600", line, "G1 X0")
    result = sorter("stream", file, "--port", board.path)
    assert result.returncode == ExitCode.BAD_INPUT
    assert f"{file}: line 3: " in result.stderr
    assert "Nothing was sent" in result.stderr
    assert board.truth().resets == 0


@pytest.mark.parametrize("text", [b"", b"; nothing\n", b"\0" * 100_000, b"\xff\xfe" * 50_000, b"G1" + b" " * 70_000])
def test_a_file_without_gcode_is_refused(board: EmulatedBoard, tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "program.gcode"
    file.write_bytes(text)
    assert sorter("stream", file, "--port", board.path).returncode == ExitCode.BAD_INPUT
    assert board.truth().resets == 0


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert sorter("stream", tmp_path / "none").returncode == ExitCode.USAGE
    assert sorter("stream", tmp_path).returncode == ExitCode.USAGE


def test_a_command_that_the_firmware_does_not_know_is_found(board: EmulatedBoard, tmp_path: Path) -> None:
    result = sorter("stream", gcode(tmp_path, "G90", "", "G99"), "--port", board.path, "--json")
    assert result.returncode == ExitCode.FINDINGS
    found = {"line": 3, "text": "G99", "reply": 'echo:Unknown command: "G99"'}
    assert json.loads(result.stdout)["complaints"] == [found]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_stream_stops_the_motion_and_runs_nothing_more(
    slow_board: EmulatedBoard, long_program: Path, how: signal.Signals
) -> None:
    with running("stream", long_program, "--port", slow_board.path, "--json") as process:
        slow_board.wait_until(lambda truth: truth.steps["X"] > 100, 20.0)
        process.send_signal(how)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert not slow_board.truth().is_moving
    data = json.loads(output)
    assert data["is_interrupted"]
    assert 0 < data["accepted"] < data["lines"] == 2001
    assert "nothing moves" in errors
    executed, steps = ran(slow_board), slow_board.truth().steps
    after = executed[executed.index("M410") :] if "M410" in executed else executed[-1:]
    assert not any(text.startswith("G1 ") for text in after)
    time.sleep(0.3)
    assert (ran(slow_board), slow_board.truth().steps) == (executed, steps)


def test_a_second_ctrl_c_makes_an_emergency_stop(long_program: Path) -> None:
    stops_late = BoardSettings(boot_s=0.2, emergency_parser=False, quick_stop_min_s=3.0, quick_stop_max_s=3.5)
    with EmulatedBoard(stops_late) as board:
        with running("stream", long_program, "--port", board.path) as process:
            board.wait_until(lambda truth: truth.steps["X"] > 100, 20.0)
            resets = board.truth().resets
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            assert "Ctrl-C again" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
        assert process.returncode == ExitCode.INTERRUPTED
        assert "emergency stop: M112 was written" in errors
        assert "lines were accepted" in output
        assert board.truth().resets > resets
        assert not board.truth().is_moving


def test_a_cable_pulled_in_mid_stream_is_reported(slow_board: EmulatedBoard, long_program: Path) -> None:
    with running("stream", long_program, "--port", slow_board.path, "--json") as process:
        slow_board.wait_until(lambda truth: truth.steps["X"] > 100, 20.0)
        slow_board.unplug()
        output, errors = process.communicate(timeout=30)
    assert process.returncode == ExitCode.HARDWARE
    assert json.loads(output)["error"]["kind"] == "PortLost"
    assert "of 2001 lines were accepted" in errors
    assert "Traceback" not in errors


# --- monitor --------------------------------------------------------------------------------------------------------


def test_monitor_sends_what_is_piped_in_and_ends_when_it_was_answered(board: EmulatedBoard) -> None:
    result = sorter("monitor", "--port", board.path, given="M114\nG1 X5 F600 ; go\nM400")
    assert result.returncode == ExitCode.OK
    assert "< start" in result.stdout
    assert "Count X:0" in result.stdout
    assert board.truth().steps["X"] == 400
    assert result.stdout.rstrip().endswith("< ok")


def test_monitor_refuses_a_wrong_line_and_goes_on(board: EmulatedBoard) -> None:
    result = sorter("monitor", "--port", board.path, given="nonsense\nM999\nM114\n")
    assert result.returncode == ExitCode.BAD_INPUT
    assert "not sent: 'nonsense'" in result.stderr
    assert "M114" in ran(board)
    assert "M999" not in ran(board)


def test_monitor_watches_until_ctrl_c_and_then_stops_what_was_typed(slow_board: EmulatedBoard) -> None:
    with running("monitor", "--port", slow_board.path) as process:
        assert process.stdin is not None
        process.stdin.write("G1 X500 F600\n")
        process.stdin.flush()
        slow_board.wait_until(lambda truth: truth.steps["X"] > 50, 20.0)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "G1 X500 F600" in output
    assert not slow_board.truth().is_moving


def test_m112_typed_into_monitor_is_an_emergency_stop(board: EmulatedBoard) -> None:
    result = sorter("monitor", "--port", board.path, given="M112\n")
    assert result.returncode == ExitCode.HARDWARE
    assert "emergency stop: M112 was written" in result.stderr


@pytest.mark.parametrize("stop", ["M112", "M410"])
def test_a_stop_that_is_typed_behind_a_long_queue_does_not_wait_for_it(slow_board: EmulatedBoard, stop: str) -> None:
    with running("monitor", "--port", slow_board.path) as process:
        assert process.stdin is not None
        process.stdin.write("G1 X500 F600\nG1 X0 F600\n" * 200)
        process.stdin.flush()
        slow_board.wait_until(lambda truth: truth.steps["X"] > 50, 20.0)
        process.stdin.write(f"{stop}\n")
        process.stdin.flush()
        slow_board.wait_until(lambda truth: not truth.is_moving, 20.0)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert len([text for text in ran(slow_board) if text.startswith("G1")]) < 30


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


# --- replay ---------------------------------------------------------------------------------------------------------


def test_replay_counts_what_is_in_a_log(tmp_path: Path) -> None:
    log = tmp_path / "wire.log"
    log.write_text(
        "0.100000 < start\\n\n0.200000 > N1 M114*1\\n\n0.300000 < Error:checksum mismatch, Last Line: 0\\nRese\n"
        "4.300000 < nd: 1\\nok\\n\n0.100000 < start\\n\n0.600000 < echo:busy: processing\\nok\\n\n",
        encoding="ascii",
    )
    data = asked("replay", log)
    assert data["replies"] == {"busy": 1, "complaint": 1, "ok": 2, "resend": 1, "started": 2}
    assert (data["sessions"], data["resets"], data["resends"], data["lines_sent"]) == (2, 2, 1, 1)
    assert data["errors"] == {"checksum mismatch, Last Line: ...": 1}
    assert (data["seconds"], data["longest_silence_s"], data["silence_began_s"]) == (4.9, 4.0, 0.3)


def test_replay_shows_every_line_of_a_real_session(board: EmulatedBoard, tmp_path: Path) -> None:
    log = tmp_path / "wire.log"
    asked("home", "X", "--port", board.path, "--log", log)
    result = sorter("replay", log, "--verbose")
    assert result.returncode == ExitCode.OK
    assert "G28 X" in result.stdout
    assert "Started()" in result.stdout
    assert "resets (start):   1" in result.stdout


@pytest.mark.parametrize("line", ["garbage", "1.000000 ? ok", "x < ok", "1.000000 < o'k\"", "nan < ok"])
def test_a_corrupt_log_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    log = tmp_path / "wire.log"
    log.write_text(f"0.100000 < start\\n\n{line}\n", encoding="ascii")
    result = sorter("replay", log)
    assert result.returncode == ExitCode.BAD_INPUT
    assert f"{log}: line 2 is no log entry" in result.stderr


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    assert sorter("replay", tmp_path / "none").returncode == ExitCode.BAD_INPUT
    assert sorter("replay", tmp_path).returncode == ExitCode.BAD_INPUT


# --- how a file is understood ---------------------------------------------------------------------------------------


def repeatable(*texts: str) -> list[bool]:
    interpreter = Interpreter(STOCK)
    return [interpreter.take(text).is_repeatable for text in texts]


def seconds(*texts: str) -> list[float]:
    interpreter = Interpreter(STOCK)
    steps = [interpreter.take(text) for text in texts]
    return [round(step.motion_s + step.blocks_s, 3) for step in steps]


def test_only_absolute_moves_may_be_in_flight_together() -> None:
    assert repeatable("G1 X1", "G91", "G1 X1", "G90", "G1 X1") == [True, False, False, False, True]
    assert repeatable("G1 X1 E1", "M83", "G1 X1 E1", "G1 X1", "M82", "G1 X1 E1") == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert repeatable("G2 X1 I1", "G92 X0", "G28 X", "M106 S5", "M42 P4 S1") == [False, False, False, True, False]


def test_the_time_of_a_move_is_not_underestimated() -> None:
    assert seconds("G1 X100 F6000") == [1.033]  # 100/100 + 100/3000
    assert seconds("G1 X100 F60000") == [0.433]  # M203: 100/300 + 300/3000
    assert seconds("G1 X100 F6000", "G1 X200", "G1 X100") == [1.033, 1.0, 1.033]
    assert seconds("G91", "G1 X10Y0F600", "G1 X10") == [0.0, 1.003, 1.0]
    assert seconds("G20", "G1 X1 F60")[1] == pytest.approx(1.008, abs=0.001)  # inches
    assert seconds("M220 S50", "G1 X100 F6000") == [0.0, 2.017]
    assert seconds("M203 X10", "G1 X100 F6000")[1] > 10.0
    assert seconds("G92 X50", "G1 X50 F6000") == [0.0, 0.0]
    assert seconds("G2 I10 F6000")[0] >= 0.628
    assert seconds("G4 P1500", "G4 S2", "G28 X") == [1.5, 2.0, 60.0]
    assert seconds("G28 X", "G1 X0 F6000")[1] > 5.0  # nobody knows where it was


def test_a_valid_frame_is_taken_off_and_a_wrong_one_is_refused() -> None:
    assert unframed("N3 G1 X10 F6000*50\n") == "G1 X10 F6000"
    assert unframed("N10 G1 X5 ; go") == "G1 X5"
    assert unframed("N10") == ""
    assert unframed("  (all) ; comment") == ""
    with pytest.raises(Refused, match="damaged"):
        unframed("N3 G1 X10 F6000*51")
