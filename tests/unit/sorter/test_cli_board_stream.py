"""``sorter board stream``, ``monitor`` and ``replay``: the real command line against an emulated board."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from firmware_bridge.emulator import BoardSettings
from firmware_bridge.emulator.pty_server import EmulatedBoard
from firmware_bridge.errors import Refused
from sorter.cli.board_program import Interpreter, Settings, unframed
from sorter.cli.exit_codes import ExitCode
from tests.cli_boards import asked, gcode, ran, running, sorter

STOCK = Settings(
    {"X": 80.0, "Y": 80.0}, {"X": 300.0, "Y": 300.0}, {"X": 3000.0, "Y": 3000.0}, travel_acceleration=3000.0
)


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
