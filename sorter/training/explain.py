"""Where a network looks: Grad-CAM (Selvaraju et al. 2017), the pull of places in its last feature map on a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sorter.training.framework import framework
from sorter.training.networks import PIXEL_OFFSET, PIXEL_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ByteArray = NDArray[np.uint8]
    FloatArray = NDArray[np.float64]

_SHADE = 0.45  # of the picture that is left under the colours


def grad_cam(model: Any, rgb: ByteArray, classes: NDArray[np.int64]) -> FloatArray:
    """How much each place speaks for a class.

    Args:
        model: a Keras network of ``networks.build``.
        rgb: n×size×size×3.
        classes: n, the class of each picture that is asked about.

    Returns:
        n×size×size float64, 0 to 1; all 0 where nothing speaks for it.
    """
    keras, tf = framework()
    features = _last_map(model)
    both = keras.Model(model.input, [features, model.output])
    maps = []
    for picture, wanted in zip(rgb, classes, strict=True):
        given = tf.constant(picture[None].astype(np.float32) * np.float32(PIXEL_SCALE) + np.float32(PIXEL_OFFSET))
        with tf.GradientTape() as tape:
            seen, logits = both(given, training=False)
            said = logits[:, int(wanted)]
        pull = tf.reduce_mean(tape.gradient(said, seen), axis=(1, 2), keepdims=True)
        spoken = np.maximum(tf.reduce_sum(seen * pull, axis=-1)[0].numpy(), 0.0).astype(np.float64)
        size = picture.shape[0]
        wide = np.maximum(cv2.resize(spoken, (size, size), interpolation=cv2.INTER_CUBIC), 0.0)
        maps.append(wide / wide.max() if wide.max() > 0 else np.zeros_like(wide))
    return np.array(maps, dtype=np.float64).reshape(len(rgb), *rgb.shape[1:3])


def painted(rgb: ByteArray, heat: FloatArray) -> ByteArray:
    """The picture with its map on it, size×size×3: dark where nothing speaks for the class, yellow where most does."""
    colours = cv2.applyColorMap(np.rint(heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    mixed = rgb.astype(np.float64) * _SHADE + colours.astype(np.float64) * (1.0 - _SHADE)
    return np.asarray(np.clip(np.rint(mixed), 0, 255), dtype=np.uint8)


def _last_map(model: Any) -> Any:
    """The output of the last layer that still has places: n×height×width×channels, more than one place."""
    for layer in reversed(model.layers):
        shape = tuple(layer.output.shape)
        if len(shape) == 4 and int(shape[1]) * int(shape[2]) > 1:
            return layer.output
    raise ValueError(f"network {model.name} has no layer with places")
