"""Change training pictures so that nothing but the part's shape tells its class.

A crop comes with the mask of its part, so part and table are changed apart: the part gets another LEGO colour with its
own shading kept, the table another tint, and neither says anything about the other any more. Pure NumPy and OpenCV; all
chance comes from the generator that is passed in, so the same seed gives the same picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.vision.palette import PALETTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.training.recipe import AugmentationRecipe

    ByteArray = NDArray[np.uint8]
    FloatArray = NDArray[np.float32]

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, on encoded values
_COLOURS = np.array([colour.srgb for colour in PALETTE], np.float32)
_REFERENCE_RANK = 70.0  # percentile of a part's brightness that is taken for its own colour, unshaded
_SOFT_PX = 0.8  # a mask's edge, as the camera blurs it
_LEAST_PIXELS = 12  # of a part, or there is nothing to recolour


def augmented(rgb: ByteArray, mask: ByteArray, recipe: AugmentationRecipe, rng: np.random.Generator) -> ByteArray:
    """A changed copy of one crop.

    Args:
        rgb: size×size×3 uint8.
        mask: size×size uint8, 255 on the part.
        recipe: how much of what.
        rng: where all chance comes from.

    Returns:
        size×size×3 uint8.
    """
    return augmented_and_moved(rgb, mask, recipe, rng)[0]


def augmented_and_moved(
    rgb: ByteArray, mask: ByteArray, recipe: AugmentationRecipe, rng: np.random.Generator
) -> tuple[ByteArray, NDArray[np.float64]]:
    """As ``augmented``, and where everything went: a 2×3 matrix from px of the picture to px of the changed one."""
    soft = cv2.GaussianBlur(mask, (0, 0), _SOFT_PX).astype(np.float32)[..., None] / 255.0
    seen = rgb.astype(np.float32)
    part = seen
    if rng.random() < recipe.recolour_share and np.count_nonzero(mask > 127) >= _LEAST_PIXELS:
        part = recoloured(seen, mask > 127, _some_colour(rng), rng)
    part = _other_hue(part, recipe, rng)
    table = seen * _tint(recipe.table_tint, rng)
    seen = table + soft * (part * _tint(recipe.part_tint, rng) - table)
    seen = _lit(seen, recipe, rng)
    if rng.random() < recipe.shadow_share:
        seen = _shadowed(seen, rng)
    matrix = _movement(rgb.shape[0], recipe, rng)
    return _seen_by_camera(_moved(seen, matrix), recipe, rng), matrix


def recoloured(rgb: FloatArray, is_part: NDArray[np.bool_], colour: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The picture as if all of it were of ``colour``, with the shading that it has; to be blended in where the part is.

    Shading is brightness in parts of the part's own. Dark plastic shows its glints, bright plastic its light between
    faces, so contrast is not the same for all colours: it is drawn a little weaker or stronger, and what shines beyond
    the colour's own brightness goes towards white.
    """
    light = rgb @ _LUMINANCE
    own = max(float(np.percentile(light[is_part], _REFERENCE_RANK)), 4.0)
    brightness = float(colour @ _LUMINANCE)
    # A dark source has much contrast, of which little is left on a bright part, and the other way round.
    contrast = (own + 60.0) / (brightness + 60.0)
    power = np.clip(contrast ** rng.uniform(0.2, 1.1), 0.3, 4.0) * rng.uniform(0.8, 1.25)
    shading = np.clip(light / own, 0.02, 4.0) ** power
    base = colour * np.minimum(shading, 1.1)[..., None]
    glint = np.clip(shading - 1.1, 0.0, 1.0)[..., None] * rng.uniform(20.0, 110.0)
    return np.asarray(base + glint, dtype=np.float32)


def _some_colour(rng: np.random.Generator) -> FloatArray:
    """One of the palette's, somewhat lighter or darker, as lamps and cameras have it; sometimes any colour at all."""
    if rng.random() < 0.2:
        return np.asarray(rng.uniform(5.0, 250.0, 3), dtype=np.float32)
    colour = _COLOURS[rng.integers(len(_COLOURS))] * rng.uniform(0.4, 1.2) + rng.normal(0.0, 8.0, 3)
    return np.asarray(np.clip(colour, 4.0, 255.0), dtype=np.float32)


