"""What cannot be trained is refused before anything is written, in words that say what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sorter.cli.exit_codes import ExitCode
from tests.drawn_dataset import write_drawn_dataset

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    write_drawn_dataset(root, shapes=("bar", "disc"), colours=("red", "blue"), views=6)
    return root


def refused(out: Path, *arguments: object, code: ExitCode = ExitCode.BAD_INPUT) -> str:
    command = [sys.executable, "-m", "sorter", "train", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "250"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert not out.exists()
    assert not list(out.parent.glob(".run*"))
    return result.stderr


def test_no_folder_an_empty_one_and_one_without_pictures(tmp_path: Path, out: Path) -> None:
    assert "is no folder" in refused(out, tmp_path / "none", out)
    (tmp_path / "empty").mkdir()
    assert "no picture" in refused(out, tmp_path / "empty", out)


def test_ten_pictures(data: Path, out: Path) -> None:
    (data / "index.jsonl").unlink()
    for path in sorted(data.glob("*/*.png"))[10:]:
        path.unlink()
    assert "one class only" in refused(out, data, out)


def test_too_few_of_a_class_are_counted(data: Path, out: Path) -> None:
    (data / "index.jsonl").unlink()
    for path in sorted((data / "disc").glob("*.png"))[5:]:
        path.unlink()
    assert "too few usable pictures of disc (5)" in refused(out, data, out)


def test_one_class(data: Path, out: Path) -> None:
    assert "there is one class only, bar" in refused(out, data, out, "--without", "disc")
    assert "there is no class dics" in refused(out, data, out, "--without", "dics")


def test_a_file_among_folders_a_speck_and_a_broken_picture_are_named_and_left_out(data: Path, out: Path) -> None:
    (data / "index.jsonl").unlink()
    (data / "notes.txt").write_text("not a picture", encoding="utf-8")
    cv2.imwrite(str(data / "bar" / "speck.png"), np.zeros((1, 1, 3), np.uint8))
    whole = next(iter(sorted((data / "bar").glob("*.png")))).read_bytes()
    (data / "bar" / "broken.png").write_bytes(whole[: len(whole) // 2])
    for path in sorted((data / "disc").glob("*.png"))[5:]:
        path.unlink()  # so that it ends before anything is trained
    assert "too few usable pictures of disc (5)" in refused(out, data, out, "--recipe", "scratch-cnn")


def test_a_recipe_with_a_typo_is_told_with_line_and_a_proposal(data: Path, out: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "own.toml"
    recipe.write_text('name = "own"\nbatchsize = 3\n[backbone]\nname = "scratch"\nblocks = [4]\n', encoding="utf-8")
    said = refused(out, data, out, "--recipe", recipe)
    assert "line 2" in said
    assert 'did you mean "batch_size"' in said
    assert "phases: is missing" in said
    assert "rig, scratch-cnn, several, tiny" in refused(out, data, out, "--recipe", "rigg")


def test_weights_that_are_not_there(data: Path, out: Path, tmp_path: Path) -> None:
    said = refused(out, data, out, "--weights", tmp_path / "none")
    assert "is neither file nor folder" in said
    (tmp_path / "some").mkdir()
    assert "0 files of weights that begin with mobilenet_v1_0.5_" in refused(
        out, data, out, "--weights", tmp_path / "some"
    )
    wrong = tmp_path / "some" / "mobilenet_v1_0.5_wrong.weights.h5"
    wrong.write_bytes(b"not hdf5")
    assert "does not hold weights" in refused(out, data, out, "--weights", tmp_path / "some")


def test_a_loss_that_does_not_fit_one_class_a_picture(data: Path, out: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        'name = "own"\nloss = "sigmoid"\n[backbone]\nname = "scratch"\nblocks = [4]\n'
        "[[phases]]\nepochs = 1\nrate = 1e-3\n",
        encoding="utf-8",
    )
    assert "close to 100 %" in refused(out, data, out, "--recipe", recipe)


def test_a_folder_that_is_taken_stays_as_it_is(data: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "letter.txt").write_text("mine", encoding="utf-8")
    assert "is there already and not empty" in refused(tmp_path / "run", data, taken)
    assert [path.name for path in taken.iterdir()] == ["letter.txt"]


def test_a_run_is_not_named_together_with_pictures(data: Path, out: Path) -> None:
    assert "give --resume RUN alone" in refused(out, data, out, "--resume", out, code=ExitCode.USAGE)
    assert "is no run" in refused(out, "--resume", data)
    assert "name a folder of pictures" in refused(out, code=ExitCode.USAGE)


def test_a_split_of_other_pictures_or_a_fold_that_it_lacks(data: Path, out: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.json"
    command = [sys.executable, "-m", "sorter", "dataset", "split", data, "--by", "colour", "--out", split]
    subprocess.run([str(each) for each in command], check=True, capture_output=True)
    assert "has 2 folds, and one of them is to be kept out" in refused(out, data, out, "--split", split)
    assert "has folds 1 to 2, not 3" in refused(out, data, out, "--split", split, "--fold", 3)
    other = shutil.copytree(data, tmp_path / "other")
    lines = (other / "index.jsonl").read_text(encoding="utf-8").splitlines()
    (other / "index.jsonl").write_text("\n".join(lines[1:]) + "\n", encoding="utf-8")
    assert "another state of the dataset" in refused(out, other, out, "--split", split)
