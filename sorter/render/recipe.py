"""A scene: the ranges from which every picture's world is drawn, in a small TOML file in words of the rig.

``sorter/render/scene.toml`` is the shipped one, which looks like photographs from a turntable; a user's own is a file
like it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from sorter.toml import TomlModel, read_toml

DEFAULT_SCENE = Path(__file__).parent / "scene.toml"


def _rises(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError("a range is [lowest, highest]")
    return ends


def _ordered(ends: tuple[int, int]) -> tuple[int, int]:
    if ends[0] > ends[1]:
        raise ValueError("a range is [lowest, highest]")
    return ends


_Any = Annotated[float, Field(ge=-10_000.0, le=10_000.0)]
_Positive = Annotated[float, Field(gt=0.0, le=10_000.0)]
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Factor = Annotated[float, Field(ge=0.01, le=100.0)]

Range = Annotated[tuple[_Any, _Any], AfterValidator(_rises)]
Positive = Annotated[tuple[_Positive, _Positive], AfterValidator(_rises)]
Share = Annotated[tuple[_Share, _Share], AfterValidator(_rises)]
Factor = Annotated[tuple[_Factor, _Factor], AfterValidator(_rises)]
Elevation = Annotated[
    tuple[Annotated[float, Field(ge=5.0, le=90.0)], Annotated[float, Field(ge=5.0, le=90.0)]], AfterValidator(_rises)
]
Quality = Annotated[
    tuple[Annotated[int, Field(ge=1, le=100)], Annotated[int, Field(ge=1, le=100)]], AfterValidator(_ordered)
]


class PictureRanges(TomlModel):
    """Size in px, and paths traced for each pixel."""

    width_px: Annotated[int, Field(ge=32, le=4096)] = 300
    height_px: Annotated[int, Field(ge=32, le=4096)] = 300
    samples: Annotated[int, Field(ge=1, le=4096)] = 32


class CameraRanges(TomlModel):
    """Where the camera stands.

    ``distance_mm`` is from the lens to the point in the middle of the picture, ``elevation_deg`` the angle above the
    table at which it looks down (its height is distance × sin(elevation)), ``view_mm`` the width of what it sees at
    that point (its angle of view is 2 atan(view / 2 / distance)). ``aim_x_mm`` and ``aim_y_mm`` say where that point is
    from the table's axis, to the right and away from the camera.
    """

    elevation_deg: Elevation
    distance_mm: Positive
    view_mm: Positive
    azimuth_deg: Range = (0.0, 0.0)
    roll_deg: Range = (0.0, 0.0)
    aim_x_mm: Range = (0.0, 0.0)
    aim_y_mm: Range = (0.0, 0.0)


class TableRanges(TomlModel):
    """The disc: ``reflectance`` of its three channels alike, ``tint`` a factor on red and blue each, ``gloss`` the
    weight of a clear coat, ``surround`` how bright it is behind (1 is a white table in full light).
    """

    radius_mm: Positive
    reflectance: Share
    tint: Factor = (1.0, 1.0)
    gloss: Share = (0.0, 0.0)
    surround: Share = (0.0, 0.0)


class LampRanges(TomlModel):
    """A round lamp that faces the table's middle.

    ``azimuth_deg`` counts counter-clockwise from above, from the right: 90 is behind the table, 270 on the camera's
    side. ``brightness`` is how bright a white table is under this lamp alone; ``tint`` a factor on red and blue each.
    """

    azimuth_deg: Range
    elevation_deg: Elevation
    distance_mm: Positive
    radius_mm: Positive
    brightness: Share
    tint: Factor = (1.0, 1.0)


class PartRanges(TomlModel):
    """How parts lie and of what they are.

    ``place_mm`` is how far from the table's axis a single part lies, and ``spread_mm`` how far several do; ``gap_mm``
    is the least distance between two. ``roughness`` is of the plastic's surface, ``colours`` names in the library's
    LDConfig.ldr, ``colour_shift`` the largest natural logarithm of a factor on each channel. Designs longer than
    ``longest_mm`` are not used, nor poses in which a part would lie less often than ``least_pose`` of the time.
    ``evenly`` is the share of pictures that take any of a design's poses alike, not as often as it falls so.
    """

    colours: Annotated[tuple[str, ...], Field(min_length=1)]
    place_mm: Annotated[float, Field(ge=0.0, le=1000.0)] = 10.0
    spread_mm: Annotated[float, Field(ge=0.0, le=1000.0)] = 25.0
    gap_mm: Annotated[float, Field(ge=0.0, le=100.0)] = 1.0
    roughness: Share = (0.1, 0.3)
    colour_shift: Annotated[float, Field(ge=0.0, le=2.0)] = 0.1
    longest_mm: Annotated[float, Field(gt=0.0, le=10_000.0)] = 70.0
    least_pose: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.03
    evenly: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5


class FinishRanges(TomlModel):
    """What the camera makes of it.

    ``table_level`` is how bright the table is in the picture in linear green, which stands for exposure and white
    balance together with ``red`` and ``blue``, factors against green. ``vignette`` is the light lost in the corners,
    ``blur_px`` the standard deviation of a Gaussian, ``noise`` that of the noise in grey levels of 255.
    """

    table_level: Share
    red: Factor = (1.0, 1.0)
    blue: Factor = (1.0, 1.0)
    vignette: Share = (0.0, 0.0)
    blur_px: Annotated[tuple[_Any, _Any], AfterValidator(_rises)] = (0.0, 0.0)
    noise: Annotated[tuple[_Any, _Any], AfterValidator(_rises)] = (0.0, 0.0)
    jpeg_quality: Quality = (90, 95)

    @model_validator(mode="after")
    def _is_not_below_nothing(self) -> Self:
        if self.blur_px[0] < 0.0 or self.noise[0] < 0.0:
            raise ValueError("blur_px and noise are 0 or more")
        return self


class SceneRecipe(TomlModel):
    """The whole file."""

    format: Annotated[int, Field(ge=1, le=1)]
    ambient: Share
    picture: PictureRanges = PictureRanges()
    camera: CameraRanges
    table: TableRanges
    lamps: Annotated[tuple[LampRanges, ...], Field(max_length=16)]
    parts: PartRanges
    finish: FinishRanges

    @model_validator(mode="after")
    def _has_light(self) -> Self:
        if self.ambient[0] <= 0.0 and not any(lamp.brightness[0] > 0.0 for lamp in self.lamps):
            raise ValueError("ambient: no lamp surely shines, and ambient may be 0: the picture would be black")
        return self


def read_scene_recipe(path: Path | None = None) -> SceneRecipe:
    """Read a scene; None is the shipped one.

    Raises:
        ConfigError: it cannot be read or does not fit; with line and key of every mistake.
    """
    return read_toml(path or DEFAULT_SCENE, SceneRecipe)
