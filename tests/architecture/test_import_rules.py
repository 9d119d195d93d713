"""Each import rule is there to be broken: a copy of the code with one breach must fail the check."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# file that gets the breach, the import, what the check says of it
BREACHES = {
    "the bridge knows no sorter": ("firmware_bridge/board.py", "import sorter.types", "may not import sorter.types"),
    "the bridge knows no emulator": (
        "firmware_bridge/board.py",
        "import firmware_bridge.emulator.firmware",
        "may not import firmware_bridge.emulator",
    ),
    "upwards: vision to rig": ("sorter/vision/locate.py", "import sorter.rig.table", "may not import sorter.rig"),
    "upwards: types to config": ("sorter/types/rig.py", "import sorter.config", "may not import sorter.config"),
    "sideways: classify to camera": (
        "sorter/classify/fuse.py",
        "import sorter.camera.usb",
        "may not import sorter.camera",
    ),
    "inside a function too": (
        "sorter/ledger/store.py",
        "def lazily():\n    from sorter.cycle import loop",
        "may not import sorter.cycle",
    ),
    "dataset knows no rig": ("sorter/dataset/index.py", "import sorter.rig.table", "may not import sorter.rig"),
    "the loop knows no SQL": ("sorter/cycle/loop.py", "import sorter.ledger.store", "may not import sorter.ledger"),
    "web never sees the loop": ("sorter/web/pages.py", "import sorter.cycle.loop", "may not import sorter.cycle"),
    "web never sees the rig": ("sorter/web/pages.py", "import sorter.rig.table", "may not import sorter.rig"),
    "the rig needs no training": ("sorter/app.py", "import sorter.training.fit", "may not import sorter.training"),
    "the rig needs no rendering": (
        "sorter/capture/pose.py",
        "import sorter.render.scene",
        "may not import sorter.render",
    ),
    "render stands on dataset alone": ("sorter/render/scene.py", "import sorter.classify.fuse", "may not import"),
    "app starts the twin as a process": ("sorter/app.py", "import sorter.twin.world", "may not import sorter.twin"),
    "only the twin imports the emulator": (
        "sorter/rig/table.py",
        "import firmware_bridge.emulator.firmware",
        "may not import firmware_bridge.emulator",
    ),
    "not even the CLI imports the emulator": (
        "sorter/cli/config.py",
        "import firmware_bridge.emulator.firmware",
        "may not import firmware_bridge.emulator",
    ),
    "the twin knows no rig": ("sorter/twin/world.py", "import sorter.rig.table", "may not import sorter.rig"),
    "a new room asks for its rule": ("sorter/attic/box.py", "", "belongs to no room"),
    "serial has one door": ("firmware_bridge/board.py", "import serial.tools.list_ports", "transport may import it"),
    "sqlalchemy has one door": ("sorter/web/pages.py", "import sqlalchemy.orm", "ledger may import it"),
    "alembic has one door": ("sorter/cli/config.py", "import alembic.command", "ledger may import it"),
    "picamera2 has one door": ("sorter/camera/usb.py", "import picamera2", "picamera2_worker may import it"),
    "the runtime has one door": (
        "sorter/vision/locate.py",
        "import ai_edge_litert.interpreter",
        "classify may import it",
    ),
    "the old runtime too": ("sorter/rig/table.py", "import tflite_runtime.interpreter", "classify may import it"),
    "tensorflow has one door": ("sorter/classify/fuse.py", "import tensorflow as tf", "training may import it"),
    "keras has one door": ("sorter/cli/config.py", "import keras", "training may import it"),
    "bpy has one door": ("sorter/cli/config.py", "import bpy", "backends.blender may import it"),
    "distributed has one door": ("sorter/render/job.py", "import distributed", "render.cluster may import it"),
    "mitsuba has one door": ("sorter/dataset/index.py", "import mitsuba", "backends.mitsuba may import it"),
    "nothing shipped needs the tests": ("sorter/app.py", "import tests.leaks", "nobody may import it"),
    "starlette is fastapi": ("sorter/app.py", "import starlette.requests", "web may import it"),
    "fastapi has one door": ("sorter/app.py", "import fastapi", "web may import it"),
}

TARGETS = (
    "firmware_bridge/emulator/firmware.py",
    "sorter/rig/table.py",
    "sorter/camera/usb.py",
    "sorter/classify/fuse.py",
    "sorter/cycle/loop.py",
    "sorter/ledger/store.py",
    "sorter/training/fit.py",
    "sorter/render/scene.py",
    "sorter/twin/world.py",
)


def add(root: Path, name: str, source: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    package = file.parent
    while package != root:
        (package / "__init__.py").touch()
        package = package.parent
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{source}\n")


@pytest.fixture
def copy(tmp_path: Path, checkout: Path) -> Path:
    """A copy of what the check reads, with a module in every room that a breach may point at."""
    hidden = shutil.ignore_patterns("__pycache__")
    for folder in ("firmware_bridge", "sorter"):
        shutil.copytree(checkout / folder, tmp_path / folder, ignore=hidden)
    (tmp_path / "tests/architecture").mkdir(parents=True)
    shutil.copy(checkout / "tests/architecture/rooms.py", tmp_path / "tests/architecture")
    shutil.copy(checkout / "pyproject.toml", tmp_path)
    for target in TARGETS:
        add(tmp_path, target, "")
    return tmp_path


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    environment = {"PYTHONPATH": str(root), "COLUMNS": "200", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_the_code_as_it_is_keeps_the_rules(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("rule", BREACHES)
def test_a_breach_fails_the_check(copy: Path, rule: str) -> None:
    file, source, verdict = BREACHES[rule]
    add(copy, file, source)
    result = lint(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    breaches = [line for line in result.stdout.splitlines() if line.startswith("- ")]
    assert len(breaches) == 1, result.stdout
    assert verdict in breaches[0]
    assert breaches[0].startswith(f"- {file.rpartition('/')[0].replace('/', '.')}")


def test_a_rule_that_names_no_room_fails_the_check(copy: Path) -> None:
    project = copy / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(
        text.replace("-> sorter.rig, sorter.camera", "-> sorter.rigg, sorter.camera", 1), encoding="utf-8"
    )
    result = lint(copy)
    assert result.returncode == 1
    assert "may import sorter.rigg, but no room has that name" in result.stdout
