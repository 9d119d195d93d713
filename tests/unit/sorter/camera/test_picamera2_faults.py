"""A Raspberry Pi camera that cannot be started, hangs, dies or is killed; and what is left of it: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sorter.camera import worker_process
from sorter.camera.checks import FrameChecks
from sorter.camera.errors import (
    CameraClosed,
    CameraError,
    CameraLost,
    CameraMissing,
    CameraRefused,
    CameraTimeout,
    WorkerFailed,
)
from sorter.camera.supervised import SupervisedCamera, Supervision
from sorter.clock import RealClock
from tests.unit.sorter.camera.conftest import HEIGHT_PX, STAND_IN, WIDTH_PX
from tests.unit.sorter.camera.raspberry import ALL_HELD, MakeCamera, is_gone, opened, pid_of, soon, wait_until_gone

# --- what cannot be started -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "error", "text", "remedy"),
    [
        ("import_error", WorkerFailed, "cannot import picamera2: ImportError", "sudo apt install python3-picamera2"),
        ("no_camera", CameraMissing, "libcamera finds 0 cameras", "ribbon cable"),
        ("busy", WorkerFailed, "__init__ sequence did not complete", "Close whatever else uses the camera"),
        ("wrong_size", CameraRefused, r"gives \(68, 50\) BGR888", "size"),
    ],
)
def test_a_camera_that_cannot_be_started_is_told_with_its_remedy(
    pi_camera: MakeCamera, faults: str, error: type[CameraError], text: str, remedy: str
) -> None:
    camera = pi_camera(faults)
    with pytest.raises(error, match=text) as caught:
        camera.open(soon())
    assert remedy in caught.value.remedy
    assert not camera.health().is_open
    assert camera._worker is None


def test_a_camera_number_that_is_not_there_is_told(pi_camera: MakeCamera) -> None:
    with pytest.raises(CameraMissing, match="1 cameras, and number 3"):
        pi_camera(number=3).open(soon())


def test_a_python_that_is_not_there_is_named(pi_camera: MakeCamera, tmp_path: Path) -> None:
    with pytest.raises(WorkerFailed, match=f"{tmp_path}/python3 cannot be started: No such file"):
        pi_camera(python=tmp_path / "python3").open(soon())


def test_what_is_no_python_is_named_with_what_it_wrote(pi_camera: MakeCamera, tmp_path: Path) -> None:
    script = tmp_path / "python3"
    script.write_text("#!/bin/sh\necho Unknown option: -P >&2\nexit 2\n", encoding="utf-8")
    script.chmod(0o755)
    with pytest.raises(WorkerFailed, match=r"(?s)ended with code 2; it wrote:\nUnknown option: -P") as caught:
        pi_camera(python=script).open(soon())
    assert "Python 3.11 or newer" in caught.value.remedy


def test_a_start_that_takes_too_long_ends_by_its_deadline(pi_camera: MakeCamera) -> None:
    camera = pi_camera("slow_start:30")
    began_s = time.monotonic()
    with pytest.raises(CameraTimeout, match="did not answer start"):
        camera.open(soon(0.3))
    assert time.monotonic() - began_s < 2.0


# --- faults under way -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["hang_after:1", "hold_after:1"])
def test_a_capture_that_never_returns_ends_by_its_deadline_and_the_process_with_it(
    pi_camera: MakeCamera, fault: str
) -> None:
    camera = opened(pi_camera(fault))
    camera.capture(soon())
    pid = pid_of(camera)
    began_s = time.monotonic()
    with pytest.raises(CameraTimeout):
        camera.capture(soon(0.2))
    assert time.monotonic() - began_s < 1.0
    assert is_gone(pid)
    assert not camera.health().is_open
    with pytest.raises(CameraError):
        camera.capture(soon())


def test_a_worker_that_dies_is_told_with_its_last_words(pi_camera: MakeCamera) -> None:
    camera = opened(pi_camera("die_after:1"))
    camera.capture(soon())
    with pytest.raises(WorkerFailed, match=r"(?s)ended with code 3; it wrote:.*went up in smoke"):
        camera.capture(soon())
    assert camera.health().last_error is not None


def test_a_worker_that_is_killed_in_mid_capture_is_told_at_once(pi_camera: MakeCamera) -> None:
    camera = opened(pi_camera("hang_after:0"))
    pid = pid_of(camera)
    threading.Timer(0.1, os.kill, (pid, signal.SIGKILL)).start()
    began_s = time.monotonic()
    with pytest.raises(WorkerFailed, match="ended by signal 9"):
        camera.capture(soon())
    assert time.monotonic() - began_s < 2.0


@pytest.mark.parametrize("fault", ["hang_after:0", "die_after:0", "black", "frozen"])
def test_a_supervised_camera_comes_back_by_itself(pi_camera: MakeCamera, tmp_path: Path, fault: str) -> None:
    incidents: list[str] = []
    supervised = SupervisedCamera(
        pi_camera(fault, once=tmp_path / "once", lock=ALL_HELD),
        RealClock(),
        checks=FrameChecks(size_px=(WIDTH_PX, HEIGHT_PX), frozen_after=2),
        supervision=Supervision(frame_timeout_s=0.3, first_delay_s=0.01),
        on_incident=lambda kind, _text: incidents.append(kind),
    )
    supervised.open(soon())
    for _ in range(2):
        frame = supervised.capture(soon())
    assert frame.rgb.mean() > 100
    assert supervised.health().restarts == 1
    assert incidents == []
    supervised.close()


def test_a_camera_that_is_gone_for_good_is_an_incident(pi_camera: MakeCamera) -> None:
    incidents: list[tuple[str, str]] = []
    supervised = SupervisedCamera(
        pi_camera("no_camera"),
        RealClock(),
        supervision=Supervision(attempts=2, first_delay_s=0.01),
        on_incident=lambda *incident: incidents.append(incident),
    )
    with pytest.raises(CameraLost):
        supervised.open(soon())
    assert incidents[0][0] == "camera lost"
    assert "ribbon cable" in incidents[0][1]
    supervised.close()


# --- ends -----------------------------------------------------------------------------------------------------------


def test_closing_leaves_no_process_thread_or_descriptor(pi_camera: MakeCamera) -> None:
    camera = pi_camera(lock=ALL_HELD)
    opened(camera).close()
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208
    for _ in range(3):
        pid = pid_of(opened(camera))
        camera.capture(soon())
        camera.close()
        assert is_gone(pid)
    assert len(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208
    assert threading.active_count() == threads


def test_a_worker_that_hangs_in_closing_is_killed(pi_camera: MakeCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "_STOP_S", 0.1)
    camera = opened(pi_camera("hang_close"))
    pid = pid_of(camera)
    camera.close()
    assert is_gone(pid)


def test_closing_ends_a_capture_under_way(pi_camera: MakeCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "_STOP_S", 0.1)
    camera = opened(pi_camera("hang_after:0"))
    threading.Timer(0.1, camera.close).start()
    with pytest.raises(CameraClosed):
        camera.capture(soon())


def test_closing_while_the_loop_and_the_page_both_ask_ends_both(pi_camera: MakeCamera) -> None:
    clock = RealClock()
    supervised = SupervisedCamera(pi_camera(lock=ALL_HELD), clock)
    others: list[CameraError] = []

    def ask(for_frame: Callable[[float], object]) -> None:
        try:
            while True:
                for_frame(soon())
        except CameraClosed:
            return
        except CameraError as error:
            others.append(error)

    for _ in range(3):
        supervised.open(soon())
        asking = [threading.Thread(target=ask, args=(each,)) for each in (supervised.capture, supervised.preview)]
        for thread in asking:
            thread.start()
        time.sleep(0.05)
        supervised.close()
        for thread in asking:
            thread.join()
    assert others == []


def test_a_process_that_the_kernel_keeps_is_told_and_no_second_one_is_started(
    pi_camera: MakeCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "_STOP_S", 0.05)
    monkeypatch.setattr(worker_process, "_KILL_S", 0.05)
    camera = opened(pi_camera("hang_after:0"))
    pid = pid_of(camera)
    with monkeypatch.context() as patched:
        patched.setattr(subprocess.Popen, "kill", lambda _process: None)
        for ask in (camera.capture, camera.open, camera.open):
            with pytest.raises(WorkerFailed, match=f"process {pid} cannot be killed"):
                ask(soon(0.05))
    camera.close()
    assert is_gone(pid)


PARENT = """
import os, signal, sys, threading, time
from pathlib import Path
from sorter.camera.picamera2_camera import Picamera2Camera, Picamera2Settings
from sorter.clock import RealClock
camera = Picamera2Camera(0, RealClock(), Picamera2Settings(70, 50, 100.0), python=Path(sys.executable),
                         environment={"PYTHONPATH": sys.argv[1], "STAND_IN": sys.argv[2]})
opening = threading.Thread(target=camera.open, args=(time.monotonic() + 10,))
opening.start()
opening.join()  # the worker must outlive the thread that wanted it
time.sleep(0.1)
print(camera._worker.pid if camera.health().is_open else "the worker is gone", flush=True)
if sys.argv[2]:
    threading.Thread(target=camera.capture, args=(time.monotonic() + 10,), daemon=True).start()
    time.sleep(0.1)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("faults", ["", "hang_after:0", "hold_after:0"], ids=["idle", "hanging", "deaf"])
def test_no_worker_outlives_the_rig(checkout: Path, faults: str) -> None:
    command = [sys.executable, "-c", PARENT, str(STAND_IN), faults]
    parent = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    wait_until_gone(int(parent.stdout))
