"""``sorter camera``: the real command line, on pictures from a folder and on the stand-in for picamera2."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sorter.cli.exit_codes import ExitCode
from tests.unit.sorter.camera.conftest import STAND_IN, noisy


def camera(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sorter", "camera", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr, result.stderr
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (1, 2):
        Image.fromarray(noisy(number).rgb).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    """A rig.toml with a Raspberry Pi camera, which is the stand-in; faults may be written into ``faults``."""
    (tmp_path / "faults").touch()
    python = tmp_path / "python3"
    python.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={shlex.quote(str(STAND_IN))}\n"
        f'export STAND_IN="$(cat {shlex.quote(str(tmp_path / "faults"))})"\n'
        f'exec {shlex.quote(sys.executable)} "$@"\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    file = tmp_path / "rig.toml"
    file.write_text(
        '[camera]\nwidth_px = 70\nheight_px = 64\npreview_width_px = 64\nframes_per_s = 100\npython = "python3"\n',
        encoding="utf-8",
    )
    return file


def unwrapped(text: str) -> str:
    """A usage error without the frame that is drawn around it."""
    return " ".join(text.replace("│", " ").split())


def reported(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_a_picture_is_what_the_camera_saw(folder: Path, tmp_path: Path) -> None:
    result = camera("snap", tmp_path / "out.png", "--source", "folder", "--device", folder)
    assert result.returncode == ExitCode.OK, result.stderr
    assert result.stdout.startswith(f"{tmp_path}/out.png: 32×24 px from pictures in {folder}")
    with Image.open(tmp_path / "out.png") as picture:
        assert np.array_equal(np.asarray(picture), noisy(1).rgb)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out.png", "pictures"]


def test_a_picture_of_the_raspberry_pi_camera(rig: Path, tmp_path: Path) -> None:
    result = camera("snap", tmp_path / "out.jpg", "--config", rig, "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    data = reported(result)
    assert (data["width_px"], data["height_px"], data["notes"]) == (70, 64, [])
    assert data["exposure_s"] == pytest.approx(0.004, rel=0.01)
    with Image.open(tmp_path / "out.jpg") as picture:
        red, green, blue = np.asarray(picture).mean(axis=(0, 1))
    assert red > green > blue
    assert (tmp_path / "state" / "camera.json").exists()


def test_a_picture_that_is_there_is_not_lost(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    out.write_text("a precious picture", encoding="utf-8")
    result = camera("snap", out, "--source", "folder", "--device", folder)
    assert result.returncode == ExitCode.USAGE
    assert "--force" in result.stderr
    assert out.read_text(encoding="utf-8") == "a precious picture"
    assert camera("snap", out, "--source", "folder", "--device", folder, "--force").returncode == ExitCode.OK
    with Image.open(out) as picture:
        assert picture.size == (32, 24)


@pytest.mark.parametrize("out", ["out.bmp", "out", "nowhere/out.png"])
def test_what_cannot_be_written_is_refused_before_the_camera_starts(folder: Path, tmp_path: Path, out: str) -> None:
    result = camera("snap", tmp_path / out, "--source", "folder", "--device", folder / "gone")
    assert result.returncode == ExitCode.USAGE


def test_without_a_picture_nothing_is_written(tmp_path: Path) -> None:
    result = camera("snap", tmp_path / "out.png", "--source", "folder", "--device", tmp_path, "--json")
    assert result.returncode == ExitCode.BAD_INPUT
    assert reported(result)["error"]["kind"] == "NotAPicture"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("faults", ["no_camera", "import_error"])
def test_a_camera_that_is_not_there_ends_with_4(rig: Path, faults: str) -> None:
    (rig.parent / "faults").write_text(faults, encoding="utf-8")
    result = camera("check", "--config", rig)
    assert result.returncode == ExitCode.HARDWARE
    assert result.stderr.startswith("error: ")


def test_a_usb_camera_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = camera("check", "--source", "usb", "--device", tmp_path / "video0")
    assert result.returncode == ExitCode.HARDWARE
    assert f"{tmp_path}/video0 does not exist" in result.stderr


def test_a_check_says_what_the_camera_gives(rig: Path) -> None:
    data = reported(camera("check", "--config", rig, "--frames", "5", "--json"))
    assert data["camera"] == "Raspberry Pi camera 0 (imx708)"
    assert (data["frames"], data["is_live"], data["problems"], data["notes"]) == (5, True, [], [])
    assert data["captures_per_s"] > 1
    assert 1.0 < data["noise"] < 6.0
    assert data["analogue_gain"] == pytest.approx(2.0, rel=0.01)
    text = camera("check", "--config", rig, "--frames", "2").stdout
    assert "size:         70×64 px" in text
    assert "temperature:  41.5 °C" in text
    assert "problems:     none" in text


@pytest.mark.parametrize(("faults", "problem"), [("black", "black"), ("frozen", "the same frame")])
def test_frames_that_are_not_to_be_believed_end_with_5(rig: Path, faults: str, problem: str) -> None:
    (rig.parent / "faults").write_text(faults, encoding="utf-8")
    result = camera("check", "--config", rig, "--frames", "3")
    assert result.returncode == ExitCode.FINDINGS
    assert problem in result.stdout


def test_light_settles_anew_only_when_asked(rig: Path) -> None:
    kept = rig.parent / "state" / "camera.json"
    assert camera("check", "--config", rig, "--frames", "2").returncode == ExitCode.OK
    kept.write_text(kept.read_text(encoding="utf-8").replace('"focus": 7.5', '"focus": 3.0'), encoding="utf-8")
    camera("check", "--config", rig, "--frames", "2")
    assert '"focus": 3.0' in kept.read_text(encoding="utf-8")
    camera("check", "--config", rig, "--frames", "2", "--settle")
    assert '"focus": 7.5' in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [["--source", "film"], ["--source", "folder"], ["--device", "ttyUSB0"], ["--settle"], ["--frames", "1"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert camera("check", *arguments).returncode == ExitCode.USAGE


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--source", "folder"], "add --device FOLDER"),
        (["--source", "video"], "add --device FILE"),
        (["--source", "usb", "--device", "video0"], "must be a number N for /dev/videoN, or a device such as"),
    ],
)
def test_wrong_usage_says_what_to_write(arguments: list[str], told: str) -> None:
    result = camera("check", *arguments)
    assert result.returncode == ExitCode.USAGE
    assert told in unwrapped(result.stderr)


def test_nothing_is_lost_when_there_is_no_camera_to_settle(rig: Path, folder: Path) -> None:
    camera("check", "--config", rig, "--frames", "2")
    kept = rig.parent / "state" / "camera.json"
    before = kept.read_bytes()
    (rig.parent / "faults").write_text("no_camera", encoding="utf-8")
    assert camera("check", "--config", rig, "--settle").returncode == ExitCode.HARDWARE
    result = camera("check", "--config", rig, "--source", "folder", "--device", folder, "--settle")
    assert result.returncode == ExitCode.USAGE
    assert "nothing can settle" in unwrapped(result.stderr)
    assert kept.read_bytes() == before


def test_a_folder_in_the_place_of_the_kept_light_is_told(rig: Path) -> None:
    (rig.parent / "state" / "camera.json").mkdir(parents=True)
    result = camera("check", "--config", rig, "--settle", "--json")
    assert result.returncode == ExitCode.BAD_INPUT
    assert reported(result)["error"]["kind"] == "LockFileRefused"


def test_pictures_are_played_whatever_light_the_rig_names(rig: Path, folder: Path) -> None:
    with rig.open("a", encoding="utf-8") as file:
        file.write('device = "0"\nexposure_ms = 4\ncolour_gains = [1.8, 1.4]\n')
    result = camera("check", "--config", rig, "--source", "folder", "--device", folder, "--frames", "2")
    assert result.returncode == ExitCode.OK, result.stderr
    told = f"warning: with --source folder these of {rig} are left out: device, exposure_ms, colour_gains\n"
    assert result.stderr == told
    assert not (rig.parent / "state").exists()


def test_the_end_of_the_pictures_is_told(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(f'[camera]\nsource = "folder"\npath = "{folder}"\nloop = false\n', encoding="utf-8")
    assert camera("check", "--config", file, "--frames", "2").returncode == ExitCode.OK
    result = camera("check", "--config", file, "--frames", "3", "--json")
    assert result.returncode == ExitCode.BAD_INPUT
    assert reported(result)["error"]["kind"] == "PicturesEnded"


def test_every_broken_picture_is_listed_and_the_others_go_on(folder: Path) -> None:
    (folder / "0.png").write_text("no picture", encoding="utf-8")
    Image.new("RGB", (32, 24)).save(folder / "3.png")
    Image.fromarray(noisy(4, size_px=(40, 30)).rgb).save(folder / "4.png")
    result = camera("check", "--source", "folder", "--device", folder, "--json")
    assert result.returncode == ExitCode.FINDINGS
    data = reported(result)
    broken, black, sizes = data["problems"]
    assert f"{folder}/0.png" in broken
    assert black == f"{folder}/3.png has the value 0 all over"
    assert sizes == "the pictures are of different sizes: 32×24, 40×30 px"
    assert data["frames"] == 6


@pytest.mark.parametrize("command", [["check"], ["snap", "out.png"]])
def test_a_black_picture_alone_is_a_bad_file_and_no_broken_camera(tmp_path: Path, command: list[str]) -> None:
    Image.new("RGB", (32, 24)).save(tmp_path / "black.png")
    command = [str(tmp_path / "new.png") if each == "out.png" else each for each in command]
    result = camera(*command, "--source", "folder", "--device", tmp_path)
    assert result.returncode == ExitCode.BAD_INPUT
    assert "Leave that picture out" in result.stderr
    assert not (tmp_path / "new.png").exists()


def test_a_folder_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out.png").mkdir()
    result = camera("snap", tmp_path / "out.png", "--force", "--source", "folder", "--device", folder / "gone")
    assert result.returncode == ExitCode.USAGE
    assert "is a folder" in unwrapped(result.stderr)


def test_options_go_before_rig_toml(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(f'[camera]\nsource = "folder"\npath = "{tmp_path}"\n', encoding="utf-8")
    assert camera("check", "--config", file).returncode == ExitCode.BAD_INPUT
    assert camera("check", "--config", file, "--device", folder).returncode == ExitCode.OK
    result = camera("check", "--config", file, "--source", "usb", "--device", tmp_path / "video0")
    assert f"{tmp_path}/video0 does not exist" in result.stderr
