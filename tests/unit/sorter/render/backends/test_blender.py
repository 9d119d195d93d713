from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from sorter.render.backends.blender import BlenderBackend
from sorter.render.backends.protocol import NOTHING
from sorter.render.errors import BackendMissing, RenderRefused
from sorter.render.mesh import PartMesh
from sorter.render.projection import placed_corners_mm
from sorter.render.world import Camera, Lamp, Table
from tests.unit.sorter.render.solids import box_mesh, camera, lamp, placed, scene

BRICK = box_mesh((32.0, 16.0, 9.6), "brick")
CUBE = box_mesh((10.0, 10.0, 10.0), "cube")
MESHES = {"brick": BRICK, "cube": CUBE}
DARK = (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def backend() -> BlenderBackend:
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("Blender's module bpy is not installed")
    return BlenderBackend()


def pinhole(view: Camera, point_mm: np.ndarray) -> tuple[float, float]:
    """Where the point is in the picture, px, by similar triangles; its own words, not those of the code."""
    eye = np.array(view.position_mm)
    forward = (np.array(view.target_mm) - eye) / np.linalg.norm(np.array(view.target_mm) - eye)
    right = np.array([forward[1], -forward[0], 0.0]) / np.hypot(forward[0], forward[1])
    up = np.cross(right, forward)
    seen = point_mm - eye
    focal_px = 0.5 * view.width_px / np.tan(np.radians(view.fov_deg) / 2)
    x, y = focal_px * (seen @ right) / (seen @ forward), focal_px * (seen @ up) / (seen @ forward)
    turn = np.radians(view.roll_deg)  # counter-clockwise, with y up
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    return view.width_px / 2 + x, view.height_px / 2 - y


def box_of(where: np.ndarray) -> np.ndarray:
    """Left, top, right, bottom in px."""
    rows, columns = np.nonzero(where)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("yaw_deg", [0.0, 30.0, 100.0])
@pytest.mark.parametrize("roll_deg", [0.0, 12.0])
def test_parts_are_where_the_pinhole_says(backend: BlenderBackend, yaw_deg: float, roll_deg: float) -> None:
    part = placed(BRICK, x_mm=9.0, y_mm=-5.0, yaw_deg=yaw_deg, reflectance=DARK, roughness=0.5)
    view = camera(roll_deg=roll_deg, position_mm=(30.0, -120.0, 90.0), width_px=160, height_px=110)
    table = Table(radius_mm=1000.0, reflectance=(0.8, 0.8, 0.8), gloss=0.0, surround=DARK)
    seen = backend.render(scene(part, camera=view, table=table), MESHES)
    corners = np.array([pinhole(view, each) for each in placed_corners_mm(part, BRICK.corners_mm).reshape(-1, 3)])
    expected = np.concatenate((corners.min(axis=0), corners.max(axis=0)))
    # At the foot of the black part the table is half as bright.
    by_ids, by_light = box_of(seen.ids == 0), box_of(seen.light[..., 1] < 0.35 * np.median(seen.light))
    assert np.abs(by_ids - expected).max() <= 1.0
    assert np.abs(by_light - expected).max() <= 1.5


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_picture_is_neither_mirrored_nor_upside_down(backend: BlenderBackend) -> None:
    right, near, away = placed(CUBE, x_mm=25.0), placed(CUBE, y_mm=-25.0), placed(CUBE, x_mm=-25.0, y_mm=15.0)
    ids = backend.render(scene(right, near, away, samples=1), MESHES).ids
    middles = [np.argwhere(ids == number).mean(axis=0) for number in range(3)]
    assert middles[0][1] > 70
    assert middles[1][0] > 60
    assert middles[2][0] < 50
    assert middles[2][1] < 50
    # Counter-clockwise from above: the end that pointed right comes to lie farther away, higher in the picture.
    turned = backend.render(scene(placed(BRICK, yaw_deg=30.0), samples=1), MESHES).ids
    is_at = np.argwhere(turned == 0)
    assert is_at[is_at[:, 1] > 70][:, 0].mean() < is_at[is_at[:, 1] < 50][:, 0].mean()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_nearer_part_hides_the_other(backend: BlenderBackend) -> None:
    front, back = placed(BRICK, y_mm=-12.0), placed(CUBE, y_mm=4.0)
    both = backend.render(scene(back, front, samples=1), MESHES).ids
    alone = [backend.render(scene(each, samples=1), MESHES).ids == 0 for each in (back, front)]
    assert both.dtype == np.int16
    assert np.array_equal(both == 1, alone[1])
    assert np.array_equal(both == 0, alone[0] & ~alone[1])
    assert (alone[0] & alone[1]).any()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_part_over_the_edge_of_the_picture_or_around_the_camera(backend: BlenderBackend) -> None:
    ids = backend.render(scene(placed(BRICK, x_mm=48.0), samples=1), MESHES).ids
    assert box_of(ids == 0)[2] == 120
    for far in (placed(BRICK, x_mm=150.0), placed(BRICK, y_mm=-200.0, z_mm=150.0)):
        assert (backend.render(scene(far, samples=1), MESHES).ids == NOTHING).all()
    hall = box_mesh((400.0, 400.0, 400.0), "hall")
    assert (backend.render(scene(placed(hall), samples=1), {"hall": hall}).ids == 0).all()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_lamp_is_as_bright_as_it_says(backend: BlenderBackend) -> None:
    white = Table(radius_mm=500.0, reflectance=(1.0, 1.0, 1.0), gloss=0.0, surround=DARK)
    above = lamp((0.0, 0.0, 1000.0), radiance=100.0, radius_mm=50.0)
    seen = backend.render(scene(lamps=(above,), ambient=DARK, table=white, samples=64), MESHES)
    # The projected solid angle of a disc straight above is π r² / (r² + d²).
    assert seen.light[40:60, 50:70].mean() == pytest.approx(100.0 * 50.0**2 / (50.0**2 + 1000.0**2), rel=0.02)
    aslant = Lamp((600.0, 0.0, 800.0), (0.0, 0.0, 0.0), 20.0, (100.0, 50.0, 0.0))
    seen = backend.render(scene(lamps=(aslant,), ambient=DARK, table=white, samples=64), MESHES)
    level = 100.0 * 20.0**2 / 1000.0**2 * 0.8
    assert seen.light[45:55, 55:65].mean(axis=(0, 1)) == pytest.approx([level, level / 2, 0.0], rel=0.02)
    away = Lamp((0.0, 0.0, 1000.0), (0.0, 0.0, 2000.0), 50.0, (100.0, 100.0, 100.0))
    assert backend.render(scene(lamps=(away,), ambient=DARK, table=white), MESHES).light.max() == 0.0


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_ambient_light_and_surround(backend: BlenderBackend) -> None:
    small = Table(radius_mm=20.0, reflectance=(0.8, 0.6, 0.4), gloss=0.0, surround=(0.02, 0.03, 0.04))
    seen = backend.render(scene(table=small, samples=16), MESHES).light
    assert seen[50, 60] == pytest.approx([0.4, 0.3, 0.2], rel=0.01)
    assert seen[2, 2] == pytest.approx([0.02, 0.03, 0.04], rel=1e-3)
    assert seen.dtype == np.float32


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_glossy_table_mirrors_the_lamp(backend: BlenderBackend) -> None:
    mirrored = lamp((0.0, 240.0, 200.0), radiance=20.0)
    light = [
        backend.render(scene(lamps=(mirrored,), table=Table(80.0, (0.5, 0.5, 0.5), gloss, DARK), samples=64), MESHES)
        for gloss in (0.0, 1.0)
    ]
    middle = [each.light[45:55, 55:65].mean() for each in light]
    assert middle[1] > 1.2 * middle[0]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_fixed_colours_are_taken_from_the_scene(backend: BlenderBackend) -> None:
    colours = np.array([4] * 6 + [16] * 6, np.int32)
    printed = PartMesh("printed", BRICK.corners_mm, BRICK.normals, colours)
    part = placed(printed, reflectance=(0.0, 0.8, 0.0))
    seen = backend.render(scene(part, colours={4: (0.8, 0.0, 0.0)}), {"printed": printed})
    share = seen.light[seen.ids == 0]
    assert (share[:, 0] > 3 * share[:, 1]).any()
    plain = backend.render(scene(placed(BRICK, reflectance=(0.0, 0.8, 0.0))), MESHES)
    red, green, _ = plain.light[plain.ids == 0].mean(axis=0)
    assert green > 3 * red
    with pytest.raises(KeyError):
        backend.render(scene(part, samples=1), {"printed": printed})
    with pytest.raises(KeyError):
        backend.render(scene(part, samples=1), MESHES)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_normals_of_the_mesh_are_those_that_shine(backend: BlenderBackend) -> None:
    """A flat face whose normals lean to the lamp is brighter than one whose normals lean away."""
    lit = lamp((300.0, 0.0, 300.0), radiance=20.0)
    level = {}
    for lean in (-0.7, 0.7):
        normals = BRICK.normals + np.array([lean, 0.0, 0.0]) * (BRICK.normals[..., 2:] > 0.5)
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        leaning = PartMesh("brick", BRICK.corners_mm, normals, BRICK.colours)
        seen = backend.render(scene(placed(leaning), lamps=(lit,), ambient=DARK, samples=32), {"brick": leaning})
        level[lean] = seen.light[seen.ids == 0].mean()
    assert level[0.7] > 1.5 * level[-0.7]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_triangle_without_area_is_passed_over(backend: BlenderBackend) -> None:
    flat = np.zeros((1, 3, 3)) + BRICK.corners_mm[0, 0]
    spoilt = PartMesh(
        "brick",
        np.concatenate((flat, BRICK.corners_mm)),
        np.concatenate((BRICK.normals[:1], BRICK.normals)),
        np.concatenate((BRICK.colours[:1], BRICK.colours)),
    )
    seen = backend.render(scene(placed(spoilt, yaw_deg=20.0)), {"brick": spoilt})
    whole = backend.render(scene(placed(BRICK, yaw_deg=20.0)), MESHES)
    assert np.array_equal(seen.ids, whole.ids)
    assert np.array_equal(seen.light, whole.light)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_same_scene_is_the_same_picture(backend: BlenderBackend) -> None:
    part = placed(BRICK, yaw_deg=40.0)
    lamps = (lamp((100.0, -50.0, 300.0), 40.0),)
    one = backend.render(scene(part, lamps=lamps), MESHES)
    other = backend.render(scene(part, lamps=lamps, seed=2), MESHES)
    again = BlenderBackend(threads=1).render(scene(part, lamps=lamps), MESHES)
    assert np.array_equal(one.light, again.light)
    assert np.array_equal(one.ids, again.ids)
    assert not np.array_equal(one.light, other.light)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_many_pictures_in_one_process_do_not_fill_the_memory(backend: BlenderBackend) -> None:
    fine = 4000
    corners = np.random.default_rng(1).uniform(-8.0, 8.0, (fine, 3, 3))
    normals = np.tile((0.0, 0.0, 1.0), (fine, 3, 1))
    cloud = PartMesh("cloud", corners, normals, np.full(fine, 16, np.int32))

    def render(count: int) -> None:
        for seed in range(count):
            backend.render(scene(placed(cloud), samples=1, seed=seed), {"cloud": cloud})

    render(10)
    before = psutil.Process().memory_info().rss
    render(40)
    # What stays behind of one scene is a megabyte or more.
    assert psutil.Process().memory_info().rss - before < 20 * 2**20


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_blender_does_not_write_between_the_programs_lines(backend: BlenderBackend, checkout: Path) -> None:
    program = (
        "from sorter.render.backends.blender import BlenderBackend\n"
        "from tests.unit.sorter.render.solids import *\n"
        "brick = box_mesh((32.0, 16.0, 9.6))\n"
        "print('begun')\n"
        "backend = BlenderBackend()\n"
        "backend.render(scene(placed(brick), samples=1), {'box': brick})\n"
        "print(backend.name)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    assert ended.stdout == f"begun\n{backend.name}\n"
    assert backend.name.startswith("blender cycles ")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_full_disk_is_an_error_and_not_a_black_picture(backend: BlenderBackend) -> None:
    world = scene(placed(BRICK), samples=1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(RenderRefused, match="Blender did not render the picture"):
            backend.render(world, MESHES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert backend.render(world, MESHES).light.mean() > 0.1


def test_without_blender_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bpy", None)
    with pytest.raises(BackendMissing, match="bpy cannot be imported") as refused:
        BlenderBackend()
    assert "pip install 'turntable-sorter[blender]'" in refused.value.remedy
    assert "3.11" in refused.value.remedy


def test_a_library_that_blender_misses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = "libSM.so.6: cannot open shared object file: No such file or directory"
    (tmp_path / "bpy.py").write_text(f"raise ImportError({message!r})\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "bpy", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendMissing, match="libSM") as refused:
        BlenderBackend()
    assert refused.value.remedy.startswith("Install the system's libSM.so.6 ")
    assert "libsm6" in refused.value.remedy


def test_the_programs_own_words_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bpy.py").write_text("import os\nos.write(1, b'chatter')\nraise ImportError\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "bpy", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    print("before")
    with pytest.raises(BackendMissing):
        BlenderBackend()
    print("after")
    assert capfd.readouterr().out == "before\nafter\n"
