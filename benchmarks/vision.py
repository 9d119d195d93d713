"""How well parts are located, told apart and named by colour, on real turntable photographs.

    .venv/bin/python benchmarks/vision.py PHOTOGRAPHS [--every 1] [--pairs 500]

PHOTOGRAPHS is a folder with train/, test/ and revolutions.json. Located: the 300 boxes of tests/data/boxes.json, drawn
by eye, and the kind of each photograph. Apart: composed photographs of two parts (tests/compositions.py). Transparent:
parts of real photographs blended into an empty table, as nobody photographed transparent ones. Colour: against the
names in revolutions.json by the families below; the camera's colours were fitted on these same bricks
(benchmarks/colour_fit.py, which also says how well that carries over to bricks that were left out of the fit).
"""

from __future__ import annotations

import argparse
import collections
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sorter.types import Box, Frame  # noqa: E402
from sorter.vision import fuse_colours, locate, part_colour, quality  # noqa: E402
from tests.colour_families import FAMILIES  # noqa: E402
from tests.compositions import EMPTY_TABLES, Cut, cut, photograph, revolutions, transparent, two_parts  # noqa: E402
from tests.scenes import overlap  # noqa: E402

OPACITIES = (0.5, 0.3, 0.2, 0.1)


def photographs_of(revolution: dict[str, Any]) -> list[list[str]]:
    """Lists of the copies of each photograph of a revolution."""
    found: list[list[str]] = revolution["photographs"]
    return found


def located(folder: Path) -> None:
    drawn = json.loads((ROOT / "tests/data/boxes.json").read_text(encoding="utf-8"))
    names = {
        copy: str(each["colour"]) for each in revolutions(folder) for copies in photographs_of(each) for copy in copies
    }
    best, missed = [], 0
    by_name: dict[str, list[float]] = collections.defaultdict(list)
    for each in drawn:
        found = locate(photograph(folder, each["photograph"]))
        missed += not found.boxes
        best.append(max((overlap(Box(*each["box"]), box) for box in found.boxes), default=0.0))
        by_name[names[each["photograph"]]].append(best[-1])
    ious = np.array(best)
    print(f"\n{len(drawn)} boxes drawn by eye: IoU >= 0.7 in {(ious >= 0.7).mean():.1%}, missed {missed}", end="; ")
    print(f"IoU least {ious.min():.2f}, 1 % {np.percentile(ious, 1):.2f}, median {np.median(ious):.2f}")
    for name in ("white", "black", "tan"):
        values = by_name[name]
        print(f"  {name}: {len(values)} boxes, IoU least {min(values):.2f}, median {np.median(values):.2f}")
    print("empty tables:", ", ".join(str(locate(photograph(folder, name)).kind) for name in EMPTY_TABLES))


def every_photograph(folder: Path, every: int) -> None:
    kinds: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    sharpness = []
    confusion: collections.Counter[tuple[str, str]] = collections.Counter()
    unsure: collections.Counter[bool] = collections.Counter()
    by_colour: dict[str, list[bool]] = collections.defaultdict(list)
    wrong_revolutions, revolution_count = [], 0
    for revolution in revolutions(folder):
        name, colours = str(revolution["colour"]), []
        for each in photographs_of(revolution)[::every]:
            frame = photograph(folder, each[0])
            found = locate(frame)
            kinds[name][str(found.kind)] += 1
            sharpness.append(quality(frame, found).sharpness)
            colour = part_colour(frame, found)
            colours.append(colour)
            is_right = colour is not None and colour.ldraw_code in FAMILIES[name]
            by_colour[name].append(is_right)
            unsure[is_right] += colour is not None and colour.is_unsure
            if not is_right:
                confusion[name, colour.name if colour else "none"] += 1
        fused = fuse_colours(colours)
        revolution_count += 1
        if fused is None or fused.ldraw_code not in FAMILIES[name]:
            wrong_revolutions.append(f"{revolution['revolution']} ({fused.name if fused else 'none'})")
    print("\nkind of each photograph, all of which show one part:")
    for name, counts in sorted(kinds.items()):
        print(f"  {name:8} " + ", ".join(f"{kind} {count}" for kind, count in counts.most_common()))
    print(f"sharpness: least {min(sharpness):.2f}, median {np.median(sharpness):.2f}")
    total = [right for rights in by_colour.values() for right in rights]
    print(f"\ncolour right: {np.mean(total):.1%} of {len(total)} photographs,", end=" ")
    print(f"{1 - len(wrong_revolutions) / revolution_count:.1%} of {revolution_count} revolutions")
    print(
        f"unsure: {unsure[True] / sum(total):.1%} of the right,"
        f" {unsure[False] / max(1, len(total) - sum(total)):.1%} of the wrong"
    )
    print("by name: " + ", ".join(f"{name} {np.mean(rights):.1%}" for name, rights in sorted(by_colour.items())))
    print("wrong:   " + ", ".join(f"{name} as {seen} {count}" for (name, seen), count in confusion.most_common()))
    print("wrong revolutions: " + (", ".join(wrong_revolutions) or "none"))


def pairs(folder: Path, count: int) -> None:
    rng = np.random.default_rng(3)
    names = [each["photograph"] for each in json.loads((ROOT / "tests/data/boxes.json").read_text(encoding="utf-8"))]
    cuts: dict[str, Cut] = {}
    for is_touching in (False, True):
        kinds: collections.Counter[str] = collections.Counter()
        while kinds.total() < count:
            chosen = [str(name) for name in rng.choice(names, 2, replace=False)]
            for name in chosen:
                if name not in cuts:
                    cuts[name] = cut(photograph(folder, name))
            composed = two_parts(cuts[chosen[0]], cuts[chosen[1]], rng, is_touching=is_touching)
            if composed is not None:
                kinds[str(locate(composed).kind)] += 1
        how = "touching" if is_touching else "apart"
        print(f"two parts, {how}: several in {kinds['several'] / count:.1%} of {count}", end="")
        print(f" ({', '.join(f'{kind} {number}' for kind, number in kinds.most_common())})")


def transparent_parts(folder: Path) -> None:
    drawn = json.loads((ROOT / "tests/data/boxes.json").read_text(encoding="utf-8"))[::3]
    empty = cut(photograph(folder, EMPTY_TABLES[0]))
    for opacity in OPACITIES:
        ious, found = [], 0
        for each in drawn:
            seen = locate(Frame(transparent(empty, cut(photograph(folder, each["photograph"])), opacity).rgb, 0.0, 0))
            found += bool(seen.boxes)
            ious.append(max((overlap(Box(*each["box"]), box) for box in seen.boxes), default=0.0))
        share = (np.array(ious) >= 0.7).mean()
        print(f"opacity {opacity:.0%}: found {found / len(drawn):.0%} of {len(drawn)}, IoU >= 0.7 in {share:.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--every", type=int, default=1, help="of each revolution, every so manieth photograph")
    parser.add_argument("--pairs", type=int, default=500)
    given = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}")
    located(given.photographs)
    pairs(given.photographs, given.pairs)
    transparent_parts(given.photographs)
    every_photograph(given.photographs, given.every)


if __name__ == "__main__":
    main()
