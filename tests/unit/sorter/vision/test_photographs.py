"""What locating and colour promise, on real photographs (TURNTABLE_DATA); the whole set with --all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sorter.types import Box, LocationKind
from sorter.vision import fuse_colours, locate, part_colour
from tests.colour_families import FAMILIES
from tests.compositions import EMPTY_TABLES, cut, photograph, revolutions, two_parts
from tests.scenes import overlap

if TYPE_CHECKING:
    from pathlib import Path

    from sorter.types import PartColour


@pytest.fixture(scope="module")
def drawn(checkout: Path) -> list[dict[str, Any]]:
    """300 boxes drawn by eye, before anything was tuned."""
    boxes: list[dict[str, Any]] = json.loads((checkout / "tests/data/boxes.json").read_text(encoding="utf-8"))
    assert len(boxes) == 300
    return boxes


def test_parts_in_photographs_are_found_where_a_person_sees_them(
    turntable_data: Path, drawn: list[dict[str, Any]]
) -> None:
    overlaps = []
    for each in drawn:
        found = locate(photograph(turntable_data, each["photograph"]))
        assert found.boxes, f"{each['photograph']}: missed"
        overlaps.append(max(overlap(Box(*each["box"]), box) for box in found.boxes))
    assert np.mean(np.array(overlaps) >= 0.7) >= 0.98


@pytest.mark.parametrize("name", EMPTY_TABLES)
def test_empty_tables_in_photographs_are_empty(turntable_data: Path, name: str) -> None:
    assert locate(photograph(turntable_data, name)).kind is LocationKind.EMPTY


def test_two_parts_that_lie_apart_are_never_taken_for_one(turntable_data: Path, drawn: list[dict[str, Any]]) -> None:
    rng = np.random.default_rng(11)
    kinds: list[LocationKind] = []
    while len(kinds) < 60:
        below, above = (cut(photograph(turntable_data, drawn[number]["photograph"])) for number in rng.choice(300, 2))
        composed = two_parts(below, above, rng, is_touching=False)
        if composed is not None:
            kinds.append(locate(composed).kind)
    assert kinds.count(LocationKind.SEVERAL) / len(kinds) >= 0.98


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_colours_of_photographs_are_named_as_a_person_names_them(turntable_data: Path) -> None:
    right: list[bool] = []
    wrong_revolutions = []
    for revolution in revolutions(turntable_data):
        family = FAMILIES[str(revolution["colour"])]
        copies: Any = revolution["photographs"]
        colours: list[PartColour | None] = []
        for each in copies[::2]:
            frame = photograph(turntable_data, each[0])
            colours.append(part_colour(frame, locate(frame)))
        right += [colour is not None and colour.ldraw_code in family for colour in colours]
        fused = fuse_colours(colours)
        if fused is None or fused.ldraw_code not in family:
            wrong_revolutions.append(revolution["revolution"])
    assert np.mean(right) >= 0.95
    assert len(wrong_revolutions) / 67 <= 0.01, wrong_revolutions
