"""Networks on bricks that they never saw: recipes side by side on every fold of the photographs.

    pip install -e '.[train]'
    python benchmarks/training.py PHOTOGRAPHS WEIGHTS OUT [--recipes scratch-cnn rig] [--rendered DIR]

PHOTOGRAPHS has a ``revolutions.json``; WEIGHTS is a folder of backbone weights, or "imagenet". Fold k holds out, of
each class with more than one colour, the k-th colour in alphabetical order: ``sorter dataset split --by colour``.
Everything is done by the command line, as a user would: train, export, evaluate. Runs that stand in OUT already are
gone on with, so it can be stopped at any time.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ALLOWED = (0, 5)  # done, and done with findings


def sorter(*arguments: object) -> float:
    """Run a command; returns its peak memory in GB."""
    command = [sys.executable, "-m", "sorter", *map(str, arguments)]
    started = time.monotonic()
    result = subprocess.run(command, check=False)
    if result.returncode not in ALLOWED:
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}")
    print(f"# {time.monotonic() - started:.0f} s: {' '.join(command[2:])}", file=sys.stderr)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6


def trained(run: Path, *arguments: object, cache: Path) -> dict[str, float]:
    """Train, or go on; seconds and memory where it was done in one go."""
    noted = run.with_suffix(".cost.json")
    if not (run / "model" / "card.json").exists():
        started = time.monotonic()
        is_new = not run.exists()
        drop = "--allow-int8-drop"  # a benchmark reports the drop in place of refusing it
        what = ("--resume", run) if not is_new else arguments
        peak_gb = sorter("train", *what, "--cache", cache, drop)
        if is_new:
            noted.write_text(json.dumps({"seconds": time.monotonic() - started, "peak_gb": peak_gb}))
    return json.loads(noted.read_text()) if noted.exists() else {}


def evaluated(run: Path, photographs: Path, *arguments: object) -> dict[str, Any]:
    numbers = run.with_suffix(".json")
    if not numbers.exists():
        page = run.with_suffix(".html")
        sorter("evaluate", run / "model", photographs, "--html", page, "--json", numbers, "--run", run, *arguments)
    return json.loads(numbers.read_text())  # type: ignore[no-any-return]


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def folds(given: argparse.Namespace, split: Path) -> None:
    print(
        "| recipe | fold | one view | interval | 2 | 4 | 8 views | worst class | ECE | float, int8 inside | minutes |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for recipe in given.recipes:
        means = []
        for fold in given.folds:
            run = given.out / f"{recipe}-{fold}"
            weights = ("--weights", given.weights) if recipe != "scratch-cnn" else ()
            rendered = ("--rendered", given.rendered) if given.rendered and recipe == "rig" else ()
            cost = trained(
                run,
                given.photographs, run, "--recipe", recipe, "--split", split, "--fold", fold, *weights, *rendered,
                cache=given.out / "crops",
            )  # fmt: skip
            data = evaluated(run, given.photographs, "--split", split, "--fold", fold)
            views, inside = data["accuracy_by_views"], data["float_against_int8"] or {}
            means.append([views[count] or np.nan for count in ("1", "2", "4", "8")])
            worst = min((each["recall"], name) for name, each in data["per_class"].items() if each["pictures"])
            low, high = data["accuracy_interval"]
            assert not data["bricks_seen_in_training"]
            print(
                f"| {recipe} | {fold} | {percent(views['1'])} | {percent(low)}–{percent(high)} | "
                f"{percent(views['2'])} | "
                f"{percent(views['4'])} | {percent(views['8'])} | {worst[1]} {percent(worst[0])} | "
                f"{data['expected_calibration_error']:.3f} | {percent(inside.get('float_accuracy'))}, "
                f"{percent(inside.get('int8_accuracy'))} | {cost.get('seconds', 0) / 60:.1f} |",
                flush=True,
            )
        mean = np.nanmean(means, axis=0)
        print(
            f"| {recipe} | mean | {' | '.join([percent(mean[0]), '', *map(percent, mean[1:])])} | | | | |", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("weights")
    parser.add_argument("out", type=Path)
    parser.add_argument("--recipes", nargs="*", default=["scratch-cnn", "rig"])
    parser.add_argument("--rendered", type=Path, help="renders that rig mixes in")
    parser.add_argument("--folds", nargs="*", type=int, default=[1, 2, 3])
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    print(f"{platform.platform()}, Python {platform.python_version()}\n")
    split = given.out / "split.json"
    if not split.exists():
        sorter("dataset", "split", given.photographs, "--by", "colour", "--out", split)
    folds(given, split)


if __name__ == "__main__":
    main()
