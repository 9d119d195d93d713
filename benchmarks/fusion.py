"""What several views of one part are worth, and whether the posterior can be believed, on bricks never seen.

    .venv/bin/python benchmarks/fusion.py PHOTOGRAPHS NETWORKS

NETWORKS holds a folder for each fold, made by benchmarks/network.py. Temperature, correlation of views, thresholds and
novelty threshold are fitted on the inner network's held-out bricks, then used on the outer network's: whole held-out
revolutions, none of which either network saw. The photographs come in no known order, so each revolution is first put
in order by the likeness of whole pictures (a closed tour, nearest neighbour and 2-opt); angles are even along it.
"""

from __future__ import annotations

import argparse
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sorter.classify import Correlation, evidence_weights  # noqa: E402
from sorter.classify.novelty import energy, entropy  # noqa: E402
from tests.compositions import revolutions  # noqa: E402

MISROUTES = (0.01, 0.02, 0.05)
VIEWS = 8
NEIGHBOUR_DEG = 5.8


@dataclass(frozen=True, eq=False)
class Revolution:
    """One held-out revolution in order of angle: logits n×classes, distance of its features to the training set's (n),
    angles (deg), the true class or None if unknown.
    """

    name: str
    logits: np.ndarray
    distance: np.ndarray
    angles_deg: np.ndarray
    target: int | None


def in_order(folder: Path, names: list[str]) -> list[int]:
    """A closed tour through the pictures in which neighbours look alike."""
    small = np.array(
        [cv2.resize(cv2.imread(str(folder / name)), (50, 50), interpolation=cv2.INTER_AREA).ravel() for name in names]
    ).astype(np.float32)
    small -= small.mean(axis=1, keepdims=True)
    far = np.sqrt(np.maximum(((small[:, None] - small[None]) ** 2).mean(axis=2), 0.0))
    tour, left = [0], set(range(1, len(names)))
    while left:
        nearest = min(left, key=lambda each: far[tour[-1], each])
        tour.append(nearest)
        left.remove(nearest)
    is_better = True
    while is_better:
        is_better = False
        for first in range(1, len(tour) - 1):
            for last in range(first + 1, len(tour)):
                before, after = tour[first - 1], tour[(last + 1) % len(tour)]
                old = far[before, tour[first]] + far[tour[last], after]
                if far[before, tour[last]] + far[tour[first], after] < old - 1e-6:
                    tour[first : last + 1] = tour[first : last + 1][::-1]
                    is_better = True
    return tour


def read(folder: Path, network: Path, which: str, orders: dict[str, list[int]]) -> list[Revolution]:
    """The revolutions of ``which`` (inner, outer or unknown) as the inner or outer network sees them."""
    saved = np.load(network / f"{'inner' if which == 'inner' else 'outer'}.npz")
    chosen, owners, labels = saved[f"is_{which}"], saved["owners"], saved["labels"].tolist()
    distance = feature_distance(saved, np.array([str(each["class"]) for each in revolutions(folder)])[owners])
    found = []
    for number, each in enumerate(revolutions(folder)):
        rows = np.flatnonzero((owners == number) & chosen)
        if not rows.size:
            continue
        name = str(each["revolution"])
        copies: Any = each["photographs"]
        if name not in orders:
            orders[name] = in_order(folder, [copy[0] for copy in copies])
        rows = rows[orders[name]]
        logits = saved["logits"][rows]
        angles = np.arange(len(logits)) * 360.0 / len(logits)
        target = labels.index(each["class"]) if each["class"] in labels else None
        found.append(Revolution(name, logits, distance[rows], angles, target))
    return found


