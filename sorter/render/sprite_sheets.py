"""One design in one resting pose: render its views all around, and put their planes on two sheets."""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image
from scipy.spatial import KDTree

from sorter.render.errors import RenderRefused
from sorter.render.projection import placed_corners_mm, project
from sorter.render.sprite_planes import covered_by, planes, smooth_surface
from sorter.render.sprite_recipe import FINER, lying, studio
from sorter.types.sprites import BOUNCE, DIFFUSE, GLOSS, GLOW, SHADOW, SpriteCells, SpriteFile, SpritePose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.render.backends.protocol import Backend
    from sorter.render.poses import RestingPose
    from sorter.render.sprite_planes import Planes
    from sorter.render.sprite_recipe import SpriteRecipe, Studio
    from sorter.render.stock import Design
    from sorter.render.world import Lamp

    Bytes = NDArray[np.uint8]
    Floats = NDArray[np.float32]
    Edges = tuple[int, int, int, int]

_WIDEST_PX = 320  # of a rendered picture: what is farther off is of no matter to the part
_STEP_PX = 32  # sizes are rounded to this, for a renderer that compiles for each
_MARGIN_PX = 4
_HALO_MM = 3.0  # a shadow's rim is soft
_SAME_MM = 0.3
_OUTLINE_MM = 0.1  # as far the outline may be off
_SHADE = 0.012  # less of a shadow is none
_NOISE = 7.0  # grey levels of 255
_FADE_PX = 6  # of half resolution, over which a shadow ends


@dataclass(frozen=True)
class BakedPose:
    """A pose with the bytes of its sheets.

    Args:
        pose: what ``sprites.json`` says of it.
        body, light: WebP files.
        backend: what rendered it.
    """

    pose: SpritePose
    body: bytes
    light: bytes
    backend: str


def bake_pose(backend: Backend, recipe: SpriteRecipe, design: Design, pose: RestingPose) -> BakedPose:
    """Render and pack all views of a design in a pose: the same bytes each time, on one machine and version."""
    room = studio(recipe, design)
    views = recipe.turn // fold(design, pose, recipe.turn)
    width, height = _canvas_px(room, design, pose, views)
    bare, level = _bare(backend, room, width, height)
    yaws = [recipe.yaw_step_deg * view for view in range(views)]
    parts = [lying(design, pose, yaw_deg, recipe.roughness) for yaw_deg in yaws]
    found = []
    for view, part in enumerate(parts):
        scene = room.showing(part, view, width, height)
        light = backend.render(scene, {design.mesh.name: design.mesh}).light / np.float32(level)
        found.append(planes(light, bare, covered_by(scene.camera, part, design.mesh)))
    return _packed(recipe, design, pose, found, backend.name)


def fold(design: Design, pose: RestingPose, turn: int) -> int:
    """How often it looks the same while it turns once: 4, 2 or 1, as far as ``turn`` views allow."""
    points = placed_corners_mm(lying(design, pose, 0.0, 0.0), design.mesh.corners_mm).reshape(-1, 3)
    points = np.unique(points.round(3), axis=0)
    tree = KDTree(points)
    for count in (4, 2):
        angle = 2 * math.pi / count
        cos, sin = math.cos(angle), math.sin(angle)
        turned = points @ np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        distances, _ = tree.query(turned, distance_upper_bound=_SAME_MM)
        if turn % count == 0 and np.isfinite(distances).all():
            return count
    return 1


def _canvas_px(room: Studio, design: Design, pose: RestingPose, views: int) -> tuple[int, int]:
    """Width and height of pictures in which the part is whole at each yaw, and its shadows are as far as may be."""
    reach = np.zeros(2)
    camera = room.camera(_WIDEST_PX, _WIDEST_PX)
    middle = np.array([camera.width_px, camera.height_px]) / 2
    for view in range(views):
        part = lying(design, pose, room.recipe.yaw_step_deg * view, room.recipe.roughness)
        corners = placed_corners_mm(part, design.mesh.corners_mm).reshape(-1, 3)
        cast = [_cast(corners, lamp) for lamp in room.light.lamps]
        seen = project(camera, np.concatenate([corners, *cast]))
        reach = np.maximum(reach, np.abs(seen - middle).max(axis=0) / FINER + _MARGIN_PX)
    sizes = np.minimum(np.ceil(2 * reach / _STEP_PX) * _STEP_PX, _WIDEST_PX).astype(int)
    return int(sizes[0]), int(sizes[1])


