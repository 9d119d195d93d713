"""Make a tiny int8 model: trained here and now on drawn parts, written as a real ``.tflite`` with a whole card.

    python -m tests.tiny_model FOLDER

The network takes means of the evened crop over 4×4 pixels, and one dense layer over those: enough to tell drawn
squares, bars and discs apart, small enough to be trained in NumPy within seconds. The file is built with the
flatbuffers schema of TFLite; its integer kernels are the runtime's own.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from sorter.classify.card import CARD_FILE, LABELS_FILE, MODEL_FILE, ModelCard, card_json
from sorter.types import CropSpec
from sorter.vision import crop, locate
from tests.scenes import SHAPES, frame, random_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEC = CropSpec(window_mm=32.0, frame_mm=78.0, size_px=64, table_grey=170)
_POOL = 4
_PICTURES_A_CLASS = 60
_SCALE_IN, _ZERO_IN = 1.0 / 128.0, 0  # bytes 0 to 255 become -128 to 127, real -1 to 1


@dataclass(frozen=True)
class Trained:
    """A dense layer over pooled pixels (real, -1 to 1), and the range of what it says."""

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    most: float


def pooled(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    side = SPEC.size_px // _POOL
    real = (rgb.astype(np.float64) - 128.0) / 128.0
    return np.asarray(real.reshape(side, _POOL, side, _POOL, 3).mean(axis=(1, 3)).reshape(-1))


def training_set(seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    features, targets = [], []
    for number in range(_PICTURES_A_CLASS * len(SHAPES)):
        target = number % len(SHAPES)
        picture = frame(random_part(SHAPES[target], rng), seed=number)
        location = locate(picture)
        if location.boxes:
            features.append(pooled(crop(picture, location, SPEC).rgb))
            targets.append(target)
    return np.array(features), np.array(targets)


def train(seed: int = 0) -> Trained:
    features, targets = training_set(seed)
    weights = np.zeros((len(SHAPES), features.shape[1]))
    bias = np.zeros(len(SHAPES))
    wanted = np.eye(len(SHAPES))[targets]
    for _ in range(600):
        logits = features @ weights.T + bias
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        wrong = raised / raised.sum(axis=1, keepdims=True) - wanted
        weights -= 0.05 * (wrong.T @ features / len(features) * len(SHAPES) + 0.002 * weights)
        bias -= 0.05 * wrong.mean(axis=0)
    said = features @ weights.T + bias
    return Trained(weights, bias, float(np.abs(said).max()))


def tflite(trained: Trained) -> bytes:
    """AVERAGE_POOL_2D, RESHAPE, FULLY_CONNECTED; all int8."""
    side = SPEC.size_px // _POOL
    scale_w = float(np.abs(trained.weights).max() / 127.0)
    whole_w = np.clip(np.rint(trained.weights / scale_w), -127, 127).astype(np.int8)
    whole_b = np.rint(trained.bias / (scale_w * _SCALE_IN)).astype(np.int32)
    pooled_shape, flat = (1, side, side, 3), side * side * 3
    buffers = [b"", whole_w.tobytes(), whole_b.tobytes(), np.array([1, flat], np.int32).tobytes()]
    tensors = [
        _tensor("picture", (1, SPEC.size_px, SPEC.size_px, 3), schema.TensorType.INT8, 0, _SCALE_IN, _ZERO_IN),
        _tensor("pooled", pooled_shape, schema.TensorType.INT8, 0, _SCALE_IN, _ZERO_IN),
        _tensor("shape", (2,), schema.TensorType.INT32, 3, None, 0),
        _tensor("flat", (1, flat), schema.TensorType.INT8, 0, _SCALE_IN, _ZERO_IN),
        _tensor("weights", whole_w.shape, schema.TensorType.INT8, 1, scale_w, 0),
        _tensor("bias", whole_b.shape, schema.TensorType.INT32, 2, scale_w * _SCALE_IN, 0),
        _tensor("logits", (1, len(SHAPES)), schema.TensorType.INT8, 0, _output_scale(trained), 0),
    ]
    pool = schema.Pool2DOptionsT()
    pool.padding, pool.strideW, pool.strideH, pool.filterWidth, pool.filterHeight = schema.Padding.VALID, *[_POOL] * 4
    operators = [
        _operator(0, [0], [1], schema.BuiltinOptions.Pool2DOptions, pool),
        _operator(1, [1, 2], [3], schema.BuiltinOptions.ReshapeOptions, schema.ReshapeOptionsT()),
        _operator(2, [3, 4, 5], [6], schema.BuiltinOptions.FullyConnectedOptions, schema.FullyConnectedOptionsT()),
    ]
    kinds = schema.BuiltinOperator
    return _model(buffers, tensors, operators, [kinds.AVERAGE_POOL_2D, kinds.RESHAPE, kinds.FULLY_CONNECTED])


def _output_scale(trained: Trained) -> float:
    return float(np.float32(trained.most / 120.0))


def _tensor(name: str, shape: tuple[int, ...], kind: int, buffer: int, scale: float | None, zero: int) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), list(shape), kind, buffer
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero]
    return tensor


def _operator(opcode: int, inputs: list[int], outputs: list[int], options_type: int, options: Any) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = opcode, inputs, outputs
    operator.builtinOptionsType, operator.builtinOptions = options_type, options
    return operator


def _model(buffers: list[bytes], tensors: list[Any], operators: list[Any], kinds: list[int]) -> bytes:
    model = schema.ModelT()
    model.version = 3
    model.operatorCodes = []
    for kind in kinds:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        code.version = (
            4
            if kind == schema.BuiltinOperator.FULLY_CONNECTED
            else 2
            if kind == schema.BuiltinOperator.AVERAGE_POOL_2D
            else 1
        )
        model.operatorCodes.append(code)
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, operators, [0], [len(tensors) - 1]
    model.subgraphs = [graph]
    model.buffers = []
    for content in buffers:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8) if content else None
        model.buffers.append(buffer)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def card_for(content: bytes, labels: bytes, trained: Trained) -> ModelCard:
    side = SPEC.size_px
    return ModelCard.model_validate(
        {
            "format": 1,
            "name": "tiny",
            "created_at": "2026-11-24T00:00:00Z",
            "description": "drawn squares, bars and discs; for tests",
            "hashes": {
                MODEL_FILE: hashlib.sha256(content).hexdigest(),
                LABELS_FILE: hashlib.sha256(labels).hexdigest(),
            },
            "labels": SHAPES,
            "crop": {
                "window_mm": SPEC.window_mm,
                "frame_mm": SPEC.frame_mm,
                "size_px": side,
                "table_grey": SPEC.table_grey,
            },
            "input": {
                "shape": (1, side, side, 3),
                "dtype": "int8",
                "scale": _SCALE_IN,
                "zero_point": _ZERO_IN,
                "pixel_scale": _SCALE_IN,
                "pixel_offset": -1.0,
            },
            "output": {
                "shape": (1, len(SHAPES)),
                "dtype": "int8",
                "scale": _output_scale(trained),
                "zero_point": 0,
                "meaning": "logits",
            },
            "training_bricks": (),
            "split": {"by": "none", "held_out": (), "note": "drawn pictures, other ones each time"},
            "metrics": {},
            "calibration": {"temperature": 1.0, "correlation_floor": 0.2, "correlation_range_deg": 30.0},
            "thresholds": (
                {"misroute_rate": 0.01, "posterior": 0.95},
                {"misroute_rate": 0.05, "posterior": 0.8},
            ),
            "novelty": {"method": "entropy", "threshold": 0.9, "known_rejected_share": 0.01},
        }
    )


def write(folder: Path, seed: int = 0) -> ModelCard:
    """Train and write; returns the card."""
    trained = train(seed)
    content, labels = tflite(trained), (json.dumps(list(SHAPES)) + "\n").encode()
    card = card_for(content, labels, trained)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_bytes(content)
    (folder / LABELS_FILE).write_bytes(labels)
    (folder / CARD_FILE).write_text(card_json(card), encoding="utf-8")
    return card


if __name__ == "__main__":
    sys.stdout.write(card_json(write(Path(sys.argv[1]))))
