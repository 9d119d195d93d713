"""Stands in for rendering: pictures that are made at once, by functions that other processes find by their names."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from sorter.dataset.labels import PartLabel, PictureLabels
from sorter.render.errors import BackendMissing
from sorter.render.picture import PictureJob, RenderedPicture, picture_path
from sorter.render.recipe import read_scene_recipe
from sorter.render.settings import RenderSettings

CLASSES = ("3001", "3003", "other")
SIZE_PX = 48


def settings(**changes: object) -> RenderSettings:
    known = {
        "designs": (("3001", "3001"), ("3003", "3003"), ("other", "3020")),
        "seed": 1,
        "backend": "mitsuba",
        "scene": read_scene_recipe(),
    }
    return RenderSettings.model_validate({**known, **changes})


def job(library: Path | str = "nowhere", **changes: object) -> PictureJob:
    return PictureJob(str(library), settings(**changes))


def picture(job: PictureJob, number: int) -> RenderedPicture:
    """A bright square on grey. One in ten shows nothing; with several parts allowed, every third shows two."""
    dice = np.random.default_rng([job.settings.seed, number])
    rgb = np.full((SIZE_PX, SIZE_PX, 3), 140, np.uint8)
    rgb += dice.integers(0, 20, rgb.shape, np.uint8)
    parts = []
    for place in range(0 if number % 10 == 9 else 2 if job.settings.parts[1] > 1 and number % 3 == 0 else 1):
        left, top, side = 4 + 20 * place, int(dice.integers(8, 16)), int(dice.integers(8, 16))
        rgb[top : top + side, left : left + side] = dice.integers(0, 256, 3)
        name = CLASSES[(number + place) % len(CLASSES)]
        design = dict(job.settings.designs)[name]
        parts.append(
            PartLabel(name, design, "Red", "up", round(float(dice.uniform(0, 360)), 3), (left, top, side, side), 1.0)
        )
    file = BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=95)
    labels = PictureLabels(picture_path(number), SIZE_PX, SIZE_PX, tuple(parts))
    return RenderedPicture(number, file.getvalue(), labels, "stand-in 1", "00ff00ff00ff00ff")


def slow_picture(job: PictureJob, number: int) -> RenderedPicture:
    time.sleep(0.1)
    return picture(job, number)


def deadly_picture(job: PictureJob, number: int) -> RenderedPicture:
    """Ends its process at number 5, once: it leaves a mark in the folder that is the job's library."""
    mark = Path(job.library) / "mark"
    if number == 5 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return picture(job, number)


def refused_picture(job: PictureJob, number: int) -> RenderedPicture:
    if number >= 4:
        raise BackendMissing("no renderer here", remedy="Install one.")
    return picture(job, number)


def two_renderers(job: PictureJob, number: int) -> RenderedPicture:
    made = picture(job, number)
    return RenderedPicture(number, made.jpeg, made.labels, f"stand-in {1 + number // 6}", made.geometry)


def defective_picture(job: PictureJob, number: int) -> RenderedPicture:
    raise ZeroDivisionError(f"picture {number}")


@dataclass
class Listener:
    """Remembers what a person would have been told."""

    begun: list[tuple[int, int]] = field(default_factory=list)
    pictures: int = 0
    notices: list[str] = field(default_factory=list)

    def on_begin(self, done: int, count: int) -> None:
        self.begun.append((done, count))

    def on_picture(self) -> None:
        self.pictures += 1

    def on_notice(self, text: str) -> None:
        self.notices.append(text)


def content(root: Path) -> dict[str, bytes]:
    """Everything in a folder that has to be the same however it came about."""
    files = {each.relative_to(root).as_posix(): each for each in root.rglob("*") if each.is_file()}
    found = {name: each.read_bytes() for name, each in files.items() if name != ".lock"}
    found["journal.jsonl"] = b"\n".join(sorted(found["journal.jsonl"].splitlines()))
    return found
