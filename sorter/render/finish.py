"""From light to the bytes of a picture, as a small camera makes them; the same for every backend."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.render.world import Finish
    from sorter.types.pictures import RgbArray

_NOISE_STREAM = 1  # apart from what else is drawn from a scene's seed


def finish(light: NDArray[np.float32], how: Finish, *, seed: int) -> RgbArray:
    """H×W×3 float32 linear RGB to H×W×3 uint8 sRGB: exposure, white balance, vignette, blur, noise."""
    exposed: NDArray[np.float32] = light * (how.exposure * np.array(how.white_balance, np.float32))
    exposed *= _vignette(light.shape[0], light.shape[1], how.vignette)[..., None]
    # A highlight beyond white is cut off after the lens has spread it, but must not spread without bound.
    exposed = np.minimum(exposed, 4.0)
    if how.blur_px > 0.0:
        exposed = cv2.GaussianBlur(exposed, (0, 0), how.blur_px).astype(np.float32)
    levels = 255.0 * _encoded(np.clip(exposed, 0.0, 1.0)).astype(np.float64)
    if how.noise > 0.0:
        noise = np.random.default_rng([seed, _NOISE_STREAM]).normal(0.0, how.noise, levels.shape)
        levels = levels + cv2.GaussianBlur(noise, (0, 0), 0.5) * 1.6  # demosaicing spreads noise; its strength is kept
    rgb: RgbArray = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return rgb


def jpeg(rgb: RgbArray, quality: int) -> bytes:
    """The picture as the bytes of a JPEG file, without metadata; chroma at half resolution, as cameras do."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue()


def _encoded(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear to sRGB (IEC 61966-2-1), both from 0 to 1."""
    low = linear * 12.92
    high = 1.055 * np.power(np.maximum(linear, 1e-6), 1 / 2.4) - 0.055
    encoded: NDArray[np.float32] = np.where(linear <= 0.0031308, low, high).astype(np.float32)
    return encoded


def _vignette(height: int, width: int, lost: float) -> NDArray[np.float32]:
    """Light falls with the square of the distance from the middle; ``lost`` of it in the corners."""
    down = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    across = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
    kept: NDArray[np.float32] = (1.0 - lost * (down**2 + across**2) / 2).astype(np.float32)
    return kept
