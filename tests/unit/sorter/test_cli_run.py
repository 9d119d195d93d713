"""``sorter run``: the real program on an emulated board and on pictures that were drawn for it; nothing is a twin."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sorter.cli.exit_codes import ExitCode
from sorter.ledger import Ledger
from tests.played_rigs import PARTS, PlayedRig, draw_pictures, played_rig

ENVIRONMENT = {**os.environ, "COLUMNS": "250"}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "sorter", "run", *map(str, arguments)]


def run(*arguments: object, given: str | None = None) -> subprocess.CompletedProcess[str]:
    stdin = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    result = subprocess.run(  # type: ignore[call-overload]
        command(*arguments), capture_output=True, text=True, check=False, env=ENVIRONMENT, **stdin
    )
    assert "Traceback" not in result.stderr, result.stderr
    return result  # type: ignore[no-any-return]


def reported(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(result.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("played") / "pictures"
    draw_pictures(folder)
    return folder


@pytest.fixture
def rig(tmp_path: Path, tiny_model: Path, drawn: Path) -> Iterator[PlayedRig]:
    with played_rig(tmp_path, tiny_model, drawn) as made:
        yield made


@contextmanager
def running(rig: PlayedRig, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The program, with pipes at all ends; it is dead afterwards in any case."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    whole = command("--config", rig.file, *arguments)
    with subprocess.Popen(whole, text=True, env=ENVIRONMENT, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], text: str) -> list[str]:
    """What was said on stderr up to and with the line that holds ``text``."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if text in line:
            return said
    raise AssertionError(f"{text!r} was never said, but: {''.join(said)}")


def type_in(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def test_parts_go_where_the_pictures_say_until_the_hopper_is_empty(rig: PlayedRig) -> None:
    result = run("--config", rig.file, "--home", "--start", "--until-empty", "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    assert rig.rows() == [("square", "squares"), ("disc", "rest"), ("bar", "bars")]
    data = reported(result)
    assert (data["ended"], data["state"], data["run"]["parts"], data["run"]["rejected"]) == ("done", "idle", 3, 0)
    assert {name: bin_["parts"] for name, bin_ in data["bins"].items()} == {"squares": 1, "bars": 1, "rest": 1}
    assert not rig.board.truth().is_port_open
    # The arm was pushed out for each part, and once to sweep the table.
    pushes = [each.text for each in rig.board.executed() if each.text == "M280 P0 S130"]
    assert len(pushes) == 1 + len(PARTS)


def test_a_rig_that_is_told_everything_by_hand_does_it(tmp_path: Path, tiny_model: Path, drawn: Path) -> None:
    with played_rig(tmp_path, tiny_model, drawn, empty_table="operator") as rig, running(rig) as process:
        wait_for(process, "unhomed")
        type_in(process, "start")
        wait_for(process, "refused: start is not possible while the rig is unhomed")
        type_in(process, "home")
        wait_for(process, "confirm table empty")
        type_in(process, "empty")
        wait_for(process, "idle")
        type_in(process, "start")
        wait_for(process, "part 1: square")
        type_in(process, "quit")
        out, rest = process.communicate(timeout=30)
        assert process.returncode == ExitCode.OK, rest
        assert "done: the rig is idle" in out
        assert rig.rows()[0] == ("square", "squares")


def test_ctrl_c_finishes_the_part_and_ends_the_run(rig: PlayedRig) -> None:
    with running(rig, "--home", "--start") as process:
        wait_for(process, "running")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == ExitCode.INTERRUPTED, said
        assert not rig.board.truth().is_halted
    assert all(bin_ is not None for _, bin_ in rig.rows())


def test_ctrl_c_twice_is_the_emergency_stop(rig: PlayedRig) -> None:
    with running(rig, "--home", "--start") as process:
        wait_for(process, "homing")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == ExitCode.INTERRUPTED, said


def test_when_the_pictures_end_and_nobody_is_there_the_run_ends_as_a_fault(
    tmp_path: Path, tiny_model: Path, drawn: Path
) -> None:
    with played_rig(tmp_path, tiny_model, drawn) as rig:
        rig.change({"give_up_s = 1.0": "give_up_s = 60.0"})
        result = run("--config", rig.file, "--home", "--start")
        assert result.returncode == ExitCode.HARDWARE, result.stderr
        assert "camera lost" in result.stderr
        assert len(rig.rows()) == len(PARTS)


# Gives a program the terminal on its standard input, as a shell does.
AT_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def read_until(terminal: int, text: bytes) -> bytes:
    said = b""
    while text not in said:
        said += os.read(terminal, 65_536)
    return said


def test_a_terminal_shows_the_rig_and_what_is_typed_and_is_left_as_it_was(rig: PlayedRig) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    whole = [sys.executable, "-c", AT_TERMINAL, *command("--config", rig.file)[1:]]
    try:
        with subprocess.Popen(
            whole, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env=ENVIRONMENT, start_new_session=True
        ) as process:
            read_until(ours, b"UNHOMED")
            assert not termios.tcgetattr(theirs)[3] & termios.ECHO
            os.write(ours, b"hexx\x7f\x7flp")
            read_until(ours, b"help")
            os.write(ours, b"\n")
            read_until(ours, b"stop everything at once")
            os.write(ours, b"quit\r")
            assert process.stdout is not None
            said = process.stdout.read()
            assert process.wait(30) == ExitCode.OK
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(ours)
        os.close(theirs)
    assert b"the rig is unhomed" in said


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        ({'classes = ["bar"]': 'classes = ["bart"]'}, ExitCode.BAD_INPUT, "bart"),
        (
            {"misroute_rate = 0.05": "misroute_rate = 0.000001"},
            ExitCode.BAD_INPUT,
            "is stricter than the model was measured for",
        ),
        ({"tiny": "huge"}, ExitCode.BAD_INPUT, "huge"),
        ({'path = "pictures"': 'path = "nowhere"'}, ExitCode.HARDWARE, "nowhere"),
        ({'port = "': 'port = "/nowhere'}, ExitCode.HARDWARE, "/nowhere"),
        ({'reject = "rest"': 'reject = "test"'}, ExitCode.BAD_INPUT, "test"),
    ],
)
def test_what_cannot_work_is_told_before_anything_moves(
    rig: PlayedRig, changes: dict[str, str], code: ExitCode, told: str
) -> None:
    rig.change(changes)
    result = run("--config", rig.file, "--home", "--start")
    assert result.returncode == code, result.stderr
    assert "error: " in result.stderr
    assert told in result.stderr
    assert not [each.text for each in rig.board.executed() if each.text.startswith(("G1", "G28", "M280"))]


def test_a_second_program_on_the_same_rig_is_refused(rig: PlayedRig) -> None:
    with Ledger(rig.ledger):
        result = run("--config", rig.file, "--home")
    assert result.returncode == ExitCode.REFUSED
    assert "is written by another program" in result.stderr


def test_a_config_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert run("--config", tmp_path / "rig.toml").returncode == ExitCode.BAD_INPUT
    assert run("--config", tmp_path / "rig.toml", "--parts", "0").returncode == ExitCode.USAGE
    assert run("--config", tmp_path / "rig.toml", "--log", tmp_path / "no" / "log").returncode == ExitCode.USAGE
