"""``sorter evaluate``: the real command line with a model that really runs, on drawn parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sorter.cli.exit_codes import ExitCode
from sorter.dataset import make_split, read_dataset, write_split
from tests.drawn_dataset import write_drawn_dataset
from tests.models import card_of, put_card

HEAVY = {"numpy", "cv2", "PIL", "ai_edge_litert", "tensorflow", "keras"}


def evaluate(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sorter", "evaluate", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "250"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)
    assert "Traceback" not in result.stderr, result.stderr
    return result


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of two bricks, four views each."""
    root = tmp_path_factory.mktemp("parts")
    write_drawn_dataset(root, shapes=("bar", "disc"), colours=("red", "yellow"), views=4)
    return root


def test_what_a_fold_holds_out_is_told_as_text_json_and_page(tiny_model: Path, parts: Path, tmp_path: Path) -> None:
    dataset, split = read_dataset(parts), tmp_path / "split.json"
    made = write_split(split, make_split(dataset, "brick", 2), dataset)
    result = evaluate(tmp_path, tiny_model, parts, "--split", split, "--fold", 2, "--json", "numbers.json")
    assert result.returncode == ExitCode.OK, result.stderr
    data = json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))
    assert data["pictures"] == len(made.folds[1].held_out) == 8
    assert (data["split"]["fold"], data["split"]["by"], data["unknown_parts"]) == (2, "brick", None)
    page = (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "model tiny on 8 pictures of 2 bricks" in result.stdout
    assert f"accuracy, one view   {data['accuracy']:.1%} (" in result.stdout
    assert "bar               4      1" in result.stdout
    assert "warning: the card names no bricks that were trained on" in result.stderr
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_a_brick_that_was_trained_on_ends_with_findings(model_copy: Path, parts: Path, tmp_path: Path) -> None:
    card = card_of(model_copy)
    card["training_bricks"] = ["bar-red"]
    put_card(model_copy, card)
    out = tmp_path / "out"
    out.mkdir()
    result = evaluate(out, model_copy, parts, "--json", out / "numbers.json", "--html", out / "page.html")
    assert result.returncode == ExitCode.FINDINGS
    assert json.loads((out / "numbers.json").read_text(encoding="utf-8"))["bricks_seen_in_training"] == ["bar-red"]
    assert "NOT HONEST: 1 brick of these pictures stood in training (bar-red)" in result.stdout
    assert "warning: 1 brick of these pictures stood in training (bar-red)" in result.stderr
    assert "Not honest" in (out / "page.html").read_text(encoding="utf-8")


def test_pictures_without_groups_have_them_inferred(tiny_model: Path, parts: Path, tmp_path: Path) -> None:
    for file in parts.glob("*/*.png"):
        (tmp_path / file.parent.name).mkdir(exist_ok=True)
        (tmp_path / file.parent.name / file.name).write_bytes(file.read_bytes())
    result = evaluate(tmp_path, tiny_model, tmp_path, "--json", "-", "--html", tmp_path / "page.html")
    assert result.returncode == ExitCode.OK, result.stderr
    data = json.loads(result.stdout)
    assert (data["groups_from"], data["pictures"]) == ("inferred", 16)
    assert data["accuracy_by_views"]["2"] is None


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("none", "model none: there is no such folder, and no shipped model of that name"),
        (".", "card.json cannot be read"),
    ],
)
def test_what_is_no_model_is_refused_and_nothing_is_written(parts: Path, tmp_path: Path, model: str, told: str) -> None:
    result = evaluate(tmp_path, model, parts, "--json", "-")
    assert result.returncode == ExitCode.BAD_INPUT
    assert json.loads(result.stdout)["error"]["kind"] == "ModelRefused"
    assert told in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_dataset_or_split_is_refused(tiny_model: Path, parts: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, told in (
        ((tmp_path / "empty",), "holds no picture in a folder of a class"),
        ((parts, "--split", tmp_path / "none.json", "--fold", 1), "cannot be read: No such file"),
        ((parts, "--unknown", tmp_path / "empty"), "holds no picture in a folder of a class"),
    ):
        result = evaluate(tmp_path, tiny_model, *arguments)
        assert (result.returncode, result.stdout) == (ExitCode.BAD_INPUT, "")
        assert told in result.stderr
    assert not (tmp_path / "evaluation.html").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--fold", "1"], "add --split"),
        (["--html", "none/page.html"], "there is no folder none"),
        (["--json", "none/numbers.json"], "there is no folder none"),
        (["--threads", "0"], "greater than or equal to 1"),
        (["--split", "split.json", "--fold", "0"], "greater than or equal to 1"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_loaded(tmp_path: Path, arguments: list[str], told: str) -> None:
    result = evaluate(tmp_path, "no model", tmp_path, *arguments)
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert told in result.stderr


def test_help_is_there_before_anything_heavy_is_imported() -> None:
    program = [sys.executable, "-X", "importtime", "-m", "sorter", "evaluate", "--help"]
    result = subprocess.run(program, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
    assert not HEAVY & imported
    assert "--unknown" in result.stdout


def test_evaluation_needs_no_tensorflow() -> None:
    code = "import sys, sorter.training.evaluate, sorter.training.evaluation_page\nprint(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "sorter.training.metrics" in loaded
    assert not [name for name in loaded if name.split(".")[0] in ("tensorflow", "keras", "ai_edge_litert")]
