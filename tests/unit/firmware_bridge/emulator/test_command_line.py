"""`python -m firmware_bridge.emulator` serves a board until it is told to stop, and says plainly what it cannot do."""

import os
import signal
import subprocess
import sys

import pytest

from firmware_bridge.emulator.__main__ import main


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_path_serves_and_removes_its_link_when_it_is_told_to_stop(tmp_path, how):
    link, log = tmp_path / "board", tmp_path / "log"
    command = [sys.executable, "-m", "firmware_bridge.emulator", "--link", link, "--speed", "100", "--log", log]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{link}\n"
        port = os.open(link, os.O_RDONLY | os.O_NOCTTY)
        assert os.read(port, 1)
        os.close(port)
        process.send_signal(how)
        assert process.wait(20.0) == 0
    assert not os.path.lexists(link)
    assert "b'start\\n'" in log.read_text()


def test_a_real_file_in_the_place_of_the_link_is_left_alone(tmp_path):
    link = tmp_path / "board"
    link.write_text("precious")
    command = [sys.executable, "-m", "firmware_bridge.emulator", "--link", link]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20.0)
    assert done.returncode == 2
    assert "left alone" in done.stderr
    assert link.read_text() == "precious"


def test_the_menu_can_be_read(capsys):
    assert main(["--list-faults"]) == 0
    assert "ok-lost" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fault", "ok-lots"], "did you mean"),
        (["--fault", "ok-lost=2"], "from 0 to 1"),
        (["--fault", "ok-lost=x"], "from 0 to 1"),
        (["--speed", "0"], "above 0"),
        (["--speed", "fast"], "above 0"),
        (["--firmware", "3"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(capsys, arguments, words):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err
