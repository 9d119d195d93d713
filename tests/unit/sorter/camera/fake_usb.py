"""A V4L2 device as OpenCV shows it, and USB cameras on such devices."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from sorter.camera.errors import CameraMissing
from sorter.camera.locks import Lock
from sorter.camera.usb import UsbCamera
from sorter.camera.usb_grabber import UsbSettings
from sorter.clock import RealClock

INTERVAL_S = 0.01
AUTOMATICS = {cv2.CAP_PROP_AUTO_EXPOSURE: 3.0, cv2.CAP_PROP_AUTO_WB: 1.0, cv2.CAP_PROP_AUTOFOCUS: 1.0}
VALUES = {
    cv2.CAP_PROP_EXPOSURE: 80.0,
    cv2.CAP_PROP_GAIN: 12.0,
    cv2.CAP_PROP_WB_TEMPERATURE: 4600.0,
    cv2.CAP_PROP_FOCUS: 30.0,
}


class FakeDevice:
    """A V4L2 device as OpenCV shows it: properties, and a frame every ``INTERVAL_S``.

    Its picture's first value counts the frames that the sensor began, so that a test sees how old one is.
    """

    def __init__(self, *, stamps: bool = True, size: tuple[int, int] = (32, 24), absent: tuple[int, ...] = ()) -> None:
        self.properties: dict[int, float] = {cv2.CAP_PROP_FOURCC: 0.0, cv2.CAP_PROP_FPS: 30.0, **AUTOMATICS, **VALUES}
        self.properties |= {cv2.CAP_PROP_FRAME_WIDTH: size[0], cv2.CAP_PROP_FRAME_HEIGHT: size[1]}
        self.properties[cv2.CAP_PROP_BUFFERSIZE] = 4.0
        for name in absent:
            del self.properties[name]
        self.stubborn: set[int] = set()  # what it does not change, whatever it says
        self.is_stamped = stamps
        self.can_grab = True
        self.can_decode = True
        self.hangs: threading.Event | None = None
        self.queued_s = 0.0  # how old a frame is when it is grabbed
        self.brightness: Callable[[], float] = lambda: 140.0
        self.is_released = False
        self.grabbed = 0
        self._noise = np.random.default_rng(1)
        self._last_s = time.monotonic()

    def grab(self) -> bool:
        if self.hangs is not None:
            self.hangs.wait()
        time.sleep(INTERVAL_S)
        self.grabbed += 1
        self._last_s = time.monotonic() - self.queued_s
        return self.can_grab

    def retrieve(self) -> tuple[bool, np.ndarray]:
        assert not self.is_released
        size = (int(self.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(self.get(cv2.CAP_PROP_FRAME_WIDTH)), 3)
        bgr = self._noise.normal((60, 120, self.brightness()), 2.0, size).clip(0, 255)
        return self.can_decode, bgr.astype(np.uint8)

    def get(self, propId: int, /) -> float:  # noqa: N803
        if propId == cv2.CAP_PROP_POS_MSEC:
            return self._last_s * 1000.0 if self.is_stamped else 0.0
        return self.properties.get(propId, -1.0)

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        if propId in self.properties and propId not in self.stubborn:
            self.properties[propId] = value
        return True

    def release(self) -> None:
        self.is_released = True


class Bench:
    """A USB camera on fake devices: one for each opening, the last of them over and over."""

    def __init__(self, folder: Path, *devices: FakeDevice) -> None:
        self.node = folder / "video0"
        self.node.touch()
        self.devices = list(devices)
        self.openings = 0
        self.clock = RealClock()
        self.lock_file = folder / "state" / "camera.json"
        self.made: list[UsbCamera] = []

    def _open(self, path: Path) -> FakeDevice:
        if not path.exists():
            raise CameraMissing(f"{path} does not exist")
        device = self.devices[min(self.openings, len(self.devices) - 1)]
        self.openings += 1
        device.is_released = False
        return device

    def camera(
        self,
        *,
        lock: Lock = Lock(),  # noqa: B008
        settle_s: float = 2.0,
        settle_least_s: float = 0.02,
        settles_anew: bool = False,
    ) -> UsbCamera:
        camera = UsbCamera(
            str(self.node),
            self.clock,
            UsbSettings(32, 24, 1.0 / INTERVAL_S, lock, settle_s, settle_least_s),
            lock_file=self.lock_file,
            settles_anew=settles_anew,
            preview_width_px=16,
            open_device=self._open,
        )
        self.made.append(camera)
        return camera

    def opened(self, **options: object) -> UsbCamera:
        camera = self.camera(**options)  # type: ignore[arg-type]
        camera.open(self.soon())
        return camera

    def soon(self, within_s: float = 5.0) -> float:
        return self.clock.monotonic_s() + within_s

    def let_go(self) -> None:
        """Wake drivers that hang, and close everything."""
        for device in self.devices:
            if device.hangs is not None:
                device.hangs.set()
        for camera in self.made:
            camera.close()


MakeBench = Callable[..., Bench]
