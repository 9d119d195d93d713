"""The twin's picture shows the parts that lie there: where, how large, in which colour, with their shadows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sorter.twin.compose import BareTable, PlacedSprite, bare_table, compose
from sorter.twin.eye import Eye
from sorter.twin.sprite_files import Sprites, load_sprites
from tests.unit.sorter.twin import drawn_sprites

EYE = Eye.of_sprites(drawn_sprites.CAMERA, 200, 160)
LIGHT = (0.9, 0.5, 0.7)
TABLE = np.broadcast_to(np.array(LIGHT, np.float32), (160, 200, 3))


@pytest.fixture
def sprites(tmp_path: Path) -> Sprites:
    drawn_sprites.write(tmp_path)
    return load_sprites(tmp_path)


def disc(x_mm: float = 0.0, y_mm: float = 0.0, yaw_deg: float = 0.0, rgb=(0.0, 0.0, 0.0)) -> PlacedSprite:
    return PlacedSprite("disc", "up", yaw_deg, x_mm, y_mm, rgb)


def is_part(light: np.ndarray) -> np.ndarray:
    """Where the black disc is: much darker than any shadow."""
    return light[..., 0] < 0.25 * LIGHT[0]


def middle_and_size(mask: np.ndarray) -> tuple[np.ndarray, float]:
    rows, columns = np.nonzero(mask)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5]), 2 * float(np.sqrt(mask.sum() / np.pi))


def test_an_empty_table_stays_as_it_is(sprites: Sprites) -> None:
    assert (compose(TABLE, [], light=LIGHT, sprites=sprites, eye=EYE) == TABLE).all()


def test_the_background_is_not_changed(sprites: Sprites) -> None:
    before = TABLE.copy()
    compose(before, [disc()], light=LIGHT, sprites=sprites, eye=EYE)
    assert (before == TABLE).all()


@pytest.mark.parametrize(("x_mm", "y_mm"), [(0.0, 0.0), (8.0, 0.0), (-9.0, 5.0), (3.0, -7.0)])
def test_a_part_is_where_its_middle_is_seen(sprites: Sprites, x_mm: float, y_mm: float) -> None:
    light = compose(TABLE, [disc(x_mm, y_mm)], light=LIGHT, sprites=sprites, eye=EYE)
    middle, _ = middle_and_size(is_part(light))
    assert np.abs(middle - EYE.project([[x_mm, y_mm, 0.0]])[0]).max() < 0.5


def test_a_part_is_the_smaller_the_farther_it_lies(sprites: Sprites) -> None:
    sizes = {}
    for y_mm in (-10.0, 0.0, 10.0):
        light = compose(TABLE, [disc(y_mm=y_mm)], light=LIGHT, sprites=sprites, eye=EYE)
        _, size = middle_and_size(is_part(light))
        distance = np.linalg.norm(np.array([0.0, y_mm, 0.0]) - EYE.position_mm)
        sizes[y_mm] = size * distance / EYE.distance_mm
    assert np.allclose(list(sizes.values()), 2 * drawn_sprites.RADIUS_PX, rtol=0.03)


def test_a_camera_with_finer_pixels_shows_the_part_larger(sprites: Sprites) -> None:
    eye = Eye(40.0, 155.0, 8.0, 400, 320)
    table = np.broadcast_to(np.array(LIGHT, np.float32), (320, 400, 3))
    _, size = middle_and_size(is_part(compose(table, [disc()], light=LIGHT, sprites=sprites, eye=eye)))
    assert size == pytest.approx(4 * drawn_sprites.RADIUS_PX, rel=0.02)


def test_light_is_gloss_and_colour_and_what_goes_to_and_fro(sprites: Sprites) -> None:
    rgb = (0.9, 0.3, 0.0)
    light = compose(TABLE, [disc(rgb=rgb)], light=LIGHT, sprites=sprites, eye=EYE)
    expected = [level * (0.1 + own * 0.8 / (1 - own * 0.25)) for level, own in zip(LIGHT, rgb, strict=True)]
    assert np.allclose(light[80, 100], expected, atol=0.012)


def test_each_yaw_shows_its_own_view(sprites: Sprites) -> None:
    for view in range(4):
        part = disc(yaw_deg=90.0 * view + 20.0, rgb=(1.0, 1.0, 1.0))
        light = compose(TABLE, [part], light=(1.0, 1.0, 1.0), sprites=sprites, eye=EYE)
        assert light[80, 100, 0] == pytest.approx(0.1 + 0.8 * (1 - view / 10) / 0.75, abs=0.02)


def test_the_shadow_lies_beside_the_part_and_keeps_the_tables_colour(sprites: Sprites) -> None:
    light = compose(TABLE, [disc()], light=LIGHT, sprites=sprites, eye=EYE)
    # The drawn shadow reaches 60 px to the right, and 36 to the left; at its end it fades.
    assert np.allclose(light[80, 100 + 30] / LIGHT, 0.5, atol=0.01)
    assert (light[80, 100 + 52] / LIGHT > 0.51).all()
    assert (light[80, 100 + 52] / LIGHT < 0.99).all()
    assert np.allclose(light[80, 100 + 60] / LIGHT, 1.0, atol=0.01)
    assert np.allclose(light[80, 100 - 38] / LIGHT, 1.0, atol=0.01)


def test_a_part_throws_its_colour_on_the_table(tmp_path: Path) -> None:
    drawn_sprites.write(tmp_path, shadow=0.6, glow=0.3)
    light = compose(TABLE, [disc(rgb=(1.0, 0.5, 0.0))], light=LIGHT, sprites=load_sprites(tmp_path), eye=EYE)
    assert np.allclose(light[80, 100 + 25] / LIGHT, (0.9, 0.75, 0.6), atol=0.01)


def test_a_shadow_does_not_darken_another_part(sprites: Sprites) -> None:
    alone = compose(TABLE, [disc(-5.0, rgb=(1.0, 1.0, 1.0))], light=LIGHT, sprites=sprites, eye=EYE)
    both = compose(
        TABLE,
        [disc(-5.0, rgb=(1.0, 1.0, 1.0)), disc(-13.5, rgb=(1.0, 1.0, 1.0))],
        light=LIGHT,
        sprites=sprites,
        eye=EYE,
    )
    assert np.allclose(alone[80, 80], both[80, 80])


def test_the_nearer_part_hides_the_farther_one(sprites: Sprites) -> None:
    near, far = disc(y_mm=-4.0, rgb=(1.0, 0.0, 0.0)), disc(y_mm=4.0, rgb=(0.0, 1.0, 0.0))
    for order in ([near, far], [far, near]):
        light = compose(TABLE, order, light=(1.0, 1.0, 1.0), sprites=sprites, eye=EYE)
        assert light[80, 100, 0] > 2 * light[80, 100, 1]


def test_a_part_past_the_edge_is_cut_off_there(sprites: Sprites) -> None:
    for x_mm, y_mm in ((26.0, 0.0), (-26.0, 0.0), (0.0, 40.0), (0.0, -30.0), (500.0, 0.0), (0.0, -500.0)):
        light = compose(TABLE, [disc(x_mm, y_mm)], light=LIGHT, sprites=sprites, eye=EYE)
        assert np.isfinite(light).all()


def test_a_picture_of_another_size_is_refused(sprites: Sprites) -> None:
    with pytest.raises(ValueError, match="needs 160×200×3"):
        compose(TABLE[:100], [], light=LIGHT, sprites=sprites, eye=EYE)


def test_the_bare_table_ends_at_its_edge() -> None:
    eye = Eye(90.0 - 1e-9, 155.0, 4.0, 200, 160)
    light = bare_table(BareTable(light=(0.8, 0.6, 0.7), surround=(0.02, 0.02, 0.02), radius_mm=15.0), eye)
    assert light.shape == (160, 200, 3)
    assert np.allclose(light[80, 100], (0.8, 0.6, 0.7))
    assert np.allclose(light[0, 0], 0.02)
    share = (light[..., 0] - 0.02) / 0.78
    assert float(share.sum()) == pytest.approx(np.pi * 60.0**2, rel=0.005)
    assert ((share > 0.01) & (share < 0.99)).any()


def test_a_camera_that_sees_the_horizon_shows_the_surround_above() -> None:
    light = bare_table(BareTable(light=(0.8, 0.6, 0.7)), Eye(5.0, 155.0, 1.0, 40, 200))
    assert np.isfinite(light).all()
    assert (light[0] == 0.0).all()
