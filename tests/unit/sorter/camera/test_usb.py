"""A USB camera: fresh frames, and no hang, unplugging or leak that reaches the rig."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest

from sorter.camera.errors import CameraClosed, CameraMissing, CameraRefused, CameraTimeout, CameraVanished
from sorter.camera.supervised import SupervisedCamera, Supervision
from sorter.camera.usb_settings import device_path, open_v4l2
from tests.unit.sorter.camera.fake_usb import INTERVAL_S, Bench, FakeDevice, MakeBench

if TYPE_CHECKING:
    from sorter.camera.usb import UsbCamera


# --- frames -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stamps", [True, False], ids=["stamped by the kernel", "not stamped"])
def test_a_frame_began_after_it_was_asked_for(bench: MakeBench, stamps: bool) -> None:
    rig = bench(FakeDevice(stamps=stamps))
    camera = rig.opened()
    for _ in range(3):
        asked_s = rig.clock.monotonic_s()
        frame = camera.capture(rig.soon())
        assert frame.captured_at_s >= asked_s + 2 * INTERVAL_S
        assert frame.captured_at_s <= rig.clock.monotonic_s()


def test_what_had_waited_in_the_drivers_queue_is_passed_by(bench: MakeBench) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened()
    device.queued_s = 0.15
    asked_s = rig.clock.monotonic_s()
    camera.capture(rig.soon())
    assert rig.clock.monotonic_s() - asked_s >= 0.15 + 2 * INTERVAL_S


def test_red_is_the_first_channel(bench: MakeBench) -> None:
    rig = bench()
    red, green, blue = rig.opened().capture(rig.soon()).rgb.mean(axis=(0, 1))
    assert red > green > blue


def test_frames_are_counted_and_those_that_nobody_fetched_leave_a_gap(bench: MakeBench) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened()
    first = camera.capture(rig.soon())
    rig.clock.sleep(10 * INTERVAL_S)
    second = camera.capture(rig.soon())
    assert second.sequence >= first.sequence + 5
    camera.close()
    camera.open(rig.soon())
    assert camera.capture(rig.soon()).sequence > second.sequence
    health = camera.health()
    assert (health.is_open, health.frames) == (True, 3)
    assert health.last_frame_age_s is not None


def test_a_preview_is_small_and_does_not_wait(bench: MakeBench) -> None:
    rig = bench()
    assert rig.opened().preview(rig.soon()).rgb.shape == (12, 16, 3)


def test_a_frame_that_was_damaged_on_its_way_is_passed_by(bench: MakeBench) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened()
    device.can_decode = False
    threading.Timer(5 * INTERVAL_S, lambda: setattr(device, "can_decode", True)).start()
    assert camera.capture(rig.soon()).rgb.shape == (24, 32, 3)


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_driver_that_hangs_does_not_hang_the_rig(bench: MakeBench) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened()
    device.hangs = threading.Event()
    began_s = time.monotonic()
    with pytest.raises(CameraTimeout, match="no frame by the deadline"):
        camera.capture(rig.soon(0.1))
    camera.close()
    assert time.monotonic() - began_s < 1.0
    assert not camera.health().is_open
    assert "1 earlier attempts still hang" in camera.health().notes[-1]
    device.hangs.set()
    while not device.is_released:
        time.sleep(0.001)
    assert len(camera.health().notes) == 0 or "hang" not in camera.health().notes[-1]


def hang_once(camera: UsbCamera, rig: Bench) -> None:
    camera.open(rig.soon(0.05))
    camera.capture(rig.soon(0.05))


def test_a_driver_that_hangs_again_and_again_does_not_fill_the_process_with_threads(
    bench: MakeBench,
) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened()
    device.hangs = threading.Event()
    before = threading.active_count()
    for _ in range(5):
        camera.close()
        with pytest.raises(CameraTimeout):
            hang_once(camera, rig)
    camera.close()
    assert threading.active_count() <= before + 1
    with pytest.raises(CameraTimeout, match="the driver has not answered since 2 attempts"):
        camera.open(rig.soon())


def test_an_opening_that_hangs_ends_by_its_deadline(bench: MakeBench) -> None:
    device = FakeDevice()
    device.hangs = threading.Event()
    rig = bench(device)
    with pytest.raises(CameraTimeout, match="not ready by the deadline"):
        rig.camera().open(rig.soon(0.05))


def test_unplugging_is_told_at_once_and_plugging_in_again_is_enough(bench: MakeBench) -> None:
    device, second = FakeDevice(), FakeDevice()
    rig = bench(device, second)
    camera = rig.opened()
    rig.node.unlink()
    device.can_grab = False
    began_s = time.monotonic()
    with pytest.raises(CameraVanished, match="is gone"):
        camera.capture(rig.soon())
    assert time.monotonic() - began_s < 1.0
    assert device.is_released
    with pytest.raises(CameraMissing):
        camera.open(rig.soon())
    rig.node.touch()
    camera.open(rig.soon())
    assert camera.capture(rig.soon()).rgb.shape == (24, 32, 3)


def test_a_camera_that_stops_giving_frames_is_told(bench: MakeBench) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened()
    device.can_grab = False
    with pytest.raises(CameraVanished, match="gives no frame"):
        camera.capture(rig.soon())


def test_a_grab_that_a_signal_interrupted_is_tried_again(bench: MakeBench) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened()
    device.can_grab = False
    rig.clock.sleep(1.5 * INTERVAL_S)
    device.can_grab = True
    assert camera.capture(rig.soon()).rgb.shape == (24, 32, 3)


def test_an_error_inside_opencv_is_told(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened()

    def broken() -> bool:
        raise cv2.error("assertion failed")

    monkeypatch.setattr(device, "retrieve", broken)
    with pytest.raises(CameraVanished, match="assertion failed"):
        camera.capture(rig.soon())
    assert camera.health().last_error is not None


def test_closing_ends_a_capture_under_way(bench: MakeBench) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened()
    device.hangs = threading.Event()
    threading.Timer(0.05, camera.close).start()
    with pytest.raises(CameraClosed):
        camera.capture(rig.soon())


def test_a_supervised_camera_that_hangs_is_opened_anew(bench: MakeBench) -> None:
    device, second = FakeDevice(), FakeDevice()
    rig = bench(device, second)
    incidents: list[str] = []
    supervised = SupervisedCamera(
        rig.camera(),
        rig.clock,
        supervision=Supervision(frame_timeout_s=0.1, first_delay_s=0.01),
        on_incident=lambda kind, _text: incidents.append(kind),
    )
    supervised.open(rig.soon())
    first = supervised.capture(rig.soon())
    device.hangs = threading.Event()
    assert supervised.capture(rig.soon()).sequence > first.sequence
    assert supervised.health().restarts == 1
    assert incidents == []
    supervised.close()


# --- devices ------------------------------------------------------------------------------------------------------


def test_a_number_is_a_video_device() -> None:
    assert device_path("2") == Path("/dev/video2")
    assert device_path("/dev/v4l/by-id/usb-x") == Path("/dev/v4l/by-id/usb-x")


def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CameraMissing, match=f"{tmp_path}/video7 does not exist"):
        open_v4l2(tmp_path / "video7")


def test_a_device_that_is_no_camera_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "video7").touch()
    with pytest.raises(CameraRefused, match="cannot be opened as a camera"):
        open_v4l2(tmp_path / "video7")


def test_before_opening_there_are_no_frames(bench: MakeBench) -> None:
    rig = bench()
    camera = rig.camera()
    with pytest.raises(CameraClosed):
        camera.capture(rig.soon())
    assert camera.health().is_open is False
    camera.close()
    camera.open(rig.soon())
    camera.open(rig.soon())
    assert rig.openings == 1
