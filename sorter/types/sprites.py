"""Sprites: pictures of parts that are rendered once and composed by the twin later; how their files are to be read.

``sprites.json`` holds a ``SpriteSet``; beside it stand two WebP sheets for each design and resting pose. A sheet holds
cells of one size, row by row, one for each yaw. All light is relative to that of the bare table at its middle. Where a
part of reflectance r (linear, 0 to 1, each channel by itself) covers a pixel, its light is

    gloss + r × diffuse / (1 − r × bounce)

in which the last factor is light that goes to and fro between walls of the part, as in a hollow brick. Beside the part
the table's light is multiplied by

    shadow + r × glow

as a part throws some of its colour on the table around it.

The sheet ``body`` is grey with alpha: grey is ``DIFFUSE``, smoothly continued past the part; alpha is coverage, 0 to
255. The sheet ``light`` is grey at half the resolution: rows of ``GLOSS`` cells, under them as many of ``BOUNCE``, then
of ``SHADOW`` and of ``GLOW``. Cells of gloss and bounce cover what those of the body do; those of shadow and glow have
a size of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter

from sorter.types.from_json import read_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_MOST_CELLS = 720

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_FileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,80}\.webp$")]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
_Positive = Annotated[float, Field(gt=0.0, le=10_000.0)]
_Distance = Annotated[float, Field(ge=-10_000.0, le=10_000.0)]
_Even = Annotated[int, Field(ge=2, le=4096, multiple_of=2)]


@dataclass(frozen=True)
class PlaneScale:
    """How 8 bits stand for the values of a plane: value = most × (code / 255) ** power.

    Args:
        most: the value of code 255; higher ones are cut off.
        power: 1 is even steps, 2 has finer ones in the dark.
    """

    most: float
    power: int

    def encode(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Codes of values, rounded."""
        shares = np.clip(values / self.most, 0.0, 1.0) ** (1.0 / self.power)
        codes: NDArray[np.uint8] = np.rint(255.0 * shares).astype(np.uint8)
        return codes

    def values(self) -> NDArray[np.float32]:
        """256 float32: the value of each code."""
        return (self.most * (np.arange(256) / 255.0) ** self.power).astype(np.float32)


DIFFUSE = PlaneScale(most=2.0, power=2)
"""Light that the part would send if its reflectance were 1 and nothing of it came back to it."""
GLOSS = PlaneScale(most=2.0, power=2)
"""Light of a black part."""
BOUNCE = PlaneScale(most=1.0, power=1)
"""See the module's formula."""
SHADOW = PlaneScale(most=1.25, power=1)
"""Of the table beside a black part, against the bare one; above 1 where the part throws light on it."""
GLOW = PlaneScale(most=1.0, power=2)
"""What more a white part throws on it."""