def feature_distance(saved: Any, classes: np.ndarray) -> np.ndarray:
    """Mahalanobis distance of each picture's features to the nearest class of the training set (Lee et al. 2018)."""
    features, is_training = saved["features"].astype(np.float64), saved["is_training"]
    means = {name: features[is_training & (classes == name)].mean(axis=0) for name in saved["labels"].tolist()}
    around = features[is_training] - np.array([means[name] for name in classes[is_training]])
    covariance = around.T @ around / len(around)
    covariance += np.eye(len(covariance)) * 0.01 * np.trace(covariance) / len(covariance)
    inverse = np.linalg.inv(covariance)
    return np.min(
        [np.einsum("ni,ij,nj->n", features - mean, inverse, features - mean) for mean in means.values()], axis=0
    )


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def chosen_views(revolution: Revolution, how: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of views: ``spread`` over the turn or ``neighbours``."""
    total = len(revolution.logits)
    first = int(rng.integers(total))
    step = total / count if how == "spread" else 1
    return (first + np.round(np.arange(count) * step).astype(int)) % total


def posterior(
    revolution: Revolution, views: np.ndarray, temperature: float, correlation: Correlation
) -> tuple[np.ndarray, np.ndarray]:
    """Fused probabilities, as ``sorter.classify.fuse`` does it, and the views' weights."""
    logs = np.maximum(log_softmax(revolution.logits[views] / temperature), np.log(1e-6))
    weights = evidence_weights(revolution.angles_deg[views].tolist(), correlation)
    total = log_softmax(weights @ logs)
    return np.exp(total), weights


SCHEMES = (("spread", 1), ("spread", 2), ("spread", 4), ("spread", VIEWS), ("neighbours", VIEWS))


def draws(
    all_revolutions: list[Revolution], how: str, count: int, seed: int, repeats: int
) -> list[tuple[Revolution, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [(each, chosen_views(each, how, count, rng)) for each in all_revolutions for _ in range(repeats)]


def fit(known: list[Revolution]) -> tuple[float, Correlation]:
    """Temperature on single views; then the correlation that makes fused posteriors likeliest. By grid."""
    singles = draws(known, "spread", 1, 1, 40)
    independent = Correlation(0.0, 30.0)

    def loss(temperature: float, correlation: Correlation, drawn: list[tuple[Revolution, np.ndarray]]) -> float:
        values = [posterior(each, views, temperature, correlation)[0][each.target] for each, views in drawn]
        return float(-np.log(np.maximum(values, 1e-9)).mean())

    temperature = min(np.geomspace(0.5, 8.0, 25), key=lambda each: loss(float(each), independent, singles))
    drawn = [pair for how, count in SCHEMES[1:] for pair in draws(known, how, count, 2, 10)]
    grid = [Correlation(float(low), far) for low in np.linspace(0.0, 0.98, 15) for far in (5.0, 10.0, 20.0, 40.0, 80.0)]
    return float(temperature), min(grid, key=lambda each: loss(float(temperature), each, drawn))


def expected_calibration_error(confidence: np.ndarray, is_right: np.ndarray, bins: int = 10) -> float:
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(
        sum(
            (which == each).mean() * abs(confidence[which == each].mean() - is_right[which == each].mean())
            for each in np.unique(which)
        )
    )


def threshold_for(confidence: np.ndarray, is_right: np.ndarray, misroutes: float) -> float:
    """The lowest posterior at which no more than ``misroutes`` of the accepted are wrong; above 1 if there is none."""
    order = np.argsort(-confidence)
    wrong = np.cumsum(~is_right[order]) / np.arange(1, len(order) + 1)
    fitting = np.flatnonzero(wrong <= misroutes)
    return float(confidence[order[fitting[-1]]]) if fitting.size else 1.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("networks", type=Path)
    given = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}")
    orders: dict[str, list[int]] = {}
    pooled: dict[str, list[tuple[float, bool]]] = {}
    for network in sorted(path for path in given.networks.iterdir() if (path / "outer.npz").exists()):
        inner, outer, unknown = (
            read(given.photographs, network, which, orders) for which in ("inner", "outer", "unknown")
        )
        temperature, correlation = fit(inner)
        print(
            f"\n{network.name}: {len(inner)} inner, {len(outer)} held-out, {len(unknown)} unknown revolutions; ", end=""
        )
        print(f"temperature {temperature:.2f}, floor {correlation.floor:.2f}, range {correlation.range_deg:.0f} deg")
        thresholds = {}
        for name, group in (("inner", inner), ("held out", outer)):
            for how, count in SCHEMES:
                rows = [
                    (probabilities.max(), int(probabilities.argmax()) == each.target)
                    for each, views in draws(group, how, count, 3, 20)
                    for probabilities in [posterior(each, views, temperature, correlation)[0]]
                ]
                confidence, is_right = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
                if name == "inner" and (how, count) == ("spread", VIEWS):
                    thresholds = {each: threshold_for(confidence, is_right, each) for each in MISROUTES}
                if name == "held out":
                    pooled.setdefault(f"{count} {how}", []).extend(
                        zip(confidence.tolist(), is_right.tolist(), strict=True)
                    )
                error = expected_calibration_error(confidence, is_right)
                print(f"  {name:8} {count} {how:10} right {is_right.mean():.1%}", end=", ")
                print(f"mean posterior {confidence.mean():.1%}, ECE {error:.3f}")
        novelty(inner, outer, unknown, temperature, correlation)
        for rate, value in thresholds.items():
            told = [
                (float(probabilities.max()), int(probabilities.argmax()) == each.target, each.target is None)
                for each, views in draws([*outer, *unknown], "spread", VIEWS, 7, 20)
                for probabilities in [posterior(each, views, temperature, correlation)[0]]
            ]
            known = [(sure, right) for sure, right, is_strange in told if not is_strange]
            accepted = [right for sure, right in known if sure >= value]
            strange = [sure >= value for sure, _, is_strange in told if is_strange]
            print(
                f"  wanted misroutes {rate:.0%}, posterior {value:.3f}: "
                f"of held-out known {len(accepted) / len(known):.0%} accepted, "
                f"of those {1 - np.mean(accepted):.1%} wrong; of unknown {np.mean(strange):.0%} accepted"
            )
    print("\nall folds, held-out bricks:")
    for name, rows in pooled.items():
        confidence, is_right = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
        error = expected_calibration_error(confidence, is_right)
        print(f"  {name:13} right {is_right.mean():.1%}, mean posterior {confidence.mean():.1%}, ECE {error:.3f}")


def novelty(
    inner: list[Revolution],
    outer: list[Revolution],
    unknown: list[Revolution],
    temperature: float,
    correlation: Correlation,
) -> None:
    """How well each score tells unknown parts from known ones, eight spread views each."""

    def fused(group: list[Revolution], score: str) -> np.ndarray:
        values = []
        for each, views in draws(group, "spread", VIEWS, 5, 10):
            _, weights = posterior(each, views, temperature, correlation)
            logits = each.logits[views].astype(np.float64)
            if score == "entropy":
                singles = [entropy(np.exp(row)) for row in log_softmax(logits / temperature)]
            elif score == "features":
                singles = each.distance[views].tolist()
            else:
                singles = [energy(row, temperature) for row in logits]
            values.append(float(np.average(singles, weights=weights)))
        return np.array(values)

    for score in ("entropy", "energy", "features"):
        known, strange = fused(outer, score), fused(unknown, score)
        better = (strange[:, None] > known[None]).mean() + 0.5 * (strange[:, None] == known[None]).mean()
        limit = float(np.percentile(fused(inner, score), 95))
        at_best = float(np.percentile(known, 95))
        print(
            f"  {score}: area under ROC {better:.3f}; at {limit:.3f} (5 % of inner known) it finds "
            f"{(strange > limit).mean():.0%} of unknown, rejects {(known > limit).mean():.0%} of held-out known; "
            f"at {at_best:.3f} (5 % of those) it finds {(strange > at_best).mean():.0%}"
        )


if __name__ == "__main__":
    main()
