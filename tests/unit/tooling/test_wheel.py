"""What ``pip install`` gives is whole: the wheel works far from the checkout, with the base set alone."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from sorter import __version__


def run(*command: str | Path, cwd: Path) -> str:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "LANG": "C.UTF-8"}
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, checkout], check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_wheel_holds_code_models_types_and_licence_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"sorter/models/README.md", "sorter/py.typed", "firmware_bridge/py.typed"} <= set(names)
    assert {"sorter/models/turntable10/model.tflite", "sorter/training/recipes/rig.toml"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    roots = {name.partition("/")[0] for name in names}
    assert roots == {"sorter", "firmware_bridge", f"turntable_sorter-{__version__}.dist-info"}
    assert not [name for name in names if "__pycache__" in name]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_runs_in_an_empty_environment_far_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True)
    root = Path("/")
    assert run(environment / "bin/sorter", "--version", cwd=root) == f"sorter {__version__}\n"
    assert "config" in run(environment / "bin/sorter", "--help", cwd=root)
    config = tmp_path / "rig.toml"
    config.touch()
    assert "fit for use" in run(environment / "bin/sorter", "config", "check", config, cwd=root)
    where = run(python, "-c", "from sorter.resources import models_dir; print(models_dir())", cwd=root).strip()
    assert Path(where) == next(environment.glob("lib/python3*/site-packages/sorter/models"))
    run(python, "-m", "pip", "check", cwd=root)
