"""A card is believed only where it is true: whatever else it says of the files, nothing is loaded."""

from __future__ import annotations

import copy
import json
import os
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.classify import Correlation, DecisionRules, ModelRefused, load_model, read_card
from sorter.classify.card import CARD_FILE, LABELS_FILE, MODEL_FILE, TABLE_FILE, ModelCard, card_json
from sorter.types import Box, Crop
from tests.models import card_of, put_card, put_labels

_REMOVE = object()
_HASH = "0" * 64

# Where the lie stands, what it says, and a word of the reason.
LIES: list[tuple[str, Any, str]] = [
    ("format", 2, "format"),
    ("name", "../tiny", "name"),
    ("name", "", "name"),
    ("created_at", _REMOVE, "created_at"),
    ("hashes/model.tflite", _HASH, "model.tflite is not the file of the card"),
    ("hashes/labels.json", _HASH, "labels.json is not the file of the card"),
    ("hashes/labels.json", _HASH.replace("0", "A"), "hashes.labels.json"),
    ("hashes/labels.json", "abc", "hashes.labels.json"),
    ("hashes/model.tflite", _REMOVE, "model.tflite must be there"),
    ("hashes/weights.bin", _HASH, "weights.bin cannot be read"),
    ("hashes/card.json", _HASH, "card.json cannot hold its own"),
    ("hashes/.._x", _HASH, "hashes"),
    ("hashes/", _HASH, "hashes"),
    ("hashes/a\0b", _HASH, "hashes"),
    ("labels", ["square", "bar"], "output: shape must be [1, 2]"),
    ("labels", ["square", "bar", "disc", "other"], "output: shape must be [1, 4]"),
    ("labels", ["bar", "square", "disc"], "labels.json and the labels of the card differ"),
    ("labels", ["square", "bar", "plate"], "labels.json and the labels of the card differ"),
    ("labels", ["square", "bar", "bar"], "each must stand there once"),
    ("labels", ["square", "bar", ""], "labels.2"),
    ("labels", ["square", "bar", " disc"], "labels.2"),
    ("labels", ["square", "bar", 3], "labels.2"),
    ("labels", "squarebar", "labels"),
    ("crop/size_px", 32, "input: shape must be [1, 32, 32, 3]"),
    ("crop/size_px", 0, "size_px"),
    ("crop/window_mm", 0.0, "window_mm"),
    ("crop/frame_mm", 1e9, "frame_mm"),
    ("crop/table_grey", 0, "table_grey"),
    ("crop/table_grey", _REMOVE, "table_grey"),
    ("input/shape", [1, 64, 64, 1], "input: shape must be [1, 64, 64, 3]"),
    ("input/shape", [1, 3, 64, 64], "input: shape must be [1, 64, 64, 3]"),
    ("input/shape", [], "input: shape"),
    ("input/dtype", "uint8", "input: type is int8, the card says uint8"),
    ("input/dtype", "float32", "input.dtype"),
    ("input/scale", 0.0079, "input: scale is 0.0078125, the card says 0.0079"),
    ("input/scale", 0.0, "input.scale"),
    ("input/scale", 5e-324, "brightnesses stay apart"),
    ("input/zero_point", 1, "input: zero point is 0, the card says 1"),
    ("input/zero_point", 256, "input.zero_point"),
    ("input/zero_point", 0.0, "input.zero_point"),
    ("input/pixel_scale", 0.0, "brightnesses stay apart"),
    ("input/pixel_scale", -0.0078125, "brightnesses stay apart"),
    ("input/pixel_scale", 1.0, "brightnesses stay apart"),
    ("input/pixel_scale", 1e308, "brightnesses stay apart"),
    ("input/pixel_offset", 1.0, "brightnesses stay apart"),
    ("output/shape", [1, 4], "output: shape must be [1, 3]"),
    ("output/shape", [3], "output: shape must be [1, 3]"),
    ("output/dtype", "uint8", "output: type is int8, the card says uint8"),
    ("output/scale", 1.0, "output: scale is"),
    ("output/zero_point", -128, "output: zero point is 0, the card says -128"),
    ("output/meaning", "sigmoid", "output.meaning"),
    ("split/by", "luck", "split.by"),
    ("metrics", {"accuracy": float("nan")}, "metrics.accuracy"),
    ("calibration/temperature", 0.0, "calibration.temperature"),
    ("calibration/temperature", 1e-300, "calibration.temperature"),
    ("calibration/temperature", float("nan"), "calibration.temperature"),
    ("calibration/temperature", float("inf"), "calibration.temperature"),
    ("calibration/correlation_floor", 1.0, "calibration.correlation_floor"),
    ("calibration/correlation_range_deg", 1e17, "calibration.correlation_range_deg"),
    ("thresholds", [], "thresholds"),
    ("thresholds/0/misroute_rate", 0.05, "misroute rates ascend"),
    ("thresholds/1/posterior", 0.96, "a stricter one asks for no less"),
    ("thresholds/0/posterior", 1.5, "thresholds.0.posterior"),
    ("novelty/method", "feeling", "novelty.method"),
    ("novelty/threshold", float("nan"), "novelty.threshold"),
    ("colour", "red", "colour: Extra inputs are not permitted"),
    ("input/layout", "NCHW", "input.layout: Extra inputs are not permitted"),
]


