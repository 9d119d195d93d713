"""``sorter config``: a file to begin with, and an answer to whether it will do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sorter.cli.exit_codes import ExitCode
from sorter.config.reference import reference


def sorter(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sorter", "config", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_a_file_to_begin_with_is_written_whole_and_will_do(tmp_path: Path) -> None:
    result = sorter(tmp_path, "init", "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    said = json.loads(result.stdout)
    assert (said["file"], said["model"]) == ("rig.toml", "turntable10")
    assert {"3001", "reject", "overflow", "again"} <= set(said["bins"])
    assert "other" not in said["bins"]
    result = sorter(tmp_path, "check", "rig.toml", "--sorting", "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    said = json.loads(result.stdout)
    assert (said["is_fit_to_sort"], said["lacks"]) == (True, [])
    assert said["rig"]["chute"].startswith("motor X, 8.88889 steps a degree")
    assert said["config"]["chute"]["kind"] == "motor"


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text("# mine\n", encoding="utf-8")
    result = sorter(tmp_path, "init")
    assert result.returncode == ExitCode.USAGE
    assert "is there already" in result.stderr
    assert (tmp_path / "rig.toml").read_text(encoding="utf-8") == "# mine\n"
    result = sorter(tmp_path, "init", "none/rig.toml")
    assert result.returncode == ExitCode.BAD_INPUT
    assert "cannot be written" in result.stderr


def test_what_a_rig_that_is_to_sort_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text('[look]\nmodel = "mine"\n', encoding="utf-8")
    result = sorter(tmp_path, "check", "rig.toml")
    assert result.returncode == ExitCode.OK
    first, *rest = result.stdout.splitlines()
    assert first == (
        "rig.toml: fit for use, but not to sort: there is no [[bins]], no [sort], no model mine in this rig's state "
        "folder or among those that were shipped"
    )
    assert rest[0].split() == ["board", "Marlin,", "looked", "for", "on", "USB,", "250,000", "baud"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('classes = ["30O1"]', "line 16: sort.rules.0.classes.0: is no class of the model"),
        ('colours = ["Bright Red"]', "line 16: sort.rules.0.colours.0: is no colour that a part"),
        ('[look]\nmodel = "mine"', "line 17: look.model: "),
        ("[look]\nmisroute_rate = 0.0001", "line 17: look.misroute_rate: is stricter than the model was measured for"),
    ],
)
def test_what_does_not_go_with_model_or_palette_is_named(tmp_path: Path, row: str, problem: str) -> None:
    bins = "".join(f'[[bins]]\nid = "{name}"\nchute_deg = {at}\n\n' for name, at in (("a", 0), ("b", 90)))
    text = f'[chute]\nkind = "motor"\n\n{bins}[sort]\nreject = "b"\n[[sort.rules]]\nbin = "a"\n{row}\n'
    (tmp_path / "rig.toml").write_text(text, encoding="utf-8")
    result = sorter(tmp_path, "check", "rig.toml", "--sorting")
    assert result.returncode == ExitCode.BAD_INPUT
    assert problem in result.stderr


def test_every_key_is_told_by_the_program_too(tmp_path: Path) -> None:
    assert sorter(tmp_path, "reference").stdout == reference().rstrip() + "\n"
