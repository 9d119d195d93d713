"""One picture's world, as drawn from a scene's ranges: what every backend is given, and must show alike.

Lengths are mm, angles deg, colours linear RGB. See ``sorter.render`` for the axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rgb = tuple[float, float, float]
    Xyz = tuple[float, float, float]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Args:
        position_mm, target_mm: where it stands and the point that is in the middle of the picture.
        fov_deg: angle of view over the picture's width.
        roll_deg: turned about its axis; positive turns the picture's content counter-clockwise.
        width_px, height_px: size of the picture; pixels are square.
    """

    position_mm: Xyz
    target_mm: Xyz
    fov_deg: float
    roll_deg: float
    width_px: int
    height_px: int


@dataclass(frozen=True)
class Lamp:
    """A glowing disc, one-sided.

    Args:
        position_mm: its centre.
        target_mm: a point that it faces.
        radius_mm: the larger, the softer the shadows.
        radiance: linear RGB, in units in which a white table under it alone looks as bright as ``radiance`` times the
            disc's projected solid angle over pi.
    """

    position_mm: Xyz
    target_mm: Xyz
    radius_mm: float
    radiance: Rgb


@dataclass(frozen=True)
class Table:
    """A flat disc about the origin, top at z = 0, in front of an even surrounding.

    Args:
        radius_mm: of the disc.
        reflectance: diffuse, linear RGB.
        gloss: 0 is matt; the weight of a clear coat's highlight over it otherwise.
        surround: radiance of what is seen past the disc's edge, linear RGB.
    """

    radius_mm: float
    reflectance: Rgb
    gloss: float
    surround: Rgb


@dataclass(frozen=True, eq=False)
class PlacedPart:
    """A part as it lies on the table.

    Args:
        class_name: what it counts as in the dataset.
        mesh: name of its mesh, ``PartMesh.name``.
        pose: name of its resting pose.
        yaw_deg: turned about the vertical, after the pose.
        colour: its colour's name, such as ``Red``.
        reflectance: of ``MAIN_COLOUR``, linear RGB.
        roughness: of the plastic's coat, 0.05 (new) to 0.5 (worn).
        rotation: 3×3 float64, from the mesh's axes to the world's, pose and yaw together.
        offset_mm: added after the rotation; the lowest corner then is at z = 0.
    """

    class_name: str
    mesh: str
    pose: str
    yaw_deg: float
    colour: str
    reflectance: Rgb
    roughness: float
    rotation: NDArray[np.float64]
    offset_mm: Xyz


@dataclass(frozen=True)
class Finish:
    """What the camera makes of the light: applied after rendering, the same for every backend.

    Args:
        exposure: factor on linear light.
        white_balance: factors on linear red, green and blue.
        vignette: share of light lost in the picture's corners.
        blur_px: standard deviation of a Gaussian.
        noise: standard deviation in grey levels of 255 at middle grey.
        jpeg_quality: 1 to 100.
    """

    exposure: float
    white_balance: Rgb
    vignette: float
    blur_px: float
    noise: float
    jpeg_quality: int


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that makes one picture.

    Args:
        seed: of everything random in rendering and finishing it.
        samples: paths per pixel, where the backend traces paths.
        ambient: radiance that comes from everywhere above, linear RGB.
        colours: linear RGB of fixed LDraw colour codes that meshes of this picture have.
    """

    seed: int
    samples: int
    camera: Camera
    lamps: tuple[Lamp, ...]
    ambient: Rgb
    table: Table
    parts: tuple[PlacedPart, ...]
    finish: Finish
    colours: dict[int, Rgb]
