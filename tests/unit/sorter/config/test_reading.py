"""The rig's own file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sorter.config import BoardConfig, CameraConfig, PathsConfig, RigConfig, read_rig_config, read_sorting_config
from sorter.errors import ConfigError


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.touch()
    expected = RigConfig(board=BoardConfig(port="auto", baud_rate=250_000), paths=PathsConfig(state=tmp_path / "state"))
    assert read_rig_config(file) == expected


def test_a_file_that_is_not_there_yet_is_told_how_to_come_by_it(tmp_path: Path) -> None:
    for read in (read_rig_config, read_sorting_config):
        with pytest.raises(ConfigError, match="No such file") as caught:
            read(tmp_path / "rig.toml")
        assert f"sorter config init {tmp_path}/rig.toml" in caught.value.remedy


@pytest.mark.parametrize(
    "line",
    ['[paths]\nstate = ""', '[paths]\nstate = "~/x"', '[paths]\nstate = "a\\u0000b"', "[board]\nbaud_rate = 9600"],
)
def test_a_value_that_would_fail_later_is_refused_now(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 2: .*must"):
        read_rig_config(file)


def test_a_whole_number_is_written_as_one(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text("[board]\nbaud_rate = 250000.0\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 2: board\.baud_rate"):
        read_rig_config(file)


@pytest.mark.parametrize("port", ["", "ttyUSB0", "Auto", "COM3"])
def test_a_port_that_is_no_device_is_refused(tmp_path: Path, port: str) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(f'\n[board]\nport = "{port}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 3: board\.port: .*got"):
        read_rig_config(file)


def camera_of(tmp_path: Path, *lines: str) -> CameraConfig:
    file = tmp_path / "rig.toml"
    file.write_text("\n".join(["[camera]", *lines]), encoding="utf-8")
    return read_rig_config(file).camera


def test_a_file_without_a_camera_has_a_raspberry_pi_camera(tmp_path: Path) -> None:
    assert camera_of(tmp_path) == CameraConfig()
    assert CameraConfig().source == "picamera2"


def test_what_a_camera_plays_is_found_from_the_files_own_folder(tmp_path: Path) -> None:
    camera = camera_of(tmp_path, 'source = "folder"', 'path = "views"', 'python = "bin/python3"')
    assert camera.path == tmp_path / "views"
    assert camera.python == tmp_path / "bin/python3"


def test_light_and_focus_can_be_named(tmp_path: Path) -> None:
    camera = camera_of(tmp_path, "exposure_ms = 8", "gain = 2.5", "colour_gains = [1.8, 1.4]", "focus = 0.0")
    assert (camera.exposure_ms, camera.gain, camera.colour_gains, camera.focus) == (8.0, 2.5, (1.8, 1.4), 0.0)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (['source = "folder"'], 'line 1: camera.path: is missing with source = "folder"'),
        (['source = "socket"'], "line 1: camera.path: is missing"),
        (['path = "views"'], "line 2: camera.path: must be left out"),
        (['source = "usb"', 'path = "a.mp4"'], "line 3: camera.path: must be left out"),
        (['device = "/dev/video0"'], 'line 2: camera.device: must be a number with source = "picamera2"'),
        (
            ['source = "usb"', "colour_gains = [1.0, 1.0]"],
            'line 3: camera.colour_gains: cannot be set with source = "usb"',
        ),
        (["white_balance_k = 5000"], 'line 2: camera.white_balance_k: cannot be set with source = "picamera2"'),
        (['source = "folder"', 'path = "a"', "gain = 2"], "line 4: camera.gain: cannot be set"),
        (
            ["exposure_ms = 70"],
            "line 2: camera.exposure_ms: must not be longer than a frame lasts, 66.6667 ms at 15 frames_per_s, got 70",
        ),
        (["deadline_s = 2"], "line 2: camera.deadline_s: frame_timeout_s must be from 0.266667 (four frames) to 2"),
        (["frames_per_s = 1"], "line 2: camera.frames_per_s: frame_timeout_s must be from 4 (four frames)"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(tmp_path: Path, lines: list[str], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        camera_of(tmp_path, *lines)
    assert problem in caught.value.message


def test_a_wrong_device_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        camera_of(tmp_path, 'source = "usb"', 'device = "video0"')
    assert 'line 3: camera.device: must be a number N for /dev/videoN, or a device such as "/dev/v4l/by-id/..."' in str(
        caught.value
    )


def test_what_another_source_does_not_have_is_known(tmp_path: Path) -> None:
    camera = camera_of(tmp_path, 'device = "1"', "exposure_ms = 8", "gain = 2.5", "colour_gains = [1.8, 1.4]")
    assert camera.misfits("picamera2") == []
    assert camera.misfits("usb") == ["device", "colour_gains"]
    assert camera.misfits("folder") == ["device", "exposure_ms", "gain", "colour_gains"]


@pytest.mark.parametrize(
    "line",
    [
        'source = "webcam"',
        'device = "video0"',
        "width_px = 641",
        "height_px = 32",
        "frames_per_s = 0",
        "frozen_after = 1",
        "exposure_ms = 0",
        "colour_gains = [1.0]",
        "colour_gains = [1.0, -1.0]",
        'python = ""',
        "exposure = 8.0",
    ],
)
def test_a_camera_that_cannot_be_is_refused_by_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=r"line 2: camera\."):
        camera_of(tmp_path, line)


@pytest.mark.parametrize("name", ["../state", "a/../../state"])
def test_a_path_that_leaves_the_folder_by_accident_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(f'[paths]\nstate = "{name}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 2: paths\.state: must not leave"):
        read_rig_config(file)
    file.write_text('[paths]\nstate = "/var/lib/rig"\n', encoding="utf-8")
    assert read_rig_config(file).paths.state == Path("/var/lib/rig")


def test_a_rig_that_is_to_sort_needs_bins_and_a_plan(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text('\n[[bins]]\nid = "a"\nchute_deg = 0\n', encoding="utf-8")
    assert len(read_rig_config(file).bins) == 1
    with pytest.raises(ConfigError) as caught:
        read_sorting_config(file)
    assert [(each.line, each.key) for each in caught.value.problems] == [(2, "sort")]
    file.write_text("[board]\nprt = 1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_sorting_config(file)
    assert [each.key for each in caught.value.problems] == ["bins", "sort", "board.prt"]
