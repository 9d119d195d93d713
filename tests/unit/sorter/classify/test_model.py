"""A model says the same of the same crop, what its card promises, and never anything from files that lie."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.classify import Model, ModelRefused, RuntimeMissing, load_model, read_card, runtime
from sorter.classify.card import LABELS_FILE, MODEL_FILE, ModelCard
from sorter.classify.runtime import make_interpreter
from sorter.types import Box, Crop, CropSpec
from sorter.vision import crop, locate
from tests import models
from tests.models import alter_network, card_of, put_card, put_file, put_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from sorter.types import Frame


def crop_of(frame: Frame, model: Model) -> Crop:
    return crop(frame, locate(frame), model.card.crop.spec())


def refusal(folder: Path) -> str:
    with pytest.raises(ModelRefused) as refused:
        load_model(folder)
    return "\n".join(refused.value.problems)


def test_parts_are_recognised(tiny_model: Path, drawn_parts: list[tuple[str, Frame]]) -> None:
    model = load_model(tiny_model)
    right = [model.predict(crop_of(frame, model)).ranked[0][0] == shape for shape, frame in drawn_parts]
    assert sum(right) >= 0.95 * len(right)


def test_the_same_crop_is_the_same_prediction_whatever_came_between(
    tiny_model: Path, drawn_parts: list[tuple[str, Frame]]
) -> None:
    model = load_model(tiny_model)
    crops = [crop_of(frame, model) for _, frame in drawn_parts[:6]]
    first = [model.predict(each) for each in crops]
    again = [model.predict(each) for each in reversed(crops)]
    assert again[::-1] == first
    assert [load_model(tiny_model, threads=1).predict(each) for each in crops] == first


def test_a_prediction_does_not_change_the_crop(tiny_model: Path, drawn_parts: list[tuple[str, Frame]]) -> None:
    model = load_model(tiny_model)
    cut = crop_of(drawn_parts[0][1], model)
    cut.rgb.flags.writeable = False
    before = cut.rgb.tobytes()
    model.predict(cut)
    assert cut.rgb.tobytes() == before


def test_probabilities_add_up_and_strangeness_is_within_its_bounds(
    tiny_model: Path, drawn_parts: list[tuple[str, Frame]]
) -> None:
    model = load_model(tiny_model)
    for _, frame in drawn_parts[:12]:
        said = model.predict(crop_of(frame, model))
        assert said.labels == model.card.labels
        assert math.fsum(said.probabilities) == pytest.approx(1.0, abs=1e-9)
        assert said.novelty is not None
        assert 0.0 <= said.novelty <= 1.0


@pytest.mark.parametrize(
    "other",
    [
        CropSpec(40.0, 78.0, 64, 170),
        CropSpec(32.0, 70.0, 64, 170),
        CropSpec(32.0, 78.0, 32, 170),
        CropSpec(32.0, 78.0, 64, 171),
        CropSpec(32.0, 78.0, 64, None),
    ],
)
def test_a_part_cut_out_otherwise_than_in_training_is_refused(tiny_model: Path, other: CropSpec) -> None:
    model = load_model(tiny_model)
    assert model.card.crop.spec() == CropSpec(32.0, 78.0, 64, 170)
    picture = np.zeros((other.size_px, other.size_px, 3), np.uint8)
    with pytest.raises(ValueError, match="trained on crops of"):
        model.predict(Crop(picture, other, Box(0, 0, 10, 10)))


class FakeInterpreter:
    """Keeps what is put in, and says what it was told to say."""

    def __init__(self, card: ModelCard, said: list[int]) -> None:
        self.given = np.zeros(card.input.shape, card.input.dtype)
        self._said = np.array([said], card.output.dtype)
        self._card = card

    def allocate_tensors(self) -> None:
        raise AssertionError("a loaded model has its tensors")

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 0}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"index": 7, "shape": np.array([1, 99])}, {"index": 1, "shape": np.array(self._card.output.shape)}]

    def get_tensor_details(self) -> list[dict[str, Any]]:
        return []

    def tensor(self, tensor_index: int) -> Callable[[], NDArray[Any]]:
        assert tensor_index == 0
        return lambda: self.given

    def get_tensor(self, tensor_index: int) -> NDArray[Any]:
        assert tensor_index == 1
        return self._said

    def invoke(self) -> None:
        pass


def with_tensors(card: ModelCard, **changes: dict[str, object]) -> ModelCard:
    plain = card.model_dump()
    for table, values in changes.items():
        plain[table] = {**plain[table], **values}
    return ModelCard.model_validate(plain)


def all_brightnesses() -> NDArray[np.uint8]:
    """64×64×3 with each byte at a place of its own in each channel."""
    places = np.arange(64 * 64).reshape(64, 64)
    return np.stack([places, places * 3 + 1, 255 - places], axis=2).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    dtype=st.sampled_from(["int8", "uint8"]),
    scale=st.floats(0.003, 0.012),
    shift=st.integers(-20, 20),
    pixel_scale=st.sampled_from([1 / 255, 1 / 128, 1 / 127.5, 0.0123]),
    pixel_offset=st.sampled_from([0.0, -1.0, -0.5]),
)
def test_brightness_enters_the_network_as_the_card_says(
    tiny_model: Path, dtype: str, scale: float, shift: int, pixel_scale: float, pixel_offset: float
) -> None:
    zero_point = shift if dtype == "int8" else 128 + shift
    quantised = {"dtype": dtype, "scale": scale, "zero_point": zero_point}
    try:
        card = with_tensors(
            read_card(tiny_model), input={**quantised, "pixel_scale": pixel_scale, "pixel_offset": pixel_offset}
        )
    except ValueError:
        return  # no brightnesses would be told apart
    interpreter = FakeInterpreter(card, [0, 0, 0])
    picture = all_brightnesses()
    Model(card, interpreter, "fake").predict(Crop(picture, card.crop.spec(), Box(0, 0, 1, 1)))
    low, high = (-128, 127) if dtype == "int8" else (0, 255)
    for byte in range(256):
        exact = (byte * Fraction(pixel_scale) + Fraction(pixel_offset)) / Fraction(scale) + zero_point
        entered = set(interpreter.given[0][picture == byte].tolist())
        assert len(entered) == 1
        assert abs(entered.pop() - max(low, min(high, exact))) <= Fraction(1, 2) + Fraction(1, 10**9), byte


@pytest.mark.parametrize("meaning", ["logits", "probabilities"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_what_the_network_says_becomes_probabilities_of_the_wanted_sharpness(
    tiny_model: Path, meaning: str, temperature: float
) -> None:
    card = with_tensors(
        read_card(tiny_model),
        output={"meaning": meaning, "scale": 1 / 256 if meaning == "probabilities" else 0.1, "zero_point": -128},
        calibration={"temperature": temperature},
    )
    said = Model(card, FakeInterpreter(card, [-128, -40, 27]), "fake").predict(
        Crop(all_brightnesses(), card.crop.spec(), Box(0, 0, 1, 1))
    )
    real = [0.0, 88 * card.output.scale, 155 * card.output.scale]
    if meaning == "probabilities":
        real = [math.log(max(each, card.output.scale / 2)) for each in real]
    raised = [math.exp(each / temperature) for each in real]
    assert said.probabilities == pytest.approx([each / sum(raised) for each in raised], rel=1e-9)


@pytest.mark.parametrize("said", [[-128, -128, -128], [127, 127, 127], [127, -128, -128]])
@pytest.mark.parametrize("temperature", [0.01, 100.0])
@pytest.mark.parametrize("method", ["entropy", "energy"])
def test_no_answer_of_a_network_is_too_extreme(
    tiny_model: Path, said: list[int], temperature: float, method: str
) -> None:
    card = with_tensors(read_card(tiny_model), calibration={"temperature": temperature}, novelty={"method": method})
    prediction = Model(card, FakeInterpreter(card, said), "fake").predict(
        Crop(all_brightnesses(), card.crop.spec(), Box(0, 0, 1, 1))
    )
    assert math.fsum(prediction.probabilities) == pytest.approx(1.0)
    assert prediction.novelty is not None
    assert math.isfinite(prediction.novelty)


def test_strangeness_is_what_the_card_names_and_none_without_it(tiny_model: Path) -> None:
    card = read_card(tiny_model)
    picture = Crop(all_brightnesses(), card.crop.spec(), Box(0, 0, 1, 1))
    scale, temperature = card.output.scale, card.calibration.temperature
    evenly = Model(card, FakeInterpreter(card, [5, 5, 5]), "fake").predict(picture)
    assert evenly.novelty == pytest.approx(1.0)
    by_energy = with_tensors(card, novelty={"method": "energy"})
    energy = Model(by_energy, FakeInterpreter(card, [10, 20, 30]), "fake").predict(picture).novelty
    together = sum(math.exp(each * scale / temperature) for each in (10, 20, 30))
    assert energy == pytest.approx(-temperature * math.log(together))
    without = ModelCard.model_validate({**card.model_dump(), "novelty": None})
    assert Model(without, FakeInterpreter(card, [0, 0, 0]), "fake").predict(picture).novelty is None


@pytest.mark.parametrize("keep", [0, 1, 7, 100, 1000, 0.5, 0.9, -1])
@pytest.mark.parametrize("is_hashed", [False, True])
def test_a_network_that_was_cut_off_never_loads(model_copy: Path, keep: float, is_hashed: bool) -> None:
    content = (model_copy / MODEL_FILE).read_bytes()
    cut = content[: int(keep * len(content)) if isinstance(keep, float) else keep]
    if is_hashed:
        put_file(model_copy, MODEL_FILE, cut)
    else:
        (model_copy / MODEL_FILE).write_bytes(cut)
    assert ("no TFLite model" if is_hashed else "model.tflite is not the file of the card") in refusal(model_copy)


@settings(max_examples=60, deadline=None)
@given(start=st.sampled_from([b"", b"\x1c\0\0\0TFL3", b"\0\0\0\0TFL3", b"TFL3"]), content=st.binary(max_size=600))
def test_garbage_with_the_right_hash_never_loads(
    tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, start: bytes, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("garbage")
    (folder / LABELS_FILE).hardlink_to(tiny_model / LABELS_FILE)
    put_card(folder, card_of(tiny_model))
    put_file(folder, MODEL_FILE, start + content)
    assert MODEL_FILE in refusal(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (models.insert_floats, "is not full integer: 1 tensors are floats, such as between"),
        (models.make_all_float, "input: type is float32, the card says int8"),
        (lambda _, graph: setattr(graph, "outputs", [6, 6]), "must have one output of shape [1, 3]"),
        (lambda _, graph: setattr(graph, "outputs", [3]), "must have one output of shape [1, 3], has [1, 768]"),
        (lambda _, graph: setattr(graph, "outputs", []), "must have one output"),
        (lambda _, graph: setattr(graph, "inputs", [0, 3]), "has 2 inputs, must have one"),
        (lambda _, graph: setattr(graph, "inputs", []), "has 0 inputs, must have one"),
        (lambda _, graph: setattr(graph.tensors[0], "name", b"pic\xf2"), "model.tflite: 'utf-8' codec"),
        (lambda _, graph: setattr(graph.tensors[6].quantization, "scale", [0.5]), "output: scale is 0.5"),
        (lambda _, graph: setattr(graph.tensors[0].quantization, "zeroPoint", [9]), "input: zero point is 9"),
        (lambda _, graph: setattr(graph.tensors[4], "shape", [4, 768]), "model.tflite"),
        (lambda _, graph: setattr(graph.operators[0], "inputs", [77]), "model.tflite"),
        (lambda model, _: setattr(model, "version", 2), "model.tflite: no TFLite model"),
    ],
    ids=[
        *("floats inside", "all floats", "output twice", "other output", "no output", "two inputs", "no input"),
        *("bad name", "other scale", "other zero point", "weights of another shape", "no such tensor", "old schema"),
    ],
)
def test_a_network_that_is_not_what_its_card_says_never_loads(
    model_copy: Path, change: Callable[[Any, Any], None], named: str
) -> None:
    alter_network(model_copy, change)
    assert named in refusal(model_copy)


def test_taking_a_network_apart_and_together_changes_nothing(
    tiny_model: Path, model_copy: Path, drawn_parts: list[tuple[str, Frame]]
) -> None:
    """Or the tests above would refuse for another reason than theirs."""
    alter_network(model_copy, lambda _model, _graph: None)
    first, second = load_model(tiny_model), load_model(model_copy)
    cut = crop_of(drawn_parts[0][1], first)
    assert first.predict(cut) == second.predict(cut)


@pytest.mark.parametrize(
    "labels",
    [
        *(["bar", "square", "disc"], ["square", "bar"], ["square", "bar", "disc", "other"], "square", None, {}),
        *([["square", "bar", "disc"]], {"square": 0, "bar": 1, "disc": 2}, ["square", "bar", "Disc"]),
    ],
)
def test_other_labels_than_the_cards_never_load(model_copy: Path, labels: object) -> None:
    put_labels(model_copy, labels)
    assert f"{LABELS_FILE} and the labels of the card differ" in refusal(model_copy)


@pytest.mark.parametrize("content", [b"", b"square\nbar\ndisc\n", b"\xff\xff", b"[" * 100_000])
def test_labels_that_are_no_json_never_load(model_copy: Path, content: bytes) -> None:
    put_file(model_copy, LABELS_FILE, content)
    assert f"{LABELS_FILE} is no JSON" in refusal(model_copy)


@pytest.mark.parametrize("name", [MODEL_FILE, LABELS_FILE])
def test_a_file_that_is_missing_is_named(model_copy: Path, name: str) -> None:
    (model_copy / name).unlink()
    assert f"{name} cannot be read: No such file" in refusal(model_copy)


def test_what_runs_the_network_is_told(tiny_model: Path) -> None:
    assert load_model(tiny_model).runtime.startswith("ai-edge-litert ")


def test_a_thread_count_that_nobody_can_mean_is_refused() -> None:
    with pytest.raises(ValueError, match="threads is at least 1, got 0"):
        make_interpreter(b"", 0)


def test_without_any_runtime_the_package_to_install_is_named(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("ai_edge_litert", "tflite_runtime"):
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.setitem(sys.modules, f"{package}.interpreter", None)
    with pytest.raises(RuntimeMissing, match=r"ai-edge-litert: .*tflite-runtime: ") as missing:
        load_model(tiny_model)
    assert missing.value.remedy == "Install one: pip install ai-edge-litert"
    assert isinstance(missing.value, ImportError)


STAND_IN = """
class Interpreter:
    def __init__(self, model_content, num_threads):
        self.given = model_content, num_threads
"""


@pytest.fixture
def only_the_old_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    package, metadata = tmp_path / "tflite_runtime", tmp_path / "tflite_runtime-0.9.dist-info"
    package.mkdir()
    metadata.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text(STAND_IN, encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tflite-runtime\nVersion: 0.9\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    names = ("tflite_runtime", "tflite_runtime.interpreter")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("only_the_old_runtime")
def test_the_old_runtime_is_taken_where_only_that_is_installed() -> None:
    interpreter, name = make_interpreter(b"content", 3)
    assert vars(interpreter)["given"] == (b"content", 3)
    assert name == "tflite-runtime 0.9"


@pytest.mark.usefixtures("only_the_old_runtime")
def test_a_runtime_that_was_installed_under_another_name_runs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(runtime, "version", not_found)
    assert make_interpreter(b"content", 3)[1] == "tflite-runtime of unknown version"


def test_the_runtime_is_not_imported_before_a_model_is_loaded() -> None:
    code = "import sys\nimport sorter.classify, sorter.recognise\nprint(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "sorter.classify.runtime" in loaded
    assert not [name for name in loaded if name.startswith(("ai_edge_litert", "tflite_runtime"))]
