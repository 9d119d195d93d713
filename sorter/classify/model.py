"""Load a model's folder, check it against its card, and ask it what a crop shows."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.classify.card import LABELS_FILE, MODEL_FILE, ModelCard, TensorCard, read_card, read_file
from sorter.classify.errors import ModelRefused
from sorter.classify.novelty import energy, entropy
from sorter.classify.runtime import make_interpreter
from sorter.types import Prediction

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.classify.runtime import Interpreter
    from sorter.types import Crop

_MOST_BYTES = 200_000_000


class Model:
    """A network that is ready to be asked. Not for two threads at once: it has one set of tensors.

    ``card`` is what it says of itself, ``runtime`` the name and version of what runs it.
    """

    def __init__(self, card: ModelCard, interpreter: Interpreter, runtime: str) -> None:
        self.card = card
        self.runtime = runtime
        self._interpreter = interpreter
        self._input = int(interpreter.get_input_details()[0]["index"])
        self._output = int(_class_output(interpreter, card)["index"])
        self._quantised = _quantised_bytes(card)
        self._spec = card.crop.spec()

    def predict(self, crop: Crop) -> Prediction:
        """Calibrated probabilities of the classes.

        Raises:
            ValueError: the crop was cut out otherwise than the network was trained for.
        """
        logits = self.logits(crop)
        scaled = logits / self.card.calibration.temperature
        weights = np.exp(scaled - scaled.max())
        probabilities = weights / weights.sum()
        return Prediction(self.card.labels, tuple(probabilities.tolist()), self._novelty(logits, probabilities))

    def logits(self, crop: Crop) -> NDArray[np.float64]:
        """What the network says before any calibration: a number for each label, float64.

        Raises:
            ValueError: the crop was cut out otherwise than the network was trained for.
        """
        if crop.spec != self._spec:
            raise ValueError(f"model {self.card.name} was trained on crops of {self._spec}, this one is {crop.spec}")
        self._put(crop.rgb)
        self._interpreter.invoke()
        return self._logits()

    def _put(self, rgb: NDArray[np.uint8]) -> None:
        """Quantise into the network's own memory; no view of it outlives this call, or ``invoke`` would refuse."""
        np.take(self._quantised, rgb, out=self._interpreter.tensor(self._input)()[0], mode="clip")

    def _logits(self) -> NDArray[np.float64]:
        tensor = self.card.output
        said = (self._interpreter.get_tensor(self._output)[0].astype(np.float64) - tensor.zero_point) * tensor.scale
        if tensor.meaning == "probabilities":
            return np.asarray(np.log(np.maximum(said, tensor.scale / 2)))
        return np.asarray(said)

    def _novelty(self, logits: NDArray[np.float64], probabilities: NDArray[np.float64]) -> float | None:
        if self.card.novelty is None:
            return None
        if self.card.novelty.method == "entropy":
            return entropy(probabilities)
        return energy(logits, self.card.calibration.temperature)


def load_model(folder: Path, *, threads: int = 2) -> Model:
    """Load a model, if all that its card says is true of its files.

    Raises:
        ModelRefused: something is missing, is not what its hash says, or has other tensors or labels than the card.
        RuntimeMissing: there is nothing to run it.
    """
    card = read_card(folder)
    problems: list[str] = []
    contents = {name: _checked_file(folder, name, sha256, problems) for name, sha256 in sorted(card.hashes.items())}
    if problems:
        raise ModelRefused(folder, problems)
    problems += _label_problems(contents[LABELS_FILE], card)
    try:
        interpreter, runtime = make_interpreter(contents[MODEL_FILE], threads)
        interpreter.allocate_tensors()
        problems += _tensor_problems(interpreter, card)
    except (RuntimeError, ValueError) as error:
        raise ModelRefused(folder, [*problems, f"{MODEL_FILE}: {error}"]) from error
    if problems:
        raise ModelRefused(folder, problems)
    return Model(card, interpreter, runtime)


def _checked_file(folder: Path, name: str, sha256: str, problems: list[str]) -> bytes:
    try:
        content = read_file(folder, name, _MOST_BYTES)
    except ModelRefused as error:
        problems += error.problems
        return b""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        problems.append(f"{name} is not the file of the card: SHA-256 {found[:12]}..., the card says {sha256[:12]}...")
    return content


def _label_problems(content: bytes, card: ModelCard) -> list[str]:
    try:
        labels = json.loads(content)
    except (ValueError, RecursionError) as error:
        return [f"{LABELS_FILE} is no JSON: {error}"]
    if labels != list(card.labels):
        return [f"{LABELS_FILE} and the labels of the card differ"]
    return []


def _tensor_problems(interpreter: Interpreter, card: ModelCard) -> list[str]:
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1:
        return [f"{MODEL_FILE} has {len(inputs)} inputs, must have one"]
    fitting = [each for each in outputs if tuple(each["shape"]) == card.output.shape]
    if len(fitting) != 1:
        shapes = ", ".join(str(each["shape"].tolist()) for each in outputs)
        return [f"{MODEL_FILE} must have one output of shape {list(card.output.shape)}, has {shapes}"]
    problems = _differences("input", inputs[0], card.input) + _differences("output", fitting[0], card.output)
    floats = {
        str(each["name"]) for each in interpreter.get_tensor_details() if each["dtype"] in (np.float32, np.float16)
    }
    if floats:
        problems.append(f"{MODEL_FILE} is not full integer: {len(floats)} tensors are floats, such as {min(floats)}")
    return problems


def _differences(what: str, found: dict[str, Any], card: TensorCard) -> list[str]:
    scale, zero_point = found["quantization"]
    pairs = {
        "shape": (tuple(found["shape"].tolist()), card.shape),
        "type": (np.dtype(found["dtype"]).name, card.dtype),
        "zero point": (int(zero_point), card.zero_point),
    }
    problems = [f"{what}: {name} is {is_}, the card says {says}" for name, (is_, says) in pairs.items() if is_ != says]
    if not np.isclose(scale, card.scale, rtol=1e-5, atol=0.0):
        problems.append(f"{what}: scale is {scale:g}, the card says {card.scale:g}")
    return problems


def _class_output(interpreter: Interpreter, card: ModelCard) -> dict[str, Any]:
    return next(each for each in interpreter.get_output_details() if tuple(each["shape"]) == card.output.shape)


def _quantised_bytes(card: ModelCard) -> NDArray[Any]:
    """What each of the 256 values of a channel becomes."""
    tensor = card.input
    real = np.arange(256) * tensor.pixel_scale + tensor.pixel_offset
    limits = np.iinfo(tensor.dtype)
    whole = np.rint(real / tensor.scale) + tensor.zero_point
    return np.asarray(np.clip(whole, limits.min, limits.max), dtype=tensor.dtype)
