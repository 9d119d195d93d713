"""How the twin's table looks: its light, and marks that turn with it.

The light is drawn from a seed and stays: a rig's lamps and a camera with locked exposure do not drift. The ranges are
those of photographs from a turntable under a Raspberry Pi camera in a dim room. So is the table's own colour: there,
white parts are brighter than it, in green and blue more than in red.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.twin.compose import BareTable, bare_table

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from sorter.twin.eye import Eye

    Floats = NDArray[np.float32]
    Rgb = tuple[float, float, float]

TABLE_RADIUS_MM = 75.0

_LEVELS = (0.20, 0.30)  # linear green of the bare table, where 1 is white
_RED, _BLUE = (1.5, 2.2), (1.2, 1.9)  # against green
_WHITE_PLASTIC = (0.97, 1.27, 1.24)  # how bright it is, against one on a table as white as that of the sprites
_SURROUND = (0.002, 0.01)
_VIGNETTE = (0.02, 0.12)  # of the light is lost in the corners
_SLOPE = 0.12  # by so much of the logarithm light falls from the middle to a side
_SPECKS, _SCRATCHES = (2, 5), (1, 3)
_SPECK_MM, _SCRATCH_MM = (0.15, 0.4), (2.0, 7.0)  # radius; length
_SPECK_KEEPS, _SCRATCH_KEEPS = (0.55, 0.85), (0.86, 0.95)  # of the light
_MOTTLING = 0.006  # standard deviation of the paper's own unevenness
_MOTTLE_MM = 1.2
_TEXTURE_PX_PER_MM = 4.0
_KEPT_ANGLES = 16
_ANGLE_DIGITS = 1  # of a degree: 0.1 deg moves a mark at the edge of the picture by half a pixel


@dataclass(frozen=True)
class TableLight:
    """What was drawn.

    Args:
        light: the bare table's, linear RGB, 1 is white.
        light_on_parts: that of the white table under which sprites were rendered, if it lay there.
        surround: past the disc's edge.
        vignette: share of the light that the lens loses in the corners.
        slope: natural logarithm of the light from the middle to the right and to the lower side.
    """

    light: Rgb
    light_on_parts: Rgb
    surround: float
    vignette: float
    slope: tuple[float, float]

    @classmethod
    def drawn(cls, chance: Generator) -> TableLight:
        """One of those that photographs have."""
        level = chance.uniform(*_LEVELS)
        across, down = chance.uniform(-_SLOPE, _SLOPE, 2)
        red, green, blue = level * chance.uniform(*_RED), level, level * chance.uniform(*_BLUE)
        return cls(
            light=(red, green, blue),
            light_on_parts=(red * _WHITE_PLASTIC[0], green * _WHITE_PLASTIC[1], blue * _WHITE_PLASTIC[2]),
            surround=chance.uniform(*_SURROUND),
            vignette=chance.uniform(*_VIGNETTE),
            slope=(float(across), float(down)),
        )


class TableLook:
    """The bare table at any angle. May be used from several threads.

    Args:
        eye: the camera.
        chance: decides the light and where the marks are.
    """

    def __init__(self, eye: Eye, chance: Generator) -> None:
        drawn = TableLight.drawn(chance)
        self.light_on_parts = drawn.light_on_parts
        self.fall_off = _fall_off(eye.height_px, eye.width_px, drawn)
        self._eye = eye
        bare = BareTable(drawn.light, (drawn.surround,) * 3, TABLE_RADIUS_MM)
        self._bare = bare_table(bare, eye)
        self._texture = _texture(chance)
        self._at = lru_cache(maxsize=_KEPT_ANGLES)(self._turned)

    def at(self, table_deg: float) -> Floats:
        """H×W×3 float32 linear light of the table turned by this, before ``fall_off``; not to be written to."""
        return self._at(round(table_deg % 360.0, _ANGLE_DIGITS) % 360.0)

    def _turned(self, table_deg: float) -> Floats:
        """The texture seen in perspective, by where three and one of its corners are seen."""
        side = self._texture.shape[0]
        half_mm = side / _TEXTURE_PX_PER_MM / 2
        corners = np.array([[-1.0, 1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]) * half_mm
        turn = math.radians(table_deg)
        turned = corners @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        texels = (np.array([[0, 0], [side, 0], [side, side], [0, side]]) - 0.5).astype(np.float64)
        matrix = _homography(texels, turned, self._eye)
        seen = cv2.warpPerspective(
            self._texture,
            matrix,
            (self._eye.width_px, self._eye.height_px),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(1.0,),
        )
        light: Floats = self._bare * np.asarray(seen, dtype=np.float32)[..., None]
        light.flags.writeable = False
        return light


def _homography(texels: NDArray[np.float64], ground_mm: NDArray[np.float64], eye: Eye) -> NDArray[np.float64]:
    """3×3 from indices of the texture to indices of the picture: an affine one to the table, then the pinhole's.

    Corners of the texture may lie behind the lens, so it is not fitted to where they are seen.
    """
    to_ground = np.eye(3)
    to_ground[:2] = np.linalg.solve(np.column_stack([texels[:3], np.ones(3)]), ground_mm[:3]).T
    right, down, forward = eye.axes
    focal_px = eye.px_per_mm * eye.distance_mm
    # A point (x, y, 0) of the table relative to the lens, as a matrix of (x, y, 1).
    relative = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    relative[:, 2] -= eye.position_mm
    rows = np.stack([focal_px * right, focal_px * down, forward]) @ relative
    middle = np.array([[1.0, 0.0, eye.width_px / 2 - 0.5], [0.0, 1.0, eye.height_px / 2 - 0.5], [0.0, 0.0, 1.0]])
    matrix: NDArray[np.float64] = middle @ rows @ to_ground
    return matrix


def _fall_off(height_px: int, width_px: int, drawn: TableLight) -> Floats:
    """H×W×1: a lens loses light with the square of the distance from the middle, a lamp lights one side more."""
    down = np.linspace(-1.0, 1.0, height_px)[:, None]
    across = np.linspace(-1.0, 1.0, width_px)[None, :]
    kept = 1.0 - drawn.vignette * (down**2 + across**2) / 2
    sloped: Floats = (kept * np.exp(drawn.slope[0] * across + drawn.slope[1] * down))[..., None].astype(np.float32)
    return sloped


def _texture(chance: Generator) -> Floats:
    """What share of the light each place of the disc keeps: paper that is a little uneven, specks, scratches."""
    side = math.ceil(2 * TABLE_RADIUS_MM * _TEXTURE_PX_PER_MM)
    coarse = chance.standard_normal((side, side), dtype=np.float32)
    sigma_px = _MOTTLE_MM * _TEXTURE_PX_PER_MM
    mottled = cv2.GaussianBlur(coarse, (0, 0), sigma_px) * (2.0 * math.sqrt(math.pi) * sigma_px)  # of deviation 1 again
    texture = np.asarray(1.0 + _MOTTLING * mottled, dtype=np.float32)
    for _ in range(chance.integers(*_SPECKS, endpoint=True)):
        _mark(texture, chance, 0.0, 2 * chance.uniform(*_SPECK_MM), chance.uniform(*_SPECK_KEEPS))
    for _ in range(chance.integers(*_SCRATCHES, endpoint=True)):
        _mark(texture, chance, chance.uniform(*_SCRATCH_MM), 0.25, chance.uniform(*_SCRATCH_KEEPS))
    return texture


def _mark(texture: Floats, chance: Generator, length_mm: float, width_mm: float, keeps: float) -> None:
    """A line of this length, somewhere on the inner half of the disc, where parts lie and the camera looks."""
    radius_mm = TABLE_RADIUS_MM / 2 * math.sqrt(chance.uniform())
    towards, along = chance.uniform(0.0, 2.0 * math.pi, 2)
    middle = radius_mm * np.array([math.cos(towards), math.sin(towards)])
    half = length_mm / 2 * np.array([math.cos(along), math.sin(along)])
    ends_px = (np.array([middle - half, middle + half]) + TABLE_RADIUS_MM) * _TEXTURE_PX_PER_MM
    cover = np.zeros(texture.shape, np.uint8)
    first, last = (tuple(int(each) for each in np.rint(end * 16)) for end in ends_px)
    cv2.line(cover, first, last, 255, max(1, round(width_mm * _TEXTURE_PX_PER_MM)), cv2.LINE_AA, 4)
    texture *= 1.0 - (1.0 - keeps) * (cover.astype(np.float32) / 255.0)
