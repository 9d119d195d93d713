"""Sprites show a part as the renderer does, and a folder of them is made once and gone on with."""

from __future__ import annotations

import io
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from sorter.render.backends.protocol import Rendered
from sorter.render.errors import FolderRefused, RenderRefused
from sorter.render.mesh import PartMesh
from sorter.render.picture import Failed
from sorter.render.poses import RestingPose, resting_poses
from sorter.render.recipe import read_scene_recipe
from sorter.render.sprite_notice import origin
from sorter.render.sprite_planes import covered_by, filled, planes, smooth_surface
from sorter.render.sprite_recipe import FINER, SpriteRecipe, lying, middle, studio
from sorter.render.sprite_sheets import BakedPose, bake_pose, fold
from sorter.render.sprites import KNOWN, UNKNOWN, SpriteJob, bake_sprites, known_design
from sorter.render.stock import Design
from sorter.twin.compose import PlacedSprite, compose
from sorter.twin.eye import Eye
from sorter.twin.sprite_files import Sprites, load_sprites
from sorter.types.sprites import SpriteCells, SpriteDesign, SpriteFile, SpritePose, SpriteSet
from tests.unit.sorter.render.solids import box_mesh, upright

if TYPE_CHECKING:
    from sorter.render.backends.protocol import Backend
    from sorter.render.world import Scene

LIBRARY = str(Path("tests/data/ldraw").resolve())
QUICK = SpriteRecipe(yaw_step_deg=45.0, samples=4)


def box(size_mm: tuple[float, float, float]) -> tuple[Design, RestingPose]:
    mesh = box_mesh(size_mm)
    design = Design("box", mesh, resting_poses(mesh))
    up = RestingPose("up", np.eye(3), 1.0, size_mm[2], size_mm[2] / 2, 1.0, "volume")
    return design, up


@pytest.mark.parametrize(("size_mm", "turns"), [((8.0, 8.0, 5.0), 4), ((16.0, 8.0, 5.0), 2)])
def test_what_looks_the_same_is_rendered_once(size_mm: tuple[float, float, float], turns: int) -> None:
    design, up = box(size_mm)
    assert fold(design, up, 36) == turns
    assert fold(design, up, 9) == 1


def test_a_part_with_one_stud_looks_different_from_all_sides() -> None:
    base, stud = box_mesh((16.0, 8.0, 5.0)), box_mesh((4.0, 4.0, 4.0))
    mesh = PartMesh(
        "odd",
        np.concatenate([base.corners_mm, stud.corners_mm + np.array([4.0, 0.0, 4.0])]),
        np.concatenate([base.normals, stud.normals]),
        np.concatenate([base.colours, stud.colours]),
    )
    assert fold(Design("odd", mesh, (upright(8.5),)), upright(8.5), 36) == 1


def test_the_light_is_the_middle_of_the_shipped_scene() -> None:
    recipe = read_scene_recipe()
    design, _ = box((8.0, 8.0, 8.0))
    scene = studio(QUICK, design).light
    assert scene.ambient[0] == pytest.approx(sum(recipe.ambient) / 2)
    assert len(scene.lamps) == len(recipe.lamps)
    assert all(red == green == blue for red, green, blue in (lamp.radiance for lamp in scene.lamps))
    assert len(set(scene.table.reflectance)) == 1
    assert middle(middle(recipe)) == middle(recipe)


def test_the_cameras_picture_is_cut_out_of_a_larger_one() -> None:
    design, up = box((16.0, 8.0, 5.0))
    room = studio(QUICK, design)
    part = lying(design, up, 30.0, 0.2)
    large, small = (covered_by(room.camera(size, size), part, design.mesh) for size in (160, 128))
    assert np.allclose(large[32:-32, 32:-32], small, atol=0.05)
    assert large.sum() == pytest.approx(small.sum(), rel=1e-3)


