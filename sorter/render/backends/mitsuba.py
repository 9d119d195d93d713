"""Mitsuba 3, a path tracer (Jakob et al. 2022): the default backend. Its wheel is all that it needs.

The ``llvm_ad_rgb`` variant compiles its kernels and is faster, but needs LLVM's shared library (17 or newer; 15 and 16
abort the process); without it, ``scalar_rgb`` does the same, more slowly, and says so once. The two give different
noise, so a folder of pictures is made by one of them.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sorter.render.backends.llvm import LEAST_VERSION, PATH_VARIABLE, find_llvm
from sorter.render.backends.protocol import NOTHING, Rendered
from sorter.render.errors import BackendMissing
from sorter.render.mesh import MAIN_COLOUR
from sorter.render.projection import axes, placed_corners_mm, reached_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from numpy.typing import NDArray

    from sorter.render.mesh import PartMesh
    from sorter.render.world import Lamp, PlacedPart, Rgb, Scene, Table

Variant = Literal["llvm_ad_rgb", "scalar_rgb"]

_DEEPEST_PATH = 6  # segments: light reaches the inside of a hollow brick by three or four
_SAMPLES_A_PASS = 8
_PASSES_AT_MOST = 512  # of 4,096 samples: seeds of two pictures do not meet
_FLOOR_BELOW_MM = 30.0
_FLOOR_RADIUS_MM = 5000.0
_REFRACTION = 1.53  # ABS plastic
_COAT_REFRACTION = 1.49
_TABLE_ROUGHNESS = 0.3

log = logging.getLogger(__name__)


class MitsubaBackend:
    """Renders with Mitsuba.

    Args:
        variant: of Mitsuba; None takes the fastest that runs here.
        threads: for one picture; None leaves it to Mitsuba. With several processes, 1 is best.

    Raises:
        BackendMissing: Mitsuba is not installed, or the variant does not run here.
    """

    def __init__(self, variant: Variant | None = None, *, threads: int | None = None) -> None:
        try:
            import drjit  # noqa: PLC0415  (heavy, and in an extra)
            import mitsuba  # noqa: PLC0415
        except ImportError as error:
            raise BackendMissing(
                f"Mitsuba cannot be imported: {error}",
                remedy="Install the extra: pip install 'turntable-sorter[render]'.",
            ) from error
        self._variant = _usable(variant)
        mitsuba.set_variant(self._variant)
        mitsuba.set_log_level(mitsuba.LogLevel.Error)
        if threads is not None:
            drjit.set_thread_count(threads)
        self._mi: ModuleType = mitsuba
        self._drjit: ModuleType = drjit
        self._name = f"mitsuba {self._variant.removesuffix('_ad_rgb').removesuffix('_rgb')} {mitsuba.__version__}"

    @property
    def name(self) -> str:
        """Such as ``mitsuba llvm 3.9.1``."""
        return self._name

    def render(self, scene: Scene, meshes: Mapping[str, PartMesh]) -> Rendered:
        """See ``Backend.render``.

        Raises:
            KeyError: a part's mesh is not among ``meshes``, or a colour code of it not in ``scene.colours``.
        """
        mi = self._mi
        mi.set_variant(self._variant)  # there is one for the whole process, and another backend may have set its own
        world: dict[str, Any] = {
            "type": "scene",
            "integrator": {"type": "path", "max_depth": _DEEPEST_PATH},
            "sensor": _sensor(mi, scene),
            "floor": _floor(mi, scene.table.surround),
            "table": _table(mi, scene.table),
        }
        if any(scene.ambient):
            world["ambient"] = {"type": "constant", "radiance": _rgb(scene.ambient)}
        for number, lamp in enumerate(scene.lamps):
            world[f"lamp-{number}"] = _lamp(mi, lamp)
        owners = {}
        for number, part in enumerate(scene.parts):
            for code, shape in self._shapes(part, meshes[part.mesh], scene.colours).items():
                shape.set_id(f"part-{number}-{code}")
                world[shape.id()] = shape
                owners[shape.id()] = number
        loaded = mi.load_dict(world, parallel=False)
        return Rendered(self._light(loaded, scene), self._ids(loaded, scene, meshes, owners))

    def _light(self, loaded: Any, scene: Scene) -> NDArray[np.float32]:
        """In passes of few samples: what all of a pass need at once then stays in the processor's cache."""
        total = np.zeros((scene.camera.height_px, scene.camera.width_px, 3), np.float64)
        for number, first in enumerate(range(0, scene.samples, _SAMPLES_A_PASS)):
            samples = min(_SAMPLES_A_PASS, scene.samples - first)
            seed = (scene.seed * _PASSES_AT_MOST + number) & 0xFFFFFFFF
            # Mitsuba may take a few samples more than it is asked for; it gives their mean.
            total += samples * np.array(self._mi.render(loaded, spp=samples, seed=seed), dtype=np.float64)[..., :3]
        return (total / scene.samples).astype(np.float32)

    def _shapes(self, part: PlacedPart, mesh: PartMesh, colours: Mapping[int, Rgb]) -> dict[int, Any]:
        """A mesh for each colour code that the part has."""
        corners_mm = mesh.corners_mm @ part.rotation.T + np.asarray(part.offset_mm)
        normals = mesh.normals @ part.rotation.T
        shapes = {}
        for code in (int(each) for each in np.unique(mesh.colours)):
            reflectance = part.reflectance if code == MAIN_COLOUR else colours[code]
            is_it = mesh.colours == code
            shapes[code] = self._mesh(corners_mm[is_it], normals[is_it], reflectance, part.roughness)
        return shapes

    def _mesh(
        self, corners_mm: NDArray[np.float64], normals: NDArray[np.float64], reflectance: Rgb, roughness: float
    ) -> Any:
        mi = self._mi
        properties = mi.Properties()
        properties["bsdf"] = mi.load_dict(
            {
                "type": "twosided",  # a file that does not say which side is outside must not show black
                "bsdf": _plastic(reflectance, roughness, _REFRACTION),
            }
        )
        count = len(corners_mm)
        mesh = mi.Mesh("part", vertex_count=3 * count, face_count=count, has_vertex_normals=True, props=properties)
        parameters = mi.traverse(mesh)
        parameters["vertex_positions"] = corners_mm.astype(np.float32).ravel()
        parameters["vertex_normals"] = normals.astype(np.float32).ravel()
        parameters["faces"] = np.arange(3 * count, dtype=np.uint32)
        parameters.update()
        return mesh

    def _ids(
        self, loaded: Any, scene: Scene, meshes: Mapping[str, PartMesh], owners: Mapping[str, int]
    ) -> NDArray[np.int16]:
        """By one ray through the middle of each pixel that a part may be in."""
        height, width = scene.camera.height_px, scene.camera.width_px
        ids = np.full((height, width), NOTHING, np.int16)
        placed = (placed_corners_mm(part, meshes[part.mesh].corners_mm) for part in scene.parts)
        rows, columns = reached_pixels(scene.camera, placed)
        if not len(rows):
            return ids
        if self._variant == "scalar_rgb":
            hits = [self._shape_at(loaded, column, row) for row, column in zip(rows, columns, strict=True)]
        else:
            hits = self._shapes_at(loaded, columns, rows)
        ids[rows, columns] = [owners.get(hit, NOTHING) for hit in hits]
        return ids

    def _shape_at(self, loaded: Any, column: int, row: int) -> str:
        mi = self._mi
        size = loaded.sensors()[0].film().size()
        ray, _ = loaded.sensors()[0].sample_ray(
            0.0, 0.5, mi.Point2f((column + 0.5) / size.x, (row + 0.5) / size.y), mi.Point2f(0.5, 0.5)
        )
        hit = loaded.ray_intersect(ray)
        return str(hit.shape.id()) if hit.is_valid() else ""

    def _shapes_at(self, loaded: Any, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> list[str]:
        mi = self._mi
        size = loaded.sensors()[0].film().size()
        across = mi.Float(((columns + 0.5) / size[0]).astype(np.float32))
        down = mi.Float(((rows + 0.5) / size[1]).astype(np.float32))
        ray, _ = loaded.sensors()[0].sample_ray(0.0, 0.5, mi.Point2f(across, down), mi.Point2f(0.5, 0.5))
        hit = loaded.ray_intersect(ray)
        found = self._drjit.reinterpret_array(mi.UInt32, hit.shape).numpy()
        names = {
            int(self._drjit.reinterpret_array(mi.UInt32, mi.ShapePtr(shape))[0]): str(shape.id())
            for shape in loaded.shapes()
        }
        return [names.get(int(each), "") for each in found]


def _usable(wanted: Variant | None) -> Variant:
    """The variant to use.

    Raises:
        BackendMissing: the compiled one was asked for, and there is no LLVM for it.
    """
    if wanted == "scalar_rgb":
        return wanted
    library = find_llvm()
    if library is not None:
        os.environ[PATH_VARIABLE] = str(library)
        return "llvm_ad_rgb"
    if wanted is not None:
        raise BackendMissing(
            f"Mitsuba's variant {wanted} needs LLVM {LEAST_VERSION} or newer, and there is none here",
            remedy=f"Install it (Debian: sudo apt install libllvm19), or name its file in {PATH_VARIABLE}.",
        )
    log.warning(
        "no LLVM %d or newer found: rendering with Mitsuba's scalar_rgb, which is several times slower "
        "(Debian: sudo apt install libllvm19)",
        LEAST_VERSION,
    )
    return "scalar_rgb"


def _rgb(value: Rgb) -> dict[str, Any]:
    return {"type": "rgb", "value": list(value)}


def _plastic(reflectance: Rgb, roughness: float, refraction: float) -> dict[str, Any]:
    """A coat over a coloured body. ``roughplastic`` would lose up to a third of the light on rough white plastic."""
    return {
        "type": "principled",
        "base_color": _rgb(reflectance),
        "roughness": roughness**0.5,  # Disney's is the square root of GGX's alpha
        "eta": refraction,
    }


def _sensor(mi: ModuleType, scene: Scene) -> dict[str, Any]:
    camera = scene.camera
    right, down, forward = axes(camera)
    # Mitsuba's camera looks along its z with x to the left and y up.
    to_world = np.eye(4)
    to_world[:3, :3] = np.stack((-right, -down, forward), axis=1)
    to_world[:3, 3] = camera.position_mm
    return {
        "type": "perspective",
        "fov": camera.fov_deg,
        "fov_axis": "x",
        "near_clip": 1.0,
        "far_clip": 100_000.0,
        "to_world": mi.ScalarTransform4f(to_world),
        "film": {
            "type": "hdrfilm",
            "width": camera.width_px,
            "height": camera.height_px,
            "rfilter": {"type": "box"},
            "pixel_format": "rgb",
            "component_format": "float32",
        },
        "sampler": {"type": "multijitter", "sample_count": scene.samples},
    }


def _floor(mi: ModuleType, surround: Rgb) -> dict[str, Any]:
    """What is seen past the table: a black disc below it that glows evenly."""
    below = mi.ScalarTransform4f().translate([0.0, 0.0, -_FLOOR_BELOW_MM]).scale(_FLOOR_RADIUS_MM)
    floor: dict[str, Any] = {
        "type": "disk",
        "to_world": below,
        "bsdf": {"type": "diffuse", "reflectance": _rgb((0.0, 0.0, 0.0))},
    }
    if any(surround):
        floor["emitter"] = {"type": "area", "radiance": _rgb(surround)}
    return floor


def _table(mi: ModuleType, table: Table) -> dict[str, Any]:
    matt = {"type": "diffuse", "reflectance": _rgb(table.reflectance)}
    coated = _plastic(table.reflectance, _TABLE_ROUGHNESS, _COAT_REFRACTION)
    return {
        "type": "disk",
        "to_world": mi.ScalarTransform4f().scale(table.radius_mm),
        "bsdf": {"type": "blendbsdf", "weight": table.gloss, "matt": matt, "coated": coated} if table.gloss else matt,
    }


def _lamp(mi: ModuleType, lamp: Lamp) -> dict[str, Any]:
    facing = np.subtract(lamp.target_mm, lamp.position_mm)
    is_upright = abs(facing[2]) > 0.999 * float(np.linalg.norm(facing))
    to_world = mi.ScalarTransform4f().look_at(
        origin=list(lamp.position_mm),
        target=list(lamp.target_mm),
        up=[0.0, 1.0, 0.0] if is_upright else [0.0, 0.0, 1.0],
    )
    return {
        "type": "disk",
        "to_world": to_world @ mi.ScalarTransform4f().scale(lamp.radius_mm),
        "bsdf": {"type": "diffuse", "reflectance": _rgb((0.0, 0.0, 0.0))},
        "emitter": {"type": "area", "radiance": _rgb(lamp.radiance)},
    }
