"""A folder of drawn tables with one to three parts, as ``sorter render`` leaves one: index, labels, pictures."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sorter.dataset import Picture, write_index
from sorter.dataset.labels import FolderLabels, PartLabel, PictureLabels, read_labels, write_labels
from tests.drawn_dataset import COLOURS
from tests.scenes import SHAPES, Drawn, box_of, draw

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PLACES = ((0.28, 0.4), (0.7, 0.4), (0.5, 0.75))


def write_drawn_tables(root: Path, count: int = 24, *, side_px: int = 96, seed: int = 0) -> tuple[Picture, ...]:
    """So many tables with one, two, three parts in turn; returns what the index says."""
    rng = np.random.default_rng(seed)
    (root / "pictures").mkdir(parents=True, exist_ok=True)
    pictures, labelled = [], []
    for number in range(count):
        parts, entries = [], []
        for place in rng.permutation(3)[: number % 3 + 1]:
            shape = str(rng.choice(SHAPES))
            colour = str(rng.choice(list(COLOURS)))
            x, y = np.array(PLACES[place]) + rng.uniform(-0.03, 0.03, 2)
            part = Drawn(shape, float(x), float(y), 0.2, float(rng.uniform(0, 360)), COLOURS[colour])
            parts.append(part)
            box = box_of(part, side_px)
            entries.append(
                PartLabel(
                    class_name=shape,
                    design=shape,
                    colour=colour,
                    pose="flat",
                    yaw_deg=part.angle_deg,
                    box_px=(box.left_px, box.top_px, box.width_px, box.height_px),
                    visible=1.0,
                )
            )
        path = f"pictures/{number:05}.png"
        rgb = draw(*parts, side_px=side_px, seed=number + 1000 * seed)
        assert cv2.imwrite(str(root / path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        classes = sorted({entry.class_name for entry in entries})
        pictures.append(
            Picture(
                path=path,
                sha256=hashlib.sha256((root / path).read_bytes()).hexdigest(),
                class_name=entries[0].class_name,
                source="render",
                extra={} if len(entries) == 1 else {"classes": classes},
            )
        )
        labelled.append(PictureLabels(path, side_px, side_px, tuple(entries)))
    write_index(root, pictures)
    put_labels(root, labelled)
    return tuple(pictures)


def put_labels(root: Path, pictures: Iterable[PictureLabels]) -> None:
    write_labels(root, FolderLabels("drawn", "", 0, "0" * 64, tuple(pictures)))


def labels_in(root: Path) -> list[PictureLabels]:
    return list(read_labels(root)[0].pictures)


def with_part(picture: PictureLabels, number: int, **changes: Any) -> PictureLabels:
    """The picture with one of its parts changed."""
    parts = [replace(part, **changes) if place == number else part for place, part in enumerate(picture.parts)]
    return replace(picture, parts=tuple(parts))
