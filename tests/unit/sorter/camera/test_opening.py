"""From rig.toml to the camera that it names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sorter.camera import bare_camera, make_camera, open_camera
from sorter.camera.errors import CameraLost, NotAPicture
from sorter.camera.picamera2_camera import Picamera2Camera
from sorter.camera.pictures import encoded
from sorter.camera.replay import ReplayCamera
from sorter.camera.socket_camera import SocketCamera
from sorter.camera.usb import UsbCamera
from sorter.clock import RealClock
from sorter.config import CameraConfig
from tests.unit.sorter.camera.conftest import noisy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(encoded(noisy(1, size_px=(40, 30)).rgb, ".png"))
    return tmp_path


def test_each_source_is_what_it_says(folder: Path) -> None:
    clock = RealClock()
    assert isinstance(bare_camera(CameraConfig(), clock), Picamera2Camera)
    assert isinstance(bare_camera(CameraConfig(source="usb", device="/dev/v4l/by-id/x"), clock), UsbCamera)
    for source, kind in (("folder", ReplayCamera), ("video", ReplayCamera), ("socket", SocketCamera)):
        config = CameraConfig.model_validate({"source": source, "path": folder})
        assert isinstance(bare_camera(config, clock), kind)


def test_pictures_of_any_size_are_played(folder: Path) -> None:
    config = CameraConfig(source="folder", path=folder, loop=False)
    camera = open_camera(config, RealClock())
    assert camera.capture(1e12).rgb.shape == (30, 40, 3)
    camera.close()


@pytest.mark.parametrize("scale", [None, 0.25])
def test_frames_of_every_source_tell_the_scale_that_was_measured(folder: Path, scale: float | None) -> None:
    camera = open_camera(CameraConfig(source="folder", path=folder, mm_per_px=scale), RealClock())
    assert camera.capture(1e12).mm_per_px == scale
    camera.close()


def test_what_cannot_be_opened_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotAPicture):
        open_camera(CameraConfig(source="folder", path=tmp_path), RealClock())


def test_a_camera_that_is_missing_is_an_incident(tmp_path: Path) -> None:
    incidents: list[str] = []
    config = CameraConfig(source="usb", device=str(tmp_path / "video0"), deadline_s=1.0, frame_timeout_s=0.5)
    camera = make_camera(config, RealClock(), state=tmp_path, on_incident=lambda kind, _text: incidents.append(kind))
    clock = RealClock()
    with pytest.raises(CameraLost, match="does not exist"):
        camera.open(clock.monotonic_s() + 0.1)
    assert incidents == ["camera lost"]
    camera.close()


def test_naming_a_camera_imports_nothing_heavy() -> None:
    code = "import sys\nimport sorter.camera, sorter.camera.errors\nprint(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"cv2", "numpy", "pydantic"} & {name.partition(".")[0] for name in loaded}
