"""Under which camera and lamps sprites are rendered: the middle of a scene's ranges, always the same."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sorter.render.draw import about_vertical, draw_scene
from sorter.render.recipe import read_scene_recipe
from sorter.render.stock import Stock
from sorter.render.world import Camera, PlacedPart, Scene
from sorter.types.sprites import SpriteCamera

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.render.poses import RestingPose
    from sorter.render.recipe import SceneRecipe
    from sorter.render.stock import Design
    from sorter.toml import TomlModel

FINER = 2
"""Rendered pixels per sprite pixel and direction: what is at the part's rim is told from the table beside it."""
LEVELS = (0.0, 0.4, 0.8)
"""Reflectances of the rendered part, in red, green and blue: under white light one picture shows three parts."""

_RULES = 1  # of turning light into sheets; another number makes new ones
_TABLE_RADIUS_MM = 200.0  # no edge in sight
_SEED = 1

CAMERA = SpriteCamera(elevation_deg=47.0, distance_mm=90.0, px_per_mm=300.0 / 73.0)
"""In the middle of the shipped scene's ranges, as measured on photographs: 73 mm of the table over 300 px."""

Ranges = TypeVar("Ranges", bound="TomlModel")


@dataclass(frozen=True)
class SpriteRecipe:
    """What decides how sprites look.

    Args:
        camera: under which they are rendered.
        yaw_step_deg: from one view to the next; divides 360.
        samples: paths for each rendered pixel; a sprite's pixel has ``FINER``² of those.
        roughness: of the plastic's coat.
        least_pose: poses that are rarer are left out.
        diffuse_quality, light_quality: of the WebP sheets, 0 to 100.
    """

    camera: SpriteCamera = CAMERA
    yaw_step_deg: float = 10.0
    samples: int = 8
    roughness: float = 0.2
    least_pose: float = 0.04
    diffuse_quality: int = 82
    light_quality: int = 70

    @property
    def turn(self) -> int:
        """Views of a whole turn."""
        return round(360.0 / self.yaw_step_deg)

    @property
    def sha256(self) -> str:
        """Of everything that decides what sheets show, but for the part."""
        ranges = middle(read_scene_recipe())
        known = {"rules": _RULES, "finer": FINER, "levels": LEVELS, "radius_mm": _TABLE_RADIUS_MM, "seed": _SEED}
        scene = ranges.model_dump(mode="json", include={"ambient", "table", "lamps"})
        return hashlib.sha256(json.dumps([known, asdict(self), scene], sort_keys=True).encode()).hexdigest()


def middle(recipe: SceneRecipe) -> SceneRecipe:
    """A scene whose light and table have no range, only the middle of what was one; there is no tint."""
    return recipe.model_copy(
        update={
            "ambient": _middle(recipe.ambient),
            "table": _middles(recipe.table),
            "lamps": tuple(_middles(lamp) for lamp in recipe.lamps),
        }
    )


def _middles(ranges: Ranges) -> Ranges:
    values = {name: _middle(value) for name, value in ranges if isinstance(value, tuple)}
    return ranges.model_copy(update=values | {"tint": (1.0, 1.0)})


def _middle(ends: tuple[float, float]) -> tuple[float, float]:
    value = (ends[0] + ends[1]) / 2
    return (value, value)


@dataclass(frozen=True, eq=False)
class Studio:
    """Makes the scenes of one recipe.

    Args:
        recipe: of the sprites.
        light: a scene with its lamps and table, without a part.
    """

    recipe: SpriteRecipe
    light: Scene

    def bare(self, width_px: int, height_px: int) -> Scene:
        """The table alone, for pictures of so many px of sprites."""
        camera = self.camera(width_px, height_px)
        return replace(self.light, camera=camera, samples=self.recipe.samples, seed=_SEED)

    def camera(self, width_px: int, height_px: int) -> Camera:
        """The camera, with a picture just so large; the table's middle is in the middle of it."""
        camera = self.recipe.camera
        elevation = math.radians(camera.elevation_deg)
        return Camera(
            position_mm=(0.0, -camera.distance_mm * math.cos(elevation), camera.distance_mm * math.sin(elevation)),
            target_mm=(0.0, 0.0, 0.0),
            fov_deg=math.degrees(2 * math.atan(width_px / 2 / (camera.px_per_mm * camera.distance_mm))),
            roll_deg=0.0,
            width_px=width_px * FINER,
            height_px=height_px * FINER,
        )

    def showing(self, part: PlacedPart, view: int, width_px: int, height_px: int) -> Scene:
        """The part on the table."""
        return replace(self.bare(width_px, height_px), parts=(part,), seed=_SEED + view)


def studio(recipe: SpriteRecipe, design: Design) -> Studio:
    """Lamps and table as in the middle of the shipped scene's ranges; of the design only its name is asked."""
    stock = Stock((design,), {"any": (0.5, 0.5, 0.5)}, {})
    drawn = draw_scene(middle(read_scene_recipe()), stock, _SEED, 0)
    return Studio(recipe, replace(drawn, parts=(), table=replace(drawn.table, radius_mm=_TABLE_RADIUS_MM)))


def lying(design: Design, pose: RestingPose, yaw_deg: float, roughness: float) -> PlacedPart:
    """A part in all ``LEVELS``, turned about the middle of the box that is around it at yaw 0; that is at x = y = 0."""
    turn = about_vertical(yaw_deg)
    x_mm, y_mm, z_mm = (float(each) for each in turn @ _offset(design, pose))
    return PlacedPart(
        class_name=design.class_name,
        mesh=design.mesh.name,
        pose=pose.name,
        yaw_deg=yaw_deg,
        colour="any",
        reflectance=LEVELS,
        roughness=roughness,
        rotation=turn @ pose.rotation,
        offset_mm=(x_mm, y_mm, z_mm),
    )


def _offset(design: Design, pose: RestingPose) -> NDArray[np.float64]:
    corners = design.mesh.corners_mm.reshape(-1, 3) @ pose.rotation.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    return np.array([-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]])
