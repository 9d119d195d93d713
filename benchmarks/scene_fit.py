"""Where the camera of a folder of photographs stood: fitted to the sizes of parts in them.

    pip install -e '.[train,render]'
    python benchmarks/scene_fit.py PHOTOGRAPHS LDRAW_LIBRARY [--classes 3001 3002 ...] [--cache DIR]

The photographs' classes are design numbers, and their poses named as ``sorter render poses`` names them (``up``,
``down``, ``side``, ``end``); others are not used. Parts are found as on the rig (``locate``), and the 20th, 50th and
80th percentile of width and height of their outlines, over all yaws, compared with those of the geometry seen by a
pinhole. What comes out is for a ``scene.toml``: distance, elevation, width of what is seen at the middle of the table.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial import ConvexHull

from sorter.dataset import read_dataset
from sorter.render.draw import about_vertical
from sorter.render.load import load_stock
from sorter.render.projection import project
from sorter.render.recipe import read_scene_recipe
from sorter.render.world import Camera
from sorter.training.crop_cache import prepare_cached
from sorter.training.recipe import read_recipe

CLASSES = ("3001", "3002", "3003", "3004", "3010")
YAWS_DEG = np.arange(0.0, 360.0, 7.5)
PERCENTILES = (20, 50, 80)
SIDE_PX = 300
LEAST_SEEN = 40


def seen(photographs: Path, cache: Path) -> dict[tuple[str, str], np.ndarray]:
    """Width and height of outlines, in parts of the frame's width, by class and pose."""
    dataset = read_dataset(photographs)
    spec = read_recipe("rig").crop.spec()
    shown = prepare_cached(dataset.root, dataset.pictures, spec, cache)
    share = spec.window_mm / spec.frame_mm / spec.size_px
    sizes: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for picture, mask in zip(shown.pictures, shown.masks, strict=True):
        rows, columns = np.nonzero(mask)
        if picture.pose is not None and len(rows):
            size = (np.ptp(columns) + 1.0, np.ptp(rows) + 1.0)
            sizes.setdefault((picture.class_name, picture.pose), []).append(size)
    return {key: np.array(each) * share for key, each in sizes.items() if len(each) >= LEAST_SEEN}


def geometry(library: Path, classes: list[str]) -> dict[tuple[str, str], np.ndarray]:
    """Corners of the hull of each class in each pose, its middle over the table's axis."""
    found = {}
    for design in load_stock(library, [(each, each) for each in classes], read_scene_recipe()).designs:
        for pose in design.poses:
            corners = design.mesh.corners_mm.reshape(-1, 3) @ pose.rotation.T
            corners = corners[ConvexHull(corners).vertices]
            low, high = corners.min(axis=0), corners.max(axis=0)
            found[design.class_name, pose.name] = corners - [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]
    return found


def sizes(corners: np.ndarray, distance_mm: float, elevation_deg: float, view_mm: float) -> np.ndarray:
    elevation = math.radians(elevation_deg)
    camera = Camera(
        position_mm=(0.0, -distance_mm * math.cos(elevation), distance_mm * math.sin(elevation)),
        target_mm=(0.0, 0.0, 0.0),
        fov_deg=math.degrees(2 * math.atan(view_mm / 2 / distance_mm)),
        roll_deg=0.0,
        width_px=SIDE_PX,
        height_px=SIDE_PX,
    )
    turned = [project(camera, corners @ about_vertical(yaw).T) for yaw in YAWS_DEG]
    return np.array([np.ptp(each, axis=0) + 1.0 for each in turned]) / SIDE_PX


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("library", type=Path)
    parser.add_argument("--classes", nargs="*", default=CLASSES)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "scene-fit")
    given = parser.parse_args()
    real, solid = seen(given.photographs, given.cache), geometry(given.library, given.classes)
    both = sorted(real.keys() & solid.keys())
    print(f"classes and poses: {', '.join(' '.join(each) for each in both)}\n")

    def errors(free: np.ndarray) -> np.ndarray:
        made = [sizes(solid[key], *free) for key in both]
        return np.concatenate(
            [
                np.percentile(ours, PERCENTILES, axis=0).ravel() / np.percentile(real[key], PERCENTILES, axis=0).ravel()
                - 1
                for key, ours in zip(both, made, strict=True)
            ]
        )

    print("| distance (mm) | elevation (deg) | view (mm) | sizes off by (rms) |")
    print("|---|---|---|---|")
    for fixed in (None, 110.0, 130.0, 160.0, 200.0):
        start = (86.0, 45.0, 75.0) if fixed is None else (fixed, 45.0, 75.0)
        reach = (60.0, 400.0) if fixed is None else (fixed - 1e-3, fixed + 1e-3)
        bounds = ([reach[0], 20.0, 50.0], [reach[1], 70.0, 120.0])
        fit = least_squares(errors, start, bounds=bounds, diff_step=0.01, loss="soft_l1", f_scale=0.02)
        rms = float(np.sqrt(np.mean(errors(fit.x) ** 2)))
        name = "fitted" if fixed is None else "held"
        print(f"| {fit.x[0]:.0f} ({name}) | {fit.x[1]:.1f} | {fit.x[2]:.1f} | {100 * rms:.1f} % |", flush=True)


if __name__ == "__main__":
    main()