def test_planes_give_back_what_light_was_made_of() -> None:
    size = 24 * FINER
    covered = np.zeros((size, size), np.float32)
    covered[9:31, 8:33] = 1.0
    covered[8, 8:33] = 0.5
    bare = np.full((size, size), 1.0, np.float32) + np.linspace(0, 0.1, size, dtype=np.float32)[:, None]
    parts = [0.1 + own * 0.9 / (1 - own * 0.3) for own in (0.0, 0.4, 0.8)]
    table = [(0.7 + own * 0.2) * bare for own in (0.0, 0.4, 0.8)]
    light = np.dstack([covered * part + (1 - covered) * ground for part, ground in zip(parts, table, strict=True)])
    made = planes(light.astype(np.float32), bare, covered)
    assert np.allclose(made.gloss, 0.1, atol=1e-4)
    assert np.allclose(made.bounce, 0.3, atol=1e-3)
    assert np.allclose(made.diffuse, 0.9, atol=1e-3)
    assert np.allclose(made.shadow, 0.7, atol=1e-3)
    assert np.allclose(made.glow, 0.2, atol=1e-3)
    assert made.mask.sum() * FINER**2 == pytest.approx(covered.sum(), rel=1e-5)
    assert made.mask.max() == 1.0


def test_gaps_are_filled_from_what_is_near() -> None:
    values = np.zeros((33, 47), np.float32)
    weights = np.zeros_like(values)
    values[:, :5], weights[:, :5] = 1.0, 1.0
    values[:, -5:], weights[:, -5:] = 3.0, 0.5
    full = filled(values, weights)
    assert (full[:, :5] == 1.0).all()
    assert (full[:, -5:] == 3.0).all()
    assert full.min() >= 1.0
    assert full.max() <= 3.0
    assert (np.diff(full.mean(axis=0)) > -0.05).all()
    assert (filled(values, np.zeros_like(weights)) == 0.0).all()


def test_a_surface_is_smooth_and_where_the_values_are() -> None:
    down, across = np.mgrid[:40, :60]
    slope = (1 + 0.01 * across + 0.0002 * down**2).astype(np.float32)
    noisy = slope + np.random.default_rng(1).normal(0, 0.05, slope.shape).astype(np.float32)
    assert np.abs(smooth_surface(noisy) - slope).max() < 0.02


# Around the folder, with stand-ins for rendering.


@dataclass
class AtOnce:
    """Does the work when it is given."""

    done: list[tuple[str, int]] = field(default_factory=list)
    width: int = 1
    troubles: tuple[type[Exception], ...] = ()

    def submit(self, work, job, number, place):
        self.done.append((number, place))
        future: Future = Future()
        future.set_result(work(job, number, place))
        return future

    def explain(self, trouble: Exception) -> RenderRefused:
        raise AssertionError


@dataclass
class Listener:
    begun: list[tuple[int, int]] = field(default_factory=list)
    poses: int = 0

    def on_begin(self, done: int, count: int) -> None:
        self.begun.append((done, count))

    def on_pose(self) -> None:
        self.poses += 1


def stand_in(job: SpriteJob, number: str, place: int) -> BakedPose:
    """Sheets of nothing, for the real poses."""
    import hashlib

    pose = known_design(job.library, number, job.recipe.least_pose).design.poses[place]
    sheets = []
    for shade, mode in ((100, "RGBA"), (50 + place, "RGB")):
        file = io.BytesIO()
        Image.new(mode, (8, 8 if mode == "RGBA" else 16), (shade,) * len(mode)).save(file, "WEBP")
        sheets.append(file.getvalue())
    body, light = sheets
    cells = SpriteCells(8, 8, 4.0, 4.0)
    stem = f"{number}-{pose.name}"
    return BakedPose(
        SpritePose(
            name=pose.name,
            probability=round(pose.probability, 4),
            height_mm=pose.height_mm,
            outline_mm=((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)),
            views=1,
            columns=1,
            body=SpriteFile(f"{stem}-body.webp", hashlib.sha256(body).hexdigest()),
            light=SpriteFile(f"{stem}-light.webp", hashlib.sha256(light).hexdigest()),
            body_cells=cells,
            shadow_cells=cells,
        ),
        body,
        light,
        "stand-in 1",
    )


