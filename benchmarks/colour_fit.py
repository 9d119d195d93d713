"""Fit how a camera shows colours (``sorter.vision.camera_colours``) on photographs of parts of known colour.

    pip install -e '.[train]'
    python benchmarks/colour_fit.py PHOTOGRAPHS [--every 1] [--steps 400] [--leave-out N] [--go-on]

Prints the constants, and how many photographs and revolutions they name rightly. The loss is the cross-entropy of the
families in tests/colour_families.py, of single photographs and of whole revolutions, each revolution with the same
weight. ``--leave-out N`` also fits N times with every N-th brick left out, and scores those: what to expect of a brick
that the camera's colours were not fitted on; those fits begin with no knowledge of any.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sorter.vision import locate  # noqa: E402
from sorter.vision.camera_colours import PHOTOGRAPHS, CameraColours  # noqa: E402
from sorter.vision.colour import _relative_pixels, _targets  # noqa: E402
from sorter.vision.palette import PALETTE  # noqa: E402
from tests.colour_families import FAMILIES  # noqa: E402
from tests.compositions import photograph, revolutions  # noqa: E402

TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    np.float32,
)
WHITE = np.array([0.95047, 1.0, 1.08883], np.float32)
TARGETS = _targets(PALETTE)
LEAST_TINT, MOST_TINT = -0.45, 0.65  # 98 of 100 photographs are within
SHADING = (-1.6, 0.3)
NEUTRAL = ((0.85, 0.0, 0.0), (0.0, 0.85, 0.0), (0.0, 0.0, 0.85))
NOTHING = ((0.0,) * 3,) * 3


@dataclass(frozen=True, eq=False)
class Samples:
    """n photographs: pixels n×p×3 relative to the table, tint, which palette colours are right, revolution, brick."""

    pixels: np.ndarray
    tint: np.ndarray
    is_right: np.ndarray
    revolution: np.ndarray
    brick: np.ndarray

    def only(self, chosen: np.ndarray) -> Samples:
        """Some of them, revolutions numbered anew."""
        _, numbers = np.unique(self.revolution[chosen], return_inverse=True)
        return Samples(self.pixels[chosen], self.tint[chosen], self.is_right[chosen], numbers, self.brick[chosen])


def read(folder: Path, every: int) -> Samples:
    rows: list[tuple[Any, ...]] = []
    for number, revolution in enumerate(revolutions(folder)):
        family = FAMILIES[str(revolution["colour"])]
        copies: Any = revolution["photographs"]
        for each in copies[::every]:
            frame = photograph(folder, each[0])
            pixels, tint = _relative_pixels(frame, locate(frame))
            right = [float(code in family) for code in TARGETS.codes]
            rows.append((pixels[::2], np.clip(tint, LEAST_TINT, MOST_TINT), right, number, str(revolution["brick"])))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Samples(*(column.astype(np.float32) for column in columns[:3]), *columns[3:])


def lab(linear: tf.Tensor) -> tf.Tensor:
    xyz = tf.einsum("...j,ij->...i", linear, TO_XYZ / WHITE[:, None])
    bent = tf.where(xyz > 216 / 24389, tf.pow(tf.maximum(xyz, 1e-5), 1 / 3), (24389 / 27 * xyz + 16) / 116)
    x, y, z = bent[..., 0], bent[..., 1], bent[..., 2]
    return tf.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def scores(samples: Samples, matrices: list[tf.Variable], costs: tf.Variable) -> tf.Tensor:
    """As ``sorter.vision.colour`` scores, n×colours."""
    tint = tf.constant(samples.tint)[:, None, None]
    matrix = matrices[0] + matrices[1] * tint + matrices[2] * tint**2
    linear = tf.maximum(tf.einsum("nij,npj->npi", matrix, tf.constant(samples.pixels)), 1e-4)
    ratio = tf.math.log(tf.einsum("npj,j->np", linear, TO_XYZ[1])[..., None] / TARGETS.luminance.astype(np.float32))
    lit = linear[:, :, None, :] * tf.exp(-tf.clip_by_value(ratio, *SHADING))[..., None]
    chroma = tf.reduce_sum((lab(lit)[..., 1:] - TARGETS.lab[:, 1:].astype(np.float32)) ** 2, axis=-1)
    light = (costs[0] * tf.nn.relu(ratio)) ** 2 + (costs[1] * tf.nn.relu(-ratio)) ** 2
    return tf.reduce_mean(tf.minimum(tf.sqrt(chroma + light + 1e-6), 60.0), axis=1)


def fit(samples: Samples, steps: int, start: CameraColours | None = None) -> tuple[list[tf.Variable], tf.Variable]:
    matrices = [
        tf.Variable(np.array(each, np.float32)) for each in (start.by_tint if start else (NEUTRAL, NOTHING, NOTHING))
    ]
    costs = tf.Variable([start.brighter_cost, start.darker_cost, start.spread] if start else [40.0, 12.0, 3.0])
    optimiser = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(0.02, steps))
    counts = np.bincount(samples.revolution)
    weight = tf.constant((1.0 / counts)[samples.revolution].astype(np.float32)) / len(counts)
    log_right = tf.constant(np.log(samples.is_right + 1e-9))
    first = np.unique(samples.revolution, return_index=True)[1]

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            each = scores(samples, matrices, costs) / costs[2]
            single = tf.reduce_logsumexp(tf.nn.log_softmax(-each) + log_right, axis=1)
            together = tf.math.segment_mean(each, tf.constant(samples.revolution))
            whole = tf.reduce_logsumexp(tf.nn.log_softmax(-together) + tf.gather(log_right, first), axis=1)
            size = tf.add_n([tf.reduce_sum(matrix**2) for matrix in matrices[1:]])
            loss = -tf.reduce_sum(weight * single) - 2.0 * tf.reduce_mean(whole) + 0.003 * size
        optimiser.apply_gradients(zip(tape.gradient(loss, [*matrices, costs]), [*matrices, costs], strict=True))
        return loss

    for number in range(steps):
        loss = step()
        if number % 50 == 0:
            print(f"step {number}: loss {float(loss):.4f}", file=sys.stderr)
    return matrices, costs


def rated(samples: Samples, fitted: tuple[list[tf.Variable], tf.Variable]) -> tuple[np.ndarray, np.ndarray]:
    """Whether each photograph, and each revolution, gets a right colour."""
    parts = np.array_split(np.arange(len(samples.tint)), 8)
    each = np.concatenate([scores(samples.only(part), *fitted).numpy() for part in parts])
    is_right = samples.is_right[np.arange(len(each)), each.argmin(axis=1)] > 0
    whole = [
        samples.is_right[samples.revolution == number][0][
            np.median(each[samples.revolution == number], axis=0).argmin()
        ]
        > 0
        for number in np.unique(samples.revolution)
    ]
    return is_right, np.array(whole)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--leave-out", type=int, default=0)
    parser.add_argument("--go-on", action="store_true", help="begin with the constants as they are")
    given = parser.parse_args()
    samples = read(given.photographs, given.every)
    if given.leave_out:
        bricks = np.unique(samples.brick)
        single: list[np.ndarray] = []
        whole: list[np.ndarray] = []
        for number in range(given.leave_out):
            is_out = np.isin(samples.brick, bricks[number :: given.leave_out])
            right = rated(samples.only(is_out), fit(samples.only(~is_out), given.steps))
            single.append(right[0])
            whole.append(right[1])
        print(f"bricks left out: {np.concatenate(single).mean():.1%} of photographs,", end=" ")
        print(f"{np.concatenate(whole).mean():.1%} of revolutions", flush=True)
    fitted = fit(samples, given.steps, PHOTOGRAPHS if given.go_on else None)
    for matrix in fitted[0]:
        print(tuple(tuple(round(float(value), 3) for value in row) for row in matrix.numpy()), end=",\n")
    print("brighter, darker, spread:", [round(float(cost), 1) for cost in fitted[1].numpy()])
    right = rated(samples, fitted)
    wrong = [number for number, is_good in enumerate(right[1]) if not is_good]
    print("wrong revolutions:", [revolutions(given.photographs)[number]["revolution"] for number in wrong])
    print(f"fitted on: {right[0].mean():.1%} of {len(right[0])} photographs, {right[1].mean():.1%} of {len(right[1])}")


if __name__ == "__main__":
    main()
