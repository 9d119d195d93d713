"""A Raspberry Pi camera on the stand-in, as the tests of it share it."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from sorter.camera.locks import Lock
from sorter.camera.picamera2_camera import Picamera2Camera

MakeCamera = Callable[..., Picamera2Camera]
ALL_HELD = Lock(exposure_ms=6.0, gain=1.5, colour_gains=(1.2, 1.1), focus=2.0)


def soon(within_s: float = 10.0) -> float:
    return time.monotonic() + within_s


def opened(camera: Picamera2Camera) -> Picamera2Camera:
    camera.open(soon())
    return camera


def pid_of(camera: Picamera2Camera) -> int:
    assert camera._worker is not None
    return camera._worker.pid


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pid: int) -> None:
    deadline_s = soon(5.0)
    while not is_gone(pid):
        assert time.monotonic() < deadline_s, f"process {pid} lives on"
        time.sleep(0.005)
