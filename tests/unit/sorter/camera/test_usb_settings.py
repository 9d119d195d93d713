"""What a USB camera is set to: all that was asked for, told where it refuses, and the same after a restart."""

from __future__ import annotations

import cv2
import pytest

from sorter.camera.errors import CameraRefused
from sorter.camera.locks import Lock
from tests.unit.sorter.camera.fake_usb import VALUES, FakeDevice, MakeBench

MJPG = cv2.VideoWriter.fourcc(*"MJPG")


def test_what_was_asked_for_is_set_and_every_automatic_is_off(bench: MakeBench) -> None:
    device = FakeDevice()
    rig = bench(device)
    camera = rig.opened(lock=Lock(exposure_ms=9.0, gain=3.0, white_balance_k=5000.0, focus=10.0))
    got = device.properties
    assert got[cv2.CAP_PROP_FOURCC] == MJPG
    assert (got[cv2.CAP_PROP_FPS], got[cv2.CAP_PROP_BUFFERSIZE]) == (100.0, 1.0)
    assert (got[cv2.CAP_PROP_AUTO_EXPOSURE], got[cv2.CAP_PROP_EXPOSURE]) == (1.0, 90.0)
    assert (got[cv2.CAP_PROP_AUTO_WB], got[cv2.CAP_PROP_WB_TEMPERATURE]) == (0.0, 5000.0)
    assert (got[cv2.CAP_PROP_AUTOFOCUS], got[cv2.CAP_PROP_FOCUS]) == (0.0, 10.0)
    assert got[cv2.CAP_PROP_GAIN] == 3.0
    assert camera.health().notes == ()
    assert camera.capture(rig.soon()).exposure_s == pytest.approx(0.009)
    assert not rig.lock_file.exists()


def test_a_refusal_is_told_by_name(bench: MakeBench) -> None:
    device = FakeDevice(absent=(cv2.CAP_PROP_FOCUS, cv2.CAP_PROP_AUTOFOCUS))
    device.stubborn = {
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FPS,
        cv2.CAP_PROP_BUFFERSIZE,
        cv2.CAP_PROP_AUTO_EXPOSURE,
        cv2.CAP_PROP_GAIN,
    }
    camera = bench(device).opened(lock=Lock(exposure_ms=9.0, gain=3.0, white_balance_k=5000.0, focus=10.0))
    told = "\n".join(camera.health().notes)
    for expected in (
        "does not give MJPG",
        "gives 30 frames per second where 100 is set",
        "keeps a queue of 4 frames",
        "refuses to switch its automatic off: exposure_ms may change",
        "uses 12 as gain where 3 is set",
        "has no focus to set",
    ):
        assert expected in told


def test_a_size_that_the_camera_does_not_have_is_refused(bench: MakeBench) -> None:
    device = FakeDevice(size=(640, 480))
    device.stubborn = {cv2.CAP_PROP_FRAME_WIDTH}
    rig = bench(device)
    with pytest.raises(CameraRefused, match="gives 640×24 px where 32×24 px is set"):
        rig.opened()
    assert device.is_released


def test_the_light_settles_once_and_is_the_same_after_a_restart(bench: MakeBench) -> None:
    device, second = FakeDevice(), FakeDevice()
    second.properties |= {cv2.CAP_PROP_EXPOSURE: 500.0, cv2.CAP_PROP_GAIN: 0.0, cv2.CAP_PROP_FOCUS: 99.0}
    rig = bench(device, second)
    camera = rig.opened()
    assert device.properties[cv2.CAP_PROP_AUTO_EXPOSURE] == 1.0
    assert camera.health().notes == ()
    camera.close()
    rig.opened()
    assert {name: second.properties[name] for name in VALUES} == VALUES
    assert second.properties[cv2.CAP_PROP_AUTO_EXPOSURE] == 1.0
    assert second.grabbed < 5  # it did not settle again


def test_settling_anew_takes_the_place_of_what_was_kept(bench: MakeBench) -> None:
    device, second = FakeDevice(), FakeDevice()
    second.properties[cv2.CAP_PROP_GAIN] = 5.0
    rig = bench(device, second)
    rig.opened().close()
    rig.opened(settles_anew=True).close()
    assert second.properties[cv2.CAP_PROP_GAIN] == 5.0
    assert '"gain": 5.0' in rig.lock_file.read_text(encoding="utf-8")


def test_a_light_that_does_not_settle_anew_leaves_what_was_kept(bench: MakeBench) -> None:
    device = FakeDevice()
    rig = bench(device)
    rig.opened().close()
    before = rig.lock_file.read_bytes()
    flicker = iter(range(10**6))
    device.brightness = lambda: 100.0 + 60.0 * (next(flicker) % 2)
    assert "is not kept" in rig.opened(settles_anew=True, settle_s=0.1).health().notes[-1]
    assert rig.lock_file.read_bytes() == before


def test_a_light_that_does_not_settle_is_told_and_not_kept(bench: MakeBench) -> None:
    device = FakeDevice()
    flicker = iter(range(10**6))
    device.brightness = lambda: 100.0 + 60.0 * (next(flicker) % 2)
    rig = bench(device)
    assert "did not settle within 0.1 s" in rig.opened(settle_s=0.1).health().notes[-1]
    assert not rig.lock_file.exists()


def test_a_camera_whose_manual_exposure_is_another_one_is_told(bench: MakeBench) -> None:
    device = FakeDevice()
    device.brightness = lambda: 140.0 if device.get(cv2.CAP_PROP_AUTO_EXPOSURE) == 3.0 else 20.0
    assert "changed its brightness from" in bench(device).opened().health().notes[0]


def test_settings_that_cannot_be_kept_are_told_and_used(bench: MakeBench) -> None:
    rig = bench()
    rig.lock_file.parent.write_text("no folder", encoding="utf-8")
    camera = rig.opened()
    assert any("cannot be kept" in note for note in camera.health().notes)
    assert camera.capture(rig.soon()).rgb.shape == (24, 32, 3)
