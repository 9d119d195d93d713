"""A frame of 1200×1200 px to a prediction, against the same steps written down by hand with OpenCV and the interpreter.

    .venv/bin/python benchmarks/recognise.py [MODEL] [--rounds 200] [--threads 2]

MODEL is a model's folder; without it the tests' tiny one is made. Both ways run by turns in one process and must come
to the same prediction. Run it in an environment with ai-edge-litert and in one with tflite-runtime to compare those.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sorter.classify import Model, load_model  # noqa: E402
from sorter.classify.runtime import make_interpreter  # noqa: E402
from sorter.types import Frame  # noqa: E402
from sorter.vision import crop, locate, part_colour, quality  # noqa: E402
from tests.scenes import Drawn, draw  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE_PX = 1200
WORK, TERMS = 4, 10


def make_by_hand(model: Model, content: bytes, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function from a picture to probabilities: no classes, no checks, nothing that only another case needs."""
    interpreter, _ = make_interpreter(content, threads)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    card = model.card
    [target] = [each["index"] for each in interpreter.get_output_details() if tuple(each["shape"]) == card.output.shape]
    scale_in, zero_in = card.input.scale, card.input.zero_point
    side_px = SIDE_PX // WORK
    logarithms = np.log(np.maximum(np.arange(256, dtype=np.float32), 3.0))
    spec = card.crop.spec()

    def terms_at(across: np.ndarray, down: np.ndarray) -> np.ndarray:
        y, x = np.meshgrid(2 * down - 1, 2 * across - 1, indexing="ij")
        return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3], axis=-1)

    even = (np.arange(side_px) + 0.5) / side_px
    terms = terms_at(even, even).astype(np.float32)
    points = terms[2::5, 2::5].reshape(-1, TERMS)

    def fitted(logs: np.ndarray) -> np.ndarray:
        seen = logs[2::5, 2::5].reshape(-1, 3)
        brightness = seen.mean(axis=1)
        used = np.abs(brightness - np.percentile(brightness, 60)) < 0.25
        for number in range(12):
            count = 6 if number < 6 else TERMS
            some = points[used, :count].astype(np.float64)
            coefficients = np.zeros((TERMS, 3))
            coefficients[:count] = np.linalg.solve(some.T @ some + 1e-6 * np.eye(count), some.T @ seen[used])
            off = np.abs(seen - points @ coefficients.astype(np.float32))
            used = np.maximum(np.maximum(off[:, 0], off[:, 1]), off[:, 2]) < max(0.05, 0.25 * 0.8**number)
        return coefficients

    def extent_of(difference: np.ndarray) -> np.ndarray:
        off = np.abs(difference)
        bare = np.maximum(np.maximum(off[..., 0], off[..., 1]), off[..., 2]) < 0.12
        opened = cv2.morphologyEx(bare.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
        largest = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
        contours, _ = cv2.findContours(largest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        extent = np.zeros_like(opened)
        cv2.fillConvexPoly(extent, cv2.convexHull(np.concatenate(contours)), 1)
        return extent

    def part_of(difference: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        across = cv2.Sobel(difference, cv2.CV_32F, 1, 0, scale=1 / 8)
        down = cv2.Sobel(difference, cv2.CV_32F, 0, 1, scale=1 / 8)
        steep = cv2.magnitude(across, down).reshape(difference.shape)
        gradient = np.maximum(np.maximum(steep[..., 0], steep[..., 1]), steep[..., 2])
        brightness = cv2.transform(difference, np.full((1, 3), 1 / 3)).astype(np.float32).reshape(gradient.shape)
        off = np.abs(difference - brightness[..., None])
        tint = np.maximum(np.maximum(off[..., 0], off[..., 1]), off[..., 2])
        much = ((brightness < -0.55) | (brightness > 0.10) | (tint > 0.30)).astype(np.uint8)
        much = cv2.morphologyEx(much, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
        small, large = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)) for size in (5, 7))
        outline = cv2.morphologyEx(((gradient > 0.021) | much).astype(np.uint8), cv2.MORPH_CLOSE, small)
        count, labels = cv2.connectedComponents(((outline == 0) & inside).astype(np.uint8), connectivity=4)
        flat = labels.ravel()
        sizes = np.maximum(np.bincount(flat, minlength=count), 1)
        sums = np.array([np.bincount(flat, difference[..., each].ravel(), minlength=count) for each in range(3)])
        is_face = (np.abs(sums) / sizes).max(axis=0) > 0.06
        is_face[0] = False
        parts = ((gradient > 0.03) | much | is_face[labels]) & inside
        closed = cv2.morphologyEx(parts.astype(np.uint8), cv2.MORPH_CLOSE, small)
        contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        filled = np.zeros_like(closed)
        cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
        return cv2.morphologyEx(cv2.erode(filled, np.ones((3, 3), np.uint8)), cv2.MORPH_OPEN, large), gradient

    window_px = spec.window_px(Frame(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8), 0.0, 0))
    shrink = max(1, window_px // spec.size_px)
    cut_px = window_px // shrink if window_px % shrink == 0 else round(window_px / shrink)

    def weights_for(old: int, new: int) -> np.ndarray:
        ratio = old / new
        table = np.zeros((new, old), np.float32)
        for row in range(new):
            middle = (row + 0.5) * ratio - 0.5
            reach = max(1.0, ratio / 2 + 0.5)
            share = np.clip(reach - np.abs(np.arange(old) - middle), 0.0, 1.0)
            share = share / share.sum() * 256
            whole = np.floor(share)
            whole[np.argsort(whole - share, kind="stable")[: int(256 - whole.sum())]] += 1
            table[row] = whole
        return table

    resampling = weights_for(cut_px, spec.size_px)

    def run(picture: np.ndarray) -> np.ndarray:
        work = cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_AREA)
        logs = logarithms[cv2.GaussianBlur(work, (3, 3), 0)]
        coefficients = fitted(logs)
        difference = logs - (terms.reshape(-1, TERMS) @ coefficients.astype(np.float32)).reshape(logs.shape)
        extent = extent_of(difference)
        inside = cv2.erode(extent, np.ones((7, 7), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
        mask, gradient = part_of(difference, inside)
        count, _ = cv2.connectedComponents(cv2.dilate(mask, np.ones((5, 5), np.uint8)))
        if count != 2 or np.count_nonzero(gradient[mask > 0] > 0.06) < 6 or np.count_nonzero(mask) < 60:
            raise SystemExit("by hand, there is not one part")
        outside = cv2.dilate(1 - cv2.copyMakeBorder(inside.astype(np.uint8), 1, 1, 1, 1, 0), np.ones((5, 5), np.uint8))
        if np.count_nonzero((outside[1:-1, 1:-1] > 0) & (mask > 0)) >= 3:
            raise SystemExit("by hand, the part reaches out of the picture")
        cv2.resize(mask, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)  # over the frame, as is promised
        left, top, width, height = (each * WORK for each in cv2.boundingRect(mask))
        side = shrink * cut_px
        left, top = (2 * left + width - side) // 2, (2 * top + height - side) // 2
        seen = picture[top : top + side, left : left + side]
        seen = cv2.resize(seen, (cut_px, cut_px), interpolation=cv2.INTER_AREA) if shrink > 1 else seen
        size = spec.size_px
        rows = (resampling @ seen.reshape(cut_px, -1).astype(np.float32)).reshape(size, cut_px, 3)
        sums = resampling @ rows.transpose(1, 0, 2).reshape(cut_px, -1)
        seen = ((sums.reshape(size, size, 3).transpose(1, 0, 2).astype(np.int32) + 32768) // 65536).astype(np.uint8)
        places = (np.arange(size) + 0.5) * (side / size)
        tint = np.exp(terms_at((left + places) / SIDE_PX, (top + places) / SIDE_PX) @ coefficients)
        seen = np.clip(np.rint(seen * np.clip(spec.table_grey / tint, 0.25, 8.0)), 0, 255).astype(np.uint8)
        down, across = ((each + places).astype(int) // WORK for each in (top, left))
        near = cv2.dilate(mask[np.ix_(down, across)], np.ones((7, 7), np.uint8)) > 0
        seen[~(inside[np.ix_(down, across)] | near)] = spec.table_grey
        real = seen.astype(np.float32) * card.input.pixel_scale + card.input.pixel_offset
        limits = np.iinfo(card.input.dtype)
        whole = np.clip(np.rint(real / scale_in) + zero_in, limits.min, limits.max).astype(card.input.dtype)
        interpreter.set_tensor(source, whole[None])
        interpreter.invoke()
        said = (interpreter.get_tensor(target)[0].astype(float) - card.output.zero_point) * card.output.scale
        raised = np.exp((said - said.max()) / card.calibration.temperature)
        return raised / raised.sum()

    return run


def resident_mib() -> float:
    """Memory of this process that is in use now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    started_s = time.perf_counter()
    result = function()
    return 1e3 * (time.perf_counter() - started_s), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.model is None:
            from tests import tiny_model  # noqa: PLC0415  (needs ai-edge-litert)

            tiny_model.write(Path(folder))
        where = given.model or Path(folder)
        before_mib = resident_mib()
        model = load_model(where, threads=given.threads)
        by_hand = make_by_hand(model, (where / "model.tflite").read_bytes(), given.threads)
    spec = model.card.crop.spec()
    frames = [
        Frame(draw(Drawn("bar", 0.42 + 0.03 * number, 0.5, 0.2, 40.0 * number), side_px=SIDE_PX, seed=number), 0.0, 0)
        for number in range(6)
    ]
    names = ("locate", "crop", "predict", "whole", "by hand", "quality", "colour")
    taken: dict[str, list[float]] = {name: [] for name in names}
    warm_mib = 0.0
    for number in range(given.rounds + 10):
        warm_mib = resident_mib() if number == 10 else warm_mib
        frame = frames[number % len(frames)]
        located_ms, location = timed(lambda: locate(frame))  # noqa: B023  (called at once)
        cropped_ms, cut = timed(lambda: crop(frame, location, spec))  # noqa: B023
        predicted_ms, prediction = timed(lambda: model.predict(cut))  # noqa: B023
        by_hand_ms, probabilities = timed(lambda: by_hand(frame.rgb))  # noqa: B023
        quality_ms, _ = timed(lambda: quality(frame, location))  # noqa: B023
        colour_ms, _ = timed(lambda: part_colour(frame, location))  # noqa: B023
        if np.abs(np.array(prediction.probabilities) - probabilities).max() > 1e-6:
            raise SystemExit("the two ways came to different predictions; their times say nothing")
        if number >= 10:  # caches are warm
            whole_ms = located_ms + cropped_ms + predicted_ms
            values = (located_ms, cropped_ms, predicted_ms, whole_ms, by_hand_ms, quality_ms, colour_ms)
            for name, value in zip(names, values, strict=True):
                taken[name].append(value)
    print(
        f"{platform.platform()}, Python {platform.python_version()}, numpy {np.__version__}, OpenCV {cv2.__version__}"
    )
    print(f"model {model.card.name}, {model.runtime}, {given.threads} threads, median of {given.rounds}")
    for name, values in taken.items():
        print(f"{name:8} p50 {np.percentile(values, 50):6.2f} ms   p99 {np.percentile(values, 99):6.2f} ms")
    ratio = np.median(np.array(taken["whole"]) / np.array(taken["by hand"]))
    print(f"whole against by hand: {ratio:.2f} (median of the ratios of each round)")
    print(
        f"resident memory: {before_mib:.0f} MiB with all imported, {warm_mib:.0f} MiB after ten rounds (with", end=" "
    )
    print(f"{len(frames)} frames), {resident_mib():.0f} MiB after the last")


if __name__ == "__main__":
    main()
