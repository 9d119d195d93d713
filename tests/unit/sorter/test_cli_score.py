"""``sorter score``: the real command line on an emulated board, with drawn pictures and a tiny model."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from sorter.cli.exit_codes import ExitCode
from tests.cli_rigs import sorter
from tests.scenes import Drawn, draw

if TYPE_CHECKING:
    from firmware_bridge.emulator.pty_server import EmulatedBoard

RIG = """
[board]
port = "{port}"
[camera]
source = "folder"
path = "pictures"
frames_per_s = 120.0
loop = false
[chute]
kind = "motor"
[ejector]
travel_s = 0.05
dwell_s = 0.0
fall_s = 0.05
[look]
model = "{model}"
misroute_rate = 0.05
angles = 4
least_views = 2
most_views = 2
[sort]
reject = "rest"
[[sort.rules]]
bin = "squares"
classes = ["square"]
[[bins]]
id = "squares"
chute_deg = 10.0
[[bins]]
id = "rest"
chute_deg = 200.0
"""


@pytest.fixture
def rig(board: EmulatedBoard, tmp_path: Path, tiny_model: Path) -> Path:
    """Its camera shows the empty table from four angles, then a square and a disc, each three times."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("", "square", "disc"):
        Image.fromarray(draw(*([Drawn(name)] if name else []), seed=7)).save(tmp_path / f"{name or 'empty'}.png")
    shown = ["empty"] * 4 + ["square"] * 3 + ["disc"] * 3
    for number, name in enumerate(shown):
        os.link(tmp_path / f"{name}.png", folder / f"{number}.png")
    file = tmp_path / "rig.toml"
    file.write_text(RIG.format(port=board.path, model=tiny_model), encoding="utf-8")
    return file


def test_two_known_parts_give_a_score_and_a_verdict(rig: Path) -> None:
    given = "\nsquare\nsquares\ndisc\nrest\n"
    result = sorter("score", "--parts", 2, "--config", rig, "--json", given=given)
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    data = json.loads(result.stdout)
    assert (data["parts"], data["right"], data["wrong"], data["delivered"]) == (2, 2, 0, 2)
    assert [each["wanted_bin"] for each in data["each"]] == ["squares", "rest"]
    assert data["stray_px"] == 0.0
    assert data["verdict"][-1].startswith("2 parts say little")
    assert data["right_share"]["share"] == 1.0
    assert set(data["stage_s"]) == {"look", "decide", "route", "eject"}
    assert "taken for square" in result.stderr


def test_a_part_in_the_wrong_bin_is_the_chutes_fault(rig: Path) -> None:
    result = sorter("score", "--parts", 1, "--config", rig, given="\nsquare\nrest\n")
    assert result.returncode == ExitCode.OK, result.stdout + result.stderr
    assert "delivered:     0 into the bin that they were sent to" in result.stdout
    assert "verdict:       Chute: 1 of 1 parts fell into another bin" in result.stdout


def test_the_end_of_the_input_reports_the_parts_so_far(rig: Path) -> None:
    result = sorter("score", "--config", rig, given="\nsquare\nsquares\ndisc\n")
    assert result.returncode == ExitCode.INTERRUPTED
    assert "1 parts, model" in result.stdout
    nothing = sorter("score", "--config", rig, given="")
    assert nothing.returncode == ExitCode.INTERRUPTED
    assert "parts, model" not in nothing.stdout


def test_a_rig_that_cannot_sort_is_refused_before_the_port_is_opened(
    board: EmulatedBoard, tmp_path: Path, tiny_model: Path
) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(f'[board]\nport = "{board.path}"\n', encoding="utf-8")
    assert sorter("score", "--config", file, given="").returncode == ExitCode.BAD_INPUT
    assert board.truth().resets == 0
