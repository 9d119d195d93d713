"""A folder of labelled pictures as the twin's camera takes them of its sprites: to be mixed into training.

    .venv/bin/python benchmarks/sprite_set.py OUT [--count 3000] [--seed 1] [--with RENDERED ...]

They cost a fiftieth of rendered ones, and show the ten classes only: sprites of other designs are what the demo holds
back as unknown parts. ``--with`` takes the pictures of folders of ``sorter render pictures`` in, so that ``sorter train
--rendered OUT`` has both.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sorter.dataset import read_dataset  # noqa: E402
from sorter.dataset.index import write_index  # noqa: E402
from sorter.dataset.records import Picture  # noqa: E402
from sorter.twin.pictures import make_pictures  # noqa: E402
from sorter.twin.scene import Scene, SeenPart  # noqa: E402
from sorter.twin.sprite_files import load_sprites  # noqa: E402
from sorter.types.twin import TwinBin, TwinFeeder, TwinMotor, TwinParts, TwinSettings  # noqa: E402
from sorter.whole import write_whole  # noqa: E402

A_TABLE = 50  # so many pictures are taken on a table of the same look
SPREAD_MM = 5.0
JPEG_QUALITY = 92


def settings(classes: tuple[str, ...], seed: int) -> TwinSettings:
    return TwinSettings(
        port_link="-",
        socket="-",
        truth="-",
        turntable=TwinMotor("Y", 10.0),
        feeder=TwinFeeder("manual"),
        bins=(TwinBin("all", 0.0),),
        parts=TwinParts(count=A_TABLE, classes=classes),
        seed=seed,
    )


def taken(out: Path, count: int, seed: int) -> list[Picture]:
    classes = tuple(each.class_name for each in load_sprites().content.designs if each.class_name is not None)
    pictures = []
    for first in range(0, count, A_TABLE):
        hopper, maker = make_pictures(settings(classes, seed * 1_000_000 + first))
        for number in range(first, min(first + A_TABLE, count)):
            chance = random.Random(f"{seed} {number}")
            part = hopper.draw(number + 1, chance)
            away_mm, azimuth = SPREAD_MM * math.sqrt(chance.random()), chance.uniform(0.0, math.tau)
            yaw_deg = chance.uniform(0.0, 360.0)
            seen = SeenPart(part, away_mm * math.cos(azimuth), away_mm * math.sin(azimuth), yaw_deg)
            rgb = maker.picture([Scene(chance.uniform(0.0, 360.0), (seen,))], number)
            bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
            data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
            path = f"sprites/{number:05d}.jpg"
            write_whole(out / path, data)
            assert part.class_name is not None
            pictures.append(
                Picture(
                    path=path,
                    sha256=hashlib.sha256(data).hexdigest(),
                    class_name=part.class_name,
                    pose=part.pose,
                    angle_deg=round(yaw_deg, 3),
                    source="render",
                )
            )
    return pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--with", dest="others", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    (given.out / "sprites").mkdir(parents=True)
    pictures = taken(given.out, given.count, given.seed)
    for place, folder in enumerate(given.others):
        for each in read_dataset(folder).pictures:
            path = f"{place}/{each.path}"
            (given.out / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / each.path, given.out / path)
            pictures.append(replace(each, path=path, copies=()))
    write_index(given.out, pictures)
    print(f"{given.out}: {len(pictures)} pictures")


if __name__ == "__main__":
    main()
