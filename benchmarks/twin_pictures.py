"""What the recogniser makes of the twin's pictures: how much it sorts rightly, rejects, and takes for what it is not.

    .venv/bin/python benchmarks/twin_pictures.py [MODEL] [--known 600] [--unknown 300] [--photos DIR] [--sheet FILE]

Parts of the model's classes, and parts of no class, are laid on the twin's table as a feeder would, and decided at a
misroute rate, once over two views 180 degrees apart, once looking on as long as the rig would, eight views at most.
With ``--photos`` the twin plays photographs instead of sprites. ``--sheet`` writes a sheet of the first frames, to be
looked at. Times are of making one frame.
"""

from __future__ import annotations

import argparse
import math
import platform
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sorter.classify import load_model  # noqa: E402
from sorter.classify.card import OTHER  # noqa: E402
from sorter.recognise import Recogniser  # noqa: E402
from sorter.twin.pictures import make_pictures  # noqa: E402
from sorter.twin.scene import Scene, SeenPart  # noqa: E402
from sorter.types import Frame  # noqa: E402
from sorter.types.twin import TwinBin, TwinFeeder, TwinMotor, TwinParts, TwinSettings  # noqa: E402

if TYPE_CHECKING:
    from sorter.twin.scene import Part, PictureMaker
    from sorter.types import Decision, View
    from sorter.types.pictures import RgbArray

MOST_VIEWS = 8
CANDIDATES_DEG = tuple(45.0 * number for number in range(8))
SHEET_COLUMNS, SHEET_FRAMES = 8, 64


class Lying:
    """A part that came to lie somewhere near the table's axis, and looks at it from any angle of the table."""

    def __init__(self, part: Part, maker: PictureMaker, chance: random.Random, spread_mm: float) -> None:
        self.part = part
        self._maker = maker
        self._radius_mm = spread_mm * math.sqrt(chance.random())
        self._azimuth_deg = chance.uniform(0.0, 360.0)
        self._yaw_deg = chance.uniform(0.0, 360.0)
        self._sequence = 1000 * part.number
        self.took_s = 0.0

    def seen(self, table_deg: float) -> RgbArray:
        """A frame of it with the table turned by this."""
        azimuth = math.radians(self._azimuth_deg + table_deg)
        part = SeenPart(
            self.part,
            self._radius_mm * math.cos(azimuth),
            self._radius_mm * math.sin(azimuth),
            (self._yaw_deg + table_deg) % 360.0,
        )
        self._sequence += 1
        began_s = time.perf_counter()
        rgb = self._maker.picture([Scene(table_deg, (part,))], self._sequence)
        self.took_s = time.perf_counter() - began_s
        return rgb


def settings(given: argparse.Namespace, labels: tuple[str, ...], unknown_share: float) -> TwinSettings:
    return TwinSettings(
        port_link="-",
        socket="-",
        truth="-",
        turntable=TwinMotor("Y", 10.0),
        feeder=TwinFeeder("manual"),
        bins=(TwinBin("all", 0.0),),
        parts=TwinParts(
            count=given.known + given.unknown,
            classes=tuple(each for each in labels if each != OTHER),
            unknown_share=unknown_share,
            photos=None if given.photos is None else str(given.photos),
        ),
        seed=given.seed,
    )


def by_two(recogniser: Recogniser, lying: Lying) -> tuple[Decision, list[View], list[float]]:
    views, took_s = [], []
    for table_deg in (0.0, 180.0):
        views.append(recogniser.look(Frame(lying.seen(table_deg), 0.0, 0), table_deg))
        took_s.append(lying.took_s)
    return recogniser.decide(views), views, took_s


def looked_on(recogniser: Recogniser, lying: Lying, views: list[View]) -> tuple[Decision, list[View]]:
    """As the rig does it, but from the two views that are there."""
    views = views[:1]
    while (table_deg := recogniser.next_angle(views, CANDIDATES_DEG)) is not None:
        views.append(recogniser.look(Frame(lying.seen(table_deg), 0.0, 0), table_deg))
    return recogniser.decide(views), views


