"""Draw one picture's world from a scene's ranges: everything random comes from a seed and the picture's number."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.render.world import Camera, Finish, Lamp, PlacedPart, Scene, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.render.recipe import CameraRanges, LampRanges, SceneRecipe
    from sorter.render.stock import Design, Stock
    from sorter.render.world import Rgb, Xyz

_TRIES = 60
"""Places that are tried for a further part before the picture goes without it."""


def draw_scene(
    recipe: SceneRecipe,
    stock: Stock,
    seed: int,
    number: int,
    *,
    parts: tuple[int, int] = (1, 1),
    views: int = 1,
    apart: tuple[str, float] | None = None,
) -> Scene:
    """The world of picture ``number`` (from 0).

    The same arguments give the same scene, whatever was drawn before. Classes take turns, so that each is shown about
    equally often. With several views, so many pictures in a row show the same world with the table turned on, by even
    steps over a whole turn; each has noise of its own.

    Args:
        recipe: the ranges.
        stock: what may lie on the table.
        seed: of the whole folder.
        number: of the picture in it.
        parts: least and most parts on the table; where no place is found for a further one, there are fewer.
        views: pictures of each world.
        apart: a class that does not take turns with the others, and its share of the worlds (0 to 1).
    """
    number, view = divmod(number, views)
    dice = np.random.default_rng([seed, number])
    camera = _camera(recipe, dice)
    finish = _finish(recipe, dice)
    table = _table(recipe, dice)
    lamps = tuple(_lamp(lamp, dice) for lamp in recipe.lamps)
    ambient = _uniform(dice, recipe.ambient)
    count = int(dice.integers(parts[0], parts[1] + 1))
    placed = _parts(recipe, stock, dice, count, _first_class(stock, seed, number, apart))
    if views > 1:
        placed = [_turned(part, 360.0 * view / views) for part in placed]
    return Scene(
        seed=int(dice.integers(0, 2**31)) + view,
        samples=recipe.picture.samples,
        camera=camera,
        lamps=lamps,
        ambient=(ambient, ambient, ambient),
        table=table,
        parts=tuple(placed),
        finish=_exposed(finish, table, lamps, ambient),
        colours=dict(stock.fixed_colours),
    )


def _uniform(dice: np.random.Generator, ends: tuple[float, float]) -> float:
    return float(dice.uniform(*ends))


def _even_factor(dice: np.random.Generator, ends: tuple[float, float]) -> float:
    """As often below as above, by ratio."""
    return math.exp(_uniform(dice, (math.log(ends[0]), math.log(ends[1]))))


def _tinted(dice: np.random.Generator, level: float, tint: tuple[float, float]) -> Rgb:
    return (level * _even_factor(dice, tint), level, level * _even_factor(dice, tint))


def _camera(recipe: SceneRecipe, dice: np.random.Generator) -> Camera:
    ranges: CameraRanges = recipe.camera
    distance_mm = _uniform(dice, ranges.distance_mm)
    elevation = math.radians(_uniform(dice, ranges.elevation_deg))
    azimuth = math.radians(_uniform(dice, ranges.azimuth_deg) - 90.0)
    target: Xyz = (_uniform(dice, ranges.aim_x_mm), _uniform(dice, ranges.aim_y_mm), 0.0)
    level_mm = distance_mm * math.cos(elevation)
    view_mm = _uniform(dice, ranges.view_mm)
    return Camera(
        position_mm=(
            target[0] + level_mm * math.cos(azimuth),
            target[1] + level_mm * math.sin(azimuth),
            distance_mm * math.sin(elevation),
        ),
        target_mm=target,
        fov_deg=math.degrees(2 * math.atan(view_mm / 2 / distance_mm)),
        roll_deg=_uniform(dice, ranges.roll_deg),
        width_px=recipe.picture.width_px,
        height_px=recipe.picture.height_px,
    )


def _table(recipe: SceneRecipe, dice: np.random.Generator) -> Table:
    ranges = recipe.table
    surround = _uniform(dice, ranges.surround)
    reflectance = _tinted(dice, _uniform(dice, ranges.reflectance), ranges.tint)
    return Table(
        radius_mm=_uniform(dice, ranges.radius_mm),
        reflectance=(min(reflectance[0], 1.0), reflectance[1], min(reflectance[2], 1.0)),
        gloss=_uniform(dice, ranges.gloss),
        surround=(surround, surround, surround),
    )


def _lamp(ranges: LampRanges, dice: np.random.Generator) -> Lamp:
    azimuth = math.radians(_uniform(dice, ranges.azimuth_deg))
    elevation = math.radians(_uniform(dice, ranges.elevation_deg))
    distance_mm = _uniform(dice, ranges.distance_mm)
    radius_mm = _uniform(dice, ranges.radius_mm)
    brightness = _uniform(dice, ranges.brightness)
    # A disc of radiance L that is far away lights the table with L π r² sin(elevation) / d²; white reflects it / π.
    radiance = brightness * distance_mm**2 / (radius_mm**2 * math.sin(elevation))
    level_mm = distance_mm * math.cos(elevation)
    return Lamp(
        position_mm=(level_mm * math.cos(azimuth), level_mm * math.sin(azimuth), distance_mm * math.sin(elevation)),
        target_mm=(0.0, 0.0, 0.0),
        radius_mm=radius_mm,
        radiance=_tinted(dice, radiance, ranges.tint),
    )


def _finish(recipe: SceneRecipe, dice: np.random.Generator) -> Finish:
    ranges = recipe.finish
    return Finish(
        exposure=_uniform(dice, ranges.table_level),  # of the table, until it is known how bright that is
        white_balance=(_even_factor(dice, ranges.red), 1.0, _even_factor(dice, ranges.blue)),
        vignette=_uniform(dice, ranges.vignette),
        blur_px=_uniform(dice, ranges.blur_px),
        noise=_uniform(dice, ranges.noise),
        jpeg_quality=int(dice.integers(ranges.jpeg_quality[0], ranges.jpeg_quality[1] + 1)),
    )


def _exposed(finish: Finish, table: Table, lamps: Sequence[Lamp], ambient: float) -> Finish:
    """With the exposure that makes the bare table as bright as it is to be."""
    light = ambient + sum(_level(lamp) for lamp in lamps)
    return replace(finish, exposure=finish.exposure / (table.reflectance[1] * light))


def _level(lamp: Lamp) -> float:
    """How bright a white table is under the lamp alone, in green."""
    distance_mm = math.dist(lamp.position_mm, lamp.target_mm)
    return lamp.radiance[1] * lamp.radius_mm**2 * (lamp.position_mm[2] / distance_mm) / distance_mm**2


def _first_class(stock: Stock, seed: int, number: int, apart: tuple[str, float] | None) -> str:
    """Classes in turns of all of them, each turn in an order of its own."""
    names = stock.class_names
    if apart is not None and apart[0] in names:
        name, share = apart
        before, after = int(number * share), int((number + 1) * share)
        names = tuple(each for each in names if each != name)
        if after > before or not names:
            return name
        number -= before
    turn, place = divmod(number, len(names))
    order = np.random.default_rng([seed, turn, len(names)]).permutation(len(names))
    return names[int(order[place])]


def _parts(recipe: SceneRecipe, stock: Stock, dice: np.random.Generator, count: int, first: str) -> list[PlacedPart]:
    names = stock.class_names
    within_mm = recipe.parts.place_mm if count == 1 else recipe.parts.spread_mm
    placed: list[PlacedPart] = []
    taken: list[NDArray[np.float32]] = []
    for place in range(count):
        class_name = first if place == 0 else names[int(dice.integers(len(names)))]
        designs = stock.designs_of(class_name)
        design = designs[int(dice.integers(len(designs)))]
        part = _lying(recipe, stock, design, dice)
        for _ in range(_TRIES):
            away_mm, bearing = within_mm * math.sqrt(dice.uniform()), dice.uniform(0.0, 2 * math.pi)
            outline = _outline(part, design, away_mm * math.cos(bearing), away_mm * math.sin(bearing))
            if all(_apart(outline[0], other, recipe.parts.gap_mm) for other in taken):
                taken.append(outline[0])
                placed.append(replace(part, offset_mm=outline[1]))
                break
    return placed


def _lying(recipe: SceneRecipe, stock: Stock, design: Design, dice: np.random.Generator) -> PlacedPart:
    chances = np.array([pose.probability for pose in design.poses])
    if dice.uniform() < recipe.parts.evenly:
        chances = np.ones_like(chances)
    pose = design.poses[int(dice.choice(len(chances), p=chances / chances.sum()))]
    yaw_deg = _uniform(dice, (0.0, 360.0))
    colour = list(stock.colours)[int(dice.integers(len(stock.colours)))]
    shift = recipe.parts.colour_shift
    red, green, blue = (min(level * math.exp(_uniform(dice, (-shift, shift))), 0.95) for level in stock.colours[colour])
    return PlacedPart(
        class_name=design.class_name,
        mesh=design.mesh.name,
        pose=pose.name,
        yaw_deg=yaw_deg,
        colour=colour,
        reflectance=(red, green, blue),
        roughness=_uniform(dice, recipe.parts.roughness),
        rotation=about_vertical(yaw_deg) @ pose.rotation,
        offset_mm=(0.0, 0.0, 0.0),
    )


def _turned(part: PlacedPart, angle_deg: float) -> PlacedPart:
    """As it lies when the table has turned on, counter-clockwise from above."""
    turn = about_vertical(angle_deg)
    x_mm, y_mm, z_mm = (float(each) for each in turn @ part.offset_mm)
    return replace(
        part,
        yaw_deg=(part.yaw_deg + angle_deg) % 360.0,
        rotation=turn @ part.rotation,
        offset_mm=(x_mm, y_mm, z_mm),
    )


def about_vertical(angle_deg: float) -> NDArray[np.float64]:
    """3×3: the turn about the table's axis, counter-clockwise from above."""
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _outline(part: PlacedPart, design: Design, x_mm: float, y_mm: float) -> tuple[NDArray[np.float32], Xyz]:
    """What the part covers of the table with its middle at x, y (k×2 mm, convex), and its offset."""
    corners = design.mesh.corners_mm.reshape(-1, 3) @ part.rotation.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    offset = (x_mm - float(low[0] + high[0]) / 2, y_mm - float(low[1] + high[1]) / 2, -float(low[2]))
    seen = (corners[:, :2] + offset[:2]).astype(np.float32)
    outline: NDArray[np.float32] = cv2.convexHull(seen)[:, 0, :].astype(np.float32)
    return outline, offset


def _apart(one: NDArray[np.float32], other: NDArray[np.float32], gap_mm: float) -> bool:
    """Whether two convex outlines lie at least about ``gap_mm`` from one another."""
    middle = one.mean(axis=0)
    away = one - middle
    grown = middle + away * (1 + gap_mm / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6))
    area, _ = cv2.intersectConvexConvex(grown.astype(np.float32), other)
    return float(area) <= 0.0
