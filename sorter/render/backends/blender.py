"""Blender's path tracer Cycles, from the ``bpy`` wheel: the reference that other backends are compared with.

Slower than Mitsuba, and large. Everything in a scene keeps its mm; one of Blender's units is a mm.
"""

from __future__ import annotations

import math
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.quiet import kept_back
from sorter.render.backends.protocol import NOTHING, Rendered
from sorter.render.errors import BackendMissing, RenderRefused
from sorter.render.mesh import MAIN_COLOUR
from sorter.render.projection import axes, placed_corners_mm, reached_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sorter.render.mesh import PartMesh
    from sorter.render.world import Camera, Lamp, PlacedPart, Rgb, Scene, Table

_DEEPEST_PATH = 5  # bounces: light reaches the inside of a hollow brick by three or four
_BRIGHTEST_BOUNCE = 10.0  # a brighter path is cut down to this: a rare speck, not light that a picture lacks
_REFRACTION = 1.53  # ABS plastic
_TABLE_REFRACTION = 1.49
_TABLE_ROUGHNESS = 0.3
_TABLE_CORNERS = 720  # of the polygon that stands for the disc: 0.001 mm from it at a radius of 100 mm
_FARTHEST_MM = 100_000.0
_THINNEST = 1e-12  # of a triangle's doubled area in mm²: what is thinner has no side to see

_DEBIAN = "libgl1 libsm6 libxfixes3 libxi6 libxkbcommon0 libxrender1"
_LIBRARY = re.compile(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file")


class BlenderBackend:
    """Renders with Blender's Cycles on the processor, without denoising.

    Blender keeps one world per process, so there is one picture at a time: not from several threads.

    Args:
        threads: for one picture; None takes every core. With several processes, 1 is best.

    Raises:
        BackendMissing: bpy is not installed, or a library of the system that it needs is not.
    """

    def __init__(self, *, threads: int | None = None) -> None:
        self._bpy = _blender()
        self._threads = threads

    @property
    def name(self) -> str:
        """Such as ``blender cycles 5.0.1``."""
        return "blender cycles " + ".".join(str(number) for number in self._bpy.app.version)

    def render(self, scene: Scene, meshes: Mapping[str, PartMesh]) -> Rendered:
        """See ``Backend.render``.

        Raises:
            KeyError: a part's mesh is not among ``meshes``, or a colour code of it not in ``scene.colours``.
            RenderRefused: Blender gave up, such as for want of room for the picture's temporary file.
        """
        try:
            self._build(scene, meshes)
            return Rendered(self._light(scene), _ids(scene, meshes))
        finally:
            _empty(self._bpy)

    def _build(self, scene: Scene, meshes: Mapping[str, PartMesh]) -> None:
        bpy = self._bpy
        _settings(bpy.context.scene, scene, self._threads)
        _place_camera(bpy, scene.camera)
        for lamp in scene.lamps:
            _place_lamp(bpy, lamp)
        _surround(bpy, scene)
        _place_table(bpy, scene.table)
        for part in scene.parts:
            _place_part(bpy, part, meshes[part.mesh], scene.colours)

    def _light(self, scene: Scene) -> NDArray[np.float32]:
        """H×W×3, by way of a file: Blender gives a render's floats to nobody else."""
        bpy, camera = self._bpy, scene.camera
        with tempfile.TemporaryDirectory(prefix="sorter-blender-") as folder:
            file = Path(folder) / "light.exr"
            bpy.context.scene.render.filepath = str(file)
            reason = "its file was not written whole"
            try:
                with kept_back(is_shown_on_failure=False):
                    bpy.ops.render.render(write_still=True)
            except RuntimeError as error:
                reason = str(error).strip()
            # It does not always say so if it could not write; nothing is compressed, so that the size tells.
            if not file.is_file() or file.stat().st_size < camera.height_px * camera.width_px * 3 * 4:
                raise RenderRefused(
                    f"Blender did not render the picture: {reason}",
                    remedy=f"See that there is room in {tempfile.gettempdir()} and memory left, and try again.",
                )
            image = bpy.data.images.load(str(file))
            image.colorspace_settings.is_data = True
            pixels = np.empty(camera.height_px * camera.width_px * image.channels, np.float32)
            image.pixels.foreach_get(pixels)
        rows = pixels.reshape(camera.height_px, camera.width_px, -1)
        return np.ascontiguousarray(rows[::-1, :, :3])  # Blender's first row is the lowest


def _blender() -> Any:
    """The module ``bpy``, started and empty.

    Raises:
        BackendMissing: it is not installed, or cannot be loaded.
    """
    try:
        # Otherwise it would tell of sound, and of what numpy its unused parts were built for.
        with kept_back(is_shown_on_failure=False):
            import bpy  # noqa: PLC0415  (heavy, and in an extra)

            bpy.ops.wm.read_factory_settings(use_empty=True)
    except ImportError as error:
        raise BackendMissing(f"Blender's module bpy cannot be imported: {error}", remedy=_remedy(error)) from error
    return bpy


def _remedy(error: ImportError) -> str:
    missing = _LIBRARY.search(str(error))
    if missing:
        return f"Install the system's {missing[1]} (Debian: sudo apt install {_DEBIAN}), or render with Mitsuba."
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        "Install the extra: pip install 'turntable-sorter[blender]'. There are releases of bpy for Python 3.11 and "
        f"3.13 (this is {here}), none for Linux on ARM, and they need libraries of the system (Debian: sudo apt "
        f"install {_DEBIAN}). Or render with Mitsuba."
    )


