"""The whole way with the real command line: drawn tables, a tiny network, its folder, and how good it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sorter.classify import ModelRefused, load_model
from sorter.cli.exit_codes import ExitCode
from sorter.dataset import make_split, read_dataset, write_split
from sorter.training.recipe import read_recipe
from sorter.training.table_model import load_table_model
from tests.unit.sorter.training.drawn_tables import labels_in, put_labels, with_part, write_drawn_tables

pytestmark = pytest.mark.timeout(180)  # networks are trained in other processes, on a machine that may be slow

TRIAL = """
name = "trial"
seed = 3
batch_size = 16
inner_folds = 2
least_pictures = 4
input = "table"
[backbone]
name = "scratch"
blocks = [8, 16]
dense = 16
batch_normalisation = true
[crop]
size_px = 32
[augmentation]
mirror_share = 0.5
[optimiser]
name = "adam"
[[phases]]
epochs = 6
rate = 3e-3
schedule = { name = "one_cycle" }
"""


def sorter(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sorter", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "250"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)
    assert "Traceback" not in result.stderr, result.stderr
    return result


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tables")
    write_drawn_tables(root, 96)
    return root


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("others")
    write_drawn_tables(root, 36, seed=1)
    return root


@pytest.fixture(scope="module")
def trained(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "trial.toml").write_text(TRIAL, encoding="utf-8")
    options = ("--recipe", folder / "trial.toml", "--cache", folder / "cache", "--allow-int8-drop", "--json")
    result = sorter("train", tables, folder / "run", *options)
    assert result.returncode == ExitCode.OK, result.stderr
    said = json.loads(result.stdout)
    assert said["labels"] == ["bar", "disc", "square", "several"]
    assert set(said["model"]["thresholds"]) == set(said["labels"])
    return folder / "run"


def numbers_of(model: Path, data: Path, folder: Path, *options: object) -> tuple[int, dict[str, Any], str]:
    result = sorter("evaluate", model, data, "--json", "numbers.json", *options, folder=folder)
    return result.returncode, json.loads((folder / "numbers.json").read_text(encoding="utf-8")), result.stdout


def test_tables_that_it_never_saw_are_scored_by_label_and_beside_the_rule(
    trained: Path, others: Path, tmp_path: Path
) -> None:
    code, data, said = numbers_of(trained / "model", others, tmp_path)
    assert code == ExitCode.OK
    assert (data["kind"], data["pictures"], data["pictures_seen_in_training"]) == ("table", 36, 0)
    assert set(data["per_label"]) == {"bar", "disc", "square", "several"}
    assert data["per_label"]["several"]["there"] == 24
    by_class = [data["per_label"][name]["average_precision"] for name in ("bar", "disc", "square")]
    assert data["mean_average_precision"] == pytest.approx(np.mean(by_class))
    low, high = data["mean_average_precision_interval"]
    assert low <= data["mean_average_precision"] <= high
    found = data["one_or_several"]
    assert (found["one"], found["several"], [each["parts"] for each in found["by_parts"]]) == (12, 24, [1, 2, 3])
    who = [found[key] for key in ("both_right", "network_alone", "rule_alone", "neither")]
    assert sum(who) == 36
    assert found["network"]["right"] == pytest.approx((who[0] + who[1]) / 36)
    assert found["rule"]["right"] == pytest.approx((who[0] + who[2]) / 36)
    assert found["rule"]["right"] > 0.8
    assert found["network"]["right"] > 0.8, "how much there is on a table is easily learnt"
    assert sum(map(sum, data["class_counts"]["counts"])) == 36
    page = (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "One part or several" in page
    assert "data:image/jpeg" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert f"mean average precision    {data['mean_average_precision']:.1%}" in said
    assert "all pictures are rendered" in data["warnings"][0]


def test_tables_that_it_was_trained_on_end_with_findings(trained: Path, tables: Path, tmp_path: Path) -> None:
    code, data, said = numbers_of(trained / "model", tables, tmp_path)
    assert code == ExitCode.FINDINGS
    assert data["pictures_seen_in_training"] == data["pictures"] == 96
    assert "NOT HONEST: 96 of these 96 pictures stood in training" in said
    assert "Not honest" in (tmp_path / "evaluation.html").read_text(encoding="utf-8")


def test_what_one_fold_holds_out_is_scored_alone(trained: Path, others: Path, tmp_path: Path) -> None:
    dataset = read_dataset(others)
    made = write_split(tmp_path / "split.json", make_split(dataset, "random", 3), dataset)
    code, data, _ = numbers_of(trained / "model", others, tmp_path, "--split", tmp_path / "split.json", "--fold", 2)
    assert code == ExitCode.OK
    assert data["pictures"] == len(made.folds[1].held_out)
    assert data["split"]["fold"] == 2


def test_parts_of_strange_classes_and_hardly_visible_ones_are_counted_for_what_they_are(
    trained: Path, others: Path, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    shutil.copytree(others, root)
    entries = labels_in(root)
    lines = [json.loads(line) for line in (root / "index.jsonl").read_text(encoding="utf-8").splitlines()]
    entries[1] = with_part(entries[1], 0, class_name="cone")
    entries[4] = with_part(entries[4], 1, visible=0.1)
    for line, entry in zip(lines, entries, strict=True):
        line["classes"] = sorted({part.class_name for part in entry.parts})
    put_labels(root, entries)
    (root / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (root / "pictures/00000.png").write_bytes(b"x")
    code, data, _ = numbers_of(trained / "model", root, tmp_path)
    assert code == ExitCode.FINDINGS
    assert data["unreadable"][0]["path"] == "pictures/00000.png"
    assert any("cone are none of the network's classes" in each for each in data["warnings"])
    assert data["one_or_several"]["undecided"] == data["per_label"]["several"]["undecided"] == 1
    assert data["one_or_several"]["several"] == 23
    assert sum(each["undecided"] for each in data["per_label"].values()) <= 2


def test_the_rig_does_not_take_it_for_a_model_of_parts(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="network for whole tables"):
        load_model(trained / "model")
    model = load_table_model(trained / "model")
    assert model.card.labels[-1] == "several"
    assert len(model.card.training_pictures) == 96
    assert "The rig does not take it" in (trained / "model" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("model.tflite", b"x", "model.tflite is not the file of table.json"),
        ("labels.json", b"[]", "labels.json is not the file of table.json"),
        ("table.json", b"{}", "table.json: name: Field required"),
        ("table.json", b"", "table.json: Invalid JSON"),
    ],
)
def test_a_model_that_is_not_what_it_says_is_refused(
    trained: Path, others: Path, tmp_path: Path, file: str, content: bytes, told: str
) -> None:
    shutil.copytree(trained / "model", tmp_path / "model")
    (tmp_path / "model" / file).write_bytes(content)
    with pytest.raises(ModelRefused) as caught:
        load_table_model(tmp_path / "model")
    assert told in str(caught.value)


@pytest.mark.parametrize("option", ["--unknown", "--run"])
def test_options_for_single_parts_are_refused(trained: Path, others: Path, tmp_path: Path, option: str) -> None:
    result = sorter("evaluate", trained / "model", others, option, others, folder=tmp_path)
    assert result.returncode == ExitCode.USAGE
    assert "is for models of single parts" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_single_parts_is_no_folder_of_tables(trained: Path, others: Path, tmp_path: Path) -> None:
    shutil.copytree(others, tmp_path / "data")
    (tmp_path / "data/labels.json").unlink()
    result = sorter("evaluate", trained / "model", tmp_path / "data", folder=tmp_path)
    assert result.returncode == ExitCode.BAD_INPUT
    assert "labels.json: cannot be read" in result.stderr
    assert "sorter render" in result.stderr


def test_a_run_whose_labels_changed_is_not_gone_on_with(trained: Path, tables: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(tables, data)
    shutil.copytree(trained, tmp_path / "run")
    record = json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))
    (tmp_path / "run/run.json").write_text(json.dumps({**record, "dataset": str(data)}), encoding="utf-8")
    entries = labels_in(data)
    entries[0] = with_part(entries[0], 0, visible=0.5)
    put_labels(data, entries)
    result = sorter("train", "--resume", tmp_path / "run")
    assert result.returncode == ExitCode.BAD_INPUT
    assert "labels.json differs" in result.stderr


def test_a_finished_run_can_be_exported_again_by_another_name(trained: Path, tmp_path: Path) -> None:
    result = sorter("export", trained, tmp_path / "again", "--name", "other", "--allow-int8-drop")
    assert result.returncode == ExitCode.OK, result.stderr
    assert load_table_model(tmp_path / "again").card.name == "other"
    assert (tmp_path / "again/model.tflite").read_bytes() == (trained / "model/model.tflite").read_bytes()


def test_the_shipped_recipe_is_for_tables() -> None:
    recipe = read_recipe("several")
    assert recipe.input == "table"
    assert recipe.inner_folds >= 2