def refusing(job: SpriteJob, number: str, place: int) -> BakedPose | Failed:
    return stand_in(job, number, place) if number == "t1x2" else Failed(False, "no more", "Rest.")


def other_renderer(job: SpriteJob, number: str, place: int) -> BakedPose:
    return replace(stand_in(job, number, place), backend="stand-in 2")


def baked(out: Path, *wanted: tuple[str, str | None], work=stand_in, **changes) -> tuple[SpriteSet, AtOnce, Listener]:
    workers, listener = AtOnce(), Listener()
    job = SpriteJob(LIBRARY, wanted, replace(QUICK, **changes))
    made = bake_sprites(job, out, workers=workers, observer=listener, command="bake", work=work)
    return made, workers, listener


def test_a_baked_folder_can_be_loaded_and_tells_whose_parts_it_shows(tmp_path: Path) -> None:
    made, workers, listener = baked(tmp_path / "new" / "sprites", ("t2x4", "t2x4"), ("t1x2", None))
    sprites = load_sprites(tmp_path / "new" / "sprites")
    assert sprites.content == made
    assert [(design.number, design.class_name) for design in made.designs] == [("t1x2", None), ("t2x4", "t2x4")]
    assert made.design("t2x4").title == "Brick 2 x 4"
    assert listener.begun == [(0, len(workers.done))]
    assert listener.poses == len(workers.done) == sum(len(design.poses) for design in made.designs)
    notice = (tmp_path / "new" / "sprites" / "README.md").read_text(encoding="utf-8")
    assert "the tests" in made.attribution
    assert made.attribution in notice
    assert "| t1x2 |" in notice
    assert "bake" in notice


def test_what_is_there_is_not_rendered_again(tmp_path: Path) -> None:
    baked(tmp_path, ("t1x2", None))
    made, workers, _ = baked(tmp_path, ("t1x2", None), ("t2x4", None))
    assert {number for number, _ in workers.done} == {"t2x4"}
    again, workers, listener = baked(tmp_path, ("t1x2", None), ("t2x4", None))
    assert not workers.done
    assert listener.begun[0][0] == listener.begun[0][1] > 0
    assert again == made


def test_a_lost_sheet_is_rendered_again(tmp_path: Path) -> None:
    made, _, _ = baked(tmp_path, ("t1x2", None), ("t2x4", None))
    (tmp_path / made.design("t2x4").poses[0].light.name).unlink()
    _, workers, _ = baked(tmp_path, ("t1x2", None), ("t2x4", None))
    assert {number for number, _ in workers.done} == {"t2x4"}
    load_sprites(tmp_path)


def test_another_recipe_or_class_makes_new_sprites(tmp_path: Path) -> None:
    baked(tmp_path, ("t1x2", None))
    _, workers, _ = baked(tmp_path, ("t1x2", None), samples=9)
    assert workers.done
    _, workers, _ = baked(tmp_path, ("t1x2", "t1x2"), samples=9)
    assert workers.done


def test_sheets_that_belong_no_more_are_taken_away(tmp_path: Path) -> None:
    (tmp_path / "mine.webp").touch()
    baked(tmp_path, ("t1x2", None), ("t2x4", None))
    baked(tmp_path, ("t1x2", None))
    assert not list(tmp_path.glob("t2x4*"))
    assert (tmp_path / "mine.webp").exists()


def test_a_refused_design_leaves_the_finished_ones(tmp_path: Path) -> None:
    with pytest.raises(RenderRefused, match="no more"):
        baked(tmp_path, ("t1x2", None), ("t2x4", None), work=refusing)
    kept = SpriteSet.from_json((tmp_path / "sprites.json").read_bytes())
    assert [design.number for design in kept.designs] == ["t1x2"]
    load_sprites(tmp_path)
    _, workers, _ = baked(tmp_path, ("t1x2", None), ("t2x4", None))
    assert {number for number, _ in workers.done} == {"t2x4"}


