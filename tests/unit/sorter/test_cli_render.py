"""``sorter render``: the real command line, with a small library and small pictures."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sorter.classify.card import OTHER
from sorter.cli import app
from sorter.cli.exit_codes import ExitCode
from sorter.cli.render_console import Pace
from sorter.dataset import read_dataset
from sorter.dataset.labels import read_labels
from sorter.errors import SorterError
from sorter.render import settings
from sorter.render.recipe import DEFAULT_SCENE, read_scene_recipe
from tests.unit.sorter.render.small_library import small_library, small_scene

HEAVY = {"PIL", "cv2", "distributed", "mitsuba", "numpy", "scipy"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_library(tmp_path_factory.mktemp("library") / "ldraw")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_scene(tmp_path_factory.mktemp("scene") / "scene.toml")


def started(*arguments: object) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key != "LDRAW_LIBRARY"}
    command = [sys.executable, "-m", "sorter", "render", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**environment, "COLUMNS": "250"})


def render(*arguments: object, code: ExitCode = ExitCode.OK) -> tuple[str, str]:
    with started(*arguments) as process:
        stdout, stderr = process.communicate(timeout=50)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr, stderr
    return stdout, stderr


def in_process(*arguments: object) -> tuple[int, str]:
    """The exit code and all that was said, where nothing depends on the process; an error as ``main`` would tell it."""
    environment = {"LDRAW_LIBRARY": None, "COLUMNS": "250"}
    result = CliRunner().invoke(app, ["render", *map(str, arguments)], env=environment)
    if isinstance(result.exception, SorterError):
        return ExitCode.BAD_INPUT, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_pictures_are_rendered_gone_on_with_and_reported(library: Path, small: Path, tmp_path: Path) -> None:
    pytest.importorskip("mitsuba", reason="Mitsuba is not installed")
    out = tmp_path / "set"
    same = (out, "--ldraw", library, "--scene", small, "--classes", "3001,round=3062b", "--processes", 1)
    more = ("--others", "3068", "--other-count", 2, "--parts", "1-2")
    text, _ = render("pictures", *same, *more, "--count", 2)
    assert f"{out}: 2 pictures, 2 of them rendered now, by mitsuba" in text
    data: dict[str, Any] = json.loads(render("pictures", *same, *more, "--count", 4, "--json")[0])
    assert (data["pictures"], data["rendered"]) == (4, 2)
    assert list(data["classes"]) == ["3001", "other", "round"]
    dataset, (labels, _) = read_dataset(out), read_labels(out)
    assert len(dataset.pictures) == 4
    assert {part.design for each in labels.pictures for part in each.parts} <= {
        "3001",
        "3062b",
        "3068",
        "3003",
        "3004",
        "3665",
    }
    before = {each: each.read_bytes() for each in out.rglob("*") if each.is_file()}
    _, told = render("pictures", *same, *more, "--count", 4, "--seed", 2, code=ExitCode.BAD_INPUT)
    assert "- seed: 1, now 2" in told
    assert {each: each.read_bytes() for each in out.rglob("*") if each.is_file()} == before


def test_unknown_parts_alone_from_all_around(library: Path, small: Path, tmp_path: Path) -> None:
    pytest.importorskip("mitsuba", reason="Mitsuba is not installed")
    out = tmp_path / "set"
    render(
        "pictures", out, "--ldraw", library, "--scene", small,
        "--others", "3001,3062b", "--views", 2, "--count", 4, "--processes", 1,
    )  # fmt: skip
    pictures = read_dataset(out).pictures
    assert {each.class_name for each in pictures} == {OTHER}
    assert [each.revolution for each in pictures] == ["table-00000", "table-00000", "table-00001", "table-00001"]
    assert len({each.brick for each in pictures}) == 2
    one, turned = (each.angle_deg for each in pictures[:2])
    assert one is not None
    assert turned == pytest.approx((one + 180.0) % 360.0)


def test_one_name_for_parts_of_no_class() -> None:
    assert settings.OTHER == OTHER


def test_ctrl_c_stops_with_what_is_whole_and_says_how_to_go_on(library: Path, small: Path, tmp_path: Path) -> None:
    pytest.importorskip("mitsuba", reason="Mitsuba is not installed")
    out = tmp_path / "set"
    same = ("pictures", out, "--ldraw", library, "--scene", small, "--classes", "3001,3003", "--count", 5000)
    with started(*same, "--processes", 1) as process:
        deadline_s = time.monotonic() + 40
        while not list(out.glob("pictures/*.jpg")) and process.poll() is None and time.monotonic() < deadline_s:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == ExitCode.INTERRUPTED, told
    assert "Traceback" not in told
    assert re.search(r"stopped: \d+ of 5000 pictures", told)
    assert "same command again" in told
    assert len(read_dataset(out).pictures) == len(list(out.glob("pictures/*.jpg")))


def test_what_cannot_be_rendered_is_told_before_there_is_a_folder(library: Path, small: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    (tmp_path / "bad.toml").write_text("format = 1\n")
    ours = ("--ldraw", library, "--scene", small)
    for arguments, told in (
        ((*ours, "--classes", "3001,3099"), "has no part '3099'"),
        ((*ours, "--classes", "3001,brick=3001"), "3001 is named twice"),
        ((*ours, "--classes", "3001", "--other-count", 99), "99 are asked for"),
        ((*ours, "--classes-of", tmp_path / "none"), "is no folder"),
        (("--ldraw", library, "--scene", tmp_path / "bad.toml", "--classes", "3001"), "bad.toml: line 1: camera"),
        (("--ldraw", tmp_path, "--scene", small, "--classes", "3001"), "is no LDraw library"),
    ):
        code, output = in_process("pictures", out, *arguments)
        assert (code, told in output) == (ExitCode.BAD_INPUT, True), output
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--classes", "3001"), "set LDRAW_LIBRARY"),
        (("--ldraw", "here"), "--classes, --classes-of or --others"),
        (("--ldraw", "here", "--classes", "3001", "--classes-of", "there"), "--classes, --classes-of or --others"),
        (("--ldraw", "here", "--classes", "=3001"), "names no class"),
        (("--ldraw", "here", "--classes", "3001="), "names no class"),
        (("--ldraw", "here", "--classes", "3001", "--parts", "4"), "from 1 to 3"),
        (("--ldraw", "here", "--classes", "3001", "--parts", "3-1"), "from 1 to 3"),
        (("--ldraw", "here", "--classes", "3001", "--count", "0"), "count"),
        (("--ldraw", "here", "--classes", "3001", "--processes", "1", "--scheduler", "tcp://a:1"), "leave it out"),
        (("--ldraw", "here", "--classes", "3001", "--backend", "povray"), "povray"),
        (("--ldraw", "here", "--classes", "3001", "--other-share", "0.5"), "needs --classes as well as"),
        (("--ldraw", "here", "--others", "3001", "--other-share", "0.5"), "needs --classes as well as"),
    ],
)
def test_wrong_usage_is_told(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    code, output = in_process("pictures", tmp_path / "set", *arguments)
    assert (code, told in output) == (ExitCode.USAGE, True), output
    assert not (tmp_path / "set").exists()


def test_the_shipped_scene_can_be_had_and_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "scene.toml"
    assert in_process("scene", file)[0] == ExitCode.OK
    assert read_scene_recipe(file) == read_scene_recipe()
    file.write_text("mine")
    code, output = in_process("scene", file)
    assert (code, "--force" in output) == (ExitCode.USAGE, True)
    assert file.read_text() == "mine"
    in_process("scene", file, "--force")
    assert file.read_text() == DEFAULT_SCENE.read_text()
    assert in_process("scene") == (ExitCode.OK, DEFAULT_SCENE.read_text())
    code, output = in_process("scene", tmp_path / "none" / "a.toml")
    assert (code, "cannot be written" in output) == (ExitCode.BAD_INPUT, True)


def test_designs_and_their_poses_are_listed(library: Path) -> None:
    lines = in_process("parts", "--ldraw", library)[1].splitlines()
    assert "3001         Brick 2 x 4" in lines
    assert "3039         is 3665 today" in lines
    found = json.loads(in_process("parts", "--ldraw", library, "--search", "2 x 4", "--json")[1])["parts"]
    assert {each["number"] for each in found} == {"3001", "3001p01"}
    text = in_process("poses", "3001", "--ldraw", library)[1]
    assert text.startswith("3001: Brick 2 x 4")
    data = json.loads(in_process("poses", "3001.dat", "--ldraw", library, "--json")[1])
    assert {"up", "down", "side"} <= {each["pose"] for each in data["poses"]}
    assert sum(each["probability"] for each in data["poses"]) == pytest.approx(1.0, abs=0.01)
    code, output = in_process("poses", "30011", "--ldraw", library)
    assert (code, "has no part '30011'" in output) == (ExitCode.BAD_INPUT, True)


def test_help_is_there_before_anything_heavy_is_imported() -> None:
    program = [sys.executable, "-X", "importtime", "-m", "sorter", "render", "pictures", "--help"]
    result = subprocess.run(program, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
    assert not HEAVY & imported
    assert "--scheduler" in result.stdout


def test_pace_counts_this_run_alone() -> None:
    pace = Pace(100, 220, began_s=50.0)
    assert pace.told(50.0) == "starting"
    pace.done = 120
    assert pace.per_minute(110.0) == pytest.approx(20.0)
    assert pace.told(110.0) == "20 a minute, 0:05:00 left"