def told(name: str, parts: list[Part], decisions: list[Decision], views: list[int]) -> None:
    pairs = list(zip(parts, decisions, strict=True))
    known = [(part, decision) for part, decision in pairs if part.class_name is not None]
    strange = [(part, decision) for part, decision in pairs if part.class_name is None]
    print(f"\n{name}: {np.mean(views):.2f} views a part")
    if known:
        sorted_ = [(part, decision) for part, decision in known if decision.class_name is not None]
        wrong = [(part, decision) for part, decision in sorted_ if decision.class_name != part.class_name]
        print(
            f"  known {len(known)}: sorted {len(sorted_)}, of these wrong {len(wrong)} "
            f"({len(wrong) / max(1, len(sorted_)):.2%}); rejected {1 - len(sorted_) / len(known):.1%}"
        )
        print(f"  rejected because: {dict(Counter(str(d.reject_reason) for _, d in known if d.class_name is None))}")
        lost = Counter(f"{part.design} {part.pose}" for part, decision in known if decision.class_name is None)
        print(f"  rejected: {', '.join(f'{what} ×{count}' for what, count in lost.most_common(12))}")
        for part, decision in wrong:
            rgb = tuple(round(each, 2) for each in part.reflectance)
            print(f"  wrong: part {part.number}, a {part.design} {part.pose} of {rgb}, taken for {decision.class_name}")
    if strange:
        taken = Counter(
            f"{part.design} {part.pose} for {decision.class_name}"
            for part, decision in strange
            if decision.class_name is not None
        )
        print(f"  unknown {len(strange)}: accepted {sum(taken.values())} ({sum(taken.values()) / len(strange):.2%})")
        print(f"  accepted: {', '.join(f'{what} ×{count}' for what, count in taken.most_common(12))}")


def write_sheet(file: Path, frames: list[RgbArray]) -> None:
    rows = [np.hstack(frames[at : at + SHEET_COLUMNS]) for at in range(0, len(frames), SHEET_COLUMNS)]
    rows = [row for row in rows if row.shape == rows[0].shape]  # the last one may be shorter
    cv2.imwrite(str(file), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


class Measured:
    """What was decided of each part."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.by_two: list[Decision] = []
        self.looked_on: list[Decision] = []
        self.views: list[int] = []
        self.took_s: list[float] = []
        self.frames: list[RgbArray] = []

    def add(self, recogniser: Recogniser, lying: Lying) -> None:
        """Look at one more part."""
        decision, views, took_s = by_two(recogniser, lying)
        decision_on, looked = looked_on(recogniser, lying, views)
        self.parts.append(lying.part)
        self.by_two.append(decision)
        self.looked_on.append(decision_on)
        self.views.append(len(looked))
        self.took_s += took_s
        if len(self.frames) < SHEET_FRAMES:
            self.frames.append(views[0].frame.rgb)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", default=ROOT / "models" / "turntable10")
    parser.add_argument("--known", type=int, default=600)
    parser.add_argument("--unknown", type=int, default=300)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--misroute-rate", type=float, default=0.005)
    parser.add_argument("--spread-mm", type=float, default=5.0, help="so near to the table's axis parts come to lie")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)  # as on a machine that has the rig's own work to do beside
    recogniser = Recogniser.from_model(load_model(given.model, threads=1), given.misroute_rate, view_budget=MOST_VIEWS)
    labels = recogniser.model.card.labels
    measured = Measured()
    for count, share, first in ((given.known, 0.0, 1), (given.unknown, 1.0, 1_000_001)):
        if count:
            hopper, maker = make_pictures(settings(given, labels, share))
            for number in range(first, first + count):
                chance = random.Random(f"{given.seed} {number}")
                lying = Lying(hopper.draw(number, chance), maker, chance, given.spread_mm)
                measured.add(recogniser, lying)
    print(f"{platform.platform()}, Python {platform.python_version()}, OpenCV {cv2.__version__}")
    print(f"model {recogniser.model.card.name}, misroute rate {given.misroute_rate}, seed {given.seed}")
    p50_ms, p99_ms = 1e3 * np.percentile(measured.took_s, [50, 99])
    print(f"a frame: p50 {p50_ms:.1f} ms, mean {1e3 * np.mean(measured.took_s):.1f} ms, p99 {p99_ms:.1f} ms")
    told("two views", measured.parts, measured.by_two, [2] * len(measured.parts))
    told(f"looking on, {MOST_VIEWS} views at most", measured.parts, measured.looked_on, measured.views)
    if given.sheet is not None:
        write_sheet(given.sheet, measured.frames)


if __name__ == "__main__":
    main()
