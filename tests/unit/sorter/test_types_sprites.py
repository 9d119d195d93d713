"""What is written of sprites is read again as it was, and nothing else is taken for it."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.types.sprites import (
    BOUNCE,
    DIFFUSE,
    GLOSS,
    GLOW,
    SHADOW,
    PlaneScale,
    SpriteCamera,
    SpriteCells,
    SpriteDesign,
    SpriteFile,
    SpritePose,
    SpriteSet,
)

SHA = "0" * 64


def pose(name: str = "up", number: str = "3001", probability: float = 1.0, **changes: Any) -> SpritePose:
    known: dict[str, Any] = {
        "name": name,
        "probability": probability,
        "height_mm": 11.2,
        "outline_mm": ((-4.0, -4.0), (4.0, -4.0), (4.0, 4.0)),
        "views": 12,
        "columns": 4,
        "body": SpriteFile(f"{number.lower()}-{name.lower()}-body.webp", SHA),
        "light": SpriteFile(f"{number.lower()}-{name.lower()}-light.webp", SHA),
        "body_cells": SpriteCells(20, 30, 10.0, 12.5),
        "shadow_cells": SpriteCells(40, 36, 18.0, 20.0),
    }
    return SpritePose(**{**known, **changes})


def sprite_set(*designs: SpriteDesign, **changes: Any) -> SpriteSet:
    known: dict[str, Any] = {
        "format": 1,
        "camera": SpriteCamera(40.0, 155.0, 3.8),
        "yaw_step_deg": 10.0,
        "recipe_sha256": SHA,
        "command": "made so",
        "backend": "by hand",
        "attribution": "nobody",
        "designs": designs,
    }
    return SpriteSet(**{**known, **changes})


def design(number: str = "3001", *poses: SpritePose, class_name: str | None = None) -> SpriteDesign:
    return SpriteDesign(number, "Brick", class_name, "abc", poses or (pose(number=number),))


lengths = st.floats(-1000.0, 1000.0)
cells = st.builds(SpriteCells, st.integers(1, 300).map(lambda n: 2 * n), st.just(8), lengths, lengths)
sets = st.builds(
    sprite_set,
    st.builds(
        design,
        st.sampled_from(["3001", "3062b"]),
        st.builds(
            pose,
            st.sampled_from(["up", "p0", "side-2"]),
            height_mm=st.floats(0.1, 100.0),
            outline_mm=st.lists(st.tuples(lengths, lengths), min_size=3, max_size=5).map(tuple),
            views=st.sampled_from([1, 9, 18, 36]),
            body_cells=cells,
            shadow_cells=cells,
        ),
        class_name=st.sampled_from([None, "3001"]),
    ),
    attribution=st.text(min_size=1, max_size=40),
)


@given(sets)
def test_what_is_written_is_read_again(sprites: SpriteSet) -> None:
    assert SpriteSet.from_json(sprites.to_json()) == sprites


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.update(format=2), "format"),
        (lambda data: data.update(extra=1), "extra"),
        (lambda data: data.pop("camera"), "camera"),
        (lambda data: data.update(yaw_step_deg="10"), "yaw_step_deg"),
        (lambda data: data.update(yaw_step_deg=math.nan), "yaw_step_deg"),
        (lambda data: data.update(yaw_step_deg=7.0), "divides 360"),
        (lambda data: data["designs"].append(data["designs"][0]), "each once"),
        (lambda data: data["designs"][0]["poses"][0].update(probability=0.5), "sum to 1"),
        (lambda data: data["designs"][0]["poses"][0].update(views=7), "do not go round"),
        (lambda data: data["designs"][0]["poses"][0]["body"].update(name="../secret.webp"), "designs.0.poses.0.body"),
        (lambda data: data["designs"][0]["poses"][0]["body"].update(name="/etc/passwd"), "designs.0.poses.0.body"),
        (lambda data: data["designs"][0]["poses"][0]["body"].update(sha256="no"), "sha256"),
        (lambda data: data["designs"][0]["poses"][0]["body_cells"].update(width_px=21), "width_px"),
    ],
)
def test_what_cannot_be_is_refused_by_name(change: Any, said: str) -> None:
    data = json.loads(sprite_set(design()).to_json())
    change(data)
    with pytest.raises(ValueError, match=said):
        SpriteSet.from_json(json.dumps(data))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        SpriteSet.from_json(b"\xff\x00")


def test_a_yaw_finds_the_nearest_view() -> None:
    sprites = sprite_set(design("3001", pose(views=36)))
    (each,) = sprites.design("3001").poses
    found = [sprites.view_of(each, yaw_deg) for yaw_deg in (0.0, 4.9, 5.1, 354.9, 355.1, 360.0, -10.0, 725.0)]
    assert found == [0, 0, 1, 35, 0, 0, 35, 1]


def test_a_symmetric_part_has_fewer_views() -> None:
    sprites = sprite_set(design("3001", pose(views=18)))
    (each,) = sprites.design("3001").poses
    assert [sprites.view_of(each, yaw_deg) for yaw_deg in (10.0, 190.0, 170.0, 350.0, 180.0)] == [1, 1, 17, 17, 0]


def test_cells_of_a_sheet_do_not_meet() -> None:
    each = pose(views=10, columns=4)
    light = np.zeros(each.light_size_px[::-1], int)
    body = np.zeros(each.body_size_px[::-1], int)
    for view in range(each.views):
        for rect in (each.gloss_rect(view), each.bounce_rect(view), each.shadow_rect(view), each.glow_rect(view)):
            part = light[rect.top : rect.top + rect.height, rect.left : rect.left + rect.width]
            assert part.shape == (rect.height, rect.width)
            part += 1
        rect = each.body_rect(view)
        part = body[rect.top : rect.top + rect.height, rect.left : rect.left + rect.width]
        assert part.shape == (rect.height, rect.width)
        part += 1
    assert light.max() == 1
    assert body.max() == 1


@pytest.mark.parametrize("scale", [DIFFUSE, GLOSS, BOUNCE, SHADOW, GLOW])
def test_codes_stand_for_the_nearest_values(scale: PlaneScale) -> None:
    values = scale.values()
    assert (scale.encode(values) == np.arange(256)).all()
    assert (np.diff(values) > 0).all()
    assert values[-1] == pytest.approx(scale.most)
    assert list(scale.encode(np.array([-1.0, 99.0], np.float32))) == [0, 255]


def test_unknown_names_say_what_there_is() -> None:
    sprites = sprite_set(design())
    with pytest.raises(KeyError, match="there are 3001"):
        sprites.design("3002")
    with pytest.raises(KeyError, match="it has up"):
        sprites.design("3001").pose("down")
