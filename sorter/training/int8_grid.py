"""The last touch to a trained network: weights that int8 can hold exactly, and statistics that fit them.

TFLite rounds the weights of each output channel to 255 even steps. In a MobileNet that shifts what later layers see, by
enough to cost up to six points on bricks that were never seen (docs/benchmarks.md). So the weights are rounded before
export, and the mean and variance that batch normalisation goes by are measured anew, of the rounded network (the idea
of bias correction, Nagel et al. 2019): export then finds nothing left to round but activations. Half of the pictures
are as the rig will see them and half changed as in training, because a network that was trained on changed ones has
statistics of those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.training.framework import framework
from sorter.training.networks import PIXEL_OFFSET, PIXEL_SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sorter.training.recipe import Recipe
    from sorter.training.sources import Source

_LEVELS = 127  # either way
_BATCHES = 80
_PER_BATCH = 32  # pictures, half of them changed


def finish(model: Any, examples: Source, recipe: Recipe, seed: tuple[int, ...]) -> None:
    """Round the weights, and measure the statistics of batch normalisation anew unless the recipe keeps ImageNet's.

    Args:
        model: trained; changed in place.
        examples: that it was trained on.
        recipe: for augmentation, and for what the last phase does with batch normalisation.
        seed: numbers from which all chance comes.
    """
    round_weights(model)
    is_kept = recipe.backbone.name != "scratch" and recipe.phases[-1].batch_normalisation == "frozen"
    if not is_kept:
        measure_statistics(model, _pictures(examples, recipe, seed))


def round_weights(model: Any) -> None:
    """Put every kernel on the grid of its output channels: even steps around 0, the largest weight is the 127th."""
    keras, _ = framework()
    for layer in model.layers:
        if not hasattr(layer, "kernel"):
            continue
        weights = layer.kernel.numpy()
        is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)  # height, width, channel, 1
        axes = (0, 1) if is_depthwise else tuple(range(weights.ndim - 1))
        step = np.maximum(np.abs(weights).max(axis=axes, keepdims=True), 1e-12) / _LEVELS
        layer.kernel.assign(np.rint(weights / step) * step)


def measure_statistics(model: Any, batches: Iterator[NDArray[np.uint8]]) -> None:
    """Set mean and variance of each batch normalisation to the mean over batches; nothing else changes."""
    keras, tf = framework()
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    others = {id(each): each.numpy() for each in model.non_trainable_variables}
    for layer in layers:
        layer.trainable, layer.momentum = True, 0.0  # a layer's statistics are then those of the last batch

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def see(rgb: Any) -> None:
        model(tf.cast(rgb, tf.float32) * PIXEL_SCALE + PIXEL_OFFSET, training=True)

    of_layers = [each for layer in layers for each in (layer.moving_mean, layer.moving_variance)]
    sums = [np.zeros(each.shape, np.float64) for each in of_layers]
    count = 0
    for rgb in batches:
        see(tf.constant(rgb))
        count += 1
        sums = [total + each.numpy() for total, each in zip(sums, of_layers, strict=True)]
    for each in model.non_trainable_variables:
        each.assign(others[id(each)])  # seeds of dropout have moved on
    for total, each in zip(sums, of_layers, strict=True):
        if count:
            each.assign((total / count).astype(np.float32))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def _pictures(examples: Source, recipe: Recipe, seed: tuple[int, ...]) -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng([*seed, len(recipe.phases)])
    for _ in range(_BATCHES):
        rows = rng.integers(len(examples), size=_PER_BATCH)
        changed = [examples.changed(int(row), recipe.augmentation, rng)[0] for row in rows[::2]]
        yield np.concatenate([np.array(changed), examples.rgb[rows[1::2]]])
