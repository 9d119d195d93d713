"""A V4L2 camera's properties through OpenCV: each is set, read back, and a refusal told.

How OpenCV's V4L2 backend (cap_v4l.cpp) maps them: CAP_PROP_AUTO_EXPOSURE is V4L2_CID_EXPOSURE_AUTO with its menu as it
is (1 manual, 3 aperture priority, which UVC cameras call automatic), CAP_PROP_EXPOSURE is V4L2_CID_EXPOSURE_ABSOLUTE
in steps of 100 µs, CAP_PROP_WB_TEMPERATURE is in kelvin, CAP_PROP_GAIN and CAP_PROP_FOCUS are the driver's own steps; a
property that the camera does not have reads as -1.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2

from sorter.camera.errors import CameraMissing, CameraRefused
from sorter.camera.locks import Lock

if TYPE_CHECKING:
    from cv2.typing import MatLike

_READ_TIMEOUT_S = "2"  # OpenCV's own is 10 s: so long would a thread that was left keep the device
_OLDEST_S = 10.0  # an older stamp is none
_FOURCC = "MJPG"  # what fits a full frame rate through USB 2


class VideoDevice(Protocol):
    """What of ``cv2.VideoCapture`` is used."""

    def grab(self) -> bool:
        """Take the next frame from the driver."""

    def retrieve(self) -> tuple[bool, MatLike]:
        """Decode the frame that was grabbed: H×W×3 uint8, BGR."""

    def get(self, propId: int, /) -> float:  # noqa: N803
        """A property; -1 if there is none."""

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        """Whether the driver took it, which it may say of what it then does not do."""

    def release(self) -> None:
        """Let go of the device."""


def device_path(device: str) -> Path:
    """``/dev/videoN`` of a number, else the path itself."""
    return Path(f"/dev/video{device}") if device.isdecimal() else Path(device)


def open_v4l2(path: Path) -> VideoDevice:
    """Open a V4L2 device.

    Raises:
        CameraMissing: it is not there, or this user may not open it.
        CameraRefused: it cannot be opened as a camera.
    """
    if not path.exists():
        there = ", ".join(map(str, sorted(Path("/dev/v4l/by-id").glob("*")) or sorted(Path("/dev").glob("video*"))))
        raise CameraMissing(
            f"{path} does not exist",
            remedy=f"Plug the camera in, or name another one as device in [camera] of rig.toml; there are: "
            f"{there or 'none'}.",
        )
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraMissing(
            f"{path} may not be opened by this user", remedy="sudo usermod -aG video $USER, then log in again."
        )
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", _READ_TIMEOUT_S)
    device = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
    if not device.isOpened():
        device.release()
        raise CameraRefused(
            f"{path} cannot be opened as a camera",
            remedy="Close whatever else uses it; of several nodes of one camera, name the first.",
        )
    return device


def configure(device: VideoDevice, *, width_px: int, height_px: int, frames_per_s: float) -> list[str]:
    """Set format, size, rate and the shortest queue; returns notes of what the camera does otherwise.

    Raises:
        CameraRefused: it does not give frames of that size.
    """
    notes: list[str] = []
    fourcc = cv2.VideoWriter.fourcc(*_FOURCC)
    device.set(cv2.CAP_PROP_FOURCC, fourcc)
    if int(device.get(cv2.CAP_PROP_FOURCC)) != fourcc:
        notes.append(f"does not give {_FOURCC}: over USB 2 its frames may come more slowly")
    device.set(cv2.CAP_PROP_FRAME_WIDTH, width_px)
    device.set(cv2.CAP_PROP_FRAME_HEIGHT, height_px)
    size = (int(device.get(cv2.CAP_PROP_FRAME_WIDTH)), int(device.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    if size != (width_px, height_px):
        raise CameraRefused(
            f"the camera gives {size[0]}×{size[1]} px where {width_px}×{height_px} px is set",
            remedy="Set width_px and height_px in [camera] of rig.toml to a size that it has; "
            "`v4l2-ctl --list-formats-ext` lists them.",
        )
    device.set(cv2.CAP_PROP_FPS, frames_per_s)
    rate = device.get(cv2.CAP_PROP_FPS)
    if abs(rate - frames_per_s) > 0.01 * frames_per_s:
        notes.append(f"gives {rate:g} frames per second where {frames_per_s:g} is set")
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if (queue := device.get(cv2.CAP_PROP_BUFFERSIZE)) != 1:
        notes.append(f"keeps a queue of {queue:g} frames; they are drained, so none is old")
    return notes


def age_s(device: VideoDevice) -> float:
    """How long ago the frame that was grabbed last arrived, real seconds.

    V4L2 stamps a frame when its first data arrives, by CLOCK_MONOTONIC (V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC), and OpenCV
    hands that on as CAP_PROP_POS_MSEC. 0 where that cannot be: then it has arrived just now.
    """
    age = time.monotonic() - device.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
    return age if 0.0 <= age < _OLDEST_S else 0.0


@dataclass(frozen=True)
class _Control:
    """A value, and the automatic that would change it; ``per_unit`` is the driver's steps in one unit of the lock."""

    value: int
    per_unit: float = 1.0
    automatic: int | None = None
    is_automatic: int = 1
    is_manual: int = 0