def test_two_renderers_do_not_mix(tmp_path: Path) -> None:
    baked(tmp_path, ("t1x2", None))
    with pytest.raises(FolderRefused, match="sprites by stand-in 1, and here is stand-in 2"):
        baked(tmp_path, ("t1x2", None), ("t2x4", None), work=other_renderer)


def test_a_printed_part_is_refused() -> None:
    with pytest.raises(RenderRefused, match="fixed colours"):
        known_design(LIBRARY, "ttile", 0.04)


def test_authors_of_all_files_of_a_part_are_named(tmp_path: Path) -> None:
    from sorter.render.ldraw import Library

    (tmp_path / "parts").mkdir()
    (tmp_path / "p").mkdir()
    (tmp_path / "parts/1.dat").write_text(
        "0 ~Moved to 2\n0 Author: [PTadmin]\n0 !LICENSE Licensed under CC BY 4.0 : see CAreadme.txt\n\n"
        "1 16 0 0 0 1 0 0 0 1 0 0 0 1 2.dat\n"
    )
    (tmp_path / "parts/2.dat").write_text(
        "0 Brick\n0 Author: Ada Bee [ada]\n"
        "0 !LICENSE Licensed under CC BY 2.0 and CC BY 4.0 : see CAreadme.txt\n\n1 16 0 0 0 1 0 0 0 1 0 0 0 1 s.dat\n"
    )
    (tmp_path / "p/s.dat").write_text("0 Stud\n0 Author: Cy Dee\n\n3 16 0 0 0 1 0 0 0 1 0\n")
    found = origin(Library(tmp_path), ["1"])
    assert found.authors == ("Ada Bee", "Cy Dee")
    assert found.licences == ("CC BY 2.0", "CC BY 4.0")


def test_known_and_unknown_designs_are_ten_each() -> None:
    assert len(set(KNOWN)) == len(set(UNKNOWN)) == 10
    assert not set(KNOWN) & set(UNKNOWN)


