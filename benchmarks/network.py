"""Train a network on real turntable photographs, to measure fusion, calibration and unknown parts with.

    pip install -e '.[train]'
    python benchmarks/network.py PHOTOGRAPHS WEIGHTS.h5 OUT [--fold 1] [--unknown 3039 32064] [--epochs 5]

PHOTOGRAPHS has a ``revolutions.json``; WEIGHTS are those of keras' MobileNet, alpha 0.5, without top. Fold k holds out,
of each class with more than one colour, the k-th colour in alphabetical order; classes after ``--unknown`` are held out
whole. Two networks are trained: one that never sees the fold, and an inner one that never sees the next fold either.
Temperature, correlation and thresholds come from the inner one on those inner bricks; they are used with the outer
one on the fold. OUT gets ``outer.npz`` and ``inner.npz`` (logits, features and who is who, of the int8 network run by
TensorFlow's own interpreter), and a folder ``outer`` that ``sorter classify`` takes. Its card has placeholders for what
only benchmarks/fusion.py finds out: temperature, correlation and thresholds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf

from sorter.classify.card import CARD_FILE, LABELS_FILE, MODEL_FILE, ModelCard, card_json
from sorter.types import CropSpec, Frame
from sorter.vision import crop, locate

SIZE_PX = 128


def read_crops(folder: Path, revolutions: list[dict[str, Any]], cache: Path) -> tuple[np.ndarray, np.ndarray]:
    """Crops n×128×128×3 and the number of the revolution of each."""
    if not cache.exists():
        crops, owners = [], []
        for number, revolution in enumerate(revolutions):
            for copies in revolution["photographs"]:
                frame = Frame(cv2.cvtColor(cv2.imread(str(folder / copies[0])), cv2.COLOR_BGR2RGB), 0.0, 0)
                crops.append(crop(frame, locate(frame), CropSpec(size_px=SIZE_PX)).rgb)
                owners.append(number)
        np.savez(cache, crops=np.array(crops), owners=np.array(owners))
    saved = np.load(cache)
    return saved["crops"], saved["owners"]


def held_out_bricks(revolutions: list[dict[str, Any]], fold: int) -> set[str]:
    """Bricks of the fold (1 to 3)."""
    colours: dict[str, set[str]] = {}
    for revolution in revolutions:
        colours.setdefault(revolution["class"], set()).add(revolution["colour"])
    chosen = {name: sorted(each)[fold - 1] for name, each in colours.items() if len(each) > 1 and len(each) >= fold}
    return {each["brick"] for each in revolutions if chosen.get(each["class"]) == each["colour"]}


def augmented(pictures: tf.Tensor) -> tf.Tensor:
    """Other colours (the table is grey and stays so), light, side, and a little shift and zoom; float32, -1 to 1."""
    pictures = tf.cast(pictures, tf.float32) / 255.0
    hue = tf.random.uniform([], -0.5, 0.5)
    pictures = tf.image.adjust_hue(pictures, hue)
    pictures = tf.image.random_saturation(pictures, 0.1, 1.6)
    pictures = tf.image.random_flip_left_right(pictures)
    shape = tf.stack([tf.shape(pictures)[0], 1, 1, 1])
    pictures = (pictures - 0.667) * tf.random.uniform(shape, 0.7, 1.4) + 0.667 + tf.random.uniform(shape, -0.1, 0.1)
    return tf.clip_by_value(pictures, 0.0, 1.0) * 2.0 - 1.0


def train(crops: np.ndarray, targets: np.ndarray, count: int, weights: Path, epochs: int) -> keras.Model:
    """A MobileNet whose outputs are logits and features."""
    keras.utils.set_random_seed(1)
    base = keras.applications.MobileNet(
        input_shape=(SIZE_PX, SIZE_PX, 3), alpha=0.5, include_top=False, weights=None, pooling="avg"
    )
    base.load_weights(weights)
    logits = keras.layers.Dense(count)(keras.layers.Dropout(0.2)(base.output))
    model = keras.Model(base.input, logits)
    moves = keras.Sequential([keras.layers.RandomTranslation(0.06, 0.06), keras.layers.RandomZoom(0.04)])
    data = tf.data.Dataset.from_tensor_slices((crops, targets)).shuffle(len(crops), seed=1).batch(32)
    # Each picture gets colours of its own; moving them is done a batch at a time.
    data = data.map(lambda x, y: (tf.map_fn(lambda one: augmented(one[None])[0], x, fn_output_signature=tf.float32), y))
    data = data.map(lambda x, y: (moves(x, training=True), y)).prefetch(2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    base.trainable = False
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(data, epochs=1, verbose=2)
    base.trainable = True
    steps = epochs * len(data)
    rate = keras.optimizers.schedules.CosineDecay(5e-4, steps)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    model.fit(data, epochs=epochs, verbose=2)
    return keras.Model(model.input, [logits, base.output])


def to_int8(model: keras.Model, crops: np.ndarray) -> bytes:
    """Full integer, calibrated on some of the training crops."""
    some = np.random.default_rng(1).choice(len(crops), min(300, len(crops)), replace=False)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([crops[[i]].astype(np.float32) / 127.5 - 1.0] for i in some)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def run_int8(content: bytes, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and features of each crop."""
    interpreter = tf.lite.Interpreter(model_content=content, num_threads=2)
    interpreter.allocate_tensors()
    [source] = interpreter.get_input_details()
    by_size = sorted(interpreter.get_output_details(), key=lambda each: each["shape"][1])
    scale, zero = source["quantization"]
    outputs: list[list[np.ndarray]] = [[], []]
    for picture in crops:
        quantised = np.clip(np.rint((picture / 127.5 - 1.0) / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(source["index"], quantised[None])
        interpreter.invoke()
        for kept, each in zip(outputs, by_size, strict=True):
            factor, offset = each["quantization"]
            kept.append((interpreter.get_tensor(each["index"])[0].astype(np.float32) - offset) * factor)
    return np.array(outputs[0]), np.array(outputs[1])


def write_model(folder: Path, content: bytes, labels: list[str], training: list[str], held_out: list[str]) -> None:
    """A model's folder with its card."""
    interpreter = tf.lite.Interpreter(model_content=content)
    [source] = interpreter.get_input_details()
    target = min(interpreter.get_output_details(), key=lambda each: each["shape"][1])
    named = (json.dumps(labels) + "\n").encode()
    tensors = {
        key: {
            "shape": tuple(each["shape"].tolist()),
            "dtype": "int8",
            "scale": float(each["quantization"][0]),
            "zero_point": int(each["quantization"][1]),
        }
        for key, each in (("input", source), ("output", target))
    }
    tensors["input"] |= {"pixel_scale": 1 / 127.5, "pixel_offset": -1.0}
    tensors["output"] |= {"meaning": "logits"}
    card = ModelCard.model_validate(
        {
            "format": 1,
            "name": f"benchmark-{folder.parent.name}",
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "hashes": {
                MODEL_FILE: hashlib.sha256(content).hexdigest(),
                LABELS_FILE: hashlib.sha256(named).hexdigest(),
            },
            "labels": tuple(labels),
            "crop": asdict(CropSpec(size_px=SIZE_PX)),
            "training_bricks": tuple(training),
            "split": {"by": "brick", "held_out": tuple(held_out)},
            "metrics": {},
            "calibration": {"temperature": 1.0, "correlation_floor": 0.5, "correlation_range_deg": 20.0},
            "thresholds": ({"misroute_rate": 0.01, "posterior": 0.99},),
            **tensors,
        }
    )
    folder.mkdir(exist_ok=True)
    (folder / MODEL_FILE).write_bytes(content)
    (folder / LABELS_FILE).write_bytes(named)
    (folder / CARD_FILE).write_text(card_json(card), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--fold", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--unknown", nargs="*", default=[])
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    revolutions = json.loads((given.photographs / "revolutions.json").read_text(encoding="utf-8"))["revolutions"]
    crops, owners = read_crops(given.photographs, revolutions, given.out.parent / "crops.npz")
    labels = sorted({each["class"] for each in revolutions} - set(given.unknown))
    names = np.array([each["class"] for each in revolutions])[owners]
    bricks = np.array([each["brick"] for each in revolutions])[owners]
    is_known = np.isin(names, labels)
    is_outer = np.isin(bricks, sorted(held_out_bricks(revolutions, given.fold)))
    is_inner = np.isin(bricks, sorted(held_out_bricks(revolutions, given.fold % 3 + 1)))
    two_coloured = [name for name in labels if len(set(bricks[names == name])) == 2]
    is_inner &= ~np.isin(names, two_coloured)  # or nothing would be left to train these on
    for name, is_hidden in (("inner", is_outer | is_inner), ("outer", is_outer)):
        kept = is_known & ~is_hidden
        model = train(crops[kept], np.searchsorted(labels, names[kept]), len(labels), given.weights, given.epochs)
        content = to_int8(model, crops[kept])
        if name == "outer":
            write_model(given.out / name, content, labels, sorted(set(bricks[kept])), sorted(set(bricks[is_outer])))
        logits, features = run_int8(content, crops)
        np.savez(
            given.out / f"{name}.npz",
            logits=logits,
            features=features,
            owners=owners,
            labels=labels,
            is_training=kept,
            is_inner=is_inner & is_known & ~is_outer,
            is_outer=is_outer & is_known,
            is_unknown=~is_known,
        )
        shown = is_known & (is_outer if name == "outer" else is_inner & ~is_outer)
        right = np.array(labels)[logits[shown].argmax(axis=1)] == names[shown]
        sys.stdout.write(f"{name}: {right.mean():.4f} of {right.size} views of bricks never seen\n")


if __name__ == "__main__":
    main()
