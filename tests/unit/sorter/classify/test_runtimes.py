"""A model means the same on a Pi that has only tflite-runtime, NumPy 1 and OpenCV 4 as here; parts land in one bin."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sorter.classify import load_model
from sorter.vision import crop, locate
from tests.models import whole_number_frame
from tests.unit.sorter.classify import asked_elsewhere

if TYPE_CHECKING:
    from sorter.types import Frame

OLD = ["tflite-runtime", "numpy<2", "opencv-python-headless<4.12", "pillow", "pydantic"]


@pytest.fixture(scope="module")
def asked(
    tiny_model: Path, drawn_parts: list[tuple[str, Frame]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A folder of frames and crops, and what this environment says of them."""
    folder = tmp_path_factory.mktemp("asked")
    spec = load_model(tiny_model).card.crop.spec()
    pictures = [frame.rgb for _, frame in drawn_parts] + [whole_number_frame(320, 320), whole_number_frame(660, 750)]
    for number, picture in enumerate(pictures):
        np.save(folder / f"frame{number:03}.npy", picture)
    cut = [crop(frame, locate(frame), spec).rgb for _, frame in drawn_parts]
    np.save(folder / "crops.npy", np.array(cut))
    return folder, asked_elsewhere.answers(tiny_model, folder)


def test_here_it_is_ai_edge_litert_that_runs(asked: tuple[Path, dict[str, Any]]) -> None:
    _, here = asked
    assert here["has_ai_edge_litert"]
    assert here["runtime"].startswith("ai-edge-litert ")
    assert None not in here["crops"]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11) or sys.platform != "linux",
    reason="the last tflite-runtime has wheels up to Python 3.11, on Linux",
)
def test_the_old_runtime_and_libraries_see_the_same_bytes_and_say_the_same(
    tiny_model: Path, asked: tuple[Path, dict[str, Any]], checkout: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin/python"
    for packages in (OLD, ["--no-deps", str(checkout)]):
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
    folder, here = asked
    program = [python, asked_elsewhere.__file__, tiny_model, folder]
    result = subprocess.run(program, cwd="/", capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    there = json.loads(result.stdout)

    assert there["runtime"].startswith("tflite-runtime ")
    assert not there["has_ai_edge_litert"]
    assert (there["numpy"].partition(".")[0], there["opencv"].partition(".")[0]) == ("1", "4")
    assert there["crops"] == here["crops"]
    assert there["kinds"] == here["kinds"]
    assert there["classes"] == here["classes"]
    # The logits are these up to a constant that is the same for all classes; the temperature of the card is 1.
    step = load_model(tiny_model).card.output.scale
    assert len(here["probabilities"]) == len(there["probabilities"]) == 60
    for mine, other in zip(here["probabilities"], there["probabilities"], strict=True):
        log_ratios = np.log(mine) - np.log(other)
        assert np.ptp(log_ratios) <= step * 1.001
