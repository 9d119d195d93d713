"""The thread that reads a USB camera without a pause, so that no frame grows old in the driver's queue.

Only this thread touches the device, from opening it to letting go of it. When the driver hangs, the thread hangs with
it, and is left: it is a daemon, and lets go of the device as soon as the driver returns.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

import cv2

from sorter.camera import usb_settings
from sorter.camera.errors import CameraClosed, CameraError, CameraVanished
from sorter.camera.locks import Lock
from sorter.camera.pictures import rgb_of_bgr
from sorter.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sorter.camera.locks import LockFile
    from sorter.camera.usb_settings import VideoDevice
    from sorter.types import Clock

_FRESH_INTERVALS = 2.0  # one for the exposure, one for reading the sensor out and crossing the wire
_GAPS_KEPT = 5
_FAILED_GRABS = 3  # a signal may interrupt one
_FAILED_GRAB_NAP_S = 0.02
_SETTLED_FRAMES = 5
_SETTLED_CHANGE = 0.01
_LOCK_CHANGE = 0.1  # of the brightness, which is told


@dataclass(frozen=True)
class UsbSettings:
    """How a USB camera is to run; see ``CameraConfig``. The light settles for ``settle_least_s`` to ``settle_s``."""

    width_px: int
    height_px: int
    frames_per_s: float
    lock: Lock = field(default_factory=Lock)
    settle_s: float = 5.0
    settle_least_s: float = 1.0


class Wish:
    """A frame that somebody waits for."""

    def __init__(self, asked_at_s: float | None) -> None:
        self.asked_at_s = asked_at_s  # None: any frame will do
        self.frame: Frame | None = None
        self.event = threading.Event()


class Grabber:
    """One opening of one device; ``error`` says how it ended.

    Args:
        path: of the device.
        clock: stamps frames as they arrive.
        open_device: opens it.
        settings: how it is to run.
        lock_file: where its lock is kept.
        first_sequence: the number of its first frame.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        open_device: Callable[[Path], VideoDevice],
        settings: UsbSettings,
        lock_file: LockFile,
        first_sequence: int,
    ) -> None:
        self._path = path
        self._open_device = open_device
        self._settings = settings
        self._lock_file = lock_file
        self._clock = clock
        self._interval_s = 1.0 / settings.frames_per_s
        self._gaps_s: deque[float] = deque(maxlen=_GAPS_KEPT)
        self._arrived_at_s: float | None = None
        self._wish: Wish | None = None
        self._wish_lock = threading.Lock()
        self._stop = threading.Event()
        self.sequence = first_sequence  # of the next frame
        self.held = Lock()
        self.notes: tuple[str, ...] = ()
        self.error: CameraError | None = None
        self.news = threading.Event()  # it is ready, or has ended
        self.thread = threading.Thread(target=self._run, name=f"camera {path}", daemon=True)
        self.thread.start()

    def ask(self, *, asked_at_s: float | None) -> Wish:
        """Wish for a frame whose exposure began after ``asked_at_s``, or for any; its event is set when it came.

        It is set without a frame when the thread ended; then ``error`` says why.
        """
        wish = Wish(asked_at_s)
        with self._wish_lock:
            if self.error is None:
                self._wish = wish
            else:
                wish.event.set()
        return wish

    def stop(self) -> None:
        """Count as closed from now on; the thread ends as soon as the driver lets it."""
        self._stop.set()
        self._end(CameraClosed(f"{self._path} was closed"))

    def _end(self, error: CameraError) -> None:
        with self._wish_lock:
            self.error = self.error or error
            if self._wish is not None:
                self._wish.event.set()
        self.news.set()

    def _run(self) -> None:
        error = CameraError(f"{self._path}: reading it failed", remedy="Please report the traceback on stderr.")
        try:
            device = self._open_device(self._path)
            try:
                self._prepare(device)
                self.news.set()
                while not self._stop.is_set():
                    self._turn(device)
                error = CameraClosed(f"{self._path} was closed")
            finally:
                device.release()
        except CameraError as cause:
            error = cause
        except cv2.error as cause:
            error = CameraVanished(f"{self._path}: OpenCV says: {cause}")
        finally:
            self._end(error)

    def _turn(self, device: VideoDevice) -> None:
        """Take one frame, and decode it if it is wished for."""
        arrived_at_s = self._grab(device)
        sequence, self.sequence = self.sequence, self.sequence + 1
        with self._wish_lock:
            wish = self._wish
        if wish is None or not self._is_fresh(arrived_at_s, wish.asked_at_s):
            return
        is_decoded, bgr = device.retrieve()
        if not is_decoded:
            return  # damaged on its way, as happens; the next one will do
        exposure_s = None if self.held.exposure_ms is None else self.held.exposure_ms / 1000.0
        wish.frame = Frame(rgb_of_bgr(bgr), arrived_at_s, sequence, exposure_s=exposure_s)
        with self._wish_lock:
            if self._wish is wish:
                self._wish = None
        wish.event.set()

    def _is_fresh(self, arrived_at_s: float, asked_at_s: float | None) -> bool:
        if asked_at_s is None:
            return True
        interval_s = max(self._interval_s, *self._gaps_s, 0.0)  # in the dark a camera may take longer than it says
        return arrived_at_s >= asked_at_s + _FRESH_INTERVALS * interval_s

    def _grab(self, device: VideoDevice) -> float:
        """Take the next frame; returns when it arrived.

        Raises:
            CameraVanished: none comes any more.
            CameraClosed: it is to stop.
        """
        for _ in range(_FAILED_GRABS):
            is_grabbed = device.grab()
            if self._stop.is_set():
                raise CameraClosed(f"{self._path} was closed")
            if is_grabbed:
                arrived_at_s = self._clock.monotonic_s() - usb_settings.age_s(device)
                if self._arrived_at_s is not None:
                    self._gaps_s.append(arrived_at_s - self._arrived_at_s)
                self._arrived_at_s = arrived_at_s
                return arrived_at_s
            if not self._path.exists():
                raise CameraVanished(f"{self._path} is gone")
            self._clock.wait(self._stop, _FAILED_GRAB_NAP_S)
        raise CameraVanished(
            f"{self._path} gives no frame",
            remedy="Plug the camera in again, and close whatever else may use it.",
        )

    # --- getting ready ------------------------------------------------------------------------------------------

    def _prepare(self, device: VideoDevice) -> None:
        settings = self._settings
        notes = usb_settings.configure(
            device, width_px=settings.width_px, height_px=settings.height_px, frames_per_s=settings.frames_per_s
        )
        kept, note = self._lock_file.read()
        lock = settings.lock.or_else(kept)
        missing = usb_settings.missing_from(lock, device)
        if not missing:
            self.held, refusals = usb_settings.hold(device, lock)
        else:
            usb_settings.set_automatic(device, missing)
            _, refusals = usb_settings.hold(device, lock)
            before, is_settled = self._settle(device)
            found = usb_settings.read_lock(device, missing)
            self.held, more = usb_settings.hold(device, lock.or_else(found))
            refusals += [each for each in more if each not in refusals]
            refusals += self._changes(device, before)
            if is_settled:
                refusals += filter(None, [self._lock_file.keep(self.held)])
            else:
                refusals.append(f"did not settle within {settings.settle_s:g} s; what it found is not kept")
        self.notes = (*notes, *filter(None, [note]), *refusals)

    def _settle(self, device: VideoDevice) -> tuple[float, bool]:
        """Wait until the brightness stays; returns it and whether it did."""
        seen: deque[float] = deque(maxlen=_SETTLED_FRAMES)
        began_s = now_s = self._clock.monotonic_s()
        while now_s < began_s + self._settings.settle_s:
            seen.append(self._brightness(device))
            now_s = self._clock.monotonic_s()
            is_calm = len(seen) == _SETTLED_FRAMES and max(seen) - min(seen) <= _SETTLED_CHANGE * max(seen)
            if is_calm and now_s >= began_s + self._settings.settle_least_s:
                return fmean(seen), True
        return (fmean(seen) if seen else 0.0), False

    def _changes(self, device: VideoDevice, before: float) -> list[str]:
        """What locking did to the picture: many cameras do not tell what their automatic found."""
        after = [self._brightness(device) for _ in range(_SETTLED_FRAMES)][-1]
        if abs(after - before) <= _LOCK_CHANGE * max(before, 1.0):
            return []
        change = (
            f"changed its brightness from {before:.0f} to {after:.0f} (of 255) when its automatics were switched off"
        )
        return [f"{change}: set exposure_ms, gain and white_balance_k in [camera] of rig.toml"]

    def _brightness(self, device: VideoDevice) -> float:
        while True:  # _grab ends it when nothing comes
            self._grab(device)
            is_decoded, bgr = device.retrieve()
            if is_decoded:
                return float(bgr.mean())
