"""``sorter score``: the real command line on an emulated board, with drawn pictures and a tiny model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from sorter.cli.exit_codes import ExitCode
from tests.cli_rigs import sorter
from tests.played_rigs import PlayedRig, played_rig
from tests.scenes import Drawn, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firmware_bridge.emulator.pty_server import EmulatedBoard


@pytest.fixture
def rig(tmp_path: Path, tiny_model: Path) -> Iterator[PlayedRig]:
    """Its camera shows the empty table from eight angles, then a square and a disc, each three times."""
    folder = tmp_path / "shown"
    folder.mkdir()
    for name in ("", "square", "disc"):
        Image.fromarray(draw(*([Drawn(name)] if name else []), seed=7)).save(tmp_path / f"{name or 'empty'}.png")
    for number, name in enumerate(["empty"] * 8 + ["square"] * 3 + ["disc"] * 3):
        os.link(tmp_path / f"{name}.png", folder / f"{number}.png")
    with played_rig(tmp_path, tiny_model, folder) as rig:
        yield rig


def test_two_known_parts_give_a_score_and_a_verdict(rig: PlayedRig) -> None:
    given = "\nsquare\nsquares\ndisc\nrest\n"
    result = sorter("score", "--parts", 2, "--config", rig.file, "--json", given=given)
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    data = json.loads(result.stdout)
    assert (data["parts"], data["right"], data["wrong"], data["delivered"]) == (2, 2, 0, 2)
    assert [each["wanted_bin"] for each in data["each"]] == ["squares", "rest"]
    assert data["stray_px"] == 0.0
    assert data["verdict"][-1].startswith("2 parts say little")
    assert data["right_share"]["share"] == 1.0
    assert set(data["stage_s"]) == {"look", "decide", "route", "eject"}
    assert "taken for square" in result.stderr


def test_a_part_in_the_wrong_bin_is_the_chutes_fault(rig: PlayedRig) -> None:
    result = sorter("score", "--parts", 1, "--config", rig.file, given="\nsquare\nrest\n")
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    assert "delivered:     0 into the bin that they were sent to" in result.stdout
    assert "verdict:       Chute: 1 of 1 parts fell into another bin" in result.stdout


def test_the_end_of_the_input_reports_the_parts_so_far(rig: PlayedRig) -> None:
    result = sorter("score", "--config", rig.file, given="\nsquare\nsquares\ndisc\n")
    assert result.returncode == ExitCode.INTERRUPTED
    assert "1 parts, model" in result.stdout
    assert "nobody answers: the input has ended" in result.stderr
    nothing = sorter("score", "--config", rig.file, given="")
    assert nothing.returncode == ExitCode.INTERRUPTED
    assert "parts, model" not in nothing.stdout


@contextmanager
def asked_for_the_second_part(rig: PlayedRig, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The command, when one part was scored and the next one is asked for."""
    command = [sys.executable, "-m", "sorter", "score", "--config", str(rig.file), *options]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        talk, said = process.stderr if "--json" in options else process.stdout, ""
        assert process.stdin is not None
        process.stdin.write("\nsquare\nsquares\n")
        process.stdin.flush()
        while "Part 2" not in said:
            letter = talk.read(1)
            assert letter, said
            said += letter
        yield process


def test_ctrl_c_reports_the_parts_so_far(rig: PlayedRig) -> None:
    with asked_for_the_second_part(rig, "--json") as process:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)  # first: whoever communicates ends the input as well
        said, errors = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert json.loads(said)["parts"] == 1
    assert "stopped: nothing moves" in errors


def test_a_board_that_is_lost_does_not_take_the_parts_so_far_with_it(rig: PlayedRig) -> None:
    with asked_for_the_second_part(rig) as process:
        rig.board.unplug()
        said, errors = process.communicate("disc\nrest\n", timeout=60)
    assert process.returncode == ExitCode.HARDWARE
    assert "1 parts, model" in said
    assert "error:" in errors


def test_a_bin_that_is_called_none_is_not_nowhere(rig: PlayedRig) -> None:
    rig.change({'"squares"': '"none"'})
    result = sorter("score", "--parts", 1, "--config", rig.file, "--json", given="\nsquare\nnone\n")
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    assert json.loads(result.stdout)["delivered"] == 1


def test_a_rig_that_cannot_sort_is_refused_before_the_port_is_opened(
    board: EmulatedBoard, tmp_path: Path, tiny_model: Path
) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(f'[board]\nport = "{board.path}"\n', encoding="utf-8")
    assert sorter("score", "--config", file, given="").returncode == ExitCode.BAD_INPUT
    assert board.truth().resets == 0
