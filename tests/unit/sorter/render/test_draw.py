from __future__ import annotations

from collections import Counter
from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.render.draw import about_vertical, draw_scene
from sorter.render.errors import RenderRefused
from sorter.render.projection import placed_corners_mm, project
from sorter.render.recipe import read_scene_recipe
from sorter.render.stock import Design, Stock, colours_named
from tests.unit.sorter.render.solids import box_mesh, box_stock

RECIPE = read_scene_recipe()
STOCK = box_stock("a", "b", "c")


def footprint(part, stock: Stock) -> np.ndarray:
    corners = placed_corners_mm(part, stock.meshes[part.mesh].corners_mm).reshape(-1, 3)
    return cv2.convexHull(corners[:, :2].astype(np.float32))[:, 0]


def test_a_picture_comes_from_seed_and_number_alone() -> None:
    one = draw_scene(RECIPE, STOCK, 3, 7, parts=(1, 3))
    draw_scene(RECIPE, STOCK, 3, 8, parts=(1, 3))
    again = draw_scene(RECIPE, STOCK, 3, 7, parts=(1, 3))
    assert (one.camera, one.lamps, one.table, one.finish, one.seed) == (
        again.camera,
        again.lamps,
        again.table,
        again.finish,
        again.seed,
    )
    assert [(part.class_name, part.yaw_deg, part.offset_mm) for part in one.parts] == [
        (part.class_name, part.yaw_deg, part.offset_mm) for part in again.parts
    ]
    assert draw_scene(RECIPE, STOCK, 4, 7).camera != one.camera
    assert draw_scene(RECIPE, STOCK, 3, 8).camera != one.camera


def test_classes_take_turns() -> None:
    shown = [draw_scene(RECIPE, STOCK, 1, number).parts[0].class_name for number in range(30)]
    assert Counter(shown) == {"a": 10, "b": 10, "c": 10}
    assert all(set(shown[start : start + 3]) == {"a", "b", "c"} for start in range(0, 30, 3))
    assert len({tuple(shown[start : start + 3]) for start in range(0, 30, 3)}) > 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 10**6))
def test_parts_lie_on_the_table_apart_and_in_sight(seed: int, number: int) -> None:
    scene = draw_scene(RECIPE, STOCK, seed, number, parts=(2, 3))
    assert 1 <= len(scene.parts) <= 3
    for part in scene.parts:
        corners = placed_corners_mm(part, STOCK.meshes[part.mesh].corners_mm).reshape(-1, 3)
        assert corners[:, 2].min() == pytest.approx(0.0, abs=1e-9)
        middle = project(scene.camera, [corners.mean(axis=0)])[0]
        assert 0 < middle[0] < scene.camera.width_px
        assert 0 < middle[1] < scene.camera.height_px
    for one, other in combinations(scene.parts, 2):
        assert cv2.intersectConvexConvex(footprint(one, STOCK), footprint(other, STOCK))[0] == 0.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_drawn_lies_in_its_range(seed: int) -> None:
    scene = draw_scene(RECIPE, STOCK, seed, 0)
    distance = np.linalg.norm(np.subtract(scene.camera.position_mm, scene.camera.target_mm))
    assert RECIPE.camera.distance_mm[0] <= distance <= RECIPE.camera.distance_mm[1]
    elevation = np.rad2deg(np.arcsin(scene.camera.position_mm[2] / distance))
    assert RECIPE.camera.elevation_deg[0] - 1e-9 <= elevation <= RECIPE.camera.elevation_deg[1] + 1e-9
    view_mm = 2 * distance * np.tan(np.deg2rad(scene.camera.fov_deg) / 2)
    assert RECIPE.camera.view_mm[0] - 1e-9 <= view_mm <= RECIPE.camera.view_mm[1] + 1e-9
    assert max(scene.table.reflectance) <= 1.0
    assert all(0.0 <= level <= 0.95 for part in scene.parts for level in part.reflectance)


def test_no_room_for_a_further_part_leaves_it_out() -> None:
    mesh = box_mesh((60.0, 60.0, 9.6), "wide")
    stock = Stock((Design("wide", mesh, STOCK.designs[0].poses),), STOCK.colours, {})
    assert len(draw_scene(RECIPE, stock, 1, 0, parts=(3, 3)).parts) == 1


def test_a_colour_that_the_library_does_not_have_is_named() -> None:
    with pytest.raises(RenderRefused, match="'Plaid'"):
        colours_named(STOCK.colours, ["Red", "Plaid"])


def test_a_design_that_cannot_lie_is_refused() -> None:
    with pytest.raises(ValueError, match="no resting pose"):
        Design("a", box_mesh((1.0, 1.0, 1.0)), ())


def test_views_turn_the_table_and_change_nothing_else() -> None:
    scenes = [draw_scene(RECIPE, STOCK, 3, 8 * 2 + view, parts=(2, 2), views=8) for view in range(8)]
    first = scenes[0]
    assert all(scene.camera == first.camera and scene.lamps == first.lamps for scene in scenes)
    assert len({scene.seed for scene in scenes}) == 8
    for view, scene in enumerate(scenes):
        for part, original in zip(scene.parts, first.parts, strict=True):
            turn = about_vertical(45.0 * view)
            corners = STOCK.meshes[part.mesh].corners_mm
            assert placed_corners_mm(part, corners) == pytest.approx(placed_corners_mm(original, corners) @ turn.T)
            assert part.yaw_deg == pytest.approx((original.yaw_deg + 45.0 * view) % 360.0)
    assert draw_scene(RECIPE, STOCK, 3, 24, parts=(2, 2), views=8).camera != first.camera
    assert draw_scene(RECIPE, STOCK, 3, 2, parts=(2, 2)).camera == first.camera


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.05, 0.95))
def test_a_class_apart_has_its_share_and_the_others_take_turns(seed: int, share: float) -> None:
    shown = [draw_scene(RECIPE, STOCK, seed, number, apart=("b", share)).parts[0].class_name for number in range(60)]
    assert abs(shown.count("b") - 60 * share) <= 1
    assert abs(shown.count("a") - shown.count("c")) <= 1


def test_a_class_apart_that_is_alone_is_always_shown() -> None:
    stock = box_stock("b")
    assert draw_scene(RECIPE, stock, 1, 0, apart=("b", 0.1)).parts[0].class_name == "b"
