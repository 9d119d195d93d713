"""What int8 costs on bricks never seen, with and without the last touch that a trained network gets before export.

    python benchmarks/int8_grid.py RUN [--cache DIR]

RUN is a run's folder. Each inner network is made int8 twice: as it was when training ended, and after
``sorter.training.int8_grid`` (weights rounded, statistics of batch normalisation measured anew). Both are asked about
the bricks that it did without; so is the final network, if the run kept a fold of a split out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.cli.training_console import observed
from sorter.training import checkpoint
from sorter.training.crop_cache import prepare_cached
from sorter.training.quantise import Int8Network, representative_rows, to_int8
from sorter.training.record import FINAL
from sorter.training.start import resume
from sorter.training.steps import logits_of
from sorter.training.trained import new_network

if TYPE_CHECKING:
    from sorter.training.examples import Examples
    from sorter.training.run import Run


def before(run: Run, name: str) -> Any:
    """The network as training left it."""
    saved = checkpoint.read(run.folder / name / checkpoint.LAST)
    assert saved is not None
    kind = "average" if "average/0" in saved[1] else "model"
    model = new_network(run.record, run.record.networks.index(name), is_pretrained=False)
    for place, each in enumerate(model.variables):
        each.assign(saved[1][f"{kind}/{place}"])
    return model


def unseen(run: Run, name: str, cache: Path | None) -> Examples:
    """What a network did without: an inner one its part, the final one the split's fold, if there is one."""
    if name != FINAL:
        return run.held_out(name)
    paths = set(run.record.split.held_out if run.record.split else ())
    pictures = [each for each in run.dataset.pictures if each.path in paths and each.revolution is not None]
    if not pictures:
        return run.held_out(name)
    spec = run.record.recipe.crop.spec()
    return prepare_cached(run.dataset.root, pictures, spec, cache, among=run.dataset.pictures)


def line(*cells: object) -> None:
    print(
        "| " + " | ".join(f"{each:.1%}" if isinstance(each, float) else str(each) for each in cells) + " |", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    with observed() as observer:
        run = resume(given.run, observer, cache=given.cache)
    line("network", "pictures", "", "float", "int8", "named the same")
    line(*["---"] * 6)
    pooled: dict[str, list[Any]] = {}
    for name in run.record.networks:
        held, seen = unseen(run, name, given.cache), run.trained_on(name)
        if not len(held):
            continue
        targets = np.array([run.record.labels.index(each.class_name) for each in held.pictures])
        rows = representative_rows(seen.rgb, [each.class_name for each in seen.pictures])
        for what in ("as trained", "finished"):
            model = before(run, name) if what == "as trained" else run.network(name)
            exact = logits_of(model, held.rgb).argmax(axis=1)
            rounded = Int8Network(to_int8(model, seen.rgb[rows])).logits(held.rgb).argmax(axis=1)
            right = np.array([exact == targets, rounded == targets, exact == rounded])
            line(name, len(held), what, *right.mean(axis=1).tolist())
            if name != FINAL:
                pooled.setdefault(what, []).append(right)
    for what, parts in pooled.items():
        right = np.concatenate(parts, axis=1)
        line("all inner", right.shape[1], what, *right.mean(axis=1).tolist())


if __name__ == "__main__":
    main()
