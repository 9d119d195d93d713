"""A Raspberry Pi camera: picamera2, in a process of its own under the system's Python.

picamera2 and libcamera come with the system and need its numpy; and a capture that hangs
(raspberrypi/picamera2#794, #1004) can only be ended by ending its process.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.camera.errors import CameraClosed, CameraError, CameraMissing, CameraRefused, StaleFrame, WorkerFailed
from sorter.camera.locks import Lock, LockFile, controls_of, lock_of
from sorter.camera.pictures import rgb_of_yuv420
from sorter.camera.protocol import CameraHealth
from sorter.camera.worker_process import WorkerProcess
from sorter.types import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.types import Clock
    from sorter.types.pictures import RgbArray

_WORKER = Path(__file__).with_name("picamera2_worker.py")
_ROW_BYTES = 512  # more than any platform pads a row by
_CLOCK_SKEW_S = 0.001
_NOT_FOR_THE_CHILD = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")  # it is another Python

_INSTALL = "sudo apt install python3-picamera2"
_PLUG = (
    "Switch the Pi off, check the ribbon cable at both ends, and see whether `rpicam-hello --list-cameras` finds it."
)


@dataclass(frozen=True)
class Picamera2Settings:
    """How a Raspberry Pi camera is to run; see ``CameraConfig``."""

    width_px: int
    height_px: int
    frames_per_s: float
    preview_width_px: int = 320
    lock: Lock = field(default_factory=Lock)
    settle_s: float = 5.0

    @property
    def preview_size_px(self) -> tuple[int, int]:
        """Of the low-resolution stream: the main one's shape, even, and not larger."""
        width = min(self.preview_width_px, self.width_px) // 2 * 2
        return width, max(2, round(self.height_px * width / self.width_px / 2) * 2)

    @property
    def memory_bytes(self) -> int:
        """What a frame of each stream takes, the low-resolution one's padding included."""
        preview_width, preview_height = self.preview_size_px
        return self.width_px * self.height_px * 3 + preview_height * 3 // 2 * (preview_width + _ROW_BYTES)


