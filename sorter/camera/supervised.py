"""A camera that is kept going: frames are checked, failures end in a restart, and what stays broken is an incident.

This module does not know what kind of camera it holds. That a hanging device does not hang its caller is each camera's
own promise (``protocol``); here is what follows from it.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from sorter.camera.checks import FrameChecks
from sorter.camera.errors import CameraClosed, CameraError, CameraLost, CameraTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sorter.camera.protocol import Camera, CameraHealth
    from sorter.types import Clock, Frame

_POLL_S = 0.005

Result = TypeVar("Result")


@dataclass(frozen=True)
class Supervision:
    """How patient to be.

    Args:
        attempts: how often a frame is tried for before the camera counts as lost; a deadline may end it earlier.
        frame_timeout_s: how long one frame may take; a camera that takes longer hangs, and is restarted.
        open_timeout_s: how long one start may take, settling of the light included.
        first_delay_s: before the first restart; each further one waits twice as long.
        longest_delay_s: but never longer than this.
    """

    attempts: int = 4
    frame_timeout_s: float = 3.0
    open_timeout_s: float = 20.0
    first_delay_s: float = 0.5
    longest_delay_s: float = 4.0

    def __post_init__(self) -> None:
        """Refuse numbers with which nothing would ever be tried."""
        times_s = (self.frame_timeout_s, self.open_timeout_s, self.first_delay_s, self.longest_delay_s)
        if self.attempts < 1 or not all(0.0 < each < float("inf") for each in times_s):
            raise ValueError(f"attempts is 1 or more and every time is above 0 s, got {self}")


class SupervisedCamera:
    """A ``Camera`` around another one.

    Args:
        camera: the one to keep going; it is closed and opened again after a failure.
        clock: the one that ``camera`` was made with.
        checks: what a frame has to pass.
        supervision: see there.
        mm_per_px: what a pixel spans at the middle of the table, where the rig has been calibrated; captured frames
            tell it.
        on_incident: called with a kind (``camera lost``) and a text for the operator when a capture gives up, once
            until a frame comes again; in the thread that wanted the frame. It must not raise, nor ask for frames.

    A recorded camera (``is_live`` is False) is not restarted, for its pictures would be the same: its errors go
    straight to the caller. Several threads may ask at once; each waits for its turn, to its own deadline at most.
    """

    def __init__(
        self,
        camera: Camera,
        clock: Clock,
        *,
        checks: FrameChecks | None = None,
        supervision: Supervision | None = None,
        mm_per_px: float | None = None,
        on_incident: Callable[[str, str], None] | None = None,
    ) -> None:
        self._camera = camera
        self._clock = clock
        self._checks = checks or FrameChecks()
        self._supervision = supervision or Supervision()
        self._mm_per_px = mm_per_px
        self._on_incident = on_incident or (lambda _kind, _text: None)
        self._turn_lock = threading.Lock()
        self._closing = threading.Event()
        self._is_wanted = False  # between open and close, whatever the device does
        self._is_lost = False
        self._has_failed = False  # so the next start is a restart
        self._restarts = 0
        self._last_error: str | None = None
        self._next_sequence = 0
        self._shift = 0  # from the camera's own count of frames, which may start anew, to ours

    @property
    def name(self) -> str:
        """The camera's own."""
        return self._camera.name

    @property
    def is_live(self) -> bool:
        """The camera's own."""
        return self._camera.is_live

    def open(self, deadline_s: float) -> None:
        """Start the camera. Even if that fails it counts as wanted: a later capture tries again.

        Raises:
            CameraLost: it could not be started.
            CameraError: from a recorded camera: what it met.
        """
        self._closing.clear()
        self._is_wanted = True
        with self._turn(deadline_s):
            self._persist(lambda _until_s: None, deadline_s)

    def capture(self, deadline_s: float) -> Frame:
        """A frame that passed the checks; see ``Camera.capture``. Its sequence grows over restarts, too.

        A deadline that leaves a camera less time than a frame takes makes it look as if it hung.

        Raises:
            CameraLost: no such frame could be had: every attempt failed, or no more of them fit before the deadline.
            CameraTimeout: the deadline had passed already, or another thread had the camera until then.
            CameraClosed: it was not opened, or was closed meanwhile.
            CameraError: from a recorded camera: what it met.
        """
        with self._turn(deadline_s):
            frame = self._persist(self._checked_frame, deadline_s)
            self._is_lost = False
            scale = frame.mm_per_px if self._mm_per_px is None else self._mm_per_px
            return replace(frame, sequence=self._sequence_of(frame), mm_per_px=scale)

    def preview(self, deadline_s: float) -> Frame:
        """See ``Camera.preview``; neither checked nor tried again, and it starts nothing. Raises CameraError."""
        with self._turn(deadline_s):
            return self._camera.preview(deadline_s)

    def close(self) -> None:
        """Let go of the camera; a capture under way in another thread ends with CameraClosed. Raises CameraError."""
        self._is_wanted = False
        self._closing.set()
        self._camera.close()  # ends a capture under way
        with self._turn_lock:
            self._camera.close()  # in case that one had just started it again

    def health(self) -> CameraHealth:
        """The camera's own, with the restarts and the last error of this supervision."""
        inner = self._camera.health()
        return replace(inner, restarts=self._restarts, last_error=self._last_error or inner.last_error)

    # --- how it is kept going -----------------------------------------------------------------------------------

    @contextmanager
    def _turn(self, deadline_s: float) -> Iterator[None]:
        while not self._turn_lock.acquire(blocking=False):
            self._check_time(deadline_s, "another frame was being taken until the deadline")
            self._clock.sleep(_POLL_S)
        try:
            self._check_time(deadline_s, "the deadline had passed before the camera was asked")
            if not self._is_wanted:
                raise CameraClosed(f"{self.name} is not open")
            yield
        finally:
            self._turn_lock.release()

    def _check_time(self, deadline_s: float, why: str) -> None:
        if self._clock.monotonic_s() >= deadline_s:
            raise CameraTimeout(f"{self.name}: {why}", remedy="Try again, with more time.")

    def _persist(self, task: Callable[[float], Result], deadline_s: float) -> Result:
        """Do ``task`` with an open camera, as often as it takes and the deadline allows."""
        delay_s = self._supervision.first_delay_s
        attempt = 1
        while True:
            try:
                self._start(deadline_s)
                return task(self._until(deadline_s, self._supervision.frame_timeout_s))
            except CameraError as error:
                self._last_error = error.message
                if not self.is_live:
                    raise
                self._stop()
                if self._closing.is_set():
                    raise CameraClosed(f"{self.name} was closed") from error
                has_time = self._clock.monotonic_s() + delay_s < deadline_s
                if attempt >= self._supervision.attempts or not has_time:
                    raise self._lost(error, attempt) from error
            if self._clock.wait(self._closing, delay_s):
                raise CameraClosed(f"{self.name} was closed")
            delay_s = min(2 * delay_s, self._supervision.longest_delay_s)
            attempt += 1

    def _until(self, deadline_s: float, timeout_s: float) -> float:
        return min(deadline_s, self._clock.monotonic_s() + timeout_s)

    def _start(self, deadline_s: float) -> None:
        if self._closing.is_set():
            raise CameraClosed(f"{self.name} was closed")
        if self._camera.health().is_open:
            return
        if self._has_failed:
            self._restarts += 1
        self._camera.open(self._until(deadline_s, self._supervision.open_timeout_s))

    def _stop(self) -> None:
        self._has_failed = True
        try:
            self._camera.close()
        except CameraError as error:  # the next start will meet it as well, and tell
            self._last_error = error.message

    def _checked_frame(self, deadline_s: float) -> Frame:
        frame = self._camera.capture(deadline_s)
        self._checks.check(frame, is_live=self.is_live)
        return frame

    def _lost(self, error: CameraError, attempts: int) -> CameraLost:
        tried = f"{attempts} attempts" if attempts > 1 else "one attempt"
        lost = CameraLost(f"{self.name}: no usable frame in {tried}; last: {error.message}", remedy=error.remedy)
        if not self._is_lost:
            self._is_lost = True
            self._on_incident("camera lost", str(lost))
        return lost

    def _sequence_of(self, frame: Frame) -> int:
        if frame.sequence + self._shift < self._next_sequence:
            self._shift = self._next_sequence - frame.sequence
        sequence = frame.sequence + self._shift
        self._next_sequence = sequence + 1
        return sequence
