"""What rendered pictures are worth on photographs of bricks that were never seen.

    pip install -e '.[train]'
    python benchmarks/renders.py alone PHOTOGRAPHS WEIGHTS OUT --rendered KNOWN
    python benchmarks/renders.py mixed PHOTOGRAPHS WEIGHTS OUT --rendered KNOWN OTHERS --unknown OTHERS_KEPT_OUT

    python benchmarks/renders.py plain PHOTOGRAPHS WEIGHTS OUT --unknown OTHERS_KEPT_OUT

"alone" trains on the renders of KNOWN and on nothing else, and is asked about all photographs. "mixed" trains once a
fold (``sorter dataset split --by colour``) on the photographs of the other bricks with the renders mixed in, as the
recipe says, and is asked about the fold's bricks, and about renders of designs that no network has seen. "plain" is the
same without any renders. Networks are int8. How many unknown parts are accepted where 90 % of the known ones are kept:
decided over 8 views, or 1; a part is accepted if the posterior of its likeliest class clears the threshold, which is
taken on the same known parts (a best case). Temperature 1.3 and a correlation of 0.9 are assumed. No inner networks
are trained: they give calibration, which is not asked about here. OUT keeps the runs, so it can be stopped and gone on
with.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.classify import Correlation
from sorter.classify.card import OTHER
from sorter.cli.training_console import observed
from sorter.dataset import Dataset, read_dataset, read_split, write_index
from sorter.training.arrays import read_arrays, write_arrays
from sorter.training.crop_cache import prepare_cached
from sorter.training.metrics import softmax
from sorter.training.quantise import Int8Network, representative_rows, to_int8
from sorter.training.recipe import Recipe, read_recipe
from sorter.training.record import FINAL, read_record
from sorter.training.scores import Scores, scores_of
from sorter.training.start import Wish, resume, start
from sorter.training.trained import trained_network
from sorter.training.turns import with_inferred_angles
from sorter.training.views import fused_views

if TYPE_CHECKING:
    from sorter.training.examples import Examples

TEMPERATURE, CORRELATION = 1.3, Correlation(0.9, 20.0)
KEPT = 0.9


def crops(dataset: Dataset, recipe: Recipe, cache: Path) -> Examples:
    return prepare_cached(dataset.root, dataset.pictures, recipe.crop.spec(), cache)


def merged(folders: list[Path], into: Path) -> Path:
    """One folder of several, whose pictures are copied."""
    if not into.exists():
        pictures = []
        for place, folder in enumerate(folders):
            for each in read_dataset(folder).pictures:
                path = f"{place}/{each.path}"
                (into / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / each.path, into / path)
                pictures.append(replace(each, path=path))
        write_index(into, pictures)
    return into


def trained(wish: Wish) -> tuple[Path, float]:
    """The run's folder and the minutes that it took just now."""
    started = time.monotonic()
    with observed() as observer:
        run = resume(wish.out, observer, cache=wish.cache) if wish.out.exists() else start(wish, observer)
        run.train(observer, threading.Event())
    return wish.out, (time.monotonic() - started) / 60


def network(folder: Path, seen: Examples) -> Int8Network:
    """The run's final network as int8."""
    kept = folder / "benchmark-int8.npz"
    if not kept.exists():
        rows = representative_rows(seen.rgb, [each.class_name for each in seen.pictures])
        content = to_int8(trained_network(folder, read_record(folder), FINAL), seen.rgb[rows])
        write_arrays(kept, {"model": np.frombuffer(content, np.uint8)}, "{}")
    _, arrays = read_arrays(kept)
    return Int8Network(arrays["model"].tobytes())


def said(folder: Path, seen: Examples, shown: Examples) -> Scores:
    scores = scores_of(read_record(folder).labels, network(folder, seen).logits(shown.rgb), shown.pictures)
    is_turn = np.array([each.revolution is not None for each in shown.pictures])
    return with_inferred_angles(scores, shown.rgb, is_turn)


def doubt(scores: Scores, views: int) -> np.ndarray:
    """Of each part, how far the posterior of its likeliest class (not ``other``) is from 1."""
    fused = fused_views(scores, np.zeros(len(scores.logits)), views, TEMPERATURE, CORRELATION)
    assert fused is not None
    is_other = np.array([each == OTHER for each in scores.labels])[fused.said]
    return np.where(is_other, 1.0, 1.0 - fused.surest)


