"""Parts of no class that the network has: every class left out of training in its turn.

    pip install -e '.[train]'
    python benchmarks/unknown_parts.py PHOTOGRAPHS WEIGHTS OUT [--recipe rig] [--fold 1] [--views 8] [--rendered DIR]

Five networks are trained by the recipe, each without two classes that do not look alike and without the bricks of a
fold (``sorter dataset split --by colour``). As int8 each is shown the fold's bricks, which are known parts that it
never saw, and all bricks of the two classes. At the threshold that keeps 90 % of the known parts, decided over views
spread evenly over a turn, how many of the unknown ones are accepted? Near twins (one stud longer or shorter) stand
apart. The threshold is taken on the same parts: a best case. Temperature 1.5 and a correlation of 0.9 are assumed. OUT
keeps the runs and what they said, so it can be stopped and gone on with.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from sorter.classify import Correlation
from sorter.classify.card import OTHER
from sorter.classify.novelty import energy, entropy
from sorter.cli.training_console import observed
from sorter.dataset import read_dataset, read_split
from sorter.training.arrays import read_arrays, write_arrays
from sorter.training.crop_cache import prepare_cached
from sorter.training.metrics import separation, softmax
from sorter.training.quantise import Int8Network, representative_rows, to_int8
from sorter.training.recipe import read_recipe
from sorter.training.record import FINAL, read_record
from sorter.training.scores import Scores, scores_of
from sorter.training.start import Wish, resume, start
from sorter.training.trained import trained_network
from sorter.training.turns import with_inferred_angles
from sorter.training.views import fused_views

LEFT_OUT = (("3001", "3660"), ("3002", "32064"), ("3003", "3701"), ("3004", "3039"), ("3010", "2456"))
NEAR_TWINS = {
    "2456": "3001", "3001": "2456, 3002", "3002": "3001, 3003", "3003": "3002, 3004", "3004": "3003, 32064",
    "3010": "3701", "3701": "3010", "32064": "3004",
}  # fmt: skip
TEMPERATURE, CORRELATION = 1.5, Correlation(0.9, 20.0)
KEPT = 0.9


def trained(given: argparse.Namespace, split: Path, names: tuple[str, ...]) -> Path:
    """The run without these classes; only its final network, without inner ones."""
    folder = given.out / f"without-{'-'.join(names)}"
    with observed() as observer:
        if folder.exists():
            run = resume(folder, observer, cache=given.cache)
        else:
            recipe = read_recipe(given.recipe)
            shares = {} if given.rendered else {"rendered_share": 0.0, "other_share": 0.0}
            recipe = recipe.model_copy(update={"inner_folds": 0, "patience": None, **shares})
            wish = Wish(
                data=given.photographs,
                out=folder,
                recipe=recipe,
                weights=given.weights,
                split=split,
                fold=given.fold,
                excluded=names,
                rendered=given.rendered,
                cache=given.cache,
            )
            run = start(wish, observer)
        run.train(observer, threading.Event())
    return folder


def said(given: argparse.Namespace, split: Path, names: tuple[str, ...]) -> tuple[Scores, Scores]:
    """What the int8 network says of the fold's known bricks, and of all bricks of the classes that it lacks."""
    dataset = read_dataset(given.photographs)
    held = {each.path for each in read_split(split, dataset).held_out(dataset, given.fold - 1)}
    spec = read_recipe(given.recipe).crop.spec()
    examples = prepare_cached(given.photographs, dataset.pictures, spec, given.cache)
    kept = given.out / f"without-{'-'.join(names)}.npz"
    if not kept.exists():
        run = trained(given, split, names)
        record = read_record(run)
        without = set(record.split.held_out if record.split else ())
        seen = [
            row
            for row, each in enumerate(examples.pictures)
            if each.path not in without and each.class_name in record.labels
        ]
        rows = representative_rows(examples.rgb[seen], [examples.pictures[row].class_name for row in seen])
        content = to_int8(trained_network(run, record, FINAL), examples.rgb[np.array(seen)[rows]])
        write_arrays(kept, {"logits": Int8Network(content).logits(examples.rgb)}, '{"labels": ""}')
    _, arrays = read_arrays(kept)
    labels = read_record(given.out / f"without-{'-'.join(names)}").labels
    scores = scores_of(labels, np.asarray(arrays["logits"], np.float64), examples.pictures)
    is_turn = np.array([each.revolution is not None for each in examples.pictures])
    scores = with_inferred_angles(scores, examples.rgb, is_turn)
    is_held = np.array([each.path in held for each in examples.pictures])
    return scores.taken(scores.is_known & is_held & is_turn), scores.taken(~scores.is_known & is_turn)


def strangeness(scores: Scores, views: int) -> dict[str, Any]:
    """Scores of parts, each decided over so many views; higher is stranger."""
    probabilities = softmax(scores.logits, TEMPERATURE)
    singles = {
        "mean entropy": np.array([entropy(row) for row in probabilities]),
        "mean energy": np.array([energy(row, TEMPERATURE) for row in scores.logits]),
    }
    found: dict[str, Any] = {}
    for name, values in singles.items():
        fused = fused_views(scores, values, views, TEMPERATURE, CORRELATION)
        assert fused is not None
        found[name] = fused.strangeness
        is_other = np.array([each == OTHER for each in scores.labels])[fused.said]
        found["posterior"] = np.where(is_other, 1.0, 1.0 - fused.surest)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("weights")
    parser.add_argument("out", type=Path)
    parser.add_argument("--recipe", default="rig")
    parser.add_argument("--fold", type=int, default=1)
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--rendered", type=Path, help="renders to mix in, as the recipe says")
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    given.cache = given.cache or given.out / "crops"
    split = given.out / "split.json"
    if not split.exists():
        command = ["dataset", "split", given.photographs, "--by", "colour", "--out", split]
        subprocess.run([sys.executable, "-m", "sorter", *map(str, command)], check=True, stdout=sys.stderr)
    print("| left out | near twins among the known | score | area under ROC | accepted where 90 % of known are kept |")
    print("|---|---|---|---|---|")
    rows: dict[str, list[tuple[bool, float]]] = {}
    for names in LEFT_OUT:
        known, strange = said(given, split, names)
        of_known = strangeness(known, given.views)
        for name in names:
            part = strange.taken(np.array([each == name for each in strange.class_names]))
            for score, values in strangeness(part, given.views).items():
                apart = separation(of_known[score], values)
                accepted = next(each.unknown_accepted for each in apart.kept if each.known_kept >= KEPT - 0.005)
                rows.setdefault(score, []).append((name in NEAR_TWINS, accepted))
                print(
                    f"| {name} | {NEAR_TWINS.get(name, '–')} | {score} | {apart.area:.3f} | {accepted:.1%} |",
                    flush=True,
                )
    for score, values in rows.items():
        for is_near in (False, True):
            shares = [accepted for near, accepted in values if near is is_near]
            print(f"| mean of {len(shares)} | {'yes' if is_near else 'no'} | {score} | | {np.mean(shares):.1%} |")


if __name__ == "__main__":
    main()
