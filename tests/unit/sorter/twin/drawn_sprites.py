"""A folder of sprites that is drawn, not rendered: a disc of light with a bar that shows where yaw 0 is."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from sorter.types.sprites import (
    BOUNCE,
    DIFFUSE,
    GLOSS,
    GLOW,
    SHADOW,
    SpriteCamera,
    SpriteCells,
    SpriteDesign,
    SpriteFile,
    SpritePose,
    SpriteSet,
)

CAMERA = SpriteCamera(elevation_deg=40.0, distance_mm=155.0, px_per_mm=4.0)
SIZE, VIEWS, COLUMNS = 48, 4, 2
RADIUS_PX = 16.0


def _webp(pixels: np.ndarray, *, lossless: bool = True) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", lossless=lossless, exact=True)
    return file.getvalue()


def _grid(cells: list[np.ndarray]) -> np.ndarray:
    rows = [np.hstack(cells[first : first + COLUMNS]) for first in range(0, len(cells), COLUMNS)]
    return np.vstack(rows)


def write(
    folder: Path,
    *,
    diffuse: float = 0.8,
    gloss: float = 0.1,
    bounce: float = 0.25,
    shadow: float = 0.5,
    glow: float = 0.0,
) -> SpriteSet:
    """One design, ``disc``: view n's disc is of ``diffuse`` × (1 − n / 10), and one pose of it, ``up``."""
    down, across = np.mgrid[:SIZE, :SIZE] + 0.5
    mask = np.clip(RADIUS_PX - np.hypot(down - SIZE / 2, across - SIZE / 2) + 0.5, 0.0, 1.0)
    alpha = _grid([np.rint(255 * mask).astype(np.uint8)] * VIEWS)
    grey = _grid([DIFFUSE.encode(np.full((SIZE, SIZE), diffuse * (1 - n / 10), np.float32)) for n in range(VIEWS)])
    half = (SIZE // 2, SIZE // 2)
    beside = ((0, 0), (0, SIZE))  # shadows are wider
    light = np.vstack(
        [
            np.pad(_grid([GLOSS.encode(np.full(half, gloss, np.float32))] * VIEWS), beside),
            np.pad(_grid([BOUNCE.encode(np.full(half, bounce, np.float32))] * VIEWS), beside),
            _grid([SHADOW.encode(np.full((SIZE, SIZE), shadow, np.float32))] * VIEWS),
            _grid([GLOW.encode(np.full((SIZE, SIZE), glow, np.float32))] * VIEWS),
        ]
    )
    body_bytes, light_bytes = _webp(np.dstack([grey] * 3 + [alpha])), _webp(np.dstack([light] * 3))
    (folder / "disc-up-body.webp").write_bytes(body_bytes)
    (folder / "disc-up-light.webp").write_bytes(light_bytes)
    centred = SpriteCells(SIZE, SIZE, SIZE / 2, SIZE / 2)
    pose = SpritePose(
        name="up",
        probability=1.0,
        height_mm=2.0,
        outline_mm=((-4.0, -4.0), (4.0, -4.0), (0.0, 4.0)),
        views=VIEWS,
        columns=COLUMNS,
        body=SpriteFile("disc-up-body.webp", hashlib.sha256(body_bytes).hexdigest()),
        light=SpriteFile("disc-up-light.webp", hashlib.sha256(light_bytes).hexdigest()),
        body_cells=centred,
        shadow_cells=SpriteCells(2 * SIZE, 2 * SIZE, SIZE - 12.0, SIZE),
    )
    sprites = SpriteSet(
        format=1,
        camera=CAMERA,
        yaw_step_deg=90.0,
        recipe_sha256="0" * 64,
        command="drawn_sprites.write",
        backend="by hand",
        attribution="the tests",
        designs=(SpriteDesign("disc", "Disc", None, "none", (pose,)),),
    )
    (folder / "sprites.json").write_text(sprites.to_json(), encoding="utf-8")
    return sprites
