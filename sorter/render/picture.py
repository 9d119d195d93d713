"""One picture from its number: what a worker does, again and again, in a process of its own.

The renderer, the library's meshes and their poses are made once per process and kept. Nothing is written here.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.errors import SorterError
from sorter.render.draw import draw_scene
from sorter.render.errors import BackendMissing, RenderRefused
from sorter.render.finish import finish, jpeg
from sorter.render.labels import labels_from_ids
from sorter.render.load import load_stock
from sorter.render.settings import OTHER
from sorter.render.silhouette import silhouette_px

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.dataset.labels import PictureLabels
    from sorter.render.backends.protocol import Backend
    from sorter.render.settings import BackendName, RenderSettings
    from sorter.render.stock import Stock

PICTURES = "pictures"

_THREADS = 1
"""Of a renderer in a worker: there is a worker for each core already."""
_one_at_a_time = threading.Lock()  # a Dask worker may have several threads, and renderers keep one world per process


@dataclass(frozen=True)
class PictureJob:
    """What a worker has to know to render any picture of a folder; small, and goes from process to process.

    Args:
        library: the LDraw library's folder, absolute, as the worker sees it.
        settings: what the pictures show.
    """

    library: str
    settings: RenderSettings


@dataclass(frozen=True)
class RenderedPicture:
    """A picture and what is on it.

    Args:
        number: from 0.
        jpeg: the bytes of its file.
        labels: with the path that it has to have.
        backend: what rendered it, with its version.
        geometry: see ``fingerprint``.
    """

    number: int
    jpeg: bytes
    labels: PictureLabels
    backend: str
    geometry: str


@dataclass(frozen=True)
class Failed:
    """An error that an operator can act on, on its way between processes; exceptions may not survive that."""

    is_backend_missing: bool
    message: str
    remedy: str

    def error(self) -> RenderRefused:
        """It again."""
        made = BackendMissing if self.is_backend_missing else RenderRefused
        return made(self.message, remedy=self.remedy)


@dataclass(frozen=True, eq=False)
class Workshop:
    """What is made once per process."""

    backend: Backend
    stock: Stock
    geometry: str


def picture_path(number: int) -> str:
    """Where a picture stands in its folder."""
    return f"{PICTURES}/{number:05d}.jpg"


def attempt(
    work: Callable[[PictureJob, int], RenderedPicture], job: PictureJob, number: int
) -> RenderedPicture | Failed:
    """Do the work, and give back what went wrong instead of raising it."""
    try:
        return work(job, number)
    except SorterError as error:
        return Failed(isinstance(error, BackendMissing), error.message, error.remedy)


def render_picture(job: PictureJob, number: int) -> RenderedPicture:
    """Draw, render, finish and label picture ``number``: the same bytes wherever and whenever it is done.

    Raises:
        BackendMissing: the renderer is not installed here.
        RenderRefused: the library cannot give a design, or the renderer gave up.
    """
    with _one_at_a_time:
        return picture_of(_workshop(job), job.settings, number)


@lru_cache(maxsize=1)
def _workshop(job: PictureJob) -> Workshop:
    stock = load_stock(Path(job.library), job.settings.designs, job.settings.scene)
    return Workshop(_backend(job.settings.backend), stock, fingerprint(stock))


def _backend(name: BackendName) -> Backend:
    """A renderer that keeps to one thread: Mitsuba through ``drjit.set_thread_count``, Blender by its own setting."""
    if name == "blender":
        from sorter.render.backends.blender import BlenderBackend  # noqa: PLC0415  (heavy, and in an extra)

        return BlenderBackend(threads=_THREADS)
    from sorter.render.backends.mitsuba import MitsubaBackend  # noqa: PLC0415

    return MitsubaBackend(threads=_THREADS)


def picture_of(workshop: Workshop, settings: RenderSettings, number: int) -> RenderedPicture:
    """As ``render_picture``, with what was made already."""
    scene = draw_scene(
        settings.scene,
        workshop.stock,
        settings.seed,
        number,
        parts=settings.parts,
        views=settings.views,
        apart=None if settings.other_share is None else (OTHER, settings.other_share),
    )
    meshes = workshop.stock.meshes
    rendered = workshop.backend.render(scene, {part.mesh: meshes[part.mesh] for part in scene.parts})
    silhouettes_px = [silhouette_px(scene.camera, part, meshes[part.mesh]) for part in scene.parts]
    rgb = finish(rendered.light, scene.finish, seed=scene.seed)
    return RenderedPicture(
        number=number,
        jpeg=jpeg(rgb, scene.finish.jpeg_quality),
        labels=labels_from_ids(picture_path(number), scene, rendered.ids, silhouettes_px),
        backend=workshop.backend.name,
        geometry=workshop.geometry,
    )


def fingerprint(stock: Stock) -> str:
    """16 hexadecimal digits that are the same for the same meshes and poses, on every machine.

    Corners are taken to 0.01 mm: machines differ in the last bits of a product.
    """
    digest = hashlib.sha256()
    for design in stock.designs:
        digest.update(repr((design.class_name, design.mesh.name, [pose.name for pose in design.poses])).encode())
        digest.update(design.mesh.colours.astype("<i4").tobytes())
        # Off the grid of LDraw's coordinates, so that none of them lies where rounding may go either way.
        digest.update(np.rint((design.mesh.corners_mm + 0.00337) * 100.0).astype("<i8").tobytes())
    digest.update(repr([(name, [round(level, 4) for level in rgb]) for name, rgb in stock.colours.items()]).encode())
    return digest.hexdigest()[:16]
