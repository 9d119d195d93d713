"""What every camera promises, whatever is behind it: picamera2, USB, a folder of pictures, the twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sorter.types import Frame


@dataclass(frozen=True)
class CameraHealth:
    """How a camera does.

    Args:
        is_open: it can be asked for a frame.
        frames: how many it delivered since it was made.
        restarts: how often it was opened again after a failure.
        last_error: the last thing that went wrong, or None; it may be long over.
        last_frame_age_s: seconds since the newest frame's exposure ended, or None before the first.
        sensor_temperature_c: of the image sensor in °C where it has a thermometer, else None.
        notes: what a person should know of the way it runs, such as a setting that it refused.
    """

    is_open: bool
    frames: int = 0
    restarts: int = 0
    last_error: str | None = None
    last_frame_age_s: float | None = None
    sensor_temperature_c: float | None = None
    notes: tuple[str, ...] = ()


class Camera(Protocol):
    """A camera. Every wait ends by its deadline: seconds of the clock that the camera was made with, absolute.

    A method that waits may overrun its deadline by the moment that killing a process or leaving a thread takes, not
    more. After an error the camera may be closed and opened again; how often is the caller's business. One thread at
    a time asks for frames; ``close`` and ``health`` may be called from any.
    """

    @property
    def name(self) -> str:
        """What it is, for messages."""

    @property
    def is_live(self) -> bool:
        """A sensor is behind it: two frames are never equal to the last bit, and starting it again may help."""

    def open(self, deadline_s: float) -> None:
        """Make it ready to give frames; harmless if it is. Raises CameraError."""

    def capture(self, deadline_s: float) -> Frame:
        """A frame whose exposure began after this call.

        Raises:
            CameraTimeout: none came by the deadline.
            CameraClosed: it is not open.
            CameraError: anything else that went wrong.
        """

    def preview(self, deadline_s: float) -> Frame:
        """A small picture for the page, of the same view; it may be older than this call. Raises CameraError."""

    def close(self) -> None:
        """Let go of the device, threads and processes, in bounded time; harmless if it is closed.

        A capture under way in another thread ends with a CameraError. Raises CameraError if something could not be
        let go of.
        """

    def health(self) -> CameraHealth:
        """How it does, without waiting."""
