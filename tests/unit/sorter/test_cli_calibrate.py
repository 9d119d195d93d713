"""``sorter calibrate``: the real command line, answered through a pipe, on an emulated board and on the twin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.emulator import BoardSettings
from firmware_bridge.emulator.pty_server import EmulatedBoard
from sorter.cli.exit_codes import ExitCode
from sorter.types.twin import TwinMotor
from tests.cli_rigs import RIG, rig_file, sorter
from tests.twins import twin_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_bridge.emulator.truth import Truth


def answers(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def calibrated(file: Path, *arguments: str, given: str | None) -> subprocess.CompletedProcess[str]:
    return sorter("calibrate", *arguments, "--config", file, given=given)


def test_a_reversed_motor_is_found_and_written_beside_the_comments(board: EmulatedBoard, tmp_path: Path) -> None:
    file = rig_file(tmp_path, board.path)
    result = calibrated(file, "motors", given=answers("go", "other", "yes", "go", "right", "skip"))
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    text = file.read_text(encoding="utf-8")
    assert tomllib.loads(text)["turntable"]["is_reversed"] is True
    assert text.startswith("# Our first rig.")
    assert "# a fast arm" in text
    assert "turntable.is_reversed: false -> true" in result.stdout
    assert "motors: done: turntable turns; chute left out" in result.stdout
    status = json.loads(calibrated(file, "--status", "--json", given=None).stdout)["steps"]
    assert status["motors"]["result"] == "turntable turns; chute left out"
    assert status["steps"] is None


def test_the_first_letters_of_an_answer_are_enough_and_others_are_asked_again(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    result = calibrated(rig_file(tmp_path, board.path), "motors", given=answers("turn", "g", "r", "s"))
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    assert "'turn' is none of go, skip." in result.stdout


def test_the_end_of_the_input_stops_with_nothing_half_written(board: EmulatedBoard, tmp_path: Path) -> None:
    file = rig_file(tmp_path, board.path)
    before = file.read_text(encoding="utf-8")
    result = calibrated(file, given=answers("go", "other"))
    assert result.returncode == ExitCode.INTERRUPTED
    assert "nobody answers: the input has ended" in result.stdout
    assert file.read_text(encoding="utf-8") == before
    assert not (tmp_path / "state").exists()
    assert not board.truth().is_moving


def test_what_was_done_is_gone_on_from(board: EmulatedBoard, tmp_path: Path) -> None:
    file = rig_file(tmp_path, board.path)
    assert calibrated(file, given=answers("go", "right", "skip")).returncode == ExitCode.INTERRUPTED
    result = calibrated(file, given=answers("gearing", "20", "60", "yes"))
    assert result.returncode == ExitCode.INTERRUPTED
    assert "steps, centre, ejector, acceleration to do." in result.stdout
    assert "motors: done" in result.stdout
    assert tomllib.loads(file.read_text(encoding="utf-8"))["turntable"]["gear_ratio"] == 3.0


def test_a_step_that_comes_to_nothing_ends_with_a_finding(board: EmulatedBoard, tmp_path: Path) -> None:
    result = calibrated(rig_file(tmp_path, board.path), "chute", "--json", given=answers("skip"))
    assert result.returncode == ExitCode.FINDINGS
    data = json.loads(result.stdout)  # the talk was on stderr
    assert data["steps"][0]["came"] == "failed"
    assert "has no [[bins]]" in data["steps"][0]["text"]
    assert "And now?" in result.stderr


def test_a_step_that_was_left_out_is_a_finding_and_still_to_be_done(board: EmulatedBoard, tmp_path: Path) -> None:
    file = rig_file(tmp_path, board.path)
    result = calibrated(file, "motors", "--json", given=answers("skip", "skip"))
    assert result.returncode == ExitCode.FINDINGS
    data = json.loads(result.stdout)
    assert data["steps"] == [{"name": "motors", "came": "skipped", "text": "turntable left out; chute left out"}]
    assert data["undone"][0] == "motors"
    assert board.truth().resets == 0


def test_a_state_folder_that_cannot_be_written_to_is_told_before_anything_is_asked(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    file = rig_file(tmp_path, board.path, '[paths]\nstate = "file/state"\n')
    (tmp_path / "file").touch()
    result = calibrated(file, "motors", given=answers("go"))
    assert result.returncode == ExitCode.BAD_INPUT
    assert f"{tmp_path}/file/state is a folder, or name another" in result.stderr
    assert board.truth().resets == 0


def test_a_step_that_there_is_not_is_refused(board: EmulatedBoard, tmp_path: Path) -> None:
    result = calibrated(rig_file(tmp_path, board.path), "center", given=None)
    assert result.returncode == ExitCode.USAGE
    assert "there is no step 'center'; there are motors, steps, centre" in " ".join(
        result.stderr.replace("│", " ").split()
    )


def test_a_board_that_is_not_there_is_a_reason_to_try_again_or_go_on(tmp_path: Path) -> None:
    file = rig_file(tmp_path, tmp_path / "nothing")
    result = calibrated(file, "motors", given=answers("go", "skip"))
    assert result.returncode == ExitCode.FINDINGS
    assert "nothing does not exist" in result.stdout


@pytest.mark.parametrize(
    ("step", "given", "asks"),
    [
        ("motors", "go\n", lambda truth: truth.steps["Y"] >= 800 and not truth.is_moving),
        ("ejector", "\n", lambda truth: truth.servos[0].commanded_deg == 20.0),
    ],
    ids=["of the table", "of the arm"],
)
def test_ctrl_c_at_a_question_ends_at_once(
    tmp_path: Path, step: str, given: str, asks: Callable[[Truth], bool]
) -> None:
    with EmulatedBoard(BoardSettings(boot_s=0.2), speed=5.0) as board:
        file = rig_file(tmp_path, board.path)
        command = [sys.executable, "-m", "sorter", "calibrate", step, "--config", str(file)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
            assert process.stdin is not None
            process.stdin.write(given)
            process.stdin.flush()
            board.wait_until(asks, 40.0)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == ExitCode.INTERRUPTED
            assert process.stderr is not None
            errors = process.stderr.read()
        assert "stopped: nothing moves" in errors
        assert "Traceback" not in errors
        assert "error:" not in errors


@pytest.fixture
def short_folder(tmp_path: Path) -> Path:
    """A socket's path may not be long."""
    assert len(str(tmp_path)) < 90, os.fspath(tmp_path)
    return tmp_path


def test_the_twins_gearing_is_measured_by_the_marks_of_its_table(short_folder: Path) -> None:
    """From end to end: the twin's table turns by its true steps, its camera sees faint marks, rig.toml is corrected."""
    true_steps_per_deg = 9.3
    settings = twin_settings(short_folder, turntable=TwinMotor("Y", true_steps_per_deg), speed=10.0)
    (short_folder / "twin.json").write_text(settings.to_json(), encoding="utf-8")
    camera = '[camera]\nsource = "socket"\npath = "camera"\n'
    file = rig_file(short_folder, Path(settings.port_link), camera)
    command = [sys.executable, "-m", "sorter.twin", str(short_folder / "twin.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as twin:
        try:
            assert twin.stdout is not None
            assert json.loads(twin.stdout.readline())["port"] == settings.port_link
            result = calibrated(file, "steps", given=answers("camera", "", "yes"))
        finally:
            assert twin.stdin is not None
            twin.stdin.close()
            twin.wait(20)
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    written = tomllib.loads(file.read_text(encoding="utf-8"))["turntable"]["measured_steps_per_deg"]
    assert written == pytest.approx(true_steps_per_deg, rel=1e-3)
    assert RIG.splitlines()[0] in file.read_text(encoding="utf-8")
