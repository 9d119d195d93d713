"""What a review of training found: late tracebacks, a leak through rendered pictures, two trainers in one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sorter.cli.exit_codes import ExitCode
from sorter.dataset import read_dataset
from sorter.training import export
from sorter.training.checks import check_labels, check_name
from sorter.training.errors import ExportRefused, RunRefused, SearchStopped, TrainingRefused
from sorter.training.find_rate import find_rate
from sorter.training.framework import framework
from sorter.training.lock import held
from sorter.training.networks import build
from sorter.training.recipe import Recipe, read_recipe
from sorter.training.record import read_record, write_record
from sorter.training.rendered import usable_rendered
from sorter.training.start import Wish, resume, start
from tests.drawn_dataset import write_drawn_dataset
from tests.unit.sorter.training.said import scores_of, single

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.training.checkpoint import Row


class Listener:
    """Remembers what a person would have been told."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def on_begin(self, what: str, count: int) -> Callable[[int], None]:
        return lambda _: None

    def on_step(self, network: str, epoch: int, step: int, steps: int, loss: float) -> None:
        """Nothing to remember."""

    def on_epoch(self, network: str, row: Row, epochs: int) -> None:
        """Nothing to remember."""

    def on_notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    write_drawn_dataset(root, shapes=("bar", "disc"), colours=("red",), views=8)
    return root


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Path:
    """Begun, with a picture that cannot be used."""
    (data / "bar" / "red_00.png").write_bytes(b"no picture")
    start(Wish(data, tmp_path / "run", read_recipe("tiny")), Listener())
    return tmp_path / "run"


def refused(*arguments: object, code: ExitCode) -> str:
    command = [sys.executable, "-m", "sorter", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "250"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


def with_classes(data: Path, first: list[str]) -> str:
    """The dataset's hash with other ``classes`` in the first line of its index."""
    lines = [json.loads(line) for line in (data / "index.jsonl").read_text(encoding="utf-8").splitlines()]
    lines[0]["classes"] = first
    (data / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return read_dataset(data).sha256


def test_a_name_that_no_card_takes_is_refused_before_hours_of_training(data: Path, tmp_path: Path) -> None:
    for name in ("my model", "", "-x", "x" * 65):
        with pytest.raises(TrainingRefused, match="cannot be the name of a model"):
            start(Wish(data, tmp_path / "run", read_recipe("tiny"), name=name), Listener())
    check_name("rig-2.1_b")
    for label in ("x" * 65, " 3001", "30\n01"):
        with pytest.raises(TrainingRefused, match="no model can have a class"):
            check_labels(["3001", label])
    check_labels(["3001 | *ünï* <b>", "x" * 64])


def test_options_that_a_resumed_run_or_no_split_would_ignore_are_refused(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert "give --resume RUN alone" in refused("train", "--resume", run, "--seed", 5, code=ExitCode.USAGE)
    assert "add --split" in refused("train", data, run, "--fold", 2, code=ExitCode.USAGE)
    with pytest.raises(TrainingRefused, match="trains a scratch network"):
        start(Wish(data, run, read_recipe("tiny"), weights="imagenet"), Listener())
    assert not run.exists()


def test_a_rendered_copy_of_a_picture_does_not_let_a_network_see_what_is_held_out(data: Path, tmp_path: Path) -> None:
    dataset = read_dataset(data)
    with pytest.raises(TrainingRefused, match=r"16 that are in .* too"):
        usable_rendered(dataset, dataset, dataset.classes, "categorical")
    first = dataset.pictures[0]
    several = replace(first, path="several.png", sha256="1" * 64, extra={"classes": ["bar", "disc"]})
    other = replace(first, path="other.png", sha256="2" * 64)
    mixed = replace(dataset, pictures=(*dataset.pictures, several, other))
    usable, notes = usable_rendered(mixed, dataset, dataset.classes, "categorical")
    assert usable == [other]
    assert [note.split(": ")[1][:11] for note in notes] == ["16 pictures", "1 pictures "]
    assert len(usable_rendered(mixed, dataset, dataset.classes, "sigmoid")[0]) == 2


def test_other_classes_of_a_picture_of_several_parts_are_another_dataset(data: Path) -> None:
    plain = read_dataset(data).sha256
    assert len({plain, with_classes(data, ["bar", "disc"]), with_classes(data, ["bar"])}) == 3


def test_two_processes_do_not_train_in_one_folder(run: Path) -> None:
    with held(run):
        with pytest.raises(RunRefused, match="another process is training it"), held(run):
            pass
        said = refused("train", "--resume", run, code=ExitCode.BAD_INPUT)
        assert "another process is training it" in said
    with held(run):
        pass


def test_what_is_grave_is_not_lost_among_left_out_pictures(run: Path) -> None:
    notes = read_record(run).notes
    assert "too good for bricks that were not" in notes[2]
    assert "bar/red_00.png" in notes[-1]


def test_a_run_that_goes_on_with_another_tensorflow_says_so(run: Path) -> None:
    record = read_record(run)
    write_record(run, record.model_copy(update={"versions": {**record.versions, "tensorflow": "1.0"}}))
    listener = Listener()
    resume(run, listener)
    assert [note for note in listener.notices if "started with tensorflow 1.0" in note]


def test_a_model_stays_if_the_one_in_its_place_cannot_be_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, folder = tmp_path / ".model.x.part", tmp_path / "model"
    for each in (made, folder):
        each.mkdir()
        (each / "card.json").write_text(each.name, encoding="utf-8")
    rename = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if self == made:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(KeyboardInterrupt):
        export._put(made, folder)
    assert (folder / "card.json").read_text(encoding="utf-8") == "model"
    monkeypatch.undo()
    export._put(made, folder)
    assert [each.name for each in tmp_path.iterdir()] == ["model"]
    assert (folder / "card.json").read_text(encoding="utf-8") == made.name


def test_an_export_that_cannot_be_written_is_refused_before_it_is_worked_out(tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="there is no folder"):
        export.check_free(tmp_path / "none" / "model")
    with pytest.raises(ExportRefused, match="is there already"):
        export.check_free(tmp_path)
    export._check_drop(0.9, 0.895, 200, is_allowed=False)  # half a point is not more than half a point
    with pytest.raises(ExportRefused, match=r"int8 costs 1\.0 points"):
        export._check_drop(0.9, 0.89, 200, is_allowed=False)


def test_a_search_for_a_rate_that_is_stopped_does_not_claim_to_have_saved_anything(data: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(SearchStopped, match="nothing was written"):
        find_rate(data, read_recipe("tiny"), Listener(), stop)


def test_a_download_of_weights_does_not_spoil_what_is_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    applications = framework().keras.applications
    make = applications.MobileNet

    def tells(*, weights: str | None, **options: object) -> object:
        print("Downloading data from https://")
        return make(weights=None, **options)

    monkeypatch.setattr(applications, "MobileNet", tells)
    recipe = Recipe.model_validate_json(
        '{"name": "x", "backbone": {"name": "mobilenet_v1", "width": 0.25}, "crop": {"size_px": 32},'
        ' "phases": [{"epochs": 1, "rate": 0.1}]}'
    )
    build(recipe, 2, weights="imagenet")
    said = capsys.readouterr()
    assert "Downloading" in said.err
    assert not said.out


def test_views_of_one_turn_that_several_networks_scored_are_not_put_together() -> None:
    scores = scores_of([single("bar", "bar"), single("disc", "bar", brick="b")])
    assert export._apart(scores, "inner-2", "random").revolutions == ("inner-2/a", "inner-2/b")
    assert export._apart(scores, "inner-2", "brick") is scores