def altered(card: dict[str, Any], where: str, value: object) -> dict[str, Any]:
    card = copy.deepcopy(card)
    *outer, last = [int(step) if step.isdigit() else step for step in where.split("/")]
    around: Any = reduce(lambda inner, step: inner[step], outer, card)
    if value is _REMOVE:
        del around[last]
    else:
        around[last] = value
    return card


def refusal(folder: Path) -> str:
    with pytest.raises(ModelRefused) as refused:
        load_model(folder)
    assert all(str(folder) in line for line in refused.value.message.splitlines())
    assert refused.value.as_dict()["problems"] == list(refused.value.problems)
    assert refused.value.remedy
    return "\n".join(refused.value.problems)


@pytest.mark.parametrize(("where", "value", "named"), LIES, ids=[f"{where}-{named}"[:60] for where, _, named in LIES])
def test_a_card_that_lies_never_loads_and_the_lie_is_named(
    model_copy: Path, where: str, value: object, named: str
) -> None:
    put_card(model_copy, altered(card_of(model_copy), where, value))
    assert named in refusal(model_copy)


@pytest.mark.parametrize(
    "key", ["format", "name", "hashes", "labels", "crop", "input", "output", "calibration", "thresholds"]
)
def test_a_card_without_what_the_rig_needs_never_loads(model_copy: Path, key: str) -> None:
    put_card(model_copy, altered(card_of(model_copy), key, _REMOVE))
    assert f"{CARD_FILE}: {key}: Field required" in refusal(model_copy)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "Invalid JSON"),
        (b"hello", "Invalid JSON"),
        (b"\xff\xfe{}", "Invalid JSON"),
        (b"null", "should be an object"),
        (b"[]", "should be an object"),
        (b"{}", "Field required"),
        (b"[" * 900_000, "recursion limit"),
        (b'{"input":' * 90_000, "recursion limit"),
        (b'{"format": ' + b"9" * 5000 + b"}", "Invalid JSON"),
        (b" " * 1_000_001, "more than 1,000,000 bytes"),
    ],
    ids=["empty", "text", "UTF-16", "null", "list", "nothing", "deep", "deep tables", "long number", "long"],
)
def test_a_file_that_is_no_card_is_refused(model_copy: Path, content: bytes, named: str) -> None:
    (model_copy / CARD_FILE).write_bytes(content)
    assert named in refusal(model_copy)


def test_thousands_of_mistakes_are_not_told_one_by_one(model_copy: Path) -> None:
    card = card_of(model_copy)
    card.update({f"key{number}": number for number in range(5000)})
    put_card(model_copy, card)
    lines = refusal(model_copy).splitlines()
    assert len(lines) == 21
    assert lines[-1] == f"{CARD_FILE}: 4,980 more problems"


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    assert f"{CARD_FILE} cannot be read" in refusal(tmp_path)
    assert f"{CARD_FILE} cannot be read" in refusal(tmp_path / "missing")
    (tmp_path / CARD_FILE).mkdir()
    assert f"{CARD_FILE} is no file" in refusal(tmp_path)


@pytest.mark.parametrize("name", [CARD_FILE, MODEL_FILE, LABELS_FILE])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(model_copy: Path, name: str) -> None:
    (model_copy / name).unlink()
    os.mkfifo(model_copy / name)
    assert f"{name} is no file" in refusal(model_copy)


def test_all_that_is_wrong_is_told_at_once(model_copy: Path) -> None:
    card = altered(altered(card_of(model_copy), "labels", ["bar", "square", "disc"]), "input/zero_point", 3)
    put_card(model_copy, altered(card, "output/scale", 0.5))
    told = refusal(model_copy)
    assert all(word in told for word in ("labels of the card differ", "input: zero point", "output: scale"))


def test_a_card_is_read_as_it_was_written(tiny_model: Path, tmp_path: Path) -> None:
    card = read_card(tiny_model)
    (tmp_path / CARD_FILE).write_text(card_json(card), encoding="utf-8")
    assert read_card(tmp_path) == card


