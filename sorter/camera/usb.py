"""A USB camera, through OpenCV and V4L2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.camera.errors import CameraClosed, CameraTimeout
from sorter.camera.locks import LockFile
from sorter.camera.pictures import shrunk
from sorter.camera.protocol import CameraHealth
from sorter.camera.usb_grabber import Grabber, UsbSettings
from sorter.camera.usb_settings import device_path, open_v4l2
from sorter.types import Frame

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from sorter.camera.usb_settings import VideoDevice
    from sorter.types import Clock

_MOST_LEFT = 2  # threads that hang in the driver


class UsbCamera:
    """A ``Camera`` on USB.

    A thread reads the device without a pause. ``capture`` gives a frame that arrived at least two frame intervals
    after the call: exposing takes up to one, and reading the sensor out and crossing the wire up to another, so its
    exposure began after the call. An interval is what the camera was set to, or the longest that it took of late. What
    a camera holds back inside itself beyond that cannot be seen from here.
    ``captured_at_s`` is when the frame's first data arrived, so a little later than the end of its exposure. The gain
    that a driver tells has no known unit, so frames do not carry it.

    Args:
        device: a number (N of /dev/videoN) or a path, such as one in /dev/v4l/by-id.
        clock: see ``Camera``.
        settings: how it is to run.
        lock_file: where the lock is kept over restarts; None settles at each start.
        settles_anew: pass by what is kept there, until the new lock is kept in its place.
        preview_width_px: how wide a preview is at most.
        open_device: opens a device.
    """

    is_live = True

    def __init__(
        self,
        device: str,
        clock: Clock,
        settings: UsbSettings,
        *,
        lock_file: Path | None = None,
        settles_anew: bool = False,
        preview_width_px: int = 320,
        open_device: Callable[[Path], VideoDevice] = open_v4l2,
    ) -> None:
        self._path = device_path(device)
        self.name = f"USB camera {self._path}"
        self._clock = clock
        self._settings = settings
        self._lock_file = LockFile(lock_file, f"usb {device}", settles_anew=settles_anew)
        self._preview_width_px = preview_width_px
        self._open_device = open_device
        self._grabber: Grabber | None = None
        self._left: list[threading.Thread] = []
        self._frames = 0
        self._last_at_s: float | None = None

    def open(self, deadline_s: float) -> None:
        """Open the device, let the light settle where nothing is locked yet, and lock it. See ``Camera.open``.

        Raises:
            CameraMissing: it is not there, or may not be opened.
            CameraRefused: it is no camera, or does not give frames of that size.
            CameraTimeout: the driver hangs, or settling took longer than the deadline allows.
            CameraVanished: it gives no frames.
        """
        if self._is_open():
            return
        self.close()
        if len(self._left) >= _MOST_LEFT:
            raise CameraTimeout(
                f"{self._path}: the driver has not answered since {len(self._left)} attempts",
                remedy="Unplug the camera and plug it in again; restart the computer if that does not help.",
            )
        first = 0 if self._grabber is None else self._grabber.sequence
        grabber = Grabber(
            self._path,
            self._clock,
            open_device=self._open_device,
            settings=self._settings,
            lock_file=self._lock_file,
            first_sequence=first,
        )
        self._grabber = grabber
        if not self._clock.wait(grabber.news, max(0.0, deadline_s - self._clock.monotonic_s())):
            self.close()
            raise CameraTimeout(f"{self._path} was not ready by the deadline")
        if grabber.error is not None:
            raise grabber.error

    def capture(self, deadline_s: float) -> Frame:
        """A frame whose exposure began after this call; see the class and ``Camera.capture``."""
        return self._frame(deadline_s, asked_at_s=self._clock.monotonic_s())

    def preview(self, deadline_s: float) -> Frame:
        """The next frame, smaller; see ``Camera.preview``."""
        frame = self._frame(deadline_s, asked_at_s=None)
        return Frame(shrunk(frame.rgb, self._preview_width_px), frame.captured_at_s, frame.sequence, frame.exposure_s)

    def close(self) -> None:
        """Let the thread end and wait for it, but not longer than two frames take; see ``Camera.close``."""
        self._left = [each for each in self._left if each.is_alive()]
        grabber = self._grabber
        if grabber is None or grabber.thread in self._left:
            return
        grabber.stop()
        grabber.thread.join(max(0.2, 2.0 / self._settings.frames_per_s))
        if grabber.thread.is_alive():
            self._left.append(grabber.thread)

    def health(self) -> CameraHealth:
        """See ``Camera.health``."""
        grabber = self._grabber
        left = sum(each.is_alive() for each in self._left)
        notes = () if grabber is None else grabber.notes
        return CameraHealth(
            is_open=self._is_open(),
            frames=self._frames,
            last_error=None if grabber is None or grabber.error is None else grabber.error.message,
            last_frame_age_s=None if self._last_at_s is None else self._clock.monotonic_s() - self._last_at_s,
            notes=(*notes, f"{left} earlier attempts still hang in the driver") if left else notes,
        )

    def _is_open(self) -> bool:
        grabber = self._grabber
        return grabber is not None and grabber.news.is_set() and grabber.error is None

    def _frame(self, deadline_s: float, *, asked_at_s: float | None) -> Frame:
        grabber = self._grabber
        if grabber is None:
            raise CameraClosed(f"{self.name} is not open")
        wish = grabber.ask(asked_at_s=asked_at_s)
        if not self._clock.wait(wish.event, max(0.0, deadline_s - self._clock.monotonic_s())):
            raise CameraTimeout(f"{self._path} gave no frame by the deadline")
        if wish.frame is None:
            assert grabber.error is not None
            raise grabber.error
        self._frames += 1
        self._last_at_s = wish.frame.captured_at_s
        return wish.frame
