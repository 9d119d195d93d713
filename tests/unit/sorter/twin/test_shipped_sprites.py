"""The sprites that come with the package are whole, small, and show every part in every pose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sorter.render.sprites import KNOWN, UNKNOWN
from sorter.twin.compose import PlacedSprite, compose
from sorter.twin.eye import Eye
from sorter.twin.sprite_files import SHIPPED, Sprites, load_sprites

if TYPE_CHECKING:
    from sorter.types.sprites import SpriteDesign, SpritePose


@pytest.fixture(scope="module")
def sprites() -> Sprites:
    return load_sprites()  # compares all hashes


def poses(sprites: Sprites) -> list[tuple[SpriteDesign, SpritePose]]:
    return [(design, pose) for design in sprites.content.designs for pose in design.poses]


def test_there_are_ten_classes_and_ten_unknown_parts(sprites: Sprites) -> None:
    classes = {design.number: design.class_name for design in sprites.content.designs}
    assert classes == {number: number for number in KNOWN} | dict.fromkeys(UNKNOWN)


def test_they_are_small_enough_for_a_wheel() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) <= 8_000_000


def test_nothing_lies_there_that_does_not_belong(sprites: Sprites) -> None:
    known = {file.name for file in sprites.content.files} | {"sprites.json", "README.md"}
    assert {file.name for file in SHIPPED.iterdir()} == known


def test_whose_parts_they_show_is_told(sprites: Sprites) -> None:
    notice = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert "James Jessiman" in sprites.content.attribution
    assert "CC BY 4.0" in sprites.content.attribution
    assert sprites.content.attribution in notice
    assert sprites.content.command in notice


def test_yaws_are_close_enough_to_one_another(sprites: Sprites) -> None:
    assert sprites.content.yaw_step_deg <= 10.0


def test_every_view_shows_a_part_that_is_lit_and_throws_a_shadow(sprites: Sprites) -> None:
    for design, pose in poses(sprites):
        for place in range(0, pose.views, 5):
            view = sprites.view(design.number, pose.name, sprites.content.yaw_step_deg * place)
            what = f"{design.number} {pose.name} view {place}"
            assert view.mask.sum() > 50.0, what
            is_part = view.mask > 0.99
            assert 0.2 < view.diffuse[is_part].mean() < 1.6, what
            small = is_part[::2, ::2]
            assert view.gloss[small].mean() < 0.4, what
            assert view.bounce[small].mean() < 0.6, what
            assert view.shadow.min() < 0.8, what
            assert 0.95 < np.median(view.shadow[0]) < 1.05, what


def test_parts_are_as_large_as_their_outlines_say(sprites: Sprites) -> None:
    eye = Eye.of_sprites(sprites.content.camera, 400, 400)
    for design, pose in poses(sprites):
        outline = np.array(pose.outline_mm)
        block = np.concatenate([np.insert(outline, 2, z_mm, axis=1) for z_mm in (0.0, pose.height_mm)])
        seen = eye.project(block) - 200.0
        cells = pose.body_cells
        rows, columns = np.nonzero(sprites.view(design.number, pose.name, 0.0).mask > 0.5)
        found = np.stack([columns + 0.5 - cells.anchor_x_px, rows + 0.5 - cells.anchor_y_px], axis=1)
        what = f"{design.number} {pose.name}"
        assert (found.min(axis=0) > seen.min(axis=0) - 1.0).all(), what
        assert (found.max(axis=0) < seen.max(axis=0) + 1.0).all(), what
        assert (np.ptp(found, axis=0) > 0.5 * np.ptp(seen, axis=0)).all(), what


def test_a_red_brick_is_red_and_lies_where_it_was_put(sprites: Sprites) -> None:
    eye = Eye.of_sprites(sprites.content.camera, 300, 300)
    table = np.ones((300, 300, 3), np.float32)
    part = PlacedSprite("3001", "up", 25.0, 5.0, -3.0, (0.45, 0.01, 0.01))
    light = compose(table, [part], light=(1.0, 1.0, 1.0), sprites=sprites, eye=eye)
    is_red = light[..., 0] > 3 * light[..., 2]
    rows, columns = np.nonzero(is_red)
    assert is_red.sum() > 3000
    x_px, y_px = eye.project([[5.0, -3.0, 5.6]])[0]
    assert abs(columns.mean() - x_px) < 6.0
    assert abs(rows.mean() - y_px) < 6.0
