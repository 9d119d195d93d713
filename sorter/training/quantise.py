"""A float network into full-integer int8, and what int8 networks say, asked as the rig asks them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.classify.card import InputCard, OutputCard
from sorter.classify.runtime import make_interpreter
from sorter.training.errors import ExportRefused
from sorter.training.framework import framework
from sorter.training.networks import PIXEL_OFFSET, PIXEL_SCALE
from sorter.training.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sorter.training.sources import PictureRows

    ByteArray = NDArray[np.uint8]

_REPRESENTATIVE = 300  # pictures, from which the ranges of all activations are taken
_AT_ONCE = 64  # pictures that are read from disk, where they are there


def representative_rows(rgb: ByteArray, class_names: Sequence[str], count: int = _REPRESENTATIVE) -> NDArray[np.int64]:
    """Rows of pictures that stand for all: of each class equally many, evenly over its range of brightness.

    Args:
        rgb: n×size×size×3.
        class_names: n.
        count: at most so many, but one of each class at least.
    """
    names = np.array(class_names)
    brightness = rgb.reshape(len(rgb), -1).mean(axis=1)
    of_each = max(1, count // len(set(class_names)))
    chosen = []
    for name in sorted(set(class_names)):
        rows = np.flatnonzero(names == name)
        rows = rows[np.argsort(brightness[rows], kind="stable")]
        count_of_it = min(of_each, len(rows))
        # A single one is neither the darkest nor the brightest.
        places = np.linspace(0, len(rows) - 1, count_of_it) if count_of_it > 1 else np.array([(len(rows) - 1) / 2])
        chosen.append(rows[np.unique(places.round().astype(int))])
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def to_int8(model: Any, representative: ByteArray) -> bytes:
    """The content of a ``.tflite`` file: int8 from the picture to the logits.

    Args:
        model: a Keras network of ``networks.build``.
        representative: pictures n×size×size×3 that show all that the network will meet.

    Raises:
        ExportRefused: TensorFlow cannot convert it.
    """
    _, tf = framework()

    def pictures() -> Iterator[list[NDArray[np.float32]]]:
        for one in representative:
            yield [one[None].astype(np.float32) * np.float32(PIXEL_SCALE) + np.float32(PIXEL_OFFSET)]

    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter warns of its own defaults
        try:
            converter = tf.lite.TFLiteConverter.from_keras_model(model)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = pictures
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
            return bytes(converter.convert())
        except (ValueError, RuntimeError, tf.errors.OpError) as error:
            raise ExportRefused(
                f"TensorFlow cannot make an int8 network of it: {str(error).strip().splitlines()[0]}",
                remedy="Take another backbone; MobileNets are known to convert.",
            ) from error


class Int8Network:
    """An int8 network to be asked for logits, without a card.

    Args:
        content: of a ``.tflite`` file.
        threads: of the runtime.
    """

    def __init__(self, content: bytes, threads: int = 2) -> None:
        with quiet():  # or LiteRT would tell of its delegate
            self._interpreter, _ = make_interpreter(content, threads)
            self._interpreter.allocate_tensors()
        [self._input] = self._interpreter.get_input_details()
        [self._output] = self._interpreter.get_output_details()

    def input_card(self) -> InputCard:
        """What the card says of its picture."""
        return InputCard(**_tensor(self._input), pixel_scale=PIXEL_SCALE, pixel_offset=PIXEL_OFFSET)

    def output_card(self) -> OutputCard:
        """What the card says of its logits."""
        return OutputCard(**_tensor(self._output), meaning="logits")

    def logits(self, rgb: PictureRows) -> NDArray[np.float64]:
        """n×c of pictures n×size×size×3.

        Raises:
            ExportRefused: the runtime cannot run it.
        """
        scale, zero_point = self._input["quantization"]
        real = np.arange(256) * PIXEL_SCALE + PIXEL_OFFSET
        quantised = np.clip(np.rint(real / scale) + zero_point, -128, 127).astype(np.int8)
        out_scale, out_zero_point = self._output["quantization"]
        said = np.zeros((len(rgb), int(self._output["shape"][1])))
        for first in range(0, len(rgb), _AT_ONCE):
            for row, picture in enumerate(rgb[first : first + _AT_ONCE], start=first):
                np.take(quantised, picture, out=self._interpreter.tensor(int(self._input["index"]))()[0], mode="clip")
                self._invoke()
                raw = self._interpreter.get_tensor(int(self._output["index"]))[0].astype(np.float64)
                said[row] = (raw - out_zero_point) * out_scale
        return said

    def _invoke(self) -> None:
        try:
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise ExportRefused(
                f"the int8 network cannot be run: {str(error).strip().splitlines()[0]}",
                remedy="Most likely it has learnt nothing: lower the rates in the recipe, and train anew.",
            ) from error


def _tensor(found: dict[str, Any]) -> dict[str, Any]:
    scale, zero_point = found["quantization"]
    return {
        "shape": tuple(int(each) for each in found["shape"]),
        "dtype": np.dtype(found["dtype"]).name,
        "scale": float(scale),
        "zero_point": int(zero_point),
    }
