"""A parts library under the numbers of real parts, and a scene that is rendered in a moment."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sorter.render.recipe import DEFAULT_SCENE

TINY = Path(__file__).resolve().parents[3] / "data" / "ldraw"
NUMBERS = {
    "3001": "t2x4",
    "3001p01": "t2x4",
    "3003": "t2x2",
    "3004": "t1x2",
    "3062b": "tround",
    "3068": "ttile",
    "3665": "t45",
}


def small_library(root: Path) -> Path:
    shutil.copytree(TINY, root, ignore=shutil.ignore_patterns("generate.py", "__pycache__"))
    parts = root / "parts"
    files = {number: (parts / f"{name}.dat").read_text() for number, name in NUMBERS.items()}
    files["3039"] = "0 ~Moved to 3665\n1 16 0 0 0 1 0 0 0 1 0 0 0 1 3665.dat\n"
    for each in parts.glob("*.dat"):
        each.unlink()
    for number, text in files.items():
        (parts / f"{number}.dat").write_text(text)
    return root


def small_scene(file: Path) -> Path:
    text = DEFAULT_SCENE.read_text()
    for key, value in (("width_px", 64), ("height_px", 48), ("samples", 2)):
        text = re.sub(rf"^{key} = \d+", f"{key} = {value}", text, flags=re.MULTILINE)
    file.write_text(re.sub(r"colours = \[[^\]]*\]", 'colours = ["Red", "White", "Blue"]', text))
    return file
