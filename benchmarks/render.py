"""Seconds a rendered picture, for every backend that is installed here, on the same scenes.

    pip install -e '.[render]'          # and '.[blender]' where there is a wheel
    python benchmarks/render.py LDRAW_LIBRARY [--pictures 12] [--samples 32]

Each backend renders the same tables of 1 to 3 bricks with one thread, in a process of its own. The first two pictures
are not counted: kernels are compiled then. The last column is what 1,500 such pictures take on two cores.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from sorter.render.backends.blender import BlenderBackend
from sorter.render.backends.llvm import find_llvm
from sorter.render.backends.mitsuba import MitsubaBackend
from sorter.render.draw import draw_scene
from sorter.render.errors import BackendMissing
from sorter.render.finish import finish, jpeg
from sorter.render.load import load_stock
from sorter.render.recipe import read_scene_recipe

BACKENDS = ("mitsuba llvm", "mitsuba scalar", "blender cycles")
CLASSES = ("2456", "3001", "3002", "3003", "3004", "3010", "3039", "32064", "3660", "3701")
UNCOUNTED = 2


def backend(name: str) -> MitsubaBackend | BlenderBackend:
    if name.startswith("mitsuba"):
        return MitsubaBackend("llvm_ad_rgb" if name.endswith("llvm") else "scalar_rgb", threads=1)
    return BlenderBackend(threads=1)


def measure(name: str, library: Path, pictures: int, samples: int) -> None:
    """In a process of its own: prints JSON."""
    recipe = read_scene_recipe()
    stock = load_stock(library, [(each, each) for each in CLASSES], recipe)
    started = time.perf_counter()
    renderer = backend(name)
    start_s = time.perf_counter() - started
    wall_s, cpu_s = [], []
    for number in range(pictures + UNCOUNTED):
        scene = replace(draw_scene(recipe, stock, 1, number, parts=(1, 3)), samples=samples)
        wall, cpu = time.perf_counter(), time.process_time()
        rendered = renderer.render(scene, stock.meshes)
        jpeg(finish(rendered.light, scene.finish, seed=scene.seed), scene.finish.jpeg_quality)
        wall_s.append(time.perf_counter() - wall)
        cpu_s.append(time.process_time() - cpu)
    print(
        json.dumps(
            {
                "name": renderer.name,
                "start_s": start_s,
                "wall_s": statistics.median(wall_s[UNCOUNTED:]),
                "cpu_s": statistics.median(cpu_s[UNCOUNTED:]),
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--samples", type=int, default=read_scene_recipe().picture.samples)
    parser.add_argument("--only", choices=BACKENDS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        try:
            measure(given.only, given.library, given.pictures, given.samples)
        except BackendMissing as error:
            sys.exit(str(error))
        return
    print(f"{platform.platform()}, Python {platform.python_version()}; LLVM: {find_llvm() or 'none'}\n")
    print(f"| backend, {given.samples} samples | start | a picture, wall | CPU | 1,500 on two cores |")
    print("|---|---|---|---|---|")
    for name in BACKENDS:
        command = [sys.executable, __file__, str(given.library), "--only", name]
        command += ["--pictures", str(given.pictures), "--samples", str(given.samples)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"| {name} | not measured: {(done.stderr.strip() or 'killed').splitlines()[0]} | | | |", flush=True)
            continue
        data = json.loads(done.stdout)
        minutes = data["cpu_s"] * 1500 / 2 / 60
        print(
            f"| {data['name']} | {data['start_s']:.1f} s | {data['wall_s']:.2f} s | {data['cpu_s']:.2f} s | "
            f"{minutes:.0f} min |",
            flush=True,
        )


if __name__ == "__main__":
    main()
