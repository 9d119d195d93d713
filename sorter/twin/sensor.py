"""From light to the bytes of a frame, as a small camera makes them: a soft lens, sharpening, noise, 8 bits of sRGB."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.types.pictures import RgbArray

    Floats = NDArray[np.float32]

NOISE = 1.4
"""Standard deviation of a frame's noise, in grey levels of 255."""

_BLUR_PX = 0.4
_SHARPENED_PX, _SHARPENED = 1.0, 0.9  # as cameras do; so frames are about as sharp as photographs from a turntable
_STEPS = 1 << 14  # of linear light: fine enough that none of the 256 levels is missed in the dark
_DEMOSAICING_PX = 0.5  # by so much it spreads noise over neighbours
_PLACES = 256  # down and across, at which a piece of the stored noise may begin
_NOISE_STREAM = 7  # apart from what else is drawn from a twin's seed


class Sensor:
    """A sensor behind a lens. May be used from several threads.

    Noise is not drawn anew for each frame, which would take most of the time: a frame's is the sum of two pieces cut
    from a larger field of it, so there are billions, and two frames are never equal to the last bit.

    Args:
        width_px, height_px: of its frames.
        seed: of its noise; with it and a frame's number the noise is always the same.
    """

    def __init__(self, width_px: int, height_px: int, *, seed: int) -> None:
        self._seed = seed
        chance = np.random.default_rng([_NOISE_STREAM, seed % 2**32])
        field = chance.standard_normal((height_px + _PLACES, width_px + _PLACES, 3), dtype=np.float32)
        field = cv2.GaussianBlur(field, (0, 0), _DEMOSAICING_PX).astype(np.float32)
        self._field: Floats = field / (field.std() * np.sqrt(2.0, dtype=np.float32))
        self._size = (height_px, width_px)

    def exposed(self, light: Floats, sequence: int) -> RgbArray:
        """H×W×3 uint8 of H×W×3 float32 linear light, where 1 is white and what is brighter is cut off."""
        soft = np.asarray(cv2.GaussianBlur(light, (0, 0), _BLUR_PX), dtype=np.float32)
        levels = levels_of(soft)
        spread = cv2.GaussianBlur(levels, (0, 0), _SHARPENED_PX)
        sharp = cv2.addWeighted(levels, 1.0 + _SHARPENED, spread, -_SHARPENED, 0.0)
        return self.noisy(np.asarray(sharp, dtype=np.float32), sequence)

    def noisy(self, levels: Floats, sequence: int, *, noise: float = NOISE) -> RgbArray:
        """H×W×3 uint8 of grey levels from 0 to 255, with the noise of frame ``sequence``, of that deviation."""
        chance = random.Random(f"{self._seed} {sequence}")  # noqa: S311 - repeatable, not secret
        seen = self._piece(chance) + self._piece(chance)
        seen *= noise
        seen += levels
        seen += 0.5
        rgb: RgbArray = np.clip(seen, 0.0, 255.0).astype(np.uint8)
        return rgb

    def _piece(self, chance: random.Random) -> Floats:
        top, left = chance.randrange(_PLACES), chance.randrange(_PLACES)
        piece: Floats = self._field[top : top + self._size[0], left : left + self._size[1]]
        return piece


def levels_of(light: Floats) -> Floats:
    """Grey levels, 0 to 255 float32, of linear light."""
    levels: Floats = _LEVELS[(np.clip(light, 0.0, 1.0) * (_STEPS - 1)).astype(np.uint16)]
    return levels


def light_of(rgb: RgbArray) -> Floats:
    """Linear light, 0 to 1 float32, of a picture's bytes."""
    light: Floats = _LIGHT[rgb]
    return light


def _encoded() -> Floats:
    linear = np.linspace(0.0, 1.0, _STEPS)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    levels: Floats = (255.0 * encoded).astype(np.float32)
    return levels


def _decoded() -> Floats:
    encoded = np.arange(256) / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    light: Floats = linear.astype(np.float32)
    return light


_LEVELS = _encoded()  # IEC 61966-2-1, of light in even steps
_LIGHT = _decoded()