def _cast(corners_mm: NDArray[np.float64], lamp: Lamp) -> NDArray[np.float64]:
    """Where a lamp's middle casts corners on the table, and a little farther."""
    away = -np.asarray(lamp.position_mm)
    shift = corners_mm[:, 2:] * away[:2] / max(-away[2], 1e-3)
    ground = np.concatenate([corners_mm[:, :2] + shift, np.zeros((len(corners_mm), 1))], axis=1)
    halo = [(_HALO_MM * x, _HALO_MM * y, 0.0) for x in (-1, 1) for y in (-1, 1)]
    cast: NDArray[np.float64] = np.concatenate([ground + each for each in halo])
    return cast


def _bare(backend: Backend, room: Studio, width: int, height: int) -> tuple[Floats, float]:
    """The table alone, without noise, 1 in the middle; and how bright that is."""
    light = backend.render(room.bare(width, height), {}).light.mean(axis=2)
    surface = smooth_surface(light)
    level = float(surface[height * FINER // 2, width * FINER // 2])
    return surface / np.float32(level), level


def _packed(
    recipe: SpriteRecipe, design: Design, pose: RestingPose, found: Sequence[Planes], backend: str
) -> BakedPose:
    stem = f"{design.mesh.name}-{pose.name}".lower()
    body_edges = _edges([each.mask > 0.0 for each in found], margin=2, finer=1)
    shadows = [_faded(each.shadow - np.float32(1.0)) for each in found]
    glows = [_faded(each.glow) for each in found]
    shadow_edges = _edges([np.abs(each) > _SHADE for each in [*shadows, *glows]], margin=_FADE_PX // 2, finer=2)
    columns = math.ceil(math.sqrt(len(found)))
    half = tuple(edge // 2 for edge in body_edges)
    shadow_half = tuple(edge // 2 for edge in shadow_edges)
    grey = _sheet([_without_noise(DIFFUSE.encode(_cut(each.diffuse, body_edges))) for each in found], columns)
    alpha = _sheet([np.rint(255 * _cut(each.mask, body_edges)).astype(np.uint8) for each in found], columns)
    light = _stacked(
        [
            _sheet([_without_noise(GLOSS.encode(_cut(each.gloss, half)), _NOISE / 2) for each in found], columns),
            _sheet([_without_noise(BOUNCE.encode(_cut(each.bounce, half))) for each in found], columns),
            _sheet([SHADOW.encode(_cut(each, shadow_half) + np.float32(1.0)) for each in shadows], columns),
            _sheet([GLOW.encode(_cut(each, shadow_half)) for each in glows], columns),
        ]
    )
    body = _webp(np.dstack([grey, grey, grey, alpha]), recipe.diffuse_quality)
    light_file = _webp(np.dstack([light, light, light]), recipe.light_quality)
    shape = found[0].mask.shape
    return BakedPose(
        SpritePose(
            name=pose.name,
            probability=round(pose.probability, 4),
            height_mm=round(pose.height_mm, 2),
            outline_mm=_outline(design, pose),
            views=len(found),
            columns=columns,
            body=SpriteFile(f"{stem}-body.webp", hashlib.sha256(body).hexdigest()),
            light=SpriteFile(f"{stem}-light.webp", hashlib.sha256(light_file).hexdigest()),
            body_cells=_cells(body_edges, shape),
            shadow_cells=_cells(shadow_edges, shape),
        ),
        body,
        light_file,
        backend,
    )


def _outline(design: Design, pose: RestingPose) -> tuple[tuple[float, float], ...]:
    corners = placed_corners_mm(lying(design, pose, 0.0, 0.0), design.mesh.corners_mm).reshape(-1, 3)
    hull = cv2.convexHull(corners[:, :2].astype(np.float32))
    if cv2.contourArea(hull, oriented=True) < 0.0:
        hull = hull[::-1]
    few = cv2.approxPolyDP(hull, _OUTLINE_MM, closed=True)[:, 0, :]
    return tuple((round(float(x), 2), round(float(y), 2)) for x, y in (few if len(few) > 2 else hull[:, 0, :]))


def _edges(masks: Sequence[NDArray[np.bool_]], *, margin: int, finer: int) -> Edges:
    """Left, top, right and bottom, even, of what holds all masks, in full resolution; ``finer`` of it per their px."""
    union = np.logical_or.reduce(masks)
    height, width = union.shape
    if not union.any():
        union[height // 2, width // 2] = True
    rows, columns = np.nonzero(union)
    low = [max(int(each.min()) - margin, 0) * finer // 2 * 2 for each in (columns, rows)]
    ends = [
        min(-(-(int(each.max()) + 1 + margin) * finer // 2) * 2, size * finer)
        for each, size in ((columns, width), (rows, height))
    ]
    return low[0], low[1], ends[0], ends[1]


def _cells(edges: Edges, shape: tuple[int, ...]) -> SpriteCells:
    left, top, right, bottom = edges
    return SpriteCells(right - left, bottom - top, shape[1] / 2 - left, shape[0] / 2 - top)


def _cut(plane: Floats, edges: Sequence[int]) -> Floats:
    left, top, right, bottom = edges
    return plane[top:bottom, left:right]


def _faded(change: Floats) -> Floats:
    """0 at the rim of the picture, so that no edge is seen where it ends, and wherever it would hardly be seen."""
    height, width = change.shape
    down, across = (np.minimum(np.arange(size) + 0.5, size - np.arange(size) - 0.5) for size in (height, width))
    weight = np.clip(np.minimum(down[:, None], across[None, :]) / _FADE_PX, 0.0, 1.0)
    faded: Floats = change * weight.astype(np.float32)
    return np.sign(faded) * np.maximum(np.abs(faded) - np.float32(_SHADE / 2), np.float32(0.0))


def _without_noise(codes: Bytes, noise: float = _NOISE) -> Bytes:
    """What differs from pixel to pixel without being an edge (A. Buades et al., Non-Local Means Denoising, 2011)."""
    return cv2.fastNlMeansDenoising(codes, None, h=noise, templateWindowSize=3, searchWindowSize=15).astype(np.uint8)


def _sheet(cells: Sequence[Bytes], columns: int) -> Bytes:
    height, width = cells[0].shape
    rows = -(-len(cells) // columns)
    sheet = np.full((rows * height, columns * width), cells[0][0, 0], np.uint8)  # no edge in what is left over
    for place, cell in enumerate(cells):
        row, column = divmod(place, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = cell
    return sheet


def _stacked(sheets: Sequence[Bytes]) -> Bytes:
    width = max(sheet.shape[1] for sheet in sheets)
    stacked: Bytes = np.vstack([np.pad(sheet, ((0, 0), (0, width - sheet.shape[1])), mode="edge") for sheet in sheets])
    return stacked


def _webp(pixels: Bytes, quality: int) -> bytes:
    """Lossy but for alpha. Grey in all three channels leaves nothing to WebP's coarser chroma."""
    file = io.BytesIO()
    try:
        Image.fromarray(pixels).save(file, "WEBP", quality=quality, method=6, exact=True, alpha_quality=100)
    except (OSError, ValueError) as error:
        raise RenderRefused(
            f"a sheet of {pixels.shape[1]}×{pixels.shape[0]} px cannot be made a WebP file: {error}",
            remedy="Take fewer views or smaller parts; and see that Pillow was built with WebP.",
        ) from error
    return file.getvalue()
