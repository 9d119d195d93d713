from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from sorter.render.backends import llvm
from sorter.render.backends.llvm import find_llvm
from sorter.render.backends.mitsuba import MitsubaBackend
from sorter.render.backends.protocol import NOTHING
from sorter.render.errors import BackendMissing
from sorter.render.projection import placed_corners_mm, project
from sorter.render.world import Table
from tests.unit.sorter.render.solids import box_mesh, camera, lamp, placed, scene

pytest.importorskip("mitsuba", reason="Mitsuba is not installed")

BRICK = box_mesh((32.0, 16.0, 9.6), "brick")
CUBE = box_mesh((10.0, 10.0, 10.0), "cube")
MESHES = {"brick": BRICK, "cube": CUBE}


@pytest.fixture(
    params=[
        "scalar_rgb",
        pytest.param("llvm_ad_rgb", marks=pytest.mark.skipif(find_llvm() is None, reason="no LLVM 17 or newer here")),
    ]
)
def backend(request: pytest.FixtureRequest) -> MitsubaBackend:
    return MitsubaBackend(request.param)


def box_of(ids: np.ndarray, number: int) -> np.ndarray:
    rows, columns = np.nonzero(ids == number)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.mark.parametrize("yaw_deg", [0.0, 30.0, 100.0])
@pytest.mark.parametrize("roll_deg", [0.0, 12.0])
def test_parts_are_where_the_pinhole_says(backend: MitsubaBackend, yaw_deg: float, roll_deg: float) -> None:
    part = placed(BRICK, x_mm=6.0, y_mm=-3.0, yaw_deg=yaw_deg)
    view = camera(roll_deg=roll_deg)
    seen = backend.render(scene(part, camera=view, samples=1), MESHES)
    corners = project(view, placed_corners_mm(part, BRICK.corners_mm).reshape(-1, 3))
    expected = np.concatenate((corners.min(axis=0), corners.max(axis=0)))
    assert np.abs(box_of(seen.ids, 0) - expected).max() <= 1.0


def test_light_shows_the_part_where_its_ids_are(backend: MitsubaBackend) -> None:
    part = placed(BRICK, x_mm=8.0, y_mm=5.0, yaw_deg=20.0, reflectance=(0.0, 0.0, 0.0), roughness=0.5)
    seen = backend.render(scene(part, samples=32), MESHES)
    is_part = seen.ids == 0
    assert seen.light[is_part].mean() < 0.3 * seen.light[~is_part].mean()
    dark = seen.light.mean(axis=2) < 0.5 * np.median(seen.light)
    assert (dark & is_part).sum() > 0.9 * is_part.sum()


def test_the_nearer_part_hides_the_other(backend: MitsubaBackend) -> None:
    front, back = placed(BRICK, y_mm=-12.0), placed(CUBE, y_mm=6.0)
    both = backend.render(scene(back, front, samples=1), MESHES).ids
    alone = backend.render(scene(back, samples=1), MESHES).ids
    assert set(np.unique(both)) == {NOTHING, 0, 1}
    assert 0 < (both == 0).sum() < (alone == 0).sum()


def test_part_over_the_edge_of_the_picture(backend: MitsubaBackend) -> None:
    ids = backend.render(scene(placed(BRICK, x_mm=48.0), samples=1), MESHES).ids
    assert box_of(ids, 0)[2] == 120
    none = backend.render(scene(placed(BRICK, x_mm=150.0), samples=1), MESHES).ids
    assert (none == NOTHING).all()


def test_lamp_is_as_bright_as_it_says(backend: MitsubaBackend) -> None:
    white = Table(radius_mm=500.0, reflectance=(1.0, 1.0, 1.0), gloss=0.0, surround=(0.0, 0.0, 0.0))
    above = lamp((0.0, 0.0, 1000.0), radiance=100.0, radius_mm=50.0)
    seen = backend.render(scene(lamps=(above,), ambient=(0.0, 0.0, 0.0), table=white, samples=64), MESHES)
    assert seen.light[40:60, 50:70].mean() == pytest.approx(100.0 * 50.0**2 / 1000.0**2, rel=0.03)


def test_past_the_table_is_the_surround(backend: MitsubaBackend) -> None:
    small = Table(radius_mm=20.0, reflectance=(0.8, 0.8, 0.8), gloss=0.4, surround=(0.02, 0.03, 0.04))
    seen = backend.render(scene(table=small, samples=4), MESHES)
    assert seen.light[2, 2] == pytest.approx([0.02, 0.03, 0.04], rel=1e-3)


def test_fixed_colours_are_taken_from_the_scene(backend: MitsubaBackend) -> None:
    printed = box_mesh((32.0, 16.0, 9.6), "printed", colour=4)
    part = placed(printed, reflectance=(0.9, 0.9, 0.9))
    seen = backend.render(scene(part, colours={4: (0.8, 0.0, 0.0)}, samples=16), {"printed": printed})
    red, green, _ = seen.light[seen.ids == 0].mean(axis=0)
    assert red > 3 * green
    with pytest.raises(KeyError):
        backend.render(scene(part, samples=1), {"printed": printed})


def test_the_same_scene_is_the_same_picture(backend: MitsubaBackend) -> None:
    part = placed(BRICK, yaw_deg=40.0)
    lamps = (lamp((100.0, -50.0, 300.0), 40.0),)
    one, again = (backend.render(scene(part, lamps=lamps), MESHES) for _ in range(2))
    assert np.array_equal(one.light, again.light)
    assert np.array_equal(one.ids, again.ids)
    other = backend.render(scene(part, lamps=lamps, seed=2), MESHES)
    assert not np.array_equal(one.light, other.light)


@pytest.mark.skipif(find_llvm() is None, reason="no LLVM 17 or newer here")
def test_variants_agree() -> None:
    part = placed(BRICK, yaw_deg=40.0)
    world = scene(part, lamps=(lamp((100.0, -50.0, 300.0), 40.0),), samples=64)
    fast, plain = (MitsubaBackend(variant).render(world, MESHES) for variant in ("llvm_ad_rgb", "scalar_rgb"))
    assert np.mean(fast.ids != plain.ids) < 1e-3
    assert fast.light.mean() == pytest.approx(plain.light.mean(), rel=0.01)


def test_without_llvm_it_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("sorter.render.backends.mitsuba.find_llvm", lambda: None)
    with caplog.at_level(logging.WARNING):
        assert MitsubaBackend().name.startswith("mitsuba scalar ")
    assert "libllvm19" in caplog.text
    with pytest.raises(BackendMissing, match="LLVM 17"):
        MitsubaBackend("llvm_ad_rgb")


def test_the_newest_llvm_that_works_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(llvm.PATH_VARIABLE, raising=False)
    assert find_llvm((str(tmp_path),)) is None
    for name in ("libLLVM-15.so.1", "libLLVM-18.so.1", "libLLVM.so.20.1", "libLLVM-C.so"):
        (tmp_path / name).touch()
    assert find_llvm((str(tmp_path),)) == tmp_path / "libLLVM.so.20.1"
    monkeypatch.setenv(llvm.PATH_VARIABLE, "/opt/own/libLLVM.so")
    assert find_llvm((str(tmp_path),)) == Path("/opt/own/libLLVM.so")