class SheetRect(NamedTuple):
    """A rectangle in a sheet, px."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class SpriteCamera:
    """The pinhole camera under which everything was rendered; it looks at the middle of the part on the table.

    Args:
        elevation_deg: it looks down by this.
        distance_mm: from the lens to the table's middle.
        px_per_mm: there; its focal length is ``px_per_mm × distance_mm`` px.
    """

    elevation_deg: Annotated[float, Field(gt=0.0, lt=90.0)]
    distance_mm: _Positive
    px_per_mm: _Positive

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class SpriteFile:
    """A sheet: its file's name, in the folder of ``sprites.json``, and the hash of its bytes."""

    name: _FileName
    sha256: _Sha256

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class SpriteCells:
    """Size of a pose's cells in full resolution, and where in each the part's middle on the table is.

    Args:
        width_px, height_px: even, as some planes are at half the resolution.
        anchor_x_px, anchor_y_px: from the cell's left and top edge; the middle of its first pixel is (0.5, 0.5). It may
            lie outside of the cell.
    """

    width_px: _Even
    height_px: _Even
    anchor_x_px: _Distance
    anchor_y_px: _Distance

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class SpritePose:
    """A resting pose of a design and its sheets.

    Args:
        name: as ``sorter.render`` names it: ``up``, ``down``, ``side``, ``end``, ``p0`` and so on.
        probability: that the part comes to rest so; over a design's poses they sum to 1.
        height_mm: of its highest point above the table.
        outline_mm: what it covers of the table at yaw 0: corners of a convex polygon, x and y in mm from its middle,
            counter-clockwise. The middle is that of the box around the part at yaw 0, and it turns about it.
        views: how many yaws are stored, from 0 on; further ones look the same, as the part is symmetric.
        columns: of cells in its sheets.
        body: the sheet of diffuse light and coverage.
        light: the sheet of gloss, bounce, shadow and glow.
        body_cells: of the body, gloss and bounce.
        shadow_cells: of shadow and glow.
    """

    name: _Name
    probability: Annotated[float, Field(gt=0.0, le=1.0)]
    height_mm: _Positive
    outline_mm: Annotated[tuple[tuple[_Distance, _Distance], ...], Field(min_length=3, max_length=1000)]
    views: Annotated[int, Field(ge=1, le=_MOST_CELLS)]
    columns: Annotated[int, Field(ge=1, le=_MOST_CELLS)]
    body: SpriteFile
    light: SpriteFile
    body_cells: SpriteCells
    shadow_cells: SpriteCells

    __pydantic_config__ = _STRICT

    @property
    def rows(self) -> int:
        """Of cells, for each plane."""
        return -(-self.views // self.columns)

    @property
    def body_size_px(self) -> tuple[int, int]:
        """Width and height of the sheet ``body``."""
        return self.columns * self.body_cells.width_px, self.rows * self.body_cells.height_px

    @property
    def light_size_px(self) -> tuple[int, int]:
        """Width and height of the sheet ``light``."""
        width = self.columns * max(self.body_cells.width_px, self.shadow_cells.width_px) // 2
        return width, self.rows * (self.body_cells.height_px + self.shadow_cells.height_px)

    def body_rect(self, view: int) -> SheetRect:
        """Where view number ``view`` (from 0) is in the sheet ``body``."""
        return self._rect(view, self.body_cells.width_px, self.body_cells.height_px, 0)

    def gloss_rect(self, view: int) -> SheetRect:
        """Where the view's gloss is in the sheet ``light``."""
        return self._rect(view, self.body_cells.width_px // 2, self.body_cells.height_px // 2, 0)

    def bounce_rect(self, view: int) -> SheetRect:
        """Where the view's bounce is in the sheet ``light``."""
        height = self.body_cells.height_px // 2
        return self._rect(view, self.body_cells.width_px // 2, height, self.rows * height)

    def shadow_rect(self, view: int) -> SheetRect:
        """Where the view's shadow is in the sheet ``light``."""
        above = self.rows * self.body_cells.height_px
        return self._rect(view, self.shadow_cells.width_px // 2, self.shadow_cells.height_px // 2, above)

    def glow_rect(self, view: int) -> SheetRect:
        """Where the view's glow is in the sheet ``light``."""
        height = self.shadow_cells.height_px // 2
        above = self.rows * (self.body_cells.height_px + height)
        return self._rect(view, self.shadow_cells.width_px // 2, height, above)

    def _rect(self, view: int, width: int, height: int, above: int) -> SheetRect:
        row, column = divmod(view, self.columns)
        return SheetRect(column * width, above + row * height, width, height)


@dataclass(frozen=True)
class SpriteDesign:
    """A design of parts.

    Args:
        number: its design number, such as ``3001``.
        title: what LDraw calls it, such as ``Brick 2 x 4``.
        class_name: what a classifier should call it; None for a part that is to be unknown.
        geometry: hash of its mesh and poses; another one needs other sheets.
        poses: the most probable first.
    """

    number: _Name
    title: _Text
    class_name: _Name | None
    geometry: _Name
    poses: Annotated[tuple[SpritePose, ...], Field(min_length=1)]

    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        """Refuse poses that stand twice, or whose probabilities are not those of one part."""
        names = [pose.name for pose in self.poses]
        if len(set(names)) != len(names):
            raise ValueError(f"SpriteDesign {self.number}: a pose stands twice: {', '.join(names)}")
        total = sum(pose.probability for pose in self.poses)
        if abs(total - 1.0) > 1e-3:
            raise ValueError(f"SpriteDesign {self.number}: probabilities sum to 1, not {total:.4f}")

    def pose(self, name: str) -> SpritePose:
        """The pose of this name.

        Raises:
            KeyError: there is none.
        """
        for each in self.poses:
            if each.name == name:
                return each
        raise KeyError(f"{self.number} has no pose {name!r}; it has {', '.join(each.name for each in self.poses)}")


@dataclass(frozen=True)
class SpriteSet:
    """The whole of ``sprites.json``.

    Args:
        format: of these files.
        camera: under which all was rendered.
        yaw_step_deg: from one view to the next; yaw counts counter-clockwise from above.
        recipe_sha256: of everything that decided what the sheets show, but for the parts' geometry.
        command: that made them.
        backend: what rendered them, with its version.
        attribution: whose part models they are pictures of, and under which licence.
        designs: in the order of their numbers.
    """

    format: Literal[1]
    camera: SpriteCamera
    yaw_step_deg: Annotated[float, Field(gt=0.0, le=360.0)]
    recipe_sha256: _Sha256
    command: _Text
    backend: _Text
    attribution: _Text
    designs: tuple[SpriteDesign, ...]

    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        """Refuse designs or files that stand twice, steps that miss a turn, and views that do not go round evenly."""
        numbers = [design.number for design in self.designs]
        if numbers != sorted(set(numbers)):
            raise ValueError("SpriteSet: designs are in the order of their numbers, each once")
        names = [file.name for file in self.files]
        if len(set(names)) != len(names):
            raise ValueError("SpriteSet: each sheet belongs to one pose")
        turn = 360.0 / self.yaw_step_deg
        if abs(turn - round(turn)) > 1e-6:
            raise ValueError(f"SpriteSet: yaw_step_deg divides 360, got {self.yaw_step_deg}")
        for design in self.designs:
            for pose in design.poses:
                if round(turn) % pose.views:
                    raise ValueError(f"SpriteSet: {design.number} {pose.name}: {pose.views} views do not go round")

    @property
    def files(self) -> tuple[SpriteFile, ...]:
        """All sheets."""
        return tuple(file for design in self.designs for pose in design.poses for file in (pose.body, pose.light))

    def design(self, number: str) -> SpriteDesign:
        """The design of this number.

        Raises:
            KeyError: there is none.
        """
        for each in self.designs:
            if each.number == number:
                return each
        raise KeyError(f"there is no sprite of {number!r}; there are {', '.join(each.number for each in self.designs)}")

    def view_of(self, pose: SpritePose, yaw_deg: float) -> int:
        """The number of the view that is nearest to a yaw."""
        return math.floor(yaw_deg % 360.0 / self.yaw_step_deg + 0.5) % pose.views

    def to_json(self) -> str:
        """The text of ``sprites.json``."""
        return _READER.dump_json(self, indent=1).decode() + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> SpriteSet:
        """Read the text of ``sprites.json``.

        Raises:
            ValueError: it is no JSON, or not what is described here; says where and what.
        """
        return read_json(_READER, text)


_READER: TypeAdapter[SpriteSet] = TypeAdapter(SpriteSet)
