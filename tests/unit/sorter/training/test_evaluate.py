"""An evaluation counts every picture once, hides none, and says aloud when its numbers are not honest."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sorter.classify import Model, load_model
from sorter.classify.card import MODEL_FILE
from sorter.dataset import (
    Dataset,
    DatasetRefused,
    Fold,
    Picture,
    Split,
    make_split,
    read_dataset,
    write_index,
    write_split,
)
from sorter.recognise import Recogniser
from sorter.training.chosen import FoldUsed, held_out
from sorter.training.evaluate import evaluate
from sorter.training.evaluation_page import html_page
from sorter.training.scoring import without_copies
from sorter.types import Frame
from tests.drawn_dataset import write_drawn_dataset
from tests.scenes import SHAPES, Drawn
from tests.unit.sorter.dataset.pictures import put

if TYPE_CHECKING:
    from sorter.training.evaluation import Evaluation

COLOURS = ("red", "yellow")
VIEWS = 8
BRICKS = sorted(f"{shape}-{colour}" for shape in SHAPES for colour in COLOURS)
KEYS = {
    *("accuracy", "accuracy_interval", "accuracy_by_views", "accuracy_by_views_interval", "expected_calibration_error"),
    *("per_class", "pictures", "bricks", "bricks_seen_in_training", "confusion", "confused_pairs", "top_losses"),
    *("reliability", "misroute_curve", "unknown_parts", "float_against_int8", "model", "latency_ms", "no_part"),
    *("unreadable", "angles", "split"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three known classes and wedges, two bricks each, one turn of eight views a brick."""
    root = tmp_path_factory.mktemp("parts")
    write_drawn_dataset(root, shapes=(*SHAPES, "wedge"), colours=COLOURS, views=VIEWS)
    return root


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Dataset:
    return read_dataset(folder)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return load_model(tiny_model)


@pytest.fixture(scope="module")
def whole(model: Model, dataset: Dataset) -> Evaluation:
    return evaluate(model, dataset, dataset.pictures, size_bytes=4321)


def with_card(model: Model, **changes: object) -> Model:
    """The same network with another card."""
    return Model(model.card.model_copy(update=changes), model._interpreter, model.runtime)


def some(dataset: Dataset, per_brick: int = VIEWS, *, classes: tuple[str, ...] = SHAPES) -> list[Picture]:
    """The first views of each brick of these classes."""
    taken: Counter[str | None] = Counter()
    chosen = []
    for each in dataset.pictures:
        taken[each.brick] += 1
        if each.class_name in classes and taken[each.brick] <= per_brick:
            chosen.append(each)
    return chosen


def test_the_numbers_are_what_the_rig_would_say_of_each_picture(
    model: Model, dataset: Dataset, folder: Path, whole: Evaluation
) -> None:
    from sorter.pictures import read_picture

    recogniser = Recogniser.from_model(model, 0.01)
    known = some(dataset)
    said = []
    for each in known:
        prediction = recogniser.look(Frame(read_picture(folder / each.path), 0.0, 0)).prediction
        assert prediction is not None
        said.append(prediction.ranked[0])
    is_right = [name == each.class_name for (name, _), each in zip(said, known, strict=True)]
    assert whole.pictures == len(known) == 48
    assert whole.accuracy == pytest.approx(np.mean(is_right))
    assert whole.by_views[1] is not None
    assert whole.by_views[1].accuracy == whole.accuracy
    sure = [probability for _, probability in said]
    gap = sum(each.pictures * each.mean_posterior for each in whole.reliability) / len(known)
    assert gap == pytest.approx(np.mean(sure))


def test_no_picture_is_lost_on_the_way(whole: Evaluation, dataset: Dataset) -> None:
    unknown = 0 if whole.unknown is None else whole.unknown.pictures
    assert whole.pictures + unknown + len(whole.no_part) + len(whole.unreadable) == len(dataset.pictures) == 64