class Picamera2Camera:
    """A ``Camera`` that libcamera knows.

    The exposure of a frame began after the call of ``capture``: picamera2 passes by everything older
    (``capture_request(flush=True)``), and it is checked again here. ``captured_at_s`` is libcamera's SensorTimestamp:
    when the first row's exposure ended; a rolling shutter's last row follows within a frame interval. ``sequence``
    counts the frames that were fetched, for picamera2 does not tell of others.

    Args:
        number: which camera of libcamera's list, from 0.
        clock: see ``Camera``.
        settings: how it is to run.
        lock_file: where exposure, gains and focus are kept over restarts; None settles at each start.
        settles_anew: pass by what is kept there, until the new lock is kept in its place.
        python: the system's interpreter.
        environment: variables for the worker, besides this process's own.
    """

    is_live = True

    def __init__(
        self,
        number: int,
        clock: Clock,
        settings: Picamera2Settings,
        *,
        lock_file: Path | None = None,
        settles_anew: bool = False,
        python: Path = Path("/usr/bin/python3"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = f"Raspberry Pi camera {number}"
        self._number = number
        self._clock = clock
        self._settings = settings
        self._lock_file = LockFile(lock_file, f"picamera2 {number}", settles_anew=settles_anew)
        self._python = python
        self._environment = environment or {}
        self._worker: WorkerProcess | None = None
        self._memory: mmap.mmap | None = None
        self._memory_lock = threading.Lock()  # close may come while a picture is copied out of it
        self._preview_size_px = settings.preview_size_px
        self._is_ready = False
        self._frames = 0
        self._last_at_s: float | None = None
        self._temperature_c: float | None = None
        self._last_error: str | None = None
        self._notes: tuple[str, ...] = ()

    def open(self, deadline_s: float) -> None:
        """Start the worker; light and focus settle where nothing is locked yet, and are locked. See ``Camera.open``.

        Raises:
            WorkerFailed: there is no such Python, or picamera2 cannot be imported there, or the worker died.
            CameraMissing: libcamera finds no such camera.
            CameraRefused: it does not give frames of that size.
            CameraTimeout: it was not ready by the deadline.
        """
        if self._is_open():
            return
        self.close()
        try:
            self._worker = self._spawn()
            self._start(deadline_s)
        except CameraError:
            self.close()
            raise
        self._is_ready = True

    def capture(self, deadline_s: float) -> Frame:
        """See the class and ``Camera.capture``; a worker that is late is killed, and the camera is closed then.

        Raises:
            StaleFrame: the frame is older than the call, which flushing should have prevented.
        """
        asked_at_s = self._clock.monotonic_s()
        frame = self._frame(*self._picture("capture", deadline_s))
        began_s = frame.captured_at_s - (frame.exposure_s or 0.0)
        if began_s < asked_at_s - _CLOCK_SKEW_S:
            raise StaleFrame(f"{self.name} gave a frame that was exposed {asked_at_s - began_s:.3f} s before the call")
        self._frames += 1
        self._last_at_s = frame.captured_at_s
        return frame

    def preview(self, deadline_s: float) -> Frame:
        """The low-resolution stream's last frame; being late kills no worker. See ``Camera.preview``."""
        planes, metadata = self._picture("preview", deadline_s, is_patient=True)
        return self._frame(rgb_of_yuv420(planes, self._preview_size_px[0]), metadata)

    def settle_again(self, deadline_s: float) -> None:
        """Let what the settings do not name settle anew, lock and keep it for the next start. Raises CameraError."""
        known = controls_of(self._settings.lock)
        self._take_lock(self._ask("lock", deadline_s, known=known, settle_s=self._settings.settle_s))

    def settings(self, deadline_s: float) -> dict[str, Any]:
        """``metadata`` of a frame, and the names of the ``controls`` that the camera has. Raises CameraError."""
        return self._ask("settings", deadline_s)

    def close(self) -> None:
        """Stop the worker, or kill it. See ``Camera.close``. Raises WorkerFailed if it cannot be killed."""
        self._is_ready = False
        worker = self._worker
        if worker is not None:
            worker.stop()  # if that fails it stays, so that no second one is started beside it
            self._worker = None
        with self._memory_lock:
            if self._memory is not None:
                self._memory.close()
                self._memory = None

    def health(self) -> CameraHealth:
        """See ``Camera.health``."""
        return CameraHealth(
            is_open=self._is_open(),
            frames=self._frames,
            last_error=self._last_error,
            last_frame_age_s=None if self._last_at_s is None else self._clock.monotonic_s() - self._last_at_s,
            sensor_temperature_c=self._temperature_c,
            notes=self._notes,
        )

    # --- the worker ---------------------------------------------------------------------------------------------

    def _is_open(self) -> bool:
        worker = self._worker
        return self._is_ready and worker is not None and worker.is_alive

    def _child_environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_THE_CHILD}
        return {"LIBCAMERA_LOG_LEVELS": "*:WARN", **kept, **self._environment}

    def _spawn(self) -> WorkerProcess:
        """Memory without a name, so that nothing is left of it when both processes are killed; and the worker."""
        memory_bytes = self._settings.memory_bytes
        descriptor = os.memfd_create("sorter camera")
        try:
            os.truncate(descriptor, memory_bytes)
            self._memory = mmap.mmap(descriptor, memory_bytes)
            return WorkerProcess(
                self._python,
                _WORKER,
                memory=descriptor,
                memory_bytes=memory_bytes,
                environment=self._child_environment(),
                clock=self._clock,
            )
        finally:
            os.close(descriptor)  # the mapping stays

    def _start(self, deadline_s: float) -> None:
        kept, note = self._lock_file.read()
        answer = self._ask(
            "start",
            deadline_s,
            number=self._number,
            size=(self._settings.width_px, self._settings.height_px),
            preview=self._settings.preview_size_px,
            frame_us=round(1e6 / self._settings.frames_per_s),
            lock=controls_of(self._settings.lock.or_else(kept)),
            settle_s=self._settings.settle_s,
        )
        self._preview_size_px = tuple(answer["preview"])
        self.name = f"Raspberry Pi camera {self._number} ({answer['model']})"
        self._take_lock(answer, note)

    def _take_lock(self, answer: dict[str, Any], note: str | None = None) -> None:
        notes = [*filter(None, [note]), *answer["notes"]]
        if answer["is_settled"]:
            notes += filter(None, [self._lock_file.keep(lock_of(answer["lock"]))])
        self._notes = tuple(notes)

    def _ask(self, command: str, deadline_s: float, **arguments: Any) -> dict[str, Any]:
        worker = self._worker
        if worker is None:
            raise CameraClosed(f"{self.name} is not open")
        try:
            answer = worker.ask(command, deadline_s, **arguments)
            if "error" in answer:
                raise self._refusal(answer["error"], answer["text"])
        except CameraError as error:
            self._last_error = error.message
            raise
        return answer

    def _refusal(self, kind: str, text: str) -> CameraError:
        match kind:
            case "import":
                return WorkerFailed(f"{self._python} cannot import picamera2: {text}", remedy=_INSTALL)
            case "missing":
                return CameraMissing(f"{self.name}: {text}", remedy=_PLUG)
            case "size":
                return CameraRefused(f"{self.name}: {text}", remedy="Set another size in [camera] of rig.toml.")
            case _:
                return WorkerFailed(
                    f"{self.name}: picamera2 says: {text}",
                    remedy=f"Close whatever else uses the camera. {_PLUG}",
                )

    def _picture(self, command: str, deadline_s: float, **options: bool) -> tuple[RgbArray, dict[str, Any]]:
        answer = self._ask(command, deadline_s, **options)
        shape = tuple(answer["shape"])
        with self._memory_lock:
            if self._memory is None:
                raise CameraClosed(f"{self.name} was closed")
            array = np.frombuffer(self._memory, np.uint8, int(np.prod(shape)), answer["offset"]).reshape(shape).copy()
        return array, answer["metadata"]

    def _frame(self, rgb: RgbArray, metadata: dict[str, Any]) -> Frame:
        self._temperature_c = metadata.get("SensorTemperature", self._temperature_c)
        exposure_us = metadata.get("ExposureTime")
        return Frame(
            rgb,
            captured_at_s=self._clock.monotonic_s() - _age_s(metadata),
            sequence=self._frames,
            exposure_s=None if exposure_us is None else exposure_us / 1e6,
            analogue_gain=metadata.get("AnalogueGain"),
        )


def _age_s(metadata: dict[str, Any]) -> float:
    """How long ago the exposure of a frame's first row ended, real seconds.

    libcamera documents SensorTimestamp as CLOCK_BOOTTIME. Raspberry Pi's pipeline hands V4L2's buffer stamps on, which
    are CLOCK_MONOTONIC, and picamera2 compares them with that (``wait_for_timestamp_``). The two differ by the time
    that the machine slept: a stamp that would lie in the future is taken for the former. A frame without one has
    come just now.
    """
    stamp_ns = metadata.get("SensorTimestamp")
    if stamp_ns is None:
        return 0.0
    age_s: float = time.monotonic() - stamp_ns / 1e9
    if age_s < -_CLOCK_SKEW_S:
        age_s += metadata["boottime_ahead_ns"] / 1e9
    return max(0.0, age_s)
