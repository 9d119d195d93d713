"""A camera that fails is restarted, and what stays broken is told once; nothing of it takes longer than allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from sorter.camera.checks import FrameChecks
from sorter.camera.errors import (
    CameraClosed,
    CameraError,
    CameraLost,
    CameraMissing,
    CameraTimeout,
    CameraVanished,
    NotAPicture,
    WorkerFailed,
)
from sorter.camera.protocol import CameraHealth
from sorter.camera.supervised import SupervisedCamera, Supervision
from sorter.clock import ManualClock, RealClock
from sorter.types import Clock, Frame
from tests.unit.sorter.camera.conftest import noisy

Step = Exception | Frame | Callable[[float], Frame]


class ScriptedCamera:
    """Does one step a capture; with none left it gives good frames. ``openings`` likewise are errors, or None."""

    def __init__(self, *steps: Step, openings: tuple[Exception | None, ...] = (), is_live: bool = True) -> None:
        self.name = "scripted camera"
        self.is_live = is_live
        self.steps = list(steps)
        self.openings = list(openings)
        self.is_open = False
        self.opened_by: list[float] = []
        self.captured_by: list[float] = []
        self.closed = 0
        self.close_error: CameraError | None = None
        self._count = 0

    def open(self, deadline_s: float) -> None:
        self.opened_by.append(deadline_s)
        error = self.openings.pop(0) if self.openings else None
        if error is not None:
            raise error
        self.is_open = True
        self._count = 0

    def capture(self, deadline_s: float) -> Frame:
        assert self.is_open
        self.captured_by.append(deadline_s)
        step: Step = self.steps.pop(0) if self.steps else noisy(len(self.captured_by))
        if isinstance(step, Exception):
            raise step
        frame = step if isinstance(step, Frame) else step(deadline_s)
        self._count += 1
        return replace(frame, sequence=self._count - 1)

    def preview(self, deadline_s: float) -> Frame:
        if not self.is_open:
            raise CameraClosed("not open")
        return noisy(0)

    def close(self) -> None:
        self.closed += 1
        self.is_open = False
        if self.close_error is not None:
            raise self.close_error

    def health(self) -> CameraHealth:
        return CameraHealth(is_open=self.is_open, frames=self._count)


class Rig:
    """A supervised scripted camera, and what it told."""

    def __init__(self, camera: ScriptedCamera, *, clock: Clock | None = None, **supervision: float) -> None:
        self.camera = camera
        self.clock = clock or ManualClock()
        self.incidents: list[tuple[str, str]] = []
        self.supervised = SupervisedCamera(
            camera,
            self.clock,
            checks=FrameChecks(size_px=(32, 24), frozen_after=2),
            supervision=Supervision(**supervision),  # type: ignore[arg-type]
            on_incident=lambda kind, text: self.incidents.append((kind, text)),
        )

    def opened(self) -> Rig:
        self.supervised.open(self.clock.monotonic_s() + 100.0)
        return self

    def capture(self, within_s: float = 100.0) -> Frame:
        return self.supervised.capture(self.clock.monotonic_s() + within_s)


BLACK = replace(noisy(1), rgb=noisy(1).rgb * 0)
SMALL = noisy(1, size_px=(16, 24))
FAILURES: dict[str, list[Step]] = {
    "it hangs": [CameraTimeout("no frame")],
    "it vanishes": [CameraVanished("gone")],
    "its worker dies": [WorkerFailed("died")],
    "it is black": [BLACK],
    "it has the wrong size": [SMALL],
    "it freezes": [noisy(7), noisy(7)],
}


def test_a_camera_that_works_is_left_alone() -> None:
    rig = Rig(ScriptedCamera()).opened()
    assert [rig.capture().sequence for _ in range(3)] == [0, 1, 2]
    assert rig.supervised.health().restarts == 0
    assert len(rig.camera.opened_by) == 1
    assert rig.incidents == []


@pytest.mark.parametrize("steps", FAILURES.values(), ids=FAILURES.keys())
def test_one_failure_costs_a_restart_and_no_part(steps: list[Step]) -> None:
    rig = Rig(ScriptedCamera(*steps)).opened()
    frames = [rig.capture() for _ in range(len(steps))]
    assert frames[-1].rgb.shape == (24, 32, 3)
    assert [frame.sequence for frame in frames] == sorted({frame.sequence for frame in frames})
    health = rig.supervised.health()
    assert health.restarts == 1
    assert health.last_error is not None
    assert rig.incidents == []


def test_restarts_wait_longer_and_longer_but_not_for_ever() -> None:
    times_s: list[float] = []
    rig = Rig(ScriptedCamera(), attempts=6, first_delay_s=0.5, longest_delay_s=2.0)

    def fail(_deadline_s: float) -> Frame:
        times_s.append(rig.clock.monotonic_s())
        raise CameraTimeout("no frame")

    rig.camera.steps = [fail] * 6
    rig.opened()
    with pytest.raises(CameraLost, match="no usable frame in 6 attempts; last: no frame"):
        rig.capture()
    assert times_s == [0.0, 0.5, 1.5, 3.5, 5.5, 7.5]


def test_four_attempts_have_three_waits() -> None:
    rig = Rig(ScriptedCamera(*[CameraTimeout("no frame")] * 9)).opened()
    with pytest.raises(CameraLost, match="no usable frame in 4 attempts"):
        rig.capture()
    assert rig.clock.monotonic_s() == 0.5 + 1.0 + 2.0


def test_what_stays_broken_is_one_incident_until_it_works_again() -> None:
    rig = Rig(ScriptedCamera(*[CameraVanished("gone")] * 6), attempts=2).opened()
    for _ in range(3):
        with pytest.raises(CameraLost, match="gone"):
            rig.capture()
    assert [kind for kind, _ in rig.incidents] == ["camera lost"]
    assert "Plug the camera in again" in rig.incidents[0][1]
    rig.capture()  # it was plugged in again: nothing else had to be done
    rig.camera.steps = [CameraVanished("gone")] * 2
    with pytest.raises(CameraLost):
        rig.capture()
    assert len(rig.incidents) == 2


def test_a_camera_that_is_plugged_in_after_the_start_is_used() -> None:
    missing = CameraMissing("not there")
    rig = Rig(ScriptedCamera(openings=(missing, missing)), attempts=2)
    with pytest.raises(CameraLost, match="not there"):
        rig.opened()
    assert rig.incidents[0][0] == "camera lost"
    assert rig.capture().rgb.shape == (24, 32, 3)


def test_the_deadline_ends_attempts_and_bounds_each() -> None:
    camera = ScriptedCamera(*[CameraTimeout("no frame")] * 9)
    rig = Rig(camera, attempts=9, first_delay_s=1.0, frame_timeout_s=3.0, open_timeout_s=2.0).opened()
    with pytest.raises(CameraLost, match="2 attempts"):
        rig.capture(within_s=2.5)
    assert rig.clock.monotonic_s() <= 2.5
    assert camera.captured_by == [2.5, 2.5]
    assert camera.opened_by == [2.0, 2.5]


def test_a_deadline_that_has_passed_is_not_the_cameras_fault() -> None:
    rig = Rig(ScriptedCamera()).opened()
    with pytest.raises(CameraTimeout, match="deadline had passed"):
        rig.capture(within_s=0.0)
    assert rig.camera.closed == 0
    assert rig.incidents == []


def test_numbers_grow_over_restarts_and_gaps_stay() -> None:
    rig = Rig(ScriptedCamera()).opened()
    numbers = [rig.capture().sequence for _ in range(2)]
    rig.camera.steps = [CameraTimeout("no frame")]
    numbers += [rig.capture().sequence for _ in range(2)]
    rig.camera._count += 3  # frames that nobody fetched
    numbers.append(rig.capture().sequence)
    assert numbers == [0, 1, 2, 3, 7]


def test_a_recorded_picture_that_is_bad_is_told_at_once() -> None:
    for step in (NotAPicture("spilled coffee"), BLACK):
        rig = Rig(ScriptedCamera(step, is_live=False)).opened()
        with pytest.raises(CameraError):
            rig.capture()
        assert rig.camera.closed == 0
        assert rig.incidents == []
        rig.capture()


def test_a_device_that_cannot_be_let_go_of_is_told_in_the_end() -> None:
    rig = Rig(ScriptedCamera(CameraTimeout("no frame"), CameraTimeout("no frame")), attempts=2).opened()
    rig.camera.close_error = WorkerFailed("process 1 cannot be killed")
    with pytest.raises(CameraLost):
        rig.capture()
    assert rig.supervised.health().last_error == "process 1 cannot be killed"


def test_before_opening_and_after_closing_there_are_no_frames() -> None:
    rig = Rig(ScriptedCamera())
    for ask in (rig.supervised.capture, rig.supervised.preview):
        with pytest.raises(CameraClosed):
            ask(100.0)
    rig.opened()
    assert rig.supervised.preview(100.0).rgb.shape == (24, 32, 3)
    rig.supervised.close()
    with pytest.raises(CameraClosed):
        rig.capture()
    assert rig.opened().capture().rgb.shape == (24, 32, 3)


def test_a_preview_starts_nothing_and_waits_for_no_restart() -> None:
    rig = Rig(ScriptedCamera(openings=(CameraMissing("not there"),)), attempts=1)
    with pytest.raises(CameraLost):
        rig.opened()
    with pytest.raises(CameraClosed):
        rig.supervised.preview(100.0)
    assert len(rig.camera.opened_by) == 1


def test_whoever_finds_the_camera_busy_waits_to_his_own_deadline_only() -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(_deadline_s: float) -> Frame:
        entered.set()
        leave.wait()
        return noisy(1)

    rig = Rig(ScriptedCamera(slow), clock=RealClock()).opened()
    capturing = threading.Thread(target=rig.capture)
    capturing.start()
    entered.wait()
    with pytest.raises(CameraTimeout, match="another frame was being taken"):
        rig.supervised.preview(rig.clock.monotonic_s() + 0.02)
    leave.set()
    capturing.join()


def test_closing_ends_a_wait_for_a_restart() -> None:
    rig = Rig(ScriptedCamera(*[CameraTimeout("no frame")] * 9), clock=RealClock(), first_delay_s=30.0).opened()
    failures: list[Exception] = []

    def capture() -> None:
        try:
            rig.capture()
        except CameraClosed as error:
            failures.append(error)

    capturing = threading.Thread(target=capture)
    capturing.start()
    while rig.supervised.health().last_error is None:
        rig.clock.sleep(0.001)
    rig.supervised.close()
    capturing.join(5.0)
    assert len(failures) == 1


def test_a_patience_that_never_tries_is_refused() -> None:
    with pytest.raises(ValueError, match="attempts"):
        Supervision(attempts=0)
    with pytest.raises(ValueError, match="above 0 s"):
        Supervision(frame_timeout_s=float("nan"))
