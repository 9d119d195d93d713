"""``[camera]`` of rig.toml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from sorter.config.fields import FilePath
from sorter.toml import Mistake, TomlModel

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEVICE = re.compile(r"[0-9]{1,3}|/[^\x00]+")


def _checked_device(device: str) -> str:
    if not _DEVICE.fullmatch(device):
        raise ValueError('must be a number N for /dev/videoN, or a device such as "/dev/v4l/by-id/..."')
    return device


# What of a camera's light and focus can be fixed here, by source; see sorter.camera.locks.
_LOCKS = {
    "picamera2": ("exposure_ms", "gain", "colour_gains", "focus"),
    "usb": ("exposure_ms", "gain", "white_balance_k", "focus"),
    "socket": (),
    "folder": (),
    "video": (),
}
_ALL_LOCKS = ("exposure_ms", "gain", "colour_gains", "white_balance_k", "focus")
_Gain = Annotated[float, Field(ge=0.0, le=32.0)]
_Pixels = Annotated[int, Field(ge=64, le=8192, multiple_of=2)]


class CameraConfig(TomlModel):
    """``[camera]``: where pictures come from, and the light that they are taken in.

    What of exposure, gain, white balance and focus is left out settles once, and is kept from then on.
    """

    source: Literal["picamera2", "usb", "socket", "folder", "video"] = Field(
        default="picamera2",
        description="a Raspberry Pi camera, a USB camera, a program that gives frames at a Unix socket, or pictures "
        "that were taken before",
    )
    device: Annotated[str, AfterValidator(_checked_device)] = Field(
        default="0",
        description='usb: a number N for /dev/videoN, or a device such as "/dev/v4l/by-id/usb-..."; picamera2: the '
        "camera's number in the list of `rpicam-hello --list-cameras`",
    )
    path: FilePath | None = Field(
        default=None,
        description="folder, video: what is played; socket: the Unix socket; relative to rig.toml's folder",
        examples=["pictures"],
    )
    loop: bool = Field(default=True, description="folder, video: begin again after the last picture")
    width_px: _Pixels = Field(default=1280, description="of a frame; folder and video play any size")
    height_px: _Pixels = Field(default=720, description="of a frame; folder and video play any size")
    preview_width_px: Annotated[int, Field(ge=64, le=1280, multiple_of=2)] = Field(
        default=320, description="of the small pictures that the page shows"
    )
    frames_per_s: Annotated[float, Field(ge=1.0, le=120.0)] = Field(
        default=15.0, description="how many frames the camera takes; one is exposed no longer than one of them lasts"
    )
    deadline_s: Annotated[float, Field(ge=1.0, le=120.0)] = Field(
        default=25.0, description="a frame must have come by then, restarts of the camera included"
    )
    frame_timeout_s: Annotated[float, Field(ge=0.1, le=30.0)] = Field(
        default=3.0, description="a camera that takes longer over one frame hangs, and is restarted"
    )
    frozen_after: Annotated[int, Field(ge=2, le=100)] = Field(
        default=2, description="so many frames in a row that are equal to the last bit: the camera is restarted"
    )
    exposure_ms: Annotated[float, Field(ge=0.01, le=1000.0)] | None = Field(
        default=None, description="how long a frame is exposed", examples=[8.0]
    )
    gain: Annotated[float, Field(ge=0.0, le=1000.0)] | None = Field(
        default=None, description="picamera2: of the sensor, 1 is none; usb: the driver's own steps", examples=[2.0]
    )
    colour_gains: tuple[_Gain, _Gain] | None = Field(
        default=None, description="picamera2: gain of red and of blue over green", examples=[[1.8, 1.4]]
    )
    white_balance_k: Annotated[float, Field(ge=1000.0, le=20_000.0)] | None = Field(
        default=None, description="usb: colour temperature of the light", examples=[5000.0]
    )
    focus: Annotated[float, Field(ge=0.0, le=10_000.0)] | None = Field(
        default=None, description="picamera2: dioptres (1/m; 0 is far); usb: the driver's own steps", examples=[4.0]
    )
    python: FilePath = Field(
        default=Path("/usr/bin/python3"), description="picamera2: the system's interpreter, which has picamera2"
    )

    mm_per_px: Annotated[float, Field(gt=0.0, le=10.0)] | None = Field(
        default=None,
        description="what a pixel spans at the middle of the table; `sorter calibrate` measures it",
        examples=[0.25],
    )

    def misfits(self, source: str) -> list[str]:
        """Keys that are set here and that another source does not have, or that mean another thing there."""
        names = ["device", "path", *(name for name in _ALL_LOCKS if name not in _LOCKS.get(source, ()))]
        return [] if source == self.source else [name for name in names if name in self.model_fields_set]

    def mistakes(self) -> Iterable[Mistake]:
        """What may each be set, but not together."""
        source = (("source",),)
        is_file = self.source in ("folder", "video", "socket")
        if is_file and self.path is None:
            what = "the Unix socket" if self.source == "socket" else "what is played"
            yield Mistake(("path",), f'is missing with source = "{self.source}": it names {what}; add it', source)
        if not is_file and self.path is not None:
            text = f'must be left out with source = "{self.source}", which plays nothing, got "{self.path}"'
            yield Mistake(("path",), text, source)
        if self.source == "picamera2" and not self.device.isdecimal():
            text = f'must be a number with source = "picamera2", such as "0", got "{self.device}"'
            yield Mistake(("device",), text, source)
        for name in _ALL_LOCKS:
            if getattr(self, name) is not None and name not in _LOCKS[self.source]:
                possible = ", ".join(_LOCKS[self.source]) or "none of its kind can"
                text = f'cannot be set with source = "{self.source}"; leave it out ({possible} can be set there)'
                yield Mistake((name,), text, source)
        frame_ms = 1000.0 / self.frames_per_s
        if self.exposure_ms is not None and self.exposure_ms > frame_ms:
            yield Mistake(
                ("exposure_ms",),
                f"must not be longer than a frame lasts, {frame_ms:g} ms at {self.frames_per_s:g} frames_per_s, got "
                f"{self.exposure_ms:g}",
                (("frames_per_s",),),
            )
        least_s = 4.0 / self.frames_per_s
        if not least_s <= self.frame_timeout_s <= self.deadline_s:
            others = ("frames_per_s",) if self.frame_timeout_s < least_s else ("deadline_s",)
            key = self.stated("frame_timeout_s", *others)
            yield Mistake(
                (key,),
                f"frame_timeout_s must be from {least_s:g} (four frames) to {self.deadline_s:g} (deadline_s), got "
                f"{self.frame_timeout_s:g}",
                tuple((name,) for name in ("frame_timeout_s", *others) if name != key),
            )
