"""The whole way with the real command line: drawn pictures, a tiny network, its folder, and what the rig sees."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sorter.classify import load_model
from sorter.cli.exit_codes import ExitCode
from sorter.recognise import Recogniser
from tests.drawn_dataset import write_drawn_dataset
from tests.scenes import SHAPES, frame, random_part

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.timeout(180)  # networks are trained in other processes, on a machine that may be slow

TRIAL = """
name = "trial"
seed = 3
batch_size = 16
inner_folds = 2
least_pictures = 4
[backbone]
name = "scratch"
blocks = [8, 16]
dense = 16
batch_normalisation = true
[crop]
size_px = 32
[augmentation]
recolour_share = 0.5
shift = 0.05
[optimiser]
name = "adam"
average = 0.9
[[phases]]
epochs = 3
rate = 3e-3
schedule = { name = "cyclical", cycles = 2 }
[[phases]]
epochs = 2
rate = 1e-3
lower_layers = 0.5
"""


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "sorter", *map(str, arguments)]


def sorter(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "250"}
    result = subprocess.run(command(*arguments), capture_output=True, text=True, check=False, env=environment)
    assert "Traceback" not in result.stderr, result.stderr
    return result


def rows_of(run: Path, network: str) -> list[dict[str, str]]:
    with (run / network / "summary.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def weights_of(run: Path, network: str) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(run / network / "last.npz") as saved:
        return {name: saved[name] for name in saved.files if name != "about"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("drawn")
    write_drawn_dataset(root)
    return root


@pytest.fixture(scope="module")
def trained(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the shipped recipe ``tiny``."""
    run = tmp_path_factory.mktemp("runs") / "tiny"
    result = sorter("train", drawn, run, "--recipe", "tiny", "--allow-int8-drop", "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    said = json.loads(result.stdout)
    assert said["labels"] == sorted(SHAPES)
    assert said["model"]["folder"] == str(run / "model")
    return run


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("recipes") / "trial.toml"
    file.write_text(TRIAL, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def uninterrupted(drawn: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "whole"
    result = sorter("train", drawn, run, "--recipe", recipe, "--allow-int8-drop")
    assert result.returncode == ExitCode.OK, result.stderr
    return run


def test_the_rig_recognises_parts_that_the_network_never_saw(trained: Path) -> None:
    recogniser = Recogniser.from_model(load_model(trained / "model"), misroute_rate=1.0)
    rng = np.random.default_rng(7)
    right = []
    for number in range(60):
        shape = SHAPES[number % 3]
        view = recogniser.look(frame(random_part(shape, rng), seed=number, side_px=160))
        assert view.prediction is not None
        right.append(view.prediction.ranked[0][0] == shape)
    assert np.mean(right) > 0.85


def test_the_card_says_on_what_its_numbers_rest(trained: Path) -> None:
    card = load_model(trained / "model").card
    assert card.split.by == "brick"
    assert len(card.training_bricks) == 12
    assert card.metrics["pictures"] == 192
    assert card.metrics["bricks"] == 12
    assert card.novelty is not None
    assert "12 bricks" in (trained / "model" / "README.md").read_text(encoding="utf-8")


def test_a_run_keeps_recipe_versions_table_logs_and_checkpoints(trained: Path) -> None:
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    assert record["recipe"]["name"] == "tiny"
    assert set(record["versions"]) == {"sorter", "tensorflow", "keras", "numpy", "opencv"}
    held = [set(paths) for paths in record["inner"]["held_out"]]
    assert not held[0] & held[1]
    for network in ("inner-1", "inner-2", "final"):
        rows = rows_of(trained, network)
        assert [int(row["epoch"]) for row in rows] == list(range(1, 21))
        assert all(row["validation_loss"] for row in rows) == (network != "final")
        assert {path.name for path in (trained / network).glob("*.npz")} >= {"last.npz", "best.npz"}
        assert list((trained / network / "logs").glob("events.*"))
    assert not list(trained.parent.glob(".*"))


def test_evaluate_warns_that_the_bricks_were_trained_on_and_shows_where_the_network_looks(
    trained: Path, drawn: Path, tmp_path: Path
) -> None:
    page, numbers = tmp_path / "page.html", tmp_path / "numbers.json"
    result = sorter("evaluate", trained / "model", drawn, "--html", page, "--json", numbers, "--run", trained)
    assert result.returncode == ExitCode.FINDINGS, result.stderr
    data = json.loads(numbers.read_text(encoding="utf-8"))
    assert len(data["bricks_seen_in_training"]) == 12
    assert data["pictures"] == 192
    assert set(data["accuracy_by_views"]) == {"1", "2", "4", "8"}
    text = page.read_text(encoding="utf-8")
    assert "what it looked at" in text
    assert "http://" not in text.replace("http://www.w3.org/", "")


def test_a_model_can_be_exported_again_by_another_name(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "again"
    result = sorter("export", trained, out, "--name", "other", "--allow-int8-drop")
    assert result.returncode == ExitCode.OK, result.stderr
    assert load_model(out).card.name == "other"
    assert (out / "model.tflite").read_bytes() == (trained / "model" / "model.tflite").read_bytes()
    refused = sorter("export", trained, out, "--allow-int8-drop")
    assert refused.returncode == ExitCode.BAD_INPUT
    assert "is there already" in refused.stderr


def assert_same_run(one: Path, other: Path) -> None:
    for network in ("inner-1", "inner-2", "final"):
        assert rows_of(one, network) == rows_of(other, network)
        mine, theirs = weights_of(one, network), weights_of(other, network)
        assert mine.keys() == theirs.keys()
        for name, value in mine.items():
            np.testing.assert_array_equal(value, theirs[name], err_msg=f"{network} {name}")
    assert (one / "model" / "model.tflite").read_bytes() == (other / "model" / "model.tflite").read_bytes()


def interrupted(arguments: list[object], is_time: Callable[[], bool], number: signal.Signals) -> tuple[int, str]:
    """Start the command, send it a signal when it is time, and say how it ended."""
    process = subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with process:
        deadline = time.monotonic() + 50
        while not is_time():
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    return process.returncode, said


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_run_that_was_killed_goes_on_and_ends_like_one_that_was_not(
    drawn: Path, recipe: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    table = run / "inner-2" / "summary.csv"

    def is_in_the_second_network() -> bool:
        return table.exists() and len(table.read_text(encoding="utf-8").splitlines()) >= 3

    start: list[object] = ["train", drawn, run, "--recipe", recipe, "--allow-int8-drop"]
    code, _ = interrupted(start, is_in_the_second_network, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not (run / "model").exists()
    result = sorter("train", "--resume", run, "--allow-int8-drop")
    assert result.returncode == ExitCode.OK, result.stderr
    assert_same_run(run, uninterrupted)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ctrl_c_saves_in_the_middle_of_an_epoch_and_the_run_goes_on_from_there(
    drawn: Path, recipe: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    start: list[object] = ["train", drawn, run, "--recipe", recipe, "--allow-int8-drop"]
    code, said = interrupted(start, (run / "inner-1" / "summary.csv").exists, signal.SIGINT)
    assert code == ExitCode.INTERRUPTED, said
    assert f"sorter train --resume {run}" in said
    result = sorter("train", "--resume", run, "--allow-int8-drop")
    assert result.returncode == ExitCode.OK, result.stderr
    assert_same_run(run, uninterrupted)


def test_a_finished_run_can_be_resumed_and_is_only_exported_again(uninterrupted: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(uninterrupted, tmp_path / "run"))
    result = sorter("train", "--resume", run, "--allow-int8-drop")
    assert result.returncode == ExitCode.OK, result.stderr
    assert "epoch" not in result.stderr
    assert_same_run(run, uninterrupted)


def test_pictures_that_changed_meanwhile_stop_a_resumed_run(drawn: Path, uninterrupted: Path, tmp_path: Path) -> None:
    changed = Path(shutil.copytree(drawn, tmp_path / "drawn"))
    lines = (changed / "index.jsonl").read_text(encoding="utf-8").splitlines()
    (changed / "index.jsonl").write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    run = Path(shutil.copytree(uninterrupted, tmp_path / "run"))
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps({**record, "dataset": str(changed)}), encoding="utf-8")
    result = sorter("train", "--resume", run)
    assert result.returncode == ExitCode.BAD_INPUT
    assert "are not those" in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_fold_of_a_split_is_kept_out_of_everything(drawn: Path, recipe: Path, tmp_path: Path) -> None:
    split, run, numbers = tmp_path / "split.json", tmp_path / "run", tmp_path / "numbers.json"
    assert sorter("dataset", "split", drawn, "--by", "colour", "--out", split).returncode == ExitCode.OK
    result = sorter(
        "train", drawn, run, "--recipe", recipe, "--split", split, "--fold", 2, "--allow-int8-drop", "--without", "disc"
    )
    assert result.returncode == ExitCode.OK, result.stderr
    card = load_model(run / "model").card
    assert card.labels == ("bar", "square")
    assert set(card.training_bricks) == {
        f"{name}-{colour}" for name in card.labels for colour in ("blue", "red", "yellow")
    }
    assert {"bar-green", "square-green"} <= set(card.split.held_out)
    page = tmp_path / "page.html"
    asked = sorter("evaluate", run / "model", drawn, "--split", split, "--fold", 2, "--html", page, "--json", numbers)
    assert asked.returncode == ExitCode.OK, asked.stderr
    data = json.loads(numbers.read_text(encoding="utf-8"))
    assert (data["pictures"], data["bricks"], data["bricks_seen_in_training"]) == (32, 2, [])
    assert data["unknown_parts"] is not None


def test_a_learning_rate_is_found(drawn: Path, recipe: Path, tmp_path: Path) -> None:
    table = tmp_path / "rates.csv"
    result = sorter("find-rate", drawn, "--recipe", recipe, "--steps", 40, "--csv", table, "--highest", 10, "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    said = json.loads(result.stdout)
    assert 1e-6 <= said["steepest"] <= said["limit"] <= 10
    lines = table.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "rate,loss,smoothed"
    assert len(lines) == len(said["rates"]) + 1
