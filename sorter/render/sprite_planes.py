"""From light to the planes of a sprite: what the part sends, what comes back to it, its shadow and its outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.render.projection import placed_corners_mm, project
from sorter.render.silhouette import coverage
from sorter.render.sprite_recipe import FINER, LEVELS
from sorter.types.sprites import BOUNCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.render.mesh import PartMesh
    from sorter.render.world import Camera, PlacedPart

    Floats = NDArray[np.float32]

_SAMPLES = 4  # of the outline, per rendered pixel and direction
_LEAST_LIGHT = 0.004  # less of it tells nothing
_MOST_BOUNCE = 0.95


@dataclass(frozen=True, eq=False)
class Planes:
    """A view of a part, float32, relative to the bare table's light; see ``sorter.types.sprites``.

    Args:
        mask: H×W, the share of each pixel that the part covers.
        diffuse: H×W, smoothly continued past the part.
        gloss, bounce: half as large, smoothly continued past the part.
        shadow, glow: half as large, smoothly continued under the part.
    """

    mask: Floats
    diffuse: Floats
    gloss: Floats
    bounce: Floats
    shadow: Floats
    glow: Floats


def planes(light: Floats, bare: Floats, covered: Floats) -> Planes:
    """What one rendered picture shows.

    Args:
        light: h×w×3 linear, ``FINER`` times as fine as the planes; its channels are the part in all ``LEVELS``.
        bare: h×w, of the table alone, 1 in the middle; ``light`` is in the same unit.
        covered: h×w, share of each of its pixels that the part covers.
    """
    within = (covered >= 1.0 - 1e-6).astype(np.float32)
    beside = (covered <= 1e-6).astype(np.float32)
    black, grey, pale = (light[..., channel] for channel in range(3))

    coarse, known = _mean_where([black, grey, pale], within, 2 * FINER)
    gloss = filled(coarse[0], known)
    # light = gloss + r d / (1 − r b), for two r; so for q = (light − gloss) / r it is b = (q₂ − q₁) / (r₂ q₂ − r₁ q₁).
    first, second = (coarse[1] - coarse[0]) / LEVELS[1], (coarse[2] - coarse[0]) / LEVELS[2]
    below = LEVELS[2] * second - LEVELS[1] * first
    is_lit = below > _LEAST_LIGHT
    ratio = np.divide(second - first, below, out=np.zeros_like(below), where=is_lit)
    bounce = filled(np.clip(ratio, 0.0, _MOST_BOUNCE), known * is_lit)

    fine, seen = _mean_where([black, grey], within, FINER)
    back = cv2.resize(bounce, (seen.shape[1], seen.shape[0]), interpolation=cv2.INTER_LINEAR)
    diffuse = filled((fine[1] - fine[0]) / LEVELS[1] * (1.0 - LEVELS[1] * back), seen)

    shades, open_table = _mean_where([black / bare, grey / bare, pale / bare], beside, 2 * FINER)
    shadow, *lit = (filled(_smoothed(each, open_table), open_table) for each in shades)
    brighter = sum(own * (each - shadow) for own, each in zip(LEVELS[1:], lit, strict=True))
    return Planes(
        mask=_mean(covered, FINER),
        diffuse=diffuse,
        gloss=gloss,
        bounce=np.minimum(bounce, BOUNCE.most).astype(np.float32),
        shadow=shadow,
        glow=np.maximum(brighter / sum(own**2 for own in LEVELS), 0.0).astype(np.float32),
    )


def covered_by(camera: Camera, part: PlacedPart, mesh: PartMesh) -> Floats:
    """H×W float32: the share of each pixel of the camera's picture that the part covers."""
    corners = project(camera, placed_corners_mm(part, mesh.corners_mm).reshape(-1, 3)).reshape(-1, 3, 2)
    return coverage(corners, camera.width_px, camera.height_px, _SAMPLES)


def smooth_surface(values: Floats) -> Floats:
    """The quadratic surface that is nearest to values without steps: what noise is in them is gone."""
    height, width = values.shape
    down, across = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([across**i * down**j for i in range(3) for j in range(3 - i)], axis=-1).reshape(-1, 6)
    factors, *_ = np.linalg.lstsq(terms, values.reshape(-1).astype(np.float64), rcond=None)
    surface: Floats = (terms @ factors).reshape(height, width).astype(np.float32)
    return surface


def filled(values: Floats, weights: Floats) -> Floats:
    """With values where there is no weight, from the nearest that have some, the smoother the farther off they are.

    By coarser and coarser means, of which each fills what the finer one lacks (S. J. Gortler et al., The Lumigraph,
    1996). Where nothing has weight all is 0.
    """
    known: Floats = np.where(weights > 0, values, 0.0).astype(np.float32)
    height, width = known.shape
    if (weights > 0).all() or max(height, width) == 1:
        return known
    half = ((width + 1) // 2, (height + 1) // 2)
    share = cv2.resize(weights.astype(np.float32), half, interpolation=cv2.INTER_AREA)
    total = cv2.resize(known * weights, half, interpolation=cv2.INTER_AREA)
    means = np.divide(total, share, out=np.zeros_like(total), where=share > 0).astype(np.float32)
    coarse = cv2.resize(filled(means, share.astype(np.float32)), (width, height), interpolation=cv2.INTER_LINEAR)
    full: Floats = np.where(weights > 0, known, coarse).astype(np.float32)
    return full


def _smoothed(values: Floats, weights: Floats) -> Floats:
    """Noise taken out of what is soft by nature; only what has weight counts."""
    near = cv2.GaussianBlur(weights, (0, 0), 1.0)
    total = cv2.GaussianBlur(values * weights, (0, 0), 1.0)
    smooth: Floats = np.divide(total, near, out=np.zeros_like(total), where=near > 0).astype(np.float32)
    return smooth


def _mean(values: Floats, size: int) -> Floats:
    height, width = values.shape
    means: Floats = values.reshape(height // size, size, width // size, size).mean(axis=(1, 3)).astype(np.float32)
    return means


def _mean_where(several: list[Floats], weights: Floats, size: int) -> tuple[list[Floats], Floats]:
    """Means of blocks of ``size``² pixels over those that have weight, and the share of each block that has."""
    share = _mean(weights, size)
    below = np.where(share > 0, share, 1.0)
    return [(_mean(values * weights, size) / below).astype(np.float32) for values in several], share
