"""The command line: quick help, reports that programs can read, exit codes that mean one thing each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sorter import __version__
from sorter.cli import console
from sorter.cli.exit_codes import ExitCode

HEAVY = {"numpy", "pydantic", "serial", "cv2", "fastapi", "sqlalchemy", "keras", "tensorflow", "mitsuba", "bpy", "PIL"}


def sorter(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sorter", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


@pytest.fixture
def bad_file(tmp_path: Path) -> Path:
    file = tmp_path / "rig.toml"
    file.write_text("[board]\nprt = 'auto'\n", encoding="utf-8")
    return file


def test_version() -> None:
    result = sorter("--version")
    assert (result.returncode, result.stdout) == (ExitCode.OK, f"sorter {__version__}\n")


def test_help_imports_nothing_heavy() -> None:
    code = "import sys\nfrom sorter.cli.commands import app\nprint(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert not HEAVY & {name.partition(".")[0] for name in loaded}


def test_a_good_config_is_reported_as_text_and_as_json(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.touch()
    assert sorter("config", "check", str(file)).stdout.startswith(f"{file}: fit for use")
    result = sorter("config", "check", str(file), "--json")
    assert result.returncode == ExitCode.OK
    assert json.loads(result.stdout)["config"]["board"]["port"] == "auto"


def test_a_bad_config_ends_with_3_and_says_where(bad_file: Path) -> None:
    result = sorter("config", "check", str(bad_file))
    assert result.returncode == ExitCode.BAD_INPUT
    assert result.stdout == ""
    assert "line 2: board.prt" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_program_can_read_the_error(bad_file: Path) -> None:
    result = sorter("config", "check", str(bad_file), "--json")
    assert result.returncode == ExitCode.BAD_INPUT
    error = json.loads(result.stdout)["error"]
    assert error["kind"] == "ConfigError"
    assert error["remedy"]
    assert error["problems"][0]["line"] == 2


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["config", "check"], ["--nonsense"], ["config", "check", "a", "b"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    result = sorter(*arguments)
    assert result.returncode == ExitCode.USAGE
    assert "Traceback" not in result.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.touch()
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "sorter", "config", "check", str(file)]
    result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (result.returncode, result.stderr) == (ExitCode.OK, "")


def test_the_exit_codes_in_the_docs_are_those_of_the_code(checkout: Path) -> None:
    text = (checkout / "docs/cli.md").read_text(encoding="utf-8")
    documented = {int(line.split("|")[1]) for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()}
    assert documented == set(ExitCode)


def test_progress_without_a_terminal_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with console.progress("counting", total=3) as advance:
        advance(1)
        advance(2)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.strip() == ""
