"""The shipped model recognises the twin's parts; benchmarks/twin_pictures.py measures how well, on many more."""

from __future__ import annotations

import math
import random

import pytest

from sorter.classify import load_model
from sorter.recognise import Recogniser
from sorter.resources import models_dir
from sorter.twin.pictures import make_pictures
from sorter.twin.scene import Scene, SeenPart
from sorter.types import Frame
from sorter.types.twin import TwinParts
from tests.twins import twin_settings

CLASSES = ("2456", "3001", "3002", "3003", "3004", "3010", "3039", "32064", "3660", "3701")
PARTS = 60


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser.from_model(load_model(models_dir() / "turntable10", threads=1), misroute_rate=0.005)


def decided(recogniser: Recogniser, unknown_share: float, count: int) -> list[tuple[str | None, str | None]]:
    """Of each part, what it is and what it is taken for by two views from opposite sides; None: unknown, rejected."""
    hopper, maker = make_pictures(twin_settings(parts=TwinParts(count, CLASSES, unknown_share)))
    results = []
    for number in range(1, count + 1):
        chance = random.Random(number)
        part = hopper.draw(number, chance)
        radius_mm, azimuth, yaw_deg = (
            chance.uniform(0.0, 5.0),
            chance.uniform(0.0, math.tau),
            chance.uniform(0.0, 360.0),
        )
        x_mm, y_mm = radius_mm * math.cos(azimuth), radius_mm * math.sin(azimuth)
        views = []
        for sequence, (table_deg, side) in enumerate(((0.0, 1.0), (180.0, -1.0))):
            scene = Scene(table_deg, (SeenPart(part, side * x_mm, side * y_mm, yaw_deg + table_deg),))
            views.append(recogniser.look(Frame(maker.picture([scene], 2 * number + sequence), 0.0, 0), table_deg))
        results.append((part.class_name, recogniser.decide(views).class_name))
    return results


def test_known_parts_are_sorted_and_hardly_ever_wrongly(recogniser: Recogniser) -> None:
    results = decided(recogniser, 0.0, PARTS)
    taken = [(part, said) for part, said in results if said is not None]
    wrong = [(part, said) for part, said in taken if part != said]
    assert len(taken) >= 0.45 * PARTS, f"{len(taken)} of {PARTS} were sorted"
    assert len(wrong) <= 1, wrong


def test_most_unknown_parts_are_rejected(recogniser: Recogniser) -> None:
    accepted = [said for _, said in decided(recogniser, 1.0, PARTS // 3) if said is not None]
    assert len(accepted) <= 3, accepted
