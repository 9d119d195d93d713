"""A folder of drawn pictures of parts, as the turntable would have taken them: classes, bricks, revolutions, angles."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.dataset import Picture, write_index
from tests.scenes import SHAPES, Drawn, draw

if TYPE_CHECKING:
    from pathlib import Path

COLOURS = {
    "red": (0.45, 0.03, 0.04),
    "blue": (0.05, 0.10, 0.50),
    "yellow": (0.80, 0.55, 0.06),
    "green": (0.05, 0.30, 0.08),
}


def write_drawn_dataset(
    root: Path,
    *,
    shapes: tuple[str, ...] = SHAPES,
    colours: tuple[str, ...] = tuple(COLOURS),
    views: int = 16,
    side_px: int = 160,
    seed: int = 0,
) -> tuple[Picture, ...]:
    """One brick for each shape and colour, one revolution each, so many views; returns what the index says."""
    rng = np.random.default_rng(seed)
    pictures = []
    for shape in shapes:
        folder = root / shape
        folder.mkdir(parents=True, exist_ok=True)
        for colour in colours:
            for view in range(views):
                angle_deg = 360.0 * view / views
                part = Drawn(
                    shape,
                    x=0.5 + rng.uniform(-0.04, 0.04),
                    y=0.5 + rng.uniform(-0.04, 0.04),
                    size=rng.uniform(0.18, 0.24),
                    angle_deg=angle_deg + 7.0,
                    colour=COLOURS[colour],
                )
                rgb = draw(part, side_px=side_px, seed=int(rng.integers(1 << 30)), light=rng.uniform(0.85, 1.1))
                path = f"{shape}/{colour}_{view:02}.png"
                is_written = cv2.imwrite(str(root / path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
                assert is_written
                pictures.append(
                    Picture(
                        path=path,
                        sha256=hashlib.sha256((root / path).read_bytes()).hexdigest(),
                        class_name=shape,
                        brick=f"{shape}-{colour}",
                        pose="flat",
                        revolution=f"{shape}-{colour}-1",
                        angle_deg=angle_deg,
                        colour=colour,
                        source="render",
                    )
                )
    write_index(root, pictures)
    return tuple(pictures)
