"""A tiny int8 model that really runs, folders of models whose files lie, and drawn parts to show them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from sorter.classify.card import CARD_FILE, LABELS_FILE, MODEL_FILE
from tests.scenes import SHAPES, frame, random_part
from tests.tiny_model import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sorter.types import Frame


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model of squares, bars and discs; it takes seconds to train, so nobody may change it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write(folder)
    return folder


@pytest.fixture
def model_copy(tiny_model: Path, tmp_path: Path) -> Path:
    """The same, for one test to damage."""
    return Path(shutil.copytree(tiny_model, tmp_path / "tiny"))


@pytest.fixture(scope="session")
def drawn_parts() -> list[tuple[str, Frame]]:
    """Shape and picture of sixty parts that the model never saw."""
    rng = np.random.default_rng(20_261_124)
    shapes = [SHAPES[number % len(SHAPES)] for number in range(60)]
    return [(shape, frame(random_part(shape, rng), seed=10_000 + number)) for number, shape in enumerate(shapes)]


def card_of(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    return read


def put_card(folder: Path, card: dict[str, Any]) -> None:
    (folder / CARD_FILE).write_text(json.dumps(card), encoding="utf-8")


def put_file(folder: Path, name: str, content: bytes) -> None:
    """Write a file of the model and its hash into the card: what a wrong export would do."""
    (folder / name).write_bytes(content)
    card = card_of(folder)
    card["hashes"][name] = hashlib.sha256(content).hexdigest()
    put_card(folder, card)


def put_labels(folder: Path, labels: object) -> None:
    put_file(folder, LABELS_FILE, json.dumps(labels).encode())


def alter_network(folder: Path, change: Callable[[Any, Any], None]) -> None:
    """Take ``model.tflite`` apart, change the model or its graph, and put it together again, with its hash."""
    model = schema.ModelT.InitFromPackedBuf((folder / MODEL_FILE).read_bytes(), 0)
    change(model, model.subgraphs[0])
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    put_file(folder, MODEL_FILE, bytes(builder.Output()))


def insert_floats(model: Any, graph: Any) -> None:
    """Let the network go by way of floats between its int8 input and output."""
    integers, floats = graph.tensors[3], schema.TensorT()
    floats.name, floats.shape, floats.type, floats.buffer = (
        b"between",
        list(integers.shape),
        schema.TensorType.FLOAT32,
        0,
    )
    again = schema.TensorT()
    again.name, again.shape, again.type, again.buffer = b"again", list(integers.shape), integers.type, 0
    again.quantization = integers.quantization
    graph.tensors += [floats, again]
    for kind, taken, given in (
        (schema.BuiltinOperator.DEQUANTIZE, 3, len(graph.tensors) - 2),
        (schema.BuiltinOperator.QUANTIZE, len(graph.tensors) - 2, len(graph.tensors) - 1),
    ):
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        code.version = 2 if kind == schema.BuiltinOperator.DEQUANTIZE else 1
        model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = len(model.operatorCodes) - 1, [taken], [given]
        graph.operators.insert(len(graph.operators) - 1, operator)
    graph.operators[-1].inputs = [len(graph.tensors) - 1, *graph.operators[-1].inputs[1:]]


def make_all_float(model: Any, graph: Any) -> None:
    """The network as it is before quantisation."""
    for tensor in graph.tensors:
        if tensor.quantization is not None:
            if tensor.buffer:
                real = np.zeros(tuple(tensor.shape), np.float32)
                model.buffers[tensor.buffer].data = np.frombuffer(real.tobytes(), np.uint8)
            tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None


def whole_number_frame(height_px: int, width_px: int) -> NDArray[np.uint8]:
    """A part on a table, drawn with whole numbers only, so that it is the same bytes on every machine."""
    side = min(height_px, width_px)
    down, across = np.mgrid[0:height_px, 0:width_px].astype(np.int64) * 300 // side
    fall_off = 1000 - ((across - 150) ** 2 + (down - 210) ** 2) // 400
    grain = (across * 73 + down * 151 + across * down * 7) % 5 - 2
    picture = fall_off[..., None] * np.array([190, 140, 175]) // 1000 + grain[..., None]
    along, aside = 3 * (across - 150) + 4 * (down - 160), 4 * (across - 150) - 3 * (down - 160)
    is_part = (np.abs(along) < 180) & (np.abs(aside) < 260)
    picture[is_part] = picture[is_part] * np.array([6, 2, 1]) // 10
    picture[30 * down < 300 + (across - 140) ** 2 // 20] = 12  # beyond the rim
    return np.clip(picture, 0, 255).astype(np.uint8)