def test_the_json_has_everything_by_its_name(whole: Evaluation) -> None:
    data = json.loads(json.dumps(whole.as_dict(), allow_nan=False))
    assert data.keys() >= KEYS
    assert data["model"] == {
        "name": "tiny",
        "size_bytes": 4321,
        "runtime": whole.runtime,
        "sha256": whole.card.hashes[MODEL_FILE],
    }
    assert (data["bricks"], data["angles"], data["split"], data["copies"]) == (6, "index", None, 0)
    assert list(data["accuracy_by_views"]) == ["1", "2", "4", "8"]
    assert data["revolutions_by_views"] == {"1": 6, "2": 6, "4": 6, "8": 6}
    low, high = data["accuracy_interval"]
    assert low <= data["accuracy"] <= high
    assert {name: each["pictures"] for name, each in data["per_class"].items()} == dict.fromkeys(SHAPES, 16)
    assert np.array(data["confusion"]["counts"]).sum() == 48
    assert np.trace(data["confusion"]["counts"]) == round(48 * data["accuracy"])
    losses = [each["loss"] for each in data["top_losses"]]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == pytest.approx(-np.log(data["top_losses"][0]["class_probability"]), abs=1e-9)
    assert data["latency_ms"]["pictures"] >= 24
    assert min(data["latency_ms"][each] for each in ("locate", "crop", "network")) > 0.0


def test_pictures_of_other_classes_are_unknown_parts_and_in_no_accuracy(whole: Evaluation) -> None:
    unknown = whole.unknown
    assert unknown is not None
    assert (unknown.pictures, unknown.bricks, unknown.classes) == (16, 2, ("wedge",))
    assert [(each.views, each.score) for each in unknown.scores] == [
        (1, "entropy"),
        (1, "posterior"),
        (8, "entropy"),
        (8, "posterior"),
    ]
    assert all(0.0 <= each.separation.area <= 1.0 for each in unknown.scores)
    assert [point.known_kept for point in unknown.scores[0].separation.kept] == [0.9, 0.95]
    strict, loose = unknown.accepted_at_card
    assert 0.0 <= strict <= loose <= 1.0


def test_unknown_parts_come_from_a_folder_of_their_own_too(model: Model, dataset: Dataset, tmp_path: Path) -> None:
    write_drawn_dataset(tmp_path, shapes=("bar", "arch"), colours=("green",), views=3)
    told: list[int] = []
    known = some(dataset, 1)
    found = evaluate(
        model, dataset, known, size_bytes=1, unknown=read_dataset(tmp_path), on_progress=told.append, workers=1
    )
    assert found.unknown is not None
    assert (found.unknown.pictures, found.unknown.classes) == (3, ("arch",))
    assert [each.views for each in found.unknown.scores] == [1, 1]  # too few pictures for eight views
    assert (found.pictures, sum(told)) == (6, 6 + 6)
    without = evaluate(model, dataset, known, size_bytes=1, unknown=replace(dataset, pictures=tuple(known)))
    assert without.unknown is None
    assert "--unknown DIR" in html_page(without)


def test_a_brick_of_the_training_set_is_told_aloud_everywhere(model: Model, dataset: Dataset) -> None:
    seen = with_card(model, training_bricks=("bar-red", "wedge-red", "elsewhere"))
    found = evaluate(seen, dataset, some(dataset, 1, classes=(*SHAPES, "wedge")), size_bytes=1)
    assert found.bricks_seen == ("bar-red", "wedge-red")
    assert not found.is_honest
    assert found.warnings[0].startswith("2 bricks of these pictures stood in training (bar-red and wedge-red)")
    assert found.as_dict()["bricks_seen_in_training"] == ["bar-red", "wedge-red"]
    assert found.as_dict()["warnings"][0] == found.warnings[0]
    assert "<strong>Not honest:</strong> 2 bricks" in html_page(found)


def test_an_honest_evaluation_does_not_cry(model: Model, dataset: Dataset, whole: Evaluation) -> None:
    found = evaluate(with_card(model, training_bricks=("elsewhere",)), dataset, some(dataset, 1), size_bytes=1)
    assert (found.is_honest, found.warnings) == (True, ())
    assert "Not honest" not in html_page(found)
    assert whole.warnings == ("the card names no bricks that were trained on, so whether it saw these cannot be told",)


def test_copies_count_once(model: Model, dataset: Dataset, folder: Path) -> None:
    once = some(dataset, 1)
    twice = [*once, *(replace(each, path=each.path + " again") for each in once)]
    told: list[int] = []
    found = evaluate(model, dataset, twice, size_bytes=1, on_progress=told.append)
    assert (found.pictures, found.copies, sum(told)) == (6, 6, 12)
    assert without_copies(twice) == tuple(once)
    assert without_copies(twice, {once[0].sha256}) == tuple(once[1:])


