"""``sorter jog``: the real command line, as a process of its own, against an emulated board behind a real pty."""

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


def test_a_table_without_a_switch_turns_from_where_it_stands(board: EmulatedBoard, tmp_path: Path) -> None:
    result = sorter("jog", "turntable", "90", "--config", rig_file(tmp_path, board.path), "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    data = json.loads(result.stdout)
    assert (data["axis"], data["distance_deg"], data["from_deg"], data["was_homed"]) == ("turntable", 90.0, 0.0, False)
    assert data["axes"][0] == {"name": "turntable", "position_deg": 90.0, "is_homed": True}
    assert board.truth().steps["Y"] == 800
    assert board.truth().servos[0].commanded_deg == 20.0


def test_a_distance_back_stands_behind_two_dashes(board: EmulatedBoard, tmp_path: Path) -> None:
    result = sorter("jog", "--config", rig_file(tmp_path, board.path), "--", "turntable", "-45")
    assert result.returncode == ExitCode.OK, result.stderr
    assert "was where it stands, which is called 0, and turned by -45 deg" in result.stdout
    assert "turntable: 315 deg" in result.stdout
    assert "chute: not homed" in result.stdout
    assert board.truth().steps["Y"] == -400


def test_a_chute_is_homed_first_and_that_is_said(board: EmulatedBoard, tmp_path: Path) -> None:
    result = sorter("jog", "chute", "30", "--config", rig_file(tmp_path, board.path))
    assert result.returncode == ExitCode.OK, result.stderr
    assert "the chute was homed first, to 0 deg, and turned by 30 deg" in result.stdout
    assert board.truth().axes["X"].is_homed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["arm", "5"], "this rig has no axis 'arm'; it has turntable and chute"),
        (["turntable", "0"], "is no distance to turn by"),
        (["turntable", "nan"], "is no distance to turn by"),
        (["turntable", "721"], "add --far if that is meant"),
        (["chute", "351"], "351 deg is not within its limits, 0 to 350 deg"),
        (["turntable", "far"], "as a number"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_what_cannot_be_is_refused_before_the_port_is_opened(
    board: EmulatedBoard, tmp_path: Path, arguments: list[str], words: str
) -> None:
    result = sorter("jog", *arguments, "--config", rig_file(tmp_path, board.path))
    assert result.returncode == ExitCode.USAGE
    assert words in " ".join(result.stderr.replace("│", " ").split())
    assert board.truth().resets == 0


def test_a_far_jog_happens_when_it_is_meant(board: EmulatedBoard, tmp_path: Path) -> None:
    result = sorter("jog", "turntable", "800", "--far", "--config", rig_file(tmp_path, board.path))
    assert result.returncode == ExitCode.OK, result.stderr
    assert board.truth().steps["Y"] == round(800 * 3200 / 360)


def test_a_rig_without_a_file_or_a_board_is_named(tmp_path: Path) -> None:
    assert sorter("jog", "turntable", "9", "--config", tmp_path / "no.toml").returncode == ExitCode.BAD_INPUT
    result = sorter("jog", "turntable", "9", "--config", rig_file(tmp_path, tmp_path / "nothing"))
    assert result.returncode == ExitCode.HARDWARE
    assert f"{tmp_path}/nothing does not exist" in result.stderr


def test_ctrl_c_stops_a_jog(tmp_path: Path) -> None:
    stock = BoardSettings(boot_s=0.2)
    with EmulatedBoard(replace(stock, y=replace(stock.y, max_speed_units_per_s=1e4))) as board:
        file = rig_file(tmp_path, board.path, "[turntable]\nspeed_deg_per_s = 30.0\n")
        command = [sys.executable, "-m", "sorter", "jog", "turntable", "700", "--config", str(file)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
            board.wait_until(lambda truth: truth.steps["Y"] > 20, 40.0)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert process.returncode == ExitCode.INTERRUPTED, errors
        assert "Traceback" not in errors
        assert "nothing moves" in errors
        assert not board.truth().is_moving
        assert board.truth().steps["Y"] < 700 * 8


@pytest.mark.parametrize("command", ["jog chute 30", "home", "calibrate chute"])
def test_ctrl_c_while_the_board_is_connected_moves_nothing(tmp_path: Path, command: str) -> None:
    with EmulatedBoard(BoardSettings(boot_s=4.0)) as board:
        bins = '[[bins]]\nid = "all"\nchute_deg = 30.0\n[sort]\nreject = "all"\n'
        file = rig_file(tmp_path, board.path)
        file.write_text(file.read_text(encoding="utf-8") + bins, encoding="utf-8")
        whole = [sys.executable, "-m", "sorter", *command.split(), "--config", str(file)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen(whole, text=True, **pipes) as process:  # type: ignore[call-overload]
            assert process.stdin is not None
            process.stdin.write("as they are\n\n")
            process.stdin.flush()
            board.wait_until(lambda truth: truth.resets > 0, 40.0)  # the port was opened
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert process.returncode == ExitCode.INTERRUPTED, errors
        assert "stop" in errors
        assert "Traceback" not in errors
        assert "error:" not in errors
        assert not [each.text for each in board.executed() if each.text.startswith(("G", "M280"))]
