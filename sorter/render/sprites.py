"""Bake sprites: every design in every resting pose from all around, into a folder that the twin composes from.

See ``sorter.types.sprites`` for what the files hold.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sorter.errors import SorterError
from sorter.render.backends.mitsuba import MitsubaBackend
from sorter.render.errors import BackendMissing, FolderRefused, RenderRefused
from sorter.render.ldraw import Library, PartReader
from sorter.render.mesh import MAIN_COLOUR
from sorter.render.picture import Failed, fingerprint
from sorter.render.poses import resting_poses
from sorter.render.sprite_notice import origin, readme
from sorter.render.sprite_recipe import SpriteRecipe
from sorter.render.sprite_sheets import BakedPose, bake_pose
from sorter.render.stock import Design, Stock
from sorter.types.sprites import SpriteDesign, SpriteSet
from sorter.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sorter.render.workers import Workers

INDEX_NAME = "sprites.json"
KNOWN = ("2456", "3001", "3002", "3003", "3004", "3010", "3039", "32064", "3660", "3701")
"""Designs that are classes of the shipped models."""
UNKNOWN = ("2357", "3005", "3020", "3022", "3040", "3062b", "3622", "3665", "3700", "4070")
"""Designs that no shipped model knows: like those, and not."""


@dataclass(frozen=True)
class SpriteJob:
    """What a worker has to know; small, and goes from process to process.

    Args:
        library: the LDraw library's folder, absolute.
        wanted: pairs of a design's number and its class, None for an unknown part.
        recipe: how sprites look.
    """

    library: str
    wanted: tuple[tuple[str, str | None], ...] = (
        *((number, number) for number in KNOWN),
        *((number, None) for number in UNKNOWN),
    )
    recipe: SpriteRecipe = field(default_factory=SpriteRecipe)


@dataclass(frozen=True, eq=False)
class Known:
    """A design as the library has it.

    Args:
        design: its mesh and poses.
        title: what the library calls it.
        geometry: hash of both.
    """

    design: Design
    title: str
    geometry: str


class Observer(Protocol):
    """Is told how it goes."""

    def on_begin(self, done: int, count: int) -> None:
        """So many of so many poses were baked before."""

    def on_pose(self) -> None:
        """One more is baked."""


def bake_design_pose(job: SpriteJob, number: str, place: int) -> BakedPose | Failed:
    """What a worker does: bake pose ``place`` (from 0) of a design; what went wrong is given back."""
    try:
        known = known_design(job.library, number, job.recipe.least_pose)
        return bake_pose(_backend(), job.recipe, known.design, known.design.poses[place])
    except SorterError as error:
        return Failed(isinstance(error, BackendMissing), error.message, error.remedy)


@lru_cache(maxsize=1)
def _backend() -> MitsubaBackend:
    return MitsubaBackend(threads=1)


@lru_cache(maxsize=1)
def _reader(library: str) -> PartReader:
    return PartReader(Library(Path(library)))


@lru_cache(maxsize=4)
def known_design(library: str, number: str, least_pose: float) -> Known:
    """Read a design and lay it down.

    Raises:
        RenderRefused: the library cannot give it, it cannot lie, or some of it has a colour of its own.
    """
    part = _reader(library).read(number)
    if (part.mesh.colours != MAIN_COLOUR).any():
        codes = ", ".join(str(each) for each in np.unique(part.mesh.colours) if each != MAIN_COLOUR)
        raise RenderRefused(
            f"part {number} has fixed colours ({codes}); a sprite is of one colour, which is chosen later",
            remedy="Take another design, without a print.",
        )
    design = Design(number, part.mesh, resting_poses(part.mesh, min_probability=least_pose))
    return Known(design, part.title, fingerprint(Stock((design,), {}, {})))


def bake_sprites(
    job: SpriteJob,
    out: Path,
    *,
    workers: Workers,
    observer: Observer,
    command: str,
    work: Callable[[SpriteJob, str, int], BakedPose | Failed] = bake_design_pose,
) -> SpriteSet:
    """Bake what a folder lacks of the designs that are wanted, and drop what it has besides them.

    A design whose sheets are there, made from the same recipe and geometry, is not rendered again. After each design
    the folder is whole, with those that are finished. The result does not depend on how many workers there are.

    Args:
        job: what to bake.
        out: the folder; made if it is not there.
        workers: who renders.
        observer: is told how it goes.
        command: that does the same again, for those who read the folder later.
        work: that is done for each pose.

    Raises:
        FolderRefused: the folder cannot be written to, or was begun with another renderer.
        RenderRefused: a design cannot be baked; designs that were finished are kept.
    """
    numbers = sorted({number for number, _ in job.wanted})
    classes = dict(job.wanted)
    known = {number: known_design(job.library, number, job.recipe.least_pose) for number in numbers}
    attribution = origin(_reader(job.library).library, numbers).text
    baking = _Baking(job, out, command, attribution)
    try:
        out.mkdir(parents=True, exist_ok=True)
        baking.keep(known, classes)
        missing = [number for number in numbers if number not in baking.finished]
        count = sum(len(each.design.poses) for each in known.values())
        observer.on_begin(count - sum(len(known[number].design.poses) for number in missing), count)
        begun = {
            number: [workers.submit(work, job, number, place) for place in range(len(known[number].design.poses))]
            for number in missing
        }
        for number, futures in begun.items():
            poses = []
            for future in futures:
                result = future.result()
                if isinstance(result, Failed):
                    raise result.error()
                poses.append(result)
                observer.on_pose()
            baking.add(known[number], classes[number], poses)
        return baking.close()
    except workers.troubles as error:
        raise workers.explain(error) from error
    except OSError as error:
        raise FolderRefused(
            f"{out} cannot be written: {error.strerror}", remedy="Name a folder that you may write to."
        ) from error


@dataclass(eq=False)
class _Baking:
    """A folder that is being filled."""

    job: SpriteJob
    out: Path
    command: str
    attribution: str
    finished: dict[str, SpriteDesign] = field(default_factory=dict)
    backend: str = ""
    before: tuple[str, ...] = ()

    def keep(self, known: dict[str, Known], classes: dict[str, str | None]) -> None:
        """Take over what an earlier run left that would be made the same again."""
        try:
            old = SpriteSet.from_json((self.out / INDEX_NAME).read_bytes())
        except (FileNotFoundError, ValueError):
            return
        self.before = tuple(file.name for file in old.files)
        if old.recipe_sha256 != self.job.recipe.sha256:
            return
        for each in old.designs:
            now = known.get(each.number)
            is_same = now is not None and (each.geometry, each.class_name) == (now.geometry, classes[each.number])
            if (
                is_same
                and all(self._is_whole(pose.body.name, pose.body.sha256) for pose in each.poses)
                and all(self._is_whole(pose.light.name, pose.light.sha256) for pose in each.poses)
            ):
                self.finished[each.number] = each
                self.backend = old.backend

    def _is_whole(self, name: str, sha256: str) -> bool:
        try:
            return hashlib.sha256((self.out / name).read_bytes()).hexdigest() == sha256
        except FileNotFoundError:
            return False

    def add(self, known: Known, class_name: str | None, baked: Sequence[BakedPose]) -> None:
        """Write a design's sheets, then say that they are there."""
        for each in baked:
            self.backend = self.backend or each.backend
            if each.backend != self.backend:
                raise FolderRefused(
                    f"{self.out} has sprites by {self.backend}, and here is {each.backend}: they would not be alike",
                    remedy="Bake into another folder, or empty this one.",
                )
            write_whole(self.out / each.pose.body.name, each.body)
            write_whole(self.out / each.pose.light.name, each.light)
        number = known.design.mesh.name
        poses = tuple(each.pose for each in baked)
        self.finished[number] = SpriteDesign(number, known.title, class_name, known.geometry, poses)
        self._publish()

    def close(self) -> SpriteSet:
        """Write what tells of the whole, and take away sheets that belonged to it before and no longer do."""
        sprites = self._publish()
        write_whole(self.out / "README.md", readme(sprites))
        for name in set(self.before) - {file.name for file in sprites.files}:
            (self.out / name).unlink(missing_ok=True)
        return sprites

    def _publish(self) -> SpriteSet:
        sprites = SpriteSet(
            format=1,
            camera=self.job.recipe.camera,
            yaw_step_deg=self.job.recipe.yaw_step_deg,
            recipe_sha256=self.job.recipe.sha256,
            command=self.command,
            backend=self.backend,
            attribution=self.attribution,
            designs=tuple(self.finished[number] for number in sorted(self.finished)),
        )
        write_whole(self.out / INDEX_NAME, sprites.to_json())
        return sprites