def _empty(bpy: Any) -> None:
    """Remove everything but Blender's own scene: what nobody uses stays in memory otherwise."""
    data = bpy.data
    for kind in (data.objects, data.meshes, data.lights, data.cameras, data.materials, data.worlds, data.images):
        data.batch_remove(list(kind))


def _settings(into: Any, scene: Scene, threads: int | None) -> None:
    render, cycles = into.render, into.cycles
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = scene.camera.width_px, scene.camera.height_px
    render.resolution_percentage = 100
    render.threads_mode = "AUTO" if threads is None else "FIXED"
    if threads is not None:
        render.threads = threads
    render.film_transparent = False
    render.dither_intensity = 0.0
    render.use_compositing = render.use_sequencer = False
    render.use_file_extension = False
    render.image_settings.file_format = "OPEN_EXR"  # linear, whatever the view is
    render.image_settings.color_mode = "RGB"
    render.image_settings.color_depth = "32"
    render.image_settings.exr_codec = "NONE"
    into.view_settings.view_transform = "Raw"
    cycles.device = "CPU"
    cycles.samples = scene.samples
    cycles.seed = scene.seed & 0x7FFFFFFF
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = _DEEPEST_PATH
    cycles.light_sampling_threshold = 0.0  # or weak lamps would not shine everywhere
    cycles.sample_clamp_indirect = _BRIGHTEST_BOUNCE
    cycles.pixel_filter_type = "BOX"
    cycles.filter_width = 1.0


def _add(bpy: Any, name: str, data: Any, to_world: NDArray[np.float64] | None = None) -> Any:
    """An object in the scene, for data of any kind; ``to_world`` is 4×4."""
    made = bpy.data.objects.new(name, data)
    if to_world is not None:
        made.matrix_world = to_world.T.tolist()  # from bare numbers Blender takes columns
    bpy.context.scene.collection.objects.link(made)
    return made


def _place_camera(bpy: Any, camera: Camera) -> None:
    data = bpy.data.cameras.new("camera")
    data.sensor_fit = "HORIZONTAL"
    data.angle = math.radians(camera.fov_deg)
    data.clip_start, data.clip_end = 1.0, _FARTHEST_MM
    right, down, forward = axes(camera)
    bpy.context.scene.camera = _add(bpy, "camera", data, _matrix(right, -down, -forward, camera.position_mm))


def _matrix(x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], at_mm: Any) -> NDArray[np.float64]:
    """4×4 from three axes and an origin."""
    matrix = np.eye(4)
    matrix[:3] = np.stack((x, y, z, np.asarray(at_mm, dtype=np.float64)), axis=1)
    return matrix