def test_what_shows_no_part_or_cannot_be_read_is_listed(model: Model, tmp_path: Path) -> None:
    put(tmp_path / "square" / "good.png", Drawn("square", size=0.3))
    put(tmp_path / "square" / "empty.png")
    (tmp_path / "square" / "bad.png").write_bytes(b"no picture")
    dataset = read_dataset(tmp_path)
    found = evaluate(model, dataset, dataset.pictures, size_bytes=1)
    data = found.as_dict()
    assert found.pictures == 1
    assert data["no_part"] == [{"path": "square/empty.png", "reason": "empty"}]
    assert [each["path"] for each in data["unreadable"]] == ["square/bad.png"]
    assert "is no picture that is known here" in data["unreadable"][0]["reason"]
    page = html_page(found)
    for name in ("square/empty.png: empty", "square/bad.png: is no picture"):
        assert name in page
    assert any("1 picture without a single part" in each for each in found.warnings)
    assert any("1 picture cannot be read" in each for each in found.warnings)


def test_where_nobody_knows_bricks_or_angles_that_is_said(model: Model, tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path / "square" / f"{number}.png", Drawn("square", size=0.3, angle_deg=20.0 * number))
    dataset = read_dataset(tmp_path)
    found = evaluate(model, dataset, dataset.pictures, size_bytes=1)
    assert (found.angles, found.groups_from) == ("none", "unknown")
    assert [each is not None for each in found.by_views.values()] == [True, False, False, False]
    assert found.as_dict()["accuracy_by_views"]["8"] is None
    assert any("nobody wrote down the brick of 3 pictures" in each for each in found.warnings)
    assert "no picture shows a bar or disc: the numbers say nothing of them" in found.warnings
    one_brick = tuple(replace(each, brick="square-red") for each in dataset.pictures)
    alone = evaluate(model, dataset, one_brick, size_bytes=1)
    assert alone.interval is None
    assert any("all pictures are of one brick" in each for each in alone.warnings)
    assert "no interval: one brick" in html_page(alone)


def test_angles_that_nobody_wrote_down_are_inferred_and_that_is_said(
    model: Model, dataset: Dataset, whole: Evaluation
) -> None:
    known = [replace(each, angle_deg=None) for each in some(dataset)]
    found = evaluate(model, dataset, known, size_bytes=1)
    assert found.angles == "inferred"
    assert any("angles are inferred" in each for each in found.warnings)
    assert found.by_views[8] is not None
    assert whole.by_views[8] is not None
    # All eight views of a turn are the same ones in any order.
    assert found.by_views[8].accuracy == pytest.approx(whole.by_views[8].accuracy, abs=0.1)
    assert "Angles are inferred" in html_page(found)


def test_groups_that_may_hold_several_revolutions_are_not_fused(model: Model, dataset: Dataset) -> None:
    known = some(dataset, 2)
    found = evaluate(model, replace(dataset, groups_from="inferred"), known, size_bytes=1)
    assert found.by_views[1] is not None
    assert found.by_views[2] is None
    assert any("views of one part cannot be put together" in each for each in found.warnings)


class Tags(HTMLParser):
    """Opened and not closed; and what the page would load from elsewhere."""

    VOID = frozenset({"meta", "img", "br", "wbr", "line", "circle", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.images = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        sources = [value or "" for name, value in attrs if name in ("src", "href")]
        self.images += sum(each.startswith("data:image/jpeg;base64,") for each in sources)
        self.links += [each for each in sources if not each.startswith("data:")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_hides_nothing(model: Model, dataset: Dataset, whole: Evaluation) -> None:
    heat = np.zeros((40, 60, 3), np.uint8)
    worst = whole.top_losses[0].path
    card = whole.card.model_copy(
        update={"metrics": {"float_accuracy": 0.9, "int8_accuracy": 0.875}, "description": "<script>"}
    )
    evaluation = replace(whole, card=card, fold=FoldUsed("split.json", "brick", 2, 3))
    plain, page = html_page(evaluation), html_page(evaluation, {worst: heat})
    for text, count in ((plain, 0), (page, 1)):
        tags = Tags()
        tags.feed(text)
        assert tags.open == []
        assert tags.links == []
        shown = len(whole.top_losses) + sum(len(each.examples) for each in whole.confused_pairs)
        assert tags.images == shown + count
    assert "<script>" not in page
    assert "Scored is what fold 2 of 3 (by brick) holds out." in page
    assert "90.0% → 87.5% (-2.50%)" in page
    assert page.count("<svg") == 4
    for shape in SHAPES:
        assert f'<th scope="row">{shape}</th>' in page


def test_all_right_and_all_wrong_have_a_page_too(model: Model, dataset: Dataset, whole: Evaluation) -> None:
    right = {path.path for path in dataset.pictures} - {each.path for each in whole.top_losses}
    perfect = evaluate(model, dataset, [each for each in some(dataset) if each.path in right][:6], size_bytes=1)
    assert perfect.accuracy == 1.0
    assert "Nothing was taken for anything else." in html_page(perfect)
    turned = {"bar": "square", "square": "disc", "disc": "bar"}
    lies = [replace(each, class_name=turned[each.class_name]) for each in some(dataset) if each.path in right][:6]
    wrong = evaluate(model, dataset, lies, size_bytes=1)
    assert (wrong.accuracy, len(wrong.confused_pairs)) == (0.0, 1)
    assert html_page(wrong).count("<svg") == 3


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["wedge/red_00.png"], "1 show parts of classes that tiny does not have"),
        (["square/empty.png"], "1 show no single part, such as square/empty.png"),
        (["square/bad.png"], "1 cannot be read, such as square/bad.png, which is no picture"),
        ([], "none was chosen"),
    ],
)
def test_where_nothing_can_be_scored_the_reason_is_named(
    model: Model, folder: Path, tmp_path: Path, names: list[str], told: str
) -> None:
    put(tmp_path / "square" / "empty.png")
    (tmp_path / "square" / "bad.png").write_bytes(b"")
    (tmp_path / "wedge").mkdir()
    (tmp_path / "wedge" / "red_00.png").write_bytes((folder / "wedge" / "red_00.png").read_bytes())
    dataset = read_dataset(tmp_path)
    chosen = [each for each in dataset.pictures if each.path in names]
    with pytest.raises(DatasetRefused, match="has no picture that can be scored") as refused:
        evaluate(model, dataset, chosen, size_bytes=1)
    assert told in refused.value.message
    assert "square, bar, disc" in refused.value.remedy


