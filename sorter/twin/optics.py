"""What can be wrong between the table and the sensor: the lamp goes out, its colour drifts, dust lies on the lens.

All of it is a factor of the light at each place of the picture, whichever way the picture is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sorter.twin.sensor import NOISE, Sensor, levels_of, light_of

if TYPE_CHECKING:
    import random

    from numpy.typing import NDArray

    from sorter.types.pictures import RgbArray

    Floats = NDArray[np.float32]
    Rgb = tuple[float, float, float]

_DIM = 0.05  # of the light comes from the room when the lamp is out
_BLACK_SHARE = 0.5  # of lamps that go out in a dark room
_DRIFT_S = (60.0, 300.0)
_DRIFT_BRIGHTNESS, _DRIFT_TINT = 0.35, 0.12  # at most, of the light's logarithm; of each channel's
_BLOBS = (1, 3)
_MOST_BLOBS = 12
_BLOB_RADIUS = (0.02, 0.06)  # of the picture's shorter side
_BLOB_KEEPS = (0.35, 0.75)  # of the light
_BLOB_SOFT = 0.35  # share of its radius over which it fades: it is out of focus
_PLAIN: Rgb = (1.0, 1.0, 1.0)
_NOISE_STREAM = 1  # apart from the noise of the pictures themselves


@dataclass(frozen=True)
class Blob:
    """Dust on the lens: where in the picture, and how large, in its shorter sides from its middle; what it keeps."""

    x: float
    y: float
    radius: float
    keeps: float


@dataclass(frozen=True)
class Look:
    """The way from the table to the sensor at one instant: a factor for each channel, and the dust."""

    gains: Rgb = _PLAIN
    blobs: tuple[Blob, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether nothing is wrong."""
        return self.gains == _PLAIN and not self.blobs


class Optics:
    """Lamp and lens of one twin, in the board's time. Whoever holds the board may use it."""

    def __init__(self) -> None:
        self._level = 1.0
        self._from = self._to = (0.0, 0.0, 0.0)  # natural logarithms of the channels' factors
        self._begins_s, self._ends_s = 0.0, 0.0
        self._blobs: tuple[Blob, ...] = ()

    def fail_light(self, chance: random.Random) -> float | None:
        """The lamp goes out; returns the share of the light that is left, None if it was out already."""
        if self._level < 1.0:
            return None
        self._level = 0.0 if chance.random() < _BLACK_SHARE else _DIM
        return self._level

    def drift(self, now_s: float, chance: random.Random) -> Rgb:
        """From now on colour and brightness drift; returns by which factors, for the three channels, in the end."""
        self._from = self._drifted(now_s)
        brightness = chance.uniform(-_DRIFT_BRIGHTNESS, _DRIFT_BRIGHTNESS)
        red, green, blue = (brightness + chance.uniform(-_DRIFT_TINT, _DRIFT_TINT) for _ in range(3))
        self._to = (red, green, blue)
        self._begins_s, self._ends_s = now_s, now_s + chance.uniform(*_DRIFT_S)
        return math.exp(red), math.exp(green), math.exp(blue)

    def gather_dust(self, chance: random.Random) -> int:
        """Dust falls on the lens; returns how many blobs of it, 0 if it is full of them."""
        count = min(chance.randint(*_BLOBS), _MOST_BLOBS - len(self._blobs))
        self._blobs += tuple(
            Blob(
                chance.uniform(-0.4, 0.4),
                chance.uniform(-0.4, 0.4),
                chance.uniform(*_BLOB_RADIUS),
                chance.uniform(*_BLOB_KEEPS),
            )
            for _ in range(count)
        )
        return count

    def mend_light(self) -> None:
        """The lamp is as at first."""
        self._level = 1.0
        self._from = self._to = (0.0, 0.0, 0.0)

    def wipe(self) -> None:
        """The lens is clean."""
        self._blobs = ()

    def look(self, now_s: float) -> Look:
        """What is wrong now."""
        red, green, blue = (self._level * math.exp(each) for each in self._drifted(now_s))
        return Look((red, green, blue), self._blobs)

    def _drifted(self, now_s: float) -> Rgb:
        span_s = self._ends_s - self._begins_s
        share = min(max((now_s - self._begins_s) / span_s, 0.0), 1.0) if span_s > 0.0 else 1.0
        red, green, blue = (start + share * (end - start) for start, end in zip(self._from, self._to, strict=True))
        return red, green, blue


class Lens:
    """Makes of a picture what is seen when something is wrong. One thread at a time.

    Args:
        seed: of the noise that there is also where no light is.
    """

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._sensor = lru_cache(maxsize=1)(self._made)

    def through(self, rgb: RgbArray, look: Look, sequence: int) -> RgbArray:
        """H×W×3 uint8 as ``look`` lets it be seen; the very same picture if nothing is wrong."""
        if look.is_plain:
            return rgb
        height, width = rgb.shape[:2]
        light = light_of(rgb) * np.array(look.gains, np.float32)
        if look.blobs:
            light *= _dusty(height, width, look.blobs)
        lost = max(0.0, 1.0 - sum(look.gains) / len(look.gains))
        return self._sensor(height, width).noisy(levels_of(light), sequence, noise=NOISE * lost)

    def _made(self, height_px: int, width_px: int) -> Sensor:
        return Sensor(width_px, height_px, seed=self._seed + _NOISE_STREAM)


@lru_cache(maxsize=4)
def _dusty(height: int, width: int, blobs: tuple[Blob, ...]) -> Floats:
    """H×W×1: the share of the light that each place keeps."""
    side = min(height, width)
    down = (np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, None] / side
    across = (np.arange(width, dtype=np.float32) + 0.5 - width / 2)[None, :] / side
    kept: Floats = np.ones((height, width), np.float32)
    for blob in blobs:
        away = np.hypot(down - blob.y, across - blob.x) / blob.radius
        cover = np.clip((1.0 - away) / _BLOB_SOFT + 0.5, 0.0, 1.0)
        kept *= 1.0 - (1.0 - blob.keeps) * cover
    return kept[..., None]
