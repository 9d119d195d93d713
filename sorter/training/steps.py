"""One step of training as a TensorFlow function: gradients, lower rates for lower layers, averaged weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.training.framework import framework
from sorter.training.networks import LOGITS, PIXEL_OFFSET, PIXEL_SCALE, layer_depths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sorter.training.labels import Loss
    from sorter.training.recipe import PhaseRecipe, Recipe
    from sorter.training.sources import PictureRows

_DEPTHS = 4  # groups of layers in the backbone, each with a rate of its own
_PREDICT_AT_ONCE = 64


class Stepper:
    """A network in one phase of its training.

    Args:
        model: from ``networks.build``.
        recipe: for optimiser, loss and smoothing.
        phase: what is in training, and how fast.
        loss: that fits the targets.
    """

    def __init__(self, model: Any, recipe: Recipe, phase: PhaseRecipe, loss: Loss) -> None:
        keras, tf = framework()
        self.model = model
        self._recipe = recipe
        _set_trainable(model, phase, is_pretrained=recipe.backbone.name != "scratch")
        groups = _groups(model, phase)
        self._factors = [factor for factor, _ in groups]
        self._optimisers = [_optimiser(recipe) for _ in groups]
        for optimiser, (_, variables) in zip(self._optimisers, groups, strict=True):
            optimiser.build(variables)
        self._variables = [variables for _, variables in groups]
        self._loss = _loss(recipe, loss, model.output_shape[-1])
        self._averages = [tf.Variable(each.value) for each in model.variables] if recipe.optimiser.average else []
        self._taken = tf.Variable(0.0)
        self._is_categorical = loss == "categorical"
        self._step = tf.function(self._one_step, reduce_retracing=True)
        self._keras = keras

    def step(self, rgb: NDArray[np.uint8], targets: NDArray[np.generic], rate: float) -> tuple[float, float]:
        """Take one step; returns the batch's mean loss, and how many of it (a fraction for sigmoid) were right."""
        for optimiser, factor in zip(self._optimisers, self._factors, strict=True):
            optimiser.learning_rate.assign(rate * factor)
        loss, right = self._step(rgb, targets)
        return float(loss), float(right)

    def validate(self, rgb: PictureRows, targets: NDArray[np.generic]) -> tuple[float, float]:
        """Mean loss and accuracy of the averaged network on pictures as they are."""
        tf = framework().tf
        logits = tf.constant(self.logits(rgb), tf.float32)
        losses = self._loss(tf.constant(targets), logits)
        return float(tf.reduce_mean(losses)), float(self._right(tf.constant(targets), logits)) / max(len(rgb), 1)

    def logits(self, rgb: PictureRows) -> NDArray[np.float32]:
        """n×c of pictures n×size×size×3, as the averaged network says."""
        with _Averaged(self):
            return logits_of(self.model, rgb)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Everything that a step changes, by name."""
        named = {f"model/{place}": each.numpy() for place, each in enumerate(self.model.variables)}
        for group, optimiser in enumerate(self._optimisers):
            named |= {f"optimiser/{group}/{place}": each.numpy() for place, each in enumerate(optimiser.variables)}
        named |= {f"average/{place}": each.numpy() for place, each in enumerate(self._averages)}
        return named | {"taken": np.asarray(self._taken.numpy())}

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go back to a state of the same phase.

        Raises:
            KeyError, ValueError: it is of another network or optimiser.
        """
        for place, each in enumerate(self.model.variables):
            each.assign(state[f"model/{place}"])
        for group, optimiser in enumerate(self._optimisers):
            for place, each in enumerate(optimiser.variables):
                each.assign(state[f"optimiser/{group}/{place}"])
        for place, each in enumerate(self._averages):
            each.assign(state[f"average/{place}"])
        self._taken.assign(state["taken"])

    def restore_weights(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Take the network's weights from a state of any phase (its averaged ones if it has them), and start afresh.

        Raises:
            KeyError, ValueError: it is of another network.
        """
        kind = "average" if "average/0" in state else "model"
        for place, each in enumerate(self.model.variables):
            each.assign(state[f"{kind}/{place}"])
        for own, average in zip(self.model.variables, self._averages, strict=False):
            average.assign(own.value)

    def kept_weights(self) -> dict[str, NDArray[np.generic]]:
        """Of the averaged network, named as in ``state``."""
        with _Averaged(self):
            return {f"model/{place}": each.numpy() for place, each in enumerate(self.model.variables)}

    def settle(self) -> None:
        """Make the averaged weights the network's own; at the end of a phase."""
        for own, average in zip(self.model.variables, self._averages, strict=False):
            own.assign(average)

    def _one_step(self, rgb: Any, targets: Any) -> tuple[Any, Any]:
        tf = framework().tf
        pictures = tf.cast(rgb, tf.float32) * PIXEL_SCALE + PIXEL_OFFSET
        with tf.GradientTape() as tape:
            logits = self.model(pictures, training=True)
            loss = tf.reduce_mean(self._loss(targets, logits))
        gradients = tape.gradient(loss, self._variables)
        for optimiser, some, variables in zip(self._optimisers, gradients, self._variables, strict=True):
            optimiser.apply(some, variables)
        if self._averages:
            # As many steps as were taken limit the average at first, or it would hang on to where it began.
            self._taken.assign_add(1.0)
            decay = tf.minimum(self._recipe.optimiser.average, (1.0 + self._taken) / (10.0 + self._taken))
            for own, average in zip(self.model.variables, self._averages, strict=True):
                if own.dtype in ("float32", "float64"):
                    average.assign(decay * average + (1.0 - decay) * own.value)
                else:
                    average.assign(own.value)
        return loss, self._right(targets, logits)

    def _right(self, targets: Any, logits: Any) -> Any:
        tf = framework().tf
        if self._is_categorical:
            named = tf.cast(tf.argmax(logits, axis=-1), targets.dtype)
            return tf.reduce_sum(tf.cast(named == targets, tf.float32))
        # A picture counts as right if all of its classes are, and no other; below 0 stands what is undecided.
        is_right = tf.reduce_all(((logits > 0.0) == (targets > 0.5)) | (targets < 0.0), axis=-1)
        return tf.reduce_sum(tf.cast(is_right, tf.float32))


class _Averaged:
    """While it lasts, the network has the averaged weights."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        self._own: list[Any] = []

    def __enter__(self) -> None:
        averages = self._stepper._averages
        self._own = [each.numpy() for each in self._stepper.model.variables] if averages else []
        for own, average in zip(self._stepper.model.variables, averages, strict=False):
            own.assign(average)

    def __exit__(self, *_: object) -> None:
        for own, value in zip(self._stepper.model.variables, self._own, strict=False):
            own.assign(value)


def logits_of(model: Any, rgb: PictureRows) -> NDArray[np.float32]:
    """n×c of pictures n×size×size×3."""
    parts = [
        np.asarray(model(some.astype(np.float32) * np.float32(PIXEL_SCALE) + np.float32(PIXEL_OFFSET), training=False))
        for some in _portions(rgb)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, model.output_shape[-1]), np.float32)


def _portions(rgb: PictureRows) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(rgb), _PREDICT_AT_ONCE):
        yield rgb[start : start + _PREDICT_AT_ONCE]


def _set_trainable(model: Any, phase: PhaseRecipe, *, is_pretrained: bool) -> None:
    """Batch normalisation that is not trainable keeps its statistics too (Keras 3), which is what is meant."""
    keras, _ = framework()
    for layer in model.layers:
        is_normalisation = isinstance(layer, keras.layers.BatchNormalization)
        is_open = phase.trains == "all" or layer.name == LOGITS
        is_kept = is_normalisation and is_pretrained and phase.batch_normalisation == "frozen"
        layer.trainable = is_open and not is_kept and layer.name != "as_caffe"


def _groups(model: Any, phase: PhaseRecipe) -> list[tuple[float, list[Any]]]:
    """The variables in training, by the factor of their rate."""
    depths = layer_depths(model)
    by_factor: dict[float, list[Any]] = {}
    for layer in model.layers:
        if not layer.trainable_variables:
            continue
        is_head = layer.name == LOGITS or phase.lower_layers == 1.0
        height = min(int(depths[layer.name] * _DEPTHS), _DEPTHS - 1) / (_DEPTHS - 1)
        factor = 1.0 if is_head else phase.lower_layers ** (1.0 - height)
        by_factor.setdefault(factor, []).extend(layer.trainable_variables)
    return list(by_factor.items())


def _optimiser(recipe: Recipe) -> Any:
    keras, _ = framework()
    chosen = recipe.optimiser
    if chosen.name == "adam":
        return keras.optimizers.Adam(1e-3)
    if chosen.name == "adamw":
        return keras.optimizers.AdamW(1e-3, weight_decay=chosen.weight_decay)
    return keras.optimizers.SGD(
        1e-3, momentum=chosen.momentum, nesterov=chosen.momentum > 0, weight_decay=chosen.weight_decay or None
    )


def _loss(recipe: Recipe, loss: Loss, class_count: int) -> Any:
    """A function of targets and logits to one loss a picture; targets below 0 of a sigmoid cost nothing."""
    _, tf = framework()
    if loss == "sigmoid":

        def sigmoid(targets: Any, logits: Any) -> Any:
            wanted = tf.cast(targets, tf.float32)
            losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.maximum(wanted, 0.0), logits)
            return tf.reduce_mean(tf.where(wanted < 0.0, 0.0, losses), axis=-1)

        return sigmoid
    off = recipe.label_smoothing / class_count
    on = 1.0 - recipe.label_smoothing + off

    def categorical(targets: Any, logits: Any) -> Any:
        wanted = tf.one_hot(targets, class_count, on_value=on, off_value=off)
        return tf.nn.softmax_cross_entropy_with_logits(wanted, logits)

    return categorical
