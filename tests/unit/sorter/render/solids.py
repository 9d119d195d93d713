"""Solids of the tests' own, so that they need no library of parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sorter.render.mesh import MAIN_COLOUR, PartMesh
from sorter.render.stock import Design, Stock
from sorter.render.world import Camera, Finish, Lamp, PlacedPart, Scene, Table

_FACES = (  # of the corners of a box in binary order of z, y, x; counter-clockwise from outside
    (0, 2, 3, 1),
    (4, 5, 7, 6),
    (0, 1, 5, 4),
    (2, 6, 7, 3),
    (0, 4, 6, 2),
    (1, 3, 7, 5),
)


@dataclass(frozen=True, eq=False)
class Pose:
    """What drawing needs of a resting pose."""

    name: str
    rotation: np.ndarray
    probability: float
    height_mm: float


def box_mesh(size_mm: tuple[float, float, float], name: str = "box", colour: int = MAIN_COLOUR) -> PartMesh:
    """An upright box about the origin."""
    signs = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], float)
    corners = signs * np.array(size_mm) / 2
    triangles = np.array([corners[list(each)] for a, b, c, d in _FACES for each in ((a, b, c), (a, c, d))])
    across = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals = across / np.linalg.norm(across, axis=1, keepdims=True)
    return PartMesh(name, triangles, np.repeat(normals[:, None], 3, axis=1), np.full(12, colour, np.int32))


def upright(height_mm: float) -> Pose:
    return Pose("up", np.eye(3), 1.0, height_mm)


def box_stock(*names: str) -> Stock:
    """A design for each name: boxes of different lengths, in two colours."""
    sizes = {name: (8.0 * (2 + place), 16.0, 9.6) for place, name in enumerate(names)}
    designs = tuple(Design(name, box_mesh(size, name), (upright(9.6),)) for name, size in sizes.items())
    return Stock(designs, {"Red": (0.46, 0.0, 0.0), "White": (0.9, 0.9, 0.9)}, {})


def camera(**changes: object) -> Camera:
    known = {
        "position_mm": (0.0, -120.0, 100.0),
        "target_mm": (0.0, 0.0, 0.0),
        "fov_deg": 32.0,
        "roll_deg": 0.0,
        "width_px": 120,
        "height_px": 100,
    }
    return Camera(**(known | changes))


def placed(
    mesh: PartMesh, x_mm: float = 0.0, y_mm: float = 0.0, z_mm: float | None = None, yaw_deg: float = 0.0, **changes
) -> PlacedPart:
    """Upright on the table, unless ``z_mm`` says how high its middle is."""
    cos, sin = np.cos(np.deg2rad(yaw_deg)), np.sin(np.deg2rad(yaw_deg))
    low = float(mesh.corners_mm[..., 2].min())
    known = {
        "class_name": mesh.name,
        "mesh": mesh.name,
        "pose": "up",
        "yaw_deg": yaw_deg,
        "colour": "Red",
        "reflectance": (0.46, 0.02, 0.02),
        "roughness": 0.2,
        "rotation": np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]),
        "offset_mm": (x_mm, y_mm, -low if z_mm is None else z_mm),
    }
    return PlacedPart(**(known | changes))


PLAIN = Finish(exposure=1.0, white_balance=(1.0, 1.0, 1.0), vignette=0.0, blur_px=0.0, noise=0.0, jpeg_quality=90)


def scene(*parts: PlacedPart, **changes: object) -> Scene:
    known = {
        "seed": 1,
        "samples": 16,
        "camera": camera(),
        "lamps": (),
        "ambient": (0.5, 0.5, 0.5),
        "table": Table(radius_mm=80.0, reflectance=(0.8, 0.8, 0.8), gloss=0.0, surround=(0.0, 0.0, 0.0)),
        "parts": parts,
        "finish": PLAIN,
        "colours": {},
    }
    return Scene(**(known | changes))


def lamp(position_mm: tuple[float, float, float], radiance: float, radius_mm: float = 40.0) -> Lamp:
    return Lamp(position_mm, (0.0, 0.0, 0.0), radius_mm, (radiance, radiance, radiance))
