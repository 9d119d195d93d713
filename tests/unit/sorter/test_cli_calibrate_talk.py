"""What somebody types at a question, and what is made of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sorter.calibrate import TalkEnded
from sorter.cli.calibrate_talk import TerminalTalk
from tests.cli_rigs import rig_file

if TYPE_CHECKING:
    from collections.abc import Iterator

BINS = {"red": "", "red 2": "", "A": "", "a": "", "green": ""}


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TerminalTalk, int]]:
    """A talk, and where to type."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with TerminalTalk() as talk:
            yield talk, writing
    os.close(writing)


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("red\n", "red"),
        ("RED\n", "red"),
        ("red 2\n", "red 2"),
        ("g\n", "green"),
        ("A\n", "A"),
        ("a\n", "a"),
        ("re\nred 2\n", "red 2"),
        ("blue\n\n\xff\ngr\n", "green"),
    ],
)
def test_an_answer_is_the_name_that_was_typed_and_never_a_guess(
    talk: tuple[TerminalTalk, int], capsys: pytest.CaptureFixture[str], typed: str, chosen: str
) -> None:
    speaking, writing = talk
    os.write(writing, typed.encode("latin-1"))
    assert speaking.choose("Which bin?", BINS) == chosen
    said = capsys.readouterr().out
    assert ("'re' may be red or red 2." in said) == typed.startswith("re\n")
    assert ("'blue' is none of red, red 2, A, a, green." in said) == typed.startswith("blue")


def test_whoever_waits_for_an_answer_is_woken(talk: tuple[TerminalTalk, int]) -> None:
    speaking, _ = talk
    speaking.end("stopped")
    for _ in range(2):
        with pytest.raises(TalkEnded, match="stopped"):
            speaking.ask("And now?")


def test_questions_that_nobody_reads_end_the_talk_in_peace(tmp_path: Path) -> None:
    file = rig_file(tmp_path, tmp_path / "nothing")
    command = [sys.executable, "-m", "sorter", "calibrate", "motors", "--config", str(file)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write("go\nskip\n")
        process.stdin.close()
        process.wait(30)
        assert "Traceback" not in process.stderr.read()
    assert process.returncode != 1