_CONTROLS = {
    "exposure_ms": _Control(cv2.CAP_PROP_EXPOSURE, 10.0, cv2.CAP_PROP_AUTO_EXPOSURE, is_automatic=3, is_manual=1),
    "gain": _Control(cv2.CAP_PROP_GAIN),
    "white_balance_k": _Control(cv2.CAP_PROP_WB_TEMPERATURE, 1.0, cv2.CAP_PROP_AUTO_WB),
    "focus": _Control(cv2.CAP_PROP_FOCUS, 1.0, cv2.CAP_PROP_AUTOFOCUS),
}


def missing_from(lock: Lock, device: VideoDevice) -> list[str]:
    """What the camera has and the lock does not say."""
    return [
        name for name, control in _CONTROLS.items() if getattr(lock, name) is None and device.get(control.value) >= 0.0
    ]


def set_automatic(device: VideoDevice, names: list[str]) -> None:
    """Let the camera find these by itself, where it can."""
    for name in names:
        control = _CONTROLS[name]
        if control.automatic is not None:
            device.set(control.automatic, control.is_automatic)


def read_lock(device: VideoDevice, names: list[str]) -> Lock:
    """What these are at present."""
    return _lock({name: device.get(_CONTROLS[name].value) / _CONTROLS[name].per_unit for name in names})


def hold(device: VideoDevice, lock: Lock) -> tuple[Lock, list[str]]:
    """Switch the automatics off and set what the lock says; returns what the camera took, and notes of refusals."""
    taken: dict[str, float] = {}
    notes: list[str] = []
    for name, control in _CONTROLS.items():
        wanted = getattr(lock, name)
        if wanted is None:
            continue
        if control.automatic is not None:
            device.set(control.automatic, control.is_manual)
            if device.get(control.automatic) not in (control.is_manual, -1.0):
                notes.append(f"refuses to switch its automatic off: {name} may change by itself")
                continue
        steps = round(wanted * control.per_unit)
        device.set(control.value, steps)
        got = device.get(control.value)
        if got < 0.0:
            notes.append(f"has no {name} to set")
        else:
            taken[name] = got / control.per_unit
            if got != steps:
                notes.append(f"uses {taken[name]:g} as {name} where {wanted:g} is set")
    return _lock(taken), notes


def _lock(values: dict[str, float]) -> Lock:
    return Lock(
        exposure_ms=values.get("exposure_ms"),
        gain=values.get("gain"),
        white_balance_k=values.get("white_balance_k"),
        focus=values.get("focus"),
    )
