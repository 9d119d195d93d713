"""Small folders of drawn pictures: two turns of the table a class, with the flaws that users' folders have."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from sorter.dataset import Dataset, Picture
from sorter.dataset.reading import with_copies
from tests.scenes import BLACK, RED, WHITE, Drawn, Rgb, draw

COLOURS: dict[str, Rgb] = {"red": RED, "white": WHITE, "black": BLACK}
VIEWS = 10
SIDE_PX = 120


def put(file: Path, *parts: Drawn, tint: Rgb = (190.0, 140.0, 175.0), seed: int = 0, quality: int = 95) -> Path:
    """Draw a picture into a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw(*parts, side_px=SIDE_PX, tint=tint, seed=seed)).save(file, quality=quality)
    return file


def put_revolution(folder: Path, name: str, part: Drawn, *, tint: Rgb = (190.0, 140.0, 175.0)) -> list[Path]:
    """One turn of the table, VIEWS pictures, in no order of their names."""
    order = np.random.default_rng(len(name)).permutation(VIEWS)
    angles = np.linspace(0, 90 if part.shape == "square" else 180, VIEWS, endpoint=False)
    return [
        put(
            folder / f"{name}_{place}.png",
            Drawn(part.shape, part.x, part.y, part.size, float(angle), part.colour),
            tint=tint,
            seed=int(place),
        )
        for place, angle in zip(order, angles, strict=True)
    ]


def invented(root: Path, groups: list[tuple[str, str, str, int]], *, is_brick_known: bool = True) -> Dataset:
    """A dataset without files: class, brick, revolution and number of pictures of each revolution."""
    pictures = [
        Picture(
            path=f"{name}/{revolution}/{number}.png",
            sha256=hashlib.sha256(f"{revolution}/{number}".encode()).hexdigest(),
            class_name=name,
            brick=brick if is_brick_known else None,
            revolution=revolution,
        )
        for name, brick, revolution, count in groups
        for number in range(count)
    ]
    return Dataset(root, tuple(with_copies(pictures)), "index")
