"""Frames, fake cameras, and a stand-in for picamera2 that the worker's interpreter finds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sorter.camera.picamera2_camera import Picamera2Camera, Picamera2Settings
from sorter.clock import RealClock
from sorter.types import Frame
from tests.unit.sorter.camera.fake_usb import Bench, FakeDevice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAND_IN = Path(__file__).with_name("stand_in")
WIDTH_PX, HEIGHT_PX = 70, 50  # rows of neither stream are a whole number of the stand-in's 64 bytes


def noisy(seed: int, *, size_px: tuple[int, int] = (32, 24), mean: int = 140, at_s: float = 0.0) -> Frame:
    """A frame as a table gives it: dim, tinted, with noise."""
    width, height = size_px
    rgb = np.random.default_rng(seed).normal((mean, mean * 0.9, mean * 0.8), 3.0, (height, width, 3))
    return Frame(rgb.clip(0, 255).astype(np.uint8), captured_at_s=at_s, sequence=seed)


@pytest.fixture
def clock() -> RealClock:
    return RealClock()


@pytest.fixture
def pi_camera(clock: RealClock) -> Iterator[Callable[..., Picamera2Camera]]:
    """Makes cameras on the stand-in; ``faults`` are its faults, ``once`` a file that limits them to the first start."""
    made: list[Picamera2Camera] = []

    def make(
        faults: str = "",
        *,
        once: Path | None = None,
        lock_file: Path | None = None,
        python: Path = Path(sys.executable),
        number: int = 0,
        **settings: object,
    ) -> Picamera2Camera:
        environment = {"PYTHONPATH": str(STAND_IN), "STAND_IN": faults, "STAND_IN_ONCE": str(once or "")}
        values = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX, "frames_per_s": 100.0, "preview_width_px": 34}
        camera = Picamera2Camera(
            number,
            clock,
            Picamera2Settings(**{**values, **settings}),  # type: ignore[arg-type]
            lock_file=lock_file,
            python=python,
            environment=environment,
        )
        made.append(camera)
        return camera

    yield make
    for camera in made:
        camera.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes USB cameras on fake devices: one for each opening, the last of them over and over."""
    made: list[Bench] = []

    def make(*devices: FakeDevice) -> Bench:
        made.append(Bench(tmp_path, *(devices or (FakeDevice(),))))
        return made[-1]

    yield make
    for each in made:
        each.let_go()