def _place_lamp(bpy: Any, lamp: Lamp) -> None:
    """A round area light: it shines to one side, along its −z.

    Blender spreads ``energy`` over the disc and over the half of all directions, so radiance is
    energy / (π · area) (https://docs.blender.org/manual/en/latest/render/lights/light_object.html); tested against
    the formula at ``Lamp``.
    """
    brightest = max(lamp.radiance)
    if brightest <= 0.0:
        return
    light = bpy.data.lights.new("lamp", "AREA")
    light.shape = "DISK"
    light.size = 2.0 * lamp.radius_mm
    light.color = [channel / brightest for channel in lamp.radiance]
    light.energy = brightest * math.pi * math.pi * lamp.radius_mm**2
    z = np.subtract(lamp.position_mm, lamp.target_mm).astype(np.float64)
    z /= np.linalg.norm(z)
    x = np.cross(np.eye(3)[np.argmin(np.abs(z))], z)
    x /= np.linalg.norm(x)
    _add(bpy, "lamp", light, _matrix(x, np.cross(z, x), z, lamp.position_mm))


def _surround(bpy: Any, scene: Scene) -> None:
    """What rays that hit nothing meet: the surround, if they come from the camera or go down, ambient light else."""
    world = bpy.data.worlds.new("world")
    _with_nodes(bpy, world)
    bpy.context.scene.world = world
    world.cycles.sampling_method = "NONE"  # it is even: where a surface scatters to is where to look
    tree = world.node_tree
    ray, direction, parts = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("LightPath", "TexCoord", "SeparateXYZ"))
    is_down, is_surround = (tree.nodes.new("ShaderNodeMath") for _ in range(2))
    is_down.operation, is_surround.operation = "LESS_THAN", "MAXIMUM"
    is_down.inputs[1].default_value = 0.0
    ambient, surround = (tree.nodes.new("ShaderNodeBackground") for _ in range(2))
    ambient.inputs["Color"].default_value = (*scene.ambient, 1.0)
    surround.inputs["Color"].default_value = (*scene.table.surround, 1.0)
    mix, output = tree.nodes.new("ShaderNodeMixShader"), tree.nodes.new("ShaderNodeOutputWorld")
    for source, target in (
        (direction.outputs["Generated"], parts.inputs[0]),
        (parts.outputs["Z"], is_down.inputs[0]),
        (is_down.outputs[0], is_surround.inputs[0]),
        (ray.outputs["Is Camera Ray"], is_surround.inputs[1]),
        (is_surround.outputs[0], mix.inputs[0]),
        (ambient.outputs[0], mix.inputs[1]),
        (surround.outputs[0], mix.inputs[2]),
        (mix.outputs[0], output.inputs[0]),
    ):
        tree.links.new(source, target)


def _place_table(bpy: Any, table: Table) -> None:
    turn = np.linspace(0.0, 2.0 * np.pi, _TABLE_CORNERS, endpoint=False)
    mesh = bpy.data.meshes.new("table")
    rim = np.stack((np.cos(turn), np.sin(turn), np.zeros_like(turn)), axis=1) * table.radius_mm
    mesh.from_pydata(rim.tolist(), [], [list(range(_TABLE_CORNERS))])
    material, tree, output = _material(bpy, "table")
    matt = tree.nodes.new("ShaderNodeBsdfDiffuse")
    matt.inputs["Color"].default_value = (*table.reflectance, 1.0)
    coated = _plastic(tree, table.reflectance, _TABLE_ROUGHNESS, _TABLE_REFRACTION)
    mix = tree.nodes.new("ShaderNodeMixShader")
    mix.inputs[0].default_value = table.gloss
    tree.links.new(matt.outputs[0], mix.inputs[1])
    tree.links.new(coated.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs[0])
    mesh.materials.append(material)
    _add(bpy, "table", mesh)