def test_labels_in_another_order_in_both_files_are_the_labels(model_copy: Path) -> None:
    """What nobody can see from the files: card and labels agree with each other, and only pictures tell they lie."""
    put_labels(model_copy, ["bar", "disc", "square"])
    put_card(model_copy, altered(card_of(model_copy), "labels", ["bar", "disc", "square"]))
    assert load_model(model_copy).card.labels == ("bar", "disc", "square")


def _places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([above] if above else []), *(place for key, each in inner for place in _places(each, (*above, key)))]


def _bound_to_the_files(card: ModelCard) -> tuple[object, ...]:
    """All of a card that a file can contradict."""
    tensors = [(tensor.shape, tensor.dtype, tensor.zero_point) for tensor in (card.input, card.output)]
    hashes = {name: card.hashes[name] for name in (MODEL_FILE, LABELS_FILE)}
    return card.labels, card.crop.size_px, hashes, tensors


def _holds(folder: Path, truth: ModelCard) -> None:
    """The model is refused, or what it says of its files is true and it can be asked."""
    try:
        model = load_model(folder)
    except ModelRefused:
        return
    assert _bound_to_the_files(model.card) == _bound_to_the_files(truth)
    for found, true in ((model.card.input, truth.input), (model.card.output, truth.output)):
        assert found.scale == pytest.approx(true.scale, rel=2e-5)
    picture = np.arange(64 * 64 * 3, dtype=np.int64).reshape(64, 64, 3).astype(np.uint8)
    said = model.predict(Crop(picture, model.card.crop.spec(), Box(0, 0, 1, 1)))
    assert sum(said.probabilities) == pytest.approx(1.0, abs=1e-6)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-300, 300)
    | st.sampled_from([64, 3, 0.0078125, -1.0, 1.0, 1e308, 5e-324, float("nan"), "int8", "uint8", "", _HASH, 10**30])
    | st.floats()
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def other_card(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model's files, whose card each example writes anew."""
    folder = tmp_path_factory.mktemp("altered")
    for name in (MODEL_FILE, LABELS_FILE):
        (folder / name).hardlink_to(tiny_model / name)
    return folder


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_single_change_of_a_card_loads_another_model(
    tiny_model: Path, other_card: Path, data: st.DataObject
) -> None:
    card = card_of(tiny_model)
    place = data.draw(st.sampled_from(_places(card)), label="place")
    around = reduce(lambda inner, step: inner[step], place[:-1], card)
    if data.draw(st.booleans(), label="removed"):
        del around[place[-1]]
    else:
        around[place[-1]] = data.draw(VALUES, label="value")
    put_card(other_card, card)
    _holds(other_card, read_card(tiny_model))


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_no_flipped_byte_of_a_card_loads_another_model(
    tiny_model: Path, other_card: Path, place: int, byte: int
) -> None:
    content = bytearray((tiny_model / CARD_FILE).read_bytes())
    content[place % len(content)] = byte
    (other_card / CARD_FILE).write_bytes(content)
    _holds(other_card, read_card(tiny_model))


def test_a_card_that_is_true_loads_with_any_description(model_copy: Path) -> None:
    card = altered(card_of(model_copy), "description", "⚙ quoted ' and \" " * 100)
    card["training_bricks"], card["metrics"] = ["3001-red-1"] * 50, {"accuracy": 0.9}
    card["novelty"] = None
    put_card(model_copy, card)
    assert json.loads(card_json(load_model(model_copy).card))["training_bricks"] == ["3001-red-1"] * 50


@pytest.mark.parametrize(("wanted", "posterior"), [(0.01, 0.95), (0.049, 0.95), (0.05, 0.8), (1.0, 0.8)])
def test_the_wanted_rate_of_misroutes_sets_how_sure_to_be(tiny_model: Path, wanted: float, posterior: float) -> None:
    card = read_card(tiny_model)
    assert card.posterior_for(wanted) == posterior
    rules = DecisionRules.from_card(card, wanted, view_budget=5, least_sharpness=0.2)
    assert (rules.posterior, rules.novelty, rules.view_budget, rules.least_sharpness) == (posterior, 0.9, 5, 0.2)
    assert rules.correlation == Correlation(0.2, 30.0)


@pytest.mark.parametrize("wanted", [0.0, 0.0099, -1.0, float("nan")])
def test_a_rate_of_misroutes_that_nobody_measured_is_not_promised(tiny_model: Path, wanted: float) -> None:
    with pytest.raises(ValueError, match=r"model tiny: .*stricter than any that was measured; the strictest is 0\.01"):
        read_card(tiny_model).posterior_for(wanted)
    with pytest.raises(ValueError, match="stricter"):
        DecisionRules.from_card(read_card(tiny_model), wanted)


def test_a_network_for_whole_tables_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / TABLE_FILE).write_text("{}")
    with pytest.raises(ModelRefused, match="network for whole tables"):
        read_card(tmp_path)
