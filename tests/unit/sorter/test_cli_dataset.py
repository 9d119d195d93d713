"""``sorter dataset``: the real command line on drawn pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sorter.cli.exit_codes import ExitCode
from sorter.dataset import read_dataset, write_index
from tests.scenes import RED, WHITE, Drawn
from tests.unit.sorter.dataset.pictures import put, put_revolution


def dataset(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sorter", "dataset", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "250"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert "Traceback" not in result.stderr, result.stderr
    return result


def reported(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(result.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def bricks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes, two bricks each, with an index."""
    root = tmp_path_factory.mktemp("bricks")
    for shape in ("bar", "square"):
        for name, colour in (("red", RED), ("white", WHITE)):
            put_revolution(root / shape, name, Drawn(shape, size=0.3, colour=colour))
    pictures = [
        replace(each, brick=f"{each.class_name}-{name}", revolution=f"{each.class_name}-{name}-up")
        for each in read_dataset(root).pictures
        for name in [Path(each.path).name.partition("_")[0]]
    ]
    write_index(root, pictures)
    return root


def test_a_check_tells_what_is_wrong_as_text_json_and_page(tmp_path: Path) -> None:
    root, page = tmp_path / "set", tmp_path / "page.html"
    put(root / "bar" / "a.png", Drawn("bar"))
    put(root / "square" / "a.png")
    text, as_json = dataset("check", root, "--html", page), dataset("check", root, "--json")
    assert (text.returncode, as_json.returncode) == (ExitCode.FINDINGS, ExitCode.FINDINGS)
    assert "error: no_part: 1 pictures show an empty table" in text.stdout
    assert "square/a.png" in text.stdout
    assert page.read_text().startswith("<!doctype html>")
    data = reported(as_json)
    assert data["is_wrong"]
    assert {"kind", "severity", "count", "sentence", "remedy", "examples"} == set(data["findings"][0])
    assert [each["name"] for each in data["classes"]] == ["bar", "square"]


def test_what_is_no_dataset_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    (tmp_path / "empty").mkdir()
    result = dataset("check", tmp_path / "empty", "--html", page, "--json")
    assert result.returncode == ExitCode.BAD_INPUT
    assert reported(result)["error"]["kind"] == "DatasetRefused"
    assert not page.exists()
    assert dataset("check", tmp_path, "--html", tmp_path / "none" / "page.html").returncode == ExitCode.USAGE


def test_a_split_by_brick_is_written(bricks: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.json"
    result = dataset("split", bricks, "--by", "brick", "--folds", 2, "--out", out)
    assert result.returncode == ExitCode.OK, result.stderr
    assert "fold 1 holds out 20 pictures: " in result.stdout
    data = json.loads(out.read_text())
    assert [len(each["held_out"]) for each in data["folds"]] == [20, 20]
    assert data["leaks"] == []


def test_a_split_that_leaks_is_not_written_and_the_leak_is_named(bricks: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.json"
    refused = dataset("split", bricks, "--by", "random", "--folds", 2, "--out", out, "--json")
    assert refused.returncode == ExitCode.BAD_INPUT
    assert any("revolutions on both sides" in each for each in reported(refused)["error"]["leaks"])
    assert not out.exists()
    allowed = dataset("split", bricks, "--by", "random", "--folds", 2, "--out", out, "--allow-leaks")
    assert allowed.returncode == ExitCode.OK
    assert "leak: fold 1: revolutions on both sides" in allowed.stdout
    assert json.loads(out.read_text())["leaks"]


def test_revolutions_are_inferred_where_nobody_wrote_them_down(bricks: Path, tmp_path: Path) -> None:
    for file in bricks.glob("*/*.png"):
        (tmp_path / file.parent.name).mkdir(exist_ok=True)
        (tmp_path / file.parent.name / file.name).write_bytes(file.read_bytes())
    found = dataset("split", tmp_path, "--by", "revolution", "--folds", 2, "--json")
    assert found.returncode == ExitCode.OK, found.stderr
    data = reported(found)
    assert (data["groups_from"], data["confidence"]) == ("inferred", 1.0)
    assert sorted(len(each["groups"]) for each in data["folds"]) == [2, 2]
    refused = dataset("split", tmp_path, "--by", "brick", "--folds", 2)
    assert refused.returncode == ExitCode.BAD_INPUT
    assert "nobody knows which brick" in refused.stderr