def right(scores: Scores, views: int) -> float:
    fused = fused_views(scores, np.zeros(len(scores.logits)), views, TEMPERATURE, CORRELATION)
    assert fused is not None
    return float((fused.said == fused.targets).mean())


def recalls(scores: Scores) -> dict[str, float]:
    says = softmax(scores.logits, 1.0).argmax(axis=1)
    names = np.array(scores.class_names)
    return {name: float((says == scores.targets)[names == name].mean()) for name in sorted(set(names))}


def line(name: object, scores: Scores, minutes: float) -> str:
    by_class = recalls(scores)
    worst = min(by_class, key=lambda each: by_class[each])
    shares = " | ".join(f"{100 * right(scores, views):.1f}" for views in (1, 2, 8))
    return f"| {name} | {len(scores.logits):,} | {shares} | {worst} {100 * by_class[worst]:.1f} | {minutes:.1f} |"


def alone(given: argparse.Namespace, recipe: Recipe) -> None:
    wish = Wish(
        data=given.rendered[0], out=given.out / "alone", recipe=recipe, weights=given.weights, cache=given.cache
    )
    folder, minutes = trained(wish)
    seen = crops(read_dataset(given.rendered[0]), recipe, given.cache)
    shown = crops(read_dataset(given.photographs), recipe, given.cache)
    scores = said(folder, seen, shown)
    is_turn = np.array([each.revolution is not None for each in shown.pictures])
    print("| trained on | photographs | one view | 2 | 8 views | worst class | minutes |")
    print("|---|---|---|---|---|---|---|")
    print(line(f"{len(seen.pictures):,} renders", scores.taken(is_turn), minutes))


def on_folds(given: argparse.Namespace, recipe: Recipe) -> None:
    split = given.out / "split.json"
    if not split.exists():
        command = ["dataset", "split", given.photographs, "--by", "colour", "--out", split]
        subprocess.run([sys.executable, "-m", "sorter", *map(str, command)], check=True, stdout=sys.stderr)
    dataset = read_dataset(given.photographs)
    shown = crops(dataset, recipe, given.cache)
    unknown = crops(read_dataset(given.unknown), recipe, given.cache)
    print(
        "| fold | photographs | one view | 2 | 8 views | worst class | minutes | unknown accepted, 8 views | 1 view |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for fold in given.folds:
        folder, minutes = trained(
            Wish(
                data=given.photographs,
                out=given.out / f"{given.what}-{fold}",
                recipe=recipe,
                weights=given.weights,
                split=split,
                fold=fold,
                rendered=given.rendered[0] if given.rendered else None,
                cache=given.cache,
            )
        )
        held = {each.path for each in read_split(split, dataset).held_out(dataset, fold - 1)}
        is_held = np.array([each.path in held for each in shown.pictures])
        seen = shown.taken(np.flatnonzero(~is_held))
        is_turn = np.array([each.revolution is not None for each in shown.pictures])
        known, strange = said(folder, seen, shown).taken(is_held & is_turn), said(folder, seen, unknown)
        accepted = []
        for views in (8, 1):
            threshold = np.quantile(doubt(known, views), KEPT)
            accepted.append(float((doubt(strange, views) <= min(threshold, 1.0 - 1e-9)).mean()))
        print(line(fold, known, minutes), " | ".join(f"{100 * each:.1f}" for each in accepted), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("alone", "mixed", "plain"))
    parser.add_argument("photographs", type=Path)
    parser.add_argument("weights")
    parser.add_argument("out", type=Path)
    parser.add_argument("--rendered", type=Path, nargs="+", default=[])
    parser.add_argument("--unknown", type=Path)
    parser.add_argument("--recipe", default="rig")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--folds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    if given.what != "alone" and given.unknown is None:
        parser.error(f"{given.what} needs --unknown")
    if (given.what == "plain") == bool(given.rendered):
        parser.error("--rendered is for alone and mixed")
    given.out.mkdir(parents=True, exist_ok=True)
    given.cache = given.cache or given.out / "crops"
    recipe = read_recipe(given.recipe)
    changes = {"inner_folds": 0, "patience": None, "seed": recipe.seed if given.seed is None else given.seed}
    print(f"{platform.platform()}, Python {platform.python_version()}\n")
    if len(given.rendered) > 1:
        given.rendered = [merged(given.rendered, given.out / "rendered")]
    if given.what == "plain":
        changes |= {"rendered_share": 0.0, "other_share": 0.0}
    (alone if given.what == "alone" else on_folds)(given, recipe.model_copy(update=changes))


if __name__ == "__main__":
    main()