def test_a_fold_holds_out_what_the_split_says(dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    made = write_split(file, make_split(dataset, "brick", 2, seed=3), dataset)
    for number in (1, 2):
        chosen = held_out(dataset, file, number)
        assert [each.path for each in chosen.pictures] == list(made.folds[number - 1].held_out)
        assert chosen.fold == FoldUsed(str(file), "brick", number, 2, made.notes)


def test_a_fold_must_be_named_and_the_one_that_fits_is_told(dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    made = write_split(file, make_split(dataset, "brick", 2), dataset)
    trained = {each.brick or "" for each in made.training(dataset, 1)}
    with pytest.raises(DatasetRefused, match="has 2 folds, and a model belongs to one of them") as refused:
        held_out(dataset, file, None, trained)
    assert "--fold 1 to --fold 2. The model was trained on none of what fold 2 holds out." in refused.value.remedy
    with pytest.raises(DatasetRefused) as without:
        held_out(dataset, file)
    assert without.value.remedy.endswith("--fold 2.")
    for number in (0, 3):
        with pytest.raises(DatasetRefused, match=f"has 2 folds, no fold {number}"):
            held_out(dataset, file, number)


def test_a_split_of_another_dataset_is_refused(dataset: Dataset, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    write_split(file, make_split(dataset, "brick", 2), dataset)
    fewer = replace(dataset, pictures=dataset.pictures[1:])
    with pytest.raises(DatasetRefused, match="was made for another state of the dataset"):
        held_out(fewer, file, 1)
    inferred = Split("revolution", 0, "0" * 64, (Fold(("gone.png",), ("g",)),), "inferred")
    write_split(file, inferred, dataset)
    with pytest.raises(DatasetRefused, match=r"holds out 1 pictures that .* does not have, such as gone.png"):
        held_out(dataset, file)


def test_a_split_of_one_fold_needs_no_number(dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    names = tuple(each.path for each in dataset.pictures if each.brick == "bar-red")
    split = Split("brick", 0, dataset.sha256, (Fold(names, ("bar-red",)),), "index")
    write_split(file, split, dataset)
    chosen = held_out(dataset, file)
    assert {each.brick for each in chosen.pictures} == {"bar-red"}
    assert chosen.fold is not None
    assert (chosen.fold.fold, chosen.fold.folds) == (1, 1)


def test_an_index_without_bricks_says_so(model: Model, dataset: Dataset, folder: Path, tmp_path: Path) -> None:
    nameless = [replace(each, brick=None) for each in some(dataset, 2)]
    for each in nameless:
        (tmp_path / each.path).parent.mkdir(exist_ok=True)
        (tmp_path / each.path).write_bytes((folder / each.path).read_bytes())
    write_index(tmp_path, nameless)
    read = read_dataset(tmp_path)
    found = evaluate(model, read, read.pictures, size_bytes=1)
    assert (found.bricks, found.groups_from) == (6, "index")
    assert any("brick of 12 pictures" in each for each in found.warnings)
    assert found.by_views[2] is not None
