"""Keras networks of a recipe: a backbone, perhaps with pretrained weights, and a last layer of logits.

Every network takes pictures 1×size×size×3 with values from -1 to 1: PIXEL_SCALE and PIXEL_OFFSET take bytes there.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.training.errors import WeightsRefused
from sorter.training.framework import framework

if TYPE_CHECKING:
    from sorter.training.recipe import BackboneRecipe, Recipe

PIXEL_SCALE, PIXEL_OFFSET = 1.0 / 127.5, -1.0
_MOMENTUM = 0.9  # of the statistics: a small training has few steps for them to settle in
LOGITS = "logits"
"""Name of the last layer."""

_IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)  # of the Caffe ResNet50 whose weights Keras has
_SUFFIX = ".weights.h5"


def build(recipe: Recipe, class_count: int, *, weights: str | None = None) -> Any:
    """A new network, pretrained as the recipe says.

    Args:
        recipe: for backbone, input size, dropout.
        class_count: of its logits.
        weights: in place of the recipe's: "imagenet", "none", or a file or folder.

    Raises:
        WeightsRefused: weights that are missing or of another network.
    """
    keras, _ = framework()
    side = recipe.crop.size_px
    source = weights if weights is not None and recipe.backbone.name != "scratch" else recipe.backbone.weights
    if recipe.backbone.name == "scratch":
        inputs, features = _scratch(recipe.backbone, side)
    else:
        inputs, features = _pretrained(recipe.backbone, side, source)
    if recipe.dropout:
        features = keras.layers.Dropout(recipe.dropout, seed=recipe.seed)(features)
    return keras.Model(inputs, keras.layers.Dense(class_count, name=LOGITS)(features))


def layer_depths(model: Any) -> dict[str, float]:
    """Of each layer with weights how high it stands, from 0 (at the picture) to 1 (the last); by name."""
    weighted = [layer.name for layer in model.layers if layer.weights]
    return {name: place / max(len(weighted) - 1, 1) for place, name in enumerate(weighted)}


def _scratch(backbone: BackboneRecipe, side: int) -> tuple[Any, Any]:
    layers = framework().keras.layers
    inputs = layers.Input((side, side, 3))
    x = inputs
    for channels in backbone.blocks:
        x = layers.Conv2D(channels, 3, padding="same", use_bias=not backbone.batch_normalisation)(x)
        if backbone.batch_normalisation:
            x = layers.BatchNormalization(momentum=_MOMENTUM)(x)
        x = layers.MaxPooling2D()(layers.ReLU()(x))
    x = layers.Flatten()(x)
    return inputs, layers.Dense(backbone.dense, activation="relu")(x) if backbone.dense else x


def _pretrained(backbone: BackboneRecipe, side: int, source: str) -> tuple[Any, Any]:
    keras, _ = framework()
    inputs = keras.layers.Input((side, side, 3))
    taken = _as_caffe(inputs) if backbone.name == "resnet50" and source != "none" else inputs
    options: dict[str, Any] = {"input_tensor": taken, "include_top": False, "pooling": "avg"}
    make = {
        "mobilenet_v1": keras.applications.MobileNet,
        "mobilenet_v2": keras.applications.MobileNetV2,
        "mobilenet_v3_small": keras.applications.MobileNetV3Small,
        "mobilenet_v3_large": keras.applications.MobileNetV3Large,
        "resnet50": keras.applications.ResNet50,
    }[backbone.name]
    if backbone.name != "resnet50":
        options["alpha"] = backbone.width
    if backbone.name.startswith("mobilenet_v3"):
        options["include_preprocessing"] = False
    if source != "imagenet":
        base = make(weights=None, **options)
        if source != "none":
            _load(base, weights_file(backbone, Path(source)))
        return inputs, base.output
    try:
        # Keras tells of its download on stdout, which is for reports.
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")  # Keras says which input size its weights were trained at
            base = make(weights="imagenet", **options)
    except Exception as error:  # download and its checks raise whatever they meet
        raise WeightsRefused(
            f"ImageNet weights for {backbone.name} (width {backbone.width:g}) could not be had from Keras: {error}",
            remedy="Check the network, or name a file or folder: --weights FOLDER, or in the recipe backbone.weights.",
        ) from error
    return inputs, base.output


def _as_caffe(inputs: Any) -> Any:
    """From RGB, -1 to 1, to BGR less the mean, as a fixed 1×1 convolution that becomes int8 like every other."""
    keras, _ = framework()
    layer = keras.layers.Conv2D(3, 1, name="as_caffe", trainable=False)
    taken = layer(inputs)
    kernel = np.eye(3, dtype=np.float32)[::-1].reshape(1, 1, 3, 3) * 127.5
    layer.set_weights([kernel, 127.5 - np.array(_IMAGENET_MEAN_BGR, np.float32)])
    return taken


def weights_file(backbone: BackboneRecipe, source: Path) -> Path:
    """The file, or the one in the folder whose name begins with the network's, such as ``mobilenet_v1_0.5_``.

    Raises:
        WeightsRefused: there is none, or there are several.
    """
    if source.is_file():
        return source
    if not source.is_dir():
        raise WeightsRefused(
            f"{source} is neither file nor folder",
            remedy='Name weights that are there, or "imagenet" to download them, or "none".',
        )
    names = {f"{backbone.name}_{width}_" for width in (f"{backbone.width:g}", f"{backbone.width:.1f}")}
    names |= {f"{backbone.name}_"} if backbone.name == "resnet50" else set()
    files = sorted(path for path in source.iterdir() if path.name.endswith(_SUFFIX))
    fitting = [path for path in files if any(path.name.startswith(name) for name in names)]
    if len(fitting) != 1:
        there = ", ".join(path.name for path in files) or f"no file that ends in {_SUFFIX}"
        raise WeightsRefused(
            f"{source} has {len(fitting)} files of weights that begin with {min(names)}; there: {there}",
            remedy="Name the file itself, or choose a width that is there.",
        )
    return fitting[0]


def _load(base: Any, file: Path) -> None:
    try:
        base.load_weights(str(file))
    except Exception as error:  # h5py and Keras raise OSError, ValueError, KeyError and others for a wrong file
        raise WeightsRefused(
            f"{file} does not hold weights of {base.name}: {str(error).splitlines()[0]}",
            remedy="Name weights of the same network, width and without top, saved by Keras 3.",
        ) from error
