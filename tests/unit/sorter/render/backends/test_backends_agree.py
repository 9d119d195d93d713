"""The same scene looks the same, whoever renders it: what a network learns from pictures is not the renderer."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sorter.render.backends.blender import BlenderBackend
from sorter.render.backends.mitsuba import MitsubaBackend
from sorter.render.backends.protocol import NOTHING, Rendered
from sorter.render.world import Scene, Table
from tests.unit.sorter.render.solids import box_mesh, camera, lamp, placed, scene

if TYPE_CHECKING:
    from sorter.render.mesh import PartMesh

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    *(
        pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"{name} is not installed")
        for module, name in (("bpy", "Blender's module bpy"), ("mitsuba", "Mitsuba"))
    ),
]

BRICK = box_mesh((32.0, 16.0, 9.6), "brick")
CUBE = box_mesh((10.0, 10.0, 10.0), "cube")
MESHES = {"brick": BRICK, "cube": CUBE}
RED, WHITE, BLACK = (0.46, 0.02, 0.02), (0.85, 0.85, 0.85), (0.01, 0.01, 0.01)
LAMPS = (lamp((-250.0, 350.0, 400.0), 20.0, 120.0), lamp((150.0, -300.0, 250.0), 6.0, 100.0))


@pytest.fixture(scope="module")
def both() -> tuple[BlenderBackend, MitsubaBackend]:
    return BlenderBackend(), MitsubaBackend()


def rendered(
    both: tuple[BlenderBackend, MitsubaBackend], world: Scene, meshes: dict[str, PartMesh] = MESHES
) -> tuple[Rendered, Rendered]:
    return both[0].render(world, meshes), both[1].render(world, meshes)


def box_of(ids: np.ndarray, number: int) -> np.ndarray:
    rows, columns = np.nonzero(ids == number)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.mark.parametrize("roll_deg", [0.0, -8.0])
@pytest.mark.parametrize("size_px", [(160, 120), (90, 140)])
def test_backends_agree_on_where_parts_are(
    both: tuple[BlenderBackend, MitsubaBackend], roll_deg: float, size_px: tuple[int, int]
) -> None:
    view = camera(
        position_mm=(25.0, -120.0, 95.0), roll_deg=roll_deg, width_px=size_px[0], height_px=size_px[1], fov_deg=38.0
    )
    world = scene(
        placed(BRICK, x_mm=6.0, y_mm=-8.0, yaw_deg=35.0), placed(CUBE, x_mm=-4.0, y_mm=14.0), camera=view, samples=1
    )
    one, other = rendered(both, world)
    assert one.ids.shape == other.ids.shape == size_px[::-1]
    assert one.light.shape == other.light.shape == (*size_px[::-1], 3)
    for number in (0, 1):
        assert np.abs(box_of(one.ids, number) - box_of(other.ids, number)).max() <= 1
    assert np.mean(one.ids != other.ids) < 1e-3


@pytest.mark.parametrize("reflectance", [RED, WHITE, BLACK])
@pytest.mark.parametrize("roughness", [0.1, 0.35])
def test_backends_agree_on_how_bright_it_is(
    both: tuple[BlenderBackend, MitsubaBackend], reflectance: tuple[float, float, float], roughness: float
) -> None:
    part = placed(BRICK, yaw_deg=25.0, reflectance=reflectance, roughness=roughness)
    one, other = rendered(both, scene(part, lamps=LAMPS, ambient=(0.3, 0.3, 0.3), samples=128))
    for number in (NOTHING, 0):
        means = [each.light[each.ids == number].mean(axis=0) for each in (one, other)]
        # A hundredth of a white table is below what a camera tells apart.
        assert means[0] == pytest.approx(means[1], rel=0.1, abs=0.01)


@pytest.mark.parametrize("gloss", [0.0, 0.5, 1.0])
def test_backends_agree_on_the_table_and_what_is_behind_it(
    both: tuple[BlenderBackend, MitsubaBackend], gloss: float
) -> None:
    table = Table(radius_mm=30.0, reflectance=(0.8, 0.75, 0.7), gloss=gloss, surround=(0.03, 0.05, 0.04))
    one, other = rendered(both, scene(table=table, lamps=LAMPS, samples=128))
    assert one.light[40:60, 50:70].mean(axis=(0, 1)) == pytest.approx(
        other.light[40:60, 50:70].mean(axis=(0, 1)), rel=0.05
    )
    is_behind = other.light[..., 0] < 0.04
    assert is_behind.mean() == pytest.approx((one.light[..., 0] < 0.04).mean(), abs=0.01)
    assert one.light[is_behind].mean(axis=0) == pytest.approx(other.light[is_behind].mean(axis=0), rel=0.02)


def test_backends_agree_on_shadows(both: tuple[BlenderBackend, MitsubaBackend]) -> None:
    world = scene(placed(CUBE), lamps=(lamp((300.0, 0.0, 300.0), 40.0, 20.0),), ambient=(0.05,) * 3, samples=128)
    is_dark = [
        (each.light[..., 1] < 0.5 * np.median(each.light[..., 1])) & (each.ids == NOTHING)
        for each in rendered(both, world)
    ]
    assert is_dark[0].sum() > 50
    assert (is_dark[0] & is_dark[1]).sum() > 0.9 * (is_dark[0] | is_dark[1]).sum()
