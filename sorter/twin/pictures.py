"""Where the twin's parts and pictures come from: sprites, or photographs.

hopper, maker = make_pictures(settings)
part = hopper.draw(1, chance)
rgb = maker.picture([Scene(table_deg=30.0, parts=(SeenPart(part, 2.0, -1.0, yaw_deg=75.0),))], sequence=0)
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.twin.compose import PlacedSprite, compose
from sorter.twin.eye import Eye
from sorter.twin.photo_hopper import PhotoHopper
from sorter.twin.photo_pictures import PhotoPictures
from sorter.twin.sensor import Sensor
from sorter.twin.sprite_files import load_sprites
from sorter.twin.sprite_hopper import SpriteHopper
from sorter.twin.table_look import TableLook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.twin.scene import Hopper, PictureMaker, Scene, SeenPart
    from sorter.twin.sprite_files import Sprites
    from sorter.types.pictures import RgbArray
    from sorter.types.sprites import SpriteCamera
    from sorter.types.twin import TwinCamera, TwinSettings

    Floats = NDArray[np.float32]

VIEW_PX = 300
"""Shorter side of a frame whose pixels are as large as those of the sprites; other frames see as much of the table."""

_LOOK_STREAM = 11  # apart from what else is drawn from a twin's seed
_KEPT_SCENES = 8
_CLEARANCE_MM = 2.0  # a part that is nearer than this to the lens' own height is not in the picture


def make_pictures(settings: TwinSettings) -> tuple[Hopper, PictureMaker]:
    """The hopper that the settings name, and what makes pictures of its parts.

    Raises:
        SpritesRefused: the sprites are not whole.
        DatasetRefused: the photographs are no dataset.
        HopperRefused: there are no parts of a kind that is asked for.
    """
    if settings.parts.photos is not None:
        photos = PhotoHopper(Path(settings.parts.photos), settings.parts, seed=settings.seed)
        return photos, PhotoPictures(photos, settings.camera, seed=settings.seed)
    sprites = load_sprites()
    return SpriteHopper(sprites.content, settings.parts), SpritePictures(sprites, settings.camera, seed=settings.seed)


def eye_of(camera: SpriteCamera, frames: TwinCamera) -> Eye:
    """The camera under which the sprites were rendered, with pixels of the size that the frames need."""
    scale = min(frames.width_px, frames.height_px) / VIEW_PX
    return Eye(camera.elevation_deg, camera.distance_mm, camera.px_per_mm * scale, frames.width_px, frames.height_px)


class SpritePictures:
    """A ``PictureMaker`` from sprites. One thread at a time.

    Args:
        sprites: of the parts.
        camera: size of the frames.
        seed: of the table's look and the sensor's noise.
    """

    def __init__(self, sprites: Sprites, camera: TwinCamera, *, seed: int) -> None:
        self._sprites = sprites
        self._eye = eye_of(sprites.content.camera, camera)
        self._look = TableLook(self._eye, np.random.default_rng([_LOOK_STREAM, seed % 2**32]))
        self._sensor = Sensor(camera.width_px, camera.height_px, seed=seed)
        self._light = lru_cache(maxsize=_KEPT_SCENES)(self._composed)

    def picture(self, scenes: Sequence[Scene], sequence: int) -> RgbArray:
        """See ``PictureMaker``; raises ValueError without a scene."""
        if not scenes:
            raise ValueError("a picture shows one scene or more")
        light = self._light(scenes[0])
        if any(each != scenes[0] for each in scenes):
            light = np.stack([self._light(each) for each in scenes]).mean(axis=0)
        return self._sensor.exposed(light * self._look.fall_off, sequence)

    def _composed(self, scene: Scene) -> Floats:
        placed = [each for seen in scene.parts if (each := self._placed(seen)) is not None]
        table = self._look.at(scene.table_deg)
        light = compose(table, placed, light=self._look.light_on_parts, sprites=self._sprites, eye=self._eye)
        light.flags.writeable = False
        return light

    def _placed(self, seen: SeenPart) -> PlacedSprite | None:
        """Where it is seen; one that falls covers what a part on the table would, behind it in the line of sight."""
        lens_x, lens_y, lens_z = self._eye.position_mm
        if seen.above_mm > lens_z - _CLEARANCE_MM:
            return None
        further = lens_z / (lens_z - seen.above_mm)
        return PlacedSprite(
            seen.part.design,
            seen.part.pose,
            seen.yaw_deg,
            float(lens_x + (seen.x_mm - lens_x) * further),
            float(lens_y + (seen.y_mm - lens_y) * further),
            seen.part.reflectance,
        )
