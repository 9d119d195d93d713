"""One picture from its number: the same bytes wherever and whenever it is rendered."""

from __future__ import annotations

import io
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from sorter.render import picture as picture_module
from sorter.render.backends.protocol import NOTHING, Rendered
from sorter.render.errors import BackendMissing, GeometryRefused, RenderRefused
from sorter.render.others import choose_others
from sorter.render.picture import Failed, PictureJob, Workshop, attempt, fingerprint, picture_of, render_picture
from sorter.render.projection import placed_corners_mm, project
from sorter.render.recipe import read_scene_recipe
from sorter.render.settings import RenderSettings
from tests.unit.sorter.render.small_library import NUMBERS, small_library, small_scene
from tests.unit.sorter.render.solids import box_mesh, box_stock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.render.mesh import PartMesh
    from sorter.render.world import Scene


class Outlines:
    """Paints each part's outline over those before it, in its colour."""

    name = "outlines 1"

    def __init__(self) -> None:
        self.at_once = 0
        self.most_at_once = 0

    def render(self, scene: Scene, meshes: Mapping[str, PartMesh]) -> Rendered:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        size = (scene.camera.height_px, scene.camera.width_px)
        light, ids = np.full((*size, 3), 0.3, np.float32), np.full(size, NOTHING, np.int16)
        for number, part in enumerate(scene.parts):
            corners = project(scene.camera, placed_corners_mm(part, meshes[part.mesh].corners_mm).reshape(-1, 3))
            outline = cv2.convexHull(np.rint(corners).astype(np.int32))
            painted = np.zeros(size, np.uint8)
            cv2.fillConvexPoly(painted, outline, 1)
            ids[painted > 0] = number
            light[painted > 0] = part.reflectance
        threading.Event().wait(0.01)
        self.at_once -= 1
        return Rendered(light, ids)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_library(tmp_path_factory.mktemp("library") / "ldraw")


@pytest.fixture
def job(library: Path, tmp_path: Path) -> PictureJob:
    scene = read_scene_recipe(small_scene(tmp_path / "scene.toml"))
    designs = (("3001", "3001"), ("3003", "3003"), ("other", "3062b"))
    return PictureJob(
        str(library), RenderSettings(designs=designs, seed=3, parts=(1, 3), backend="mitsuba", scene=scene)
    )


@pytest.fixture
def outlines(monkeypatch: pytest.MonkeyPatch) -> Outlines:
    made = Outlines()
    picture_module._workshop.cache_clear()
    monkeypatch.setattr(picture_module, "_backend", lambda _: made)
    yield made
    picture_module._workshop.cache_clear()


def test_a_picture_and_its_labels_fit_each_other(job: PictureJob) -> None:
    names = ("3001", "3003", "other")
    workshop = Workshop(Outlines(), box_stock(*names), "00")
    counts = set()
    for number in range(12):
        made = picture_of(workshop, job.settings, number)
        with Image.open(io.BytesIO(made.jpeg)) as image:
            assert (image.format, image.size) == ("JPEG", (made.labels.width_px, made.labels.height_px))
        assert made.labels.path == f"pictures/{number:05d}.jpg"
        assert made.labels.parts
        assert {part.class_name for part in made.labels.parts} <= {*names}
        assert all(part.visible > 0 and part.pose == "up" for part in made.labels.parts)
        counts.add(len(made.labels.parts))
    assert counts == {1, 2, 3}


def test_neither_order_nor_process_changes_a_picture(job: PictureJob, outlines: Outlines) -> None:
    forwards = [render_picture(job, number) for number in range(4)]
    picture_module._workshop.cache_clear()
    again = pickle.loads(pickle.dumps(job))
    assert [render_picture(again, number) for number in reversed(range(4))] == forwards[::-1]
    assert len({each.jpeg for each in forwards}) == 4
    other_seed = PictureJob(job.library, job.settings.model_copy(update={"seed": 4}))
    assert render_picture(other_seed, 0).jpeg != forwards[0].jpeg


def test_threads_of_one_worker_take_turns_with_its_renderer(job: PictureJob, outlines: Outlines) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda number: render_picture(job, number), range(6)))
    assert outlines.most_at_once == 1
    assert picture_module._workshop.cache_info().misses == 1
    assert [each.number for each in made] == [*range(6)]


def test_what_cannot_be_rendered_comes_back_as_words(job: PictureJob, outlines: Outlines) -> None:
    lost = PictureJob(str(Path(job.library) / "none"), job.settings)
    with pytest.raises(GeometryRefused):
        render_picture(lost, 0)
    failed = pickle.loads(pickle.dumps(attempt(render_picture, lost, 0)))
    assert isinstance(failed, Failed)
    assert "none: cannot be read as an LDraw library" in str(failed.error())
    assert type(failed.error()) is RenderRefused

    def missing(job: PictureJob, number: int) -> None:
        raise BackendMissing("no renderer", remedy="Install one.")

    assert type(attempt(missing, job, 0).error()) is BackendMissing


def test_a_fingerprint_tells_libraries_apart_and_nothing_else() -> None:
    stock = box_stock("3001", "3003")
    assert fingerprint(stock) == fingerprint(box_stock("3001", "3003"))
    first = stock.designs[0]
    nudged = replace(first.mesh, corners_mm=first.mesh.corners_mm + 1e-9)
    assert fingerprint(replace(stock, designs=(replace(first, mesh=nudged), stock.designs[1]))) == fingerprint(stock)
    larger = box_mesh((16.1, 16.0, 9.6), "3001")
    assert fingerprint(replace(stock, designs=(replace(first, mesh=larger), stock.designs[1]))) != fingerprint(stock)
    assert fingerprint(replace(stock, colours={"Red": (0.5, 0.0, 0.0)})) != fingerprint(stock)


def test_other_parts_are_of_no_class_and_chosen_alike_each_time(library: Path, job: PictureJob) -> None:
    scene = job.settings.scene
    chosen = choose_others(library, scene, 4, seed=1, without=["3001", "3039"])
    assert chosen == ("3003", "3004", "3062b", "3068")  # 3001p01 is 3001 with a print, 3665 is 3039 today
    assert choose_others(library, scene, 4, seed=1, without=["3001", "3039"]) == chosen
    draws = {choose_others(library, scene, 2, seed=seed) for seed in range(8)}
    assert len(draws) > 2
    assert {number for each in draws for number in each} <= {*NUMBERS} - {"3001p01", "3039"}
    with pytest.raises(RenderRefused, match="has 4 other designs"):
        choose_others(library, scene, 5, seed=1, without=["3001", "3039"])
    short = scene.model_copy(update={"parts": scene.parts.model_copy(update={"longest_mm": 17.0})})
    assert "3001" not in choose_others(library, short, 4, seed=1)


def test_mitsuba_makes_the_same_picture_twice(job: PictureJob) -> None:
    pytest.importorskip("mitsuba", reason="Mitsuba is not installed")
    picture_module._workshop.cache_clear()
    one = render_picture(job, 1)
    picture_module._workshop.cache_clear()
    assert render_picture(job, 1) == one
    assert one.backend.startswith("mitsuba ")
    assert one.labels.parts
    picture_module._workshop.cache_clear()