def _place_part(bpy: Any, part: PlacedPart, mesh: PartMesh, colours: Mapping[int, Rgb]) -> None:
    """A mesh in the world's axes, with a material for each colour code."""
    corners_mm = placed_corners_mm(part, mesh.corners_mm)
    has_area = np.linalg.norm(np.cross(*np.diff(corners_mm, axis=1).swapaxes(0, 1)), axis=1) > _THINNEST
    corners_mm = corners_mm[has_area]
    codes, slots = np.unique(mesh.colours[has_area], return_inverse=True)
    count = len(corners_mm)
    made = bpy.data.meshes.new("part")
    made.vertices.add(3 * count)
    made.vertices.foreach_set("co", corners_mm.astype(np.float32).ravel())
    made.loops.add(3 * count)
    made.loops.foreach_set("vertex_index", np.arange(3 * count, dtype=np.int32))
    made.polygons.add(count)
    made.polygons.foreach_set("loop_start", np.arange(0, 3 * count, 3, dtype=np.int32))
    for code in (int(each) for each in codes):
        material, tree, output = _material(bpy, "plastic")
        reflectance = part.reflectance if code == MAIN_COLOUR else colours[code]
        tree.links.new(_plastic(tree, reflectance, part.roughness, _REFRACTION).outputs[0], output.inputs[0])
        made.materials.append(material)
    made.polygons.foreach_set("material_index", slots.astype(np.int32).ravel())
    made.update(calc_edges=True)
    made.shade_smooth()
    made.normals_split_custom_set((mesh.normals[has_area] @ part.rotation.T).reshape(-1, 3).tolist())
    _add(bpy, "part", made)


def _with_nodes(bpy: Any, holder: Any) -> None:
    """Give a material or world its own, empty node tree."""
    if bpy.app.version < (5, 0, 0):  # from then on it has one from the start, and saying so is deprecated
        holder.use_nodes = True
    holder.node_tree.nodes.clear()


def _material(bpy: Any, name: str) -> tuple[Any, Any, Any]:
    """The material, its node tree, and the node that takes its surface."""
    material = bpy.data.materials.new(name)
    _with_nodes(bpy, material)
    return material, material.node_tree, material.node_tree.nodes.new("ShaderNodeOutputMaterial")


def _plastic(tree: Any, reflectance: Rgb, roughness: float, refraction: float) -> Any:
    """Colour under a clear coat. ``roughness`` is the width of the GGX distribution; Blender wants its square root."""
    node = tree.nodes.new("ShaderNodeBsdfPrincipled")
    node.inputs["Base Color"].default_value = (*reflectance, 1.0)
    node.inputs["Roughness"].default_value = math.sqrt(roughness)
    node.inputs["IOR"].default_value = refraction
    return node


def _ids(scene: Scene, meshes: Mapping[str, PartMesh]) -> NDArray[np.int16]:
    """H×W, by one ray through the middle of each pixel that a part may be in."""
    from mathutils.bvhtree import BVHTree  # noqa: PLC0415  (comes with bpy)

    camera = scene.camera
    ids = np.full((camera.height_px, camera.width_px), NOTHING, np.int16)
    placed = [placed_corners_mm(part, meshes[part.mesh].corners_mm) for part in scene.parts]
    if not placed:
        return ids
    owners = np.repeat(np.arange(len(placed)), [len(each) for each in placed])
    corners_mm = np.concatenate(placed).reshape(-1, 3) - camera.position_mm
    triangles = np.arange(len(corners_mm)).reshape(-1, 3)
    tree = BVHTree.FromPolygons(corners_mm.tolist(), triangles.tolist(), all_triangles=True)
    rows, columns = reached_pixels(camera, placed)
    right, down, forward = axes(camera)
    per_px = math.tan(math.radians(camera.fov_deg) / 2.0) / (camera.width_px / 2.0)
    across = (columns + 0.5 - camera.width_px / 2.0)[:, None] * per_px
    below = (rows + 0.5 - camera.height_px / 2.0)[:, None] * per_px
    rays = (forward + across * right + below * down).tolist()
    hits = (tree.ray_cast((0.0, 0.0, 0.0), ray)[2] for ray in rays)
    ids[rows, columns] = [NOTHING if hit is None else owners[hit] for hit in hits]
    return ids