def test_the_command_tells_what_it_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    import typer
    from typer.testing import CliRunner

    from sorter.cli.render_sprites import sprites
    from sorter.render import sprites as room

    def baked_here(job: SpriteJob, out: Path, **known) -> SpriteSet:
        few = replace(job, wanted=(("t1x2", None),))
        return bake_sprites(few, out, **{**known, "workers": AtOnce()}, work=stand_in)

    monkeypatch.setattr(room, "bake_sprites", baked_here)
    app = typer.Typer()
    app.command()(sprites)
    result = CliRunner().invoke(app, ["--ldraw", LIBRARY, "--out", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["designs"] == 1
    assert told["poses"] == told["views"] > 1
    assert told["bytes"] == sum(file.stat().st_size for file in (tmp_path / "out").glob("*.webp"))
    assert LIBRARY not in (tmp_path / "out/README.md").read_text(encoding="utf-8")


# With the renderer.

BOX, UP = box((15.0, 8.0, 6.0))
COARSE = SpriteRecipe(yaw_step_deg=60.0, samples=12)


class Empty:
    """A renderer that sees no part at all."""

    name = "empty 1"

    def render(self, scene: Scene, meshes: Mapping[str, PartMesh]) -> Rendered:
        size = (scene.camera.height_px, scene.camera.width_px)
        return Rendered(np.full((*size, 3), 0.5, np.float32), np.full(size, -1, np.int16))


def test_a_pose_is_packed_even_if_nothing_shades_the_table() -> None:
    made = bake_pose(Empty(), QUICK, *box((10.0, 10.0, 6.0)))
    assert made.pose.views == 2
    assert made.backend == "empty 1"
    for data, size in ((made.body, made.pose.body_size_px), (made.light, made.pose.light_size_px)):
        assert Image.open(io.BytesIO(data)).size == size


@pytest.fixture(scope="module")
def backend() -> Backend:
    pytest.importorskip("mitsuba", reason="Mitsuba is not installed")
    from sorter.render.backends.mitsuba import MitsubaBackend

    return MitsubaBackend(threads=1)


@pytest.fixture(scope="module")
def sprites(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Sprites:
    """Of a box that lies flat, each 60°."""
    folder = tmp_path_factory.mktemp("sprites")
    made = bake_pose(backend, COARSE, BOX, UP)
    (folder / made.pose.body.name).write_bytes(made.body)
    (folder / made.pose.light.name).write_bytes(made.light)
    design = SpriteDesign("box", "Box", None, "box", (made.pose,))
    content = SpriteSet(1, COARSE.camera, 60.0, COARSE.sha256, "test", made.backend, "the tests", (design,))
    (folder / "sprites.json").write_text(content.to_json(), encoding="utf-8")
    return load_sprites(folder)


@pytest.mark.parametrize(
    ("x_mm", "y_mm", "rgb"), [(0.0, 0.0, (0.02, 0.02, 0.02)), (7.0, -6.0, (0.9, 0.85, 0.8)), (-7.0, 5.0, (0.5, 0.1, 0))]
)
def test_a_composed_picture_looks_like_a_rendered_one(
    backend: Backend, sprites: Sprites, x_mm: float, y_mm: float, rgb: tuple[float, float, float]
) -> None:
    eye = Eye.of_sprites(COARSE.camera, 160, 128)
    yaw_deg = 60.0 - eye.azimuth_deg(x_mm, y_mm)  # just at a stored view: how coarse those are is not the question

    room = studio(COARSE, BOX)
    camera = replace(room.camera(160, 128), width_px=160, height_px=128)
    part = lying(BOX, UP, yaw_deg, COARSE.roughness)
    part = replace(part, reflectance=rgb, offset_mm=(x_mm, y_mm, part.offset_mm[2]))
    scene = replace(room.light, camera=camera, samples=32, parts=(part,))
    rendered = backend.render(scene, {"box": BOX.mesh})
    is_part = rendered.ids == 0
    bare = smooth_surface(backend.render(replace(scene, parts=()), {}).light.mean(axis=2))
    level = float(bare[64, 80])
    seen = rendered.light / level

    background = np.repeat(bare[..., None] / level, 3, axis=2)
    placed = PlacedSprite("box", "up", yaw_deg, x_mm, y_mm, rgb)
    shown = compose(background, [placed], light=(1.0, 1.0, 1.0), sprites=sprites, eye=eye)

    coarse_shown, coarse_seen = (each.reshape(32, 4, 40, 4, 3).mean(axis=(1, 3)) for each in (shown, seen))
    assert np.abs(coarse_shown - coarse_seen).mean() < 0.02  # means, so that noise is not what is compared
    assert np.abs(shown[is_part].mean(axis=0) - seen[is_part].mean(axis=0)).max() < 0.03
    beside = ~cv2.dilate(is_part.astype(np.uint8), np.ones((5, 5))).astype(bool)
    shadows = [cv2.GaussianBlur(each[..., 0], (0, 0), 2.0)[beside].min() for each in (shown, seen)]
    assert shadows[0] == pytest.approx(shadows[1], abs=0.06)
    assert shadows[0] < 0.75

    alone = compose(
        background * 0, [replace(placed, reflectance=(1.0,) * 3)], light=(1.0,) * 3, sprites=sprites, eye=eye
    )
    rows, columns = np.nonzero(is_part)
    expected = [columns.min(), rows.min(), columns.max(), rows.max()]
    rows, columns = np.nonzero(alone[..., 0] > 0.25)
    assert np.abs(np.subtract([columns.min(), rows.min(), columns.max(), rows.max()], expected)).max() <= 2
    is_laid = alone[..., 0] > 0.25
    assert (is_laid & is_part).sum() > 0.95 * (is_laid | is_part).sum()  # not its mirror image


def test_the_same_pose_gives_the_same_sheets(backend: Backend) -> None:
    design, up = box((10.0, 10.0, 6.0))
    recipe = replace(QUICK, yaw_step_deg=90.0, samples=1)
    first, second = (bake_pose(backend, recipe, design, up) for _ in range(2))
    assert first.pose.views == 1
    assert (first.body, first.light, first.pose) == (second.body, second.light, second.pose)