def _other_hue(rgb: FloatArray, recipe: AugmentationRecipe, rng: np.random.Generator) -> FloatArray:
    if rng.random() < recipe.grey_share:
        return np.repeat((rgb @ _LUMINANCE)[..., None], 3, axis=2)
    hue_deg = rng.uniform(-recipe.hue_deg, recipe.hue_deg)
    factor = np.exp(rng.uniform(-recipe.saturation, recipe.saturation))
    if not recipe.hue_deg and not recipe.saturation:
        return rgb
    hsv = cv2.cvtColor(np.clip(rgb, 0.0, 255.0) / np.float32(255.0), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + hue_deg) % 360.0
    hsv[..., 1] = np.clip(hsv[..., 1] * factor, 0.0, 1.0)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * np.float32(255.0))


def _tint(strength: float, rng: np.random.Generator) -> FloatArray:
    """A gain for each channel, within e to the power of plus or minus ``strength``."""
    return np.asarray(np.exp(rng.uniform(-strength, strength, 3)), dtype=np.float32)


def _lit(rgb: FloatArray, recipe: AugmentationRecipe, rng: np.random.Generator) -> FloatArray:
    """Brighter or darker as a whole, with more or less contrast around the middle."""
    gain = np.exp(rng.uniform(-recipe.brightness, recipe.brightness))
    contrast = np.exp(rng.uniform(-recipe.contrast, recipe.contrast))
    return np.asarray(np.clip((rgb - 128.0) * contrast + 128.0, 0.0, 255.0) * gain, dtype=np.float32)


def _shadowed(rgb: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A soft shadow of something outside the picture: an ellipse that darkens table and part alike."""
    size = rgb.shape[0]
    shade = np.zeros((size, size), np.float32)
    centre = tuple(int(each) for each in rng.uniform(-0.2, 1.2, 2) * size)
    axes = tuple(int(each) for each in rng.uniform(0.1, 0.6, 2) * size)
    cv2.ellipse(shade, centre, axes, float(rng.uniform(0.0, 180.0)), 0.0, 360.0, 1.0, -1)
    soft = np.asarray(cv2.GaussianBlur(shade, (0, 0), float(rng.uniform(0.02, 0.08) * size)), dtype=np.float32)
    return np.asarray(rgb * (1.0 - rng.uniform(0.1, 0.45) * soft[..., None]), dtype=np.float32)


def _movement(size: int, recipe: AugmentationRecipe, rng: np.random.Generator) -> NDArray[np.float64]:
    """Shifted, scaled, turned and perhaps mirrored: a 2×3 matrix."""
    scale = float(np.exp(rng.uniform(-recipe.scale, recipe.scale)))
    angle_deg = float(rng.uniform(-recipe.rotation_deg, recipe.rotation_deg))
    middle = ((size - 1) / 2, (size - 1) / 2)
    matrix: NDArray[np.float64] = np.array(cv2.getRotationMatrix2D(middle, angle_deg, scale), dtype=np.float64)
    matrix[:, 2] += rng.uniform(-recipe.shift, recipe.shift, 2) * size
    if rng.random() < recipe.mirror_share:
        matrix = matrix @ np.array([[-1.0, 0.0, size - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return matrix


def _moved(rgb: FloatArray, matrix: NDArray[np.float64]) -> FloatArray:
    """The picture moved; what comes in from outside repeats the border."""
    size = rgb.shape[0]
    return np.asarray(
        cv2.warpAffine(rgb, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _seen_by_camera(rgb: FloatArray, recipe: AugmentationRecipe, rng: np.random.Generator) -> ByteArray:
    """Out of focus, and with a sensor's noise."""
    blur_px = float(rng.uniform(0.0, recipe.blur_px))
    if blur_px > 0.2:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), blur_px), dtype=np.float32)
    deviation = rng.uniform(0.0, recipe.noise)
    if deviation > 0.2:
        rgb = np.asarray(rgb + rng.normal(0.0, deviation, rgb.shape), dtype=np.float32)
    return np.asarray(np.clip(np.rint(rgb), 0.0, 255.0), dtype=np.uint8)
