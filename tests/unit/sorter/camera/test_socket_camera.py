"""A camera that is a program: frames, deadlines, and programs that do not do what they should."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sorter.camera.errors import (
    CameraClosed,
    CameraError,
    CameraMissing,
    CameraRefused,
    CameraTimeout,
    CameraVanished,
)
from sorter.camera.opening import bare_camera, open_camera
from sorter.camera.socket_camera import SocketCamera
from sorter.clock import RealClock
from sorter.config import CameraConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = {"width_px": 4, "height_px": 2, "exposure_s": 0.01, "sequence": 7}
PICTURE = bytes(range(24))
GOOD = json.dumps(HEADER).encode() + b"\n" + PICTURE


@contextmanager
def program(path: Path, *answers: bytes | None) -> Iterator[None]:
    """Answers each request with the next of these; None hangs up; after the last it says nothing."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)
    left = list(answers)
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            connection, _ = listener.accept()
            with connection, suppress(OSError):  # the camera may hang up before it is answered
                while left and connection.recv(64) == b"frame\n":
                    answer = left.pop(0)
                    if answer is None:
                        break
                    connection.sendall(answer)
                else:
                    while not done.is_set() and connection.recv(64):
                        pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(path))
        thread.join(5.0)
        listener.close()
        assert not thread.is_alive()


@pytest.fixture
def clock() -> RealClock:
    return RealClock()


@contextmanager
def opened(path: Path, clock: RealClock) -> Iterator[SocketCamera]:
    camera = SocketCamera(path, clock)
    camera.open(clock.monotonic_s() + 5.0)
    try:
        yield camera
    finally:
        camera.close()


def test_frames_are_those_that_the_program_sent(tmp_path: Path, clock: RealClock) -> None:
    path = tmp_path / "frames"
    with program(path, GOOD, GOOD), opened(path, clock) as camera:
        before_s = clock.monotonic_s()
        frame = camera.capture(before_s + 5.0)
        assert frame.rgb.shape == (2, 4, 3)
        assert frame.rgb.tobytes() == PICTURE
        assert (frame.sequence, frame.exposure_s) == (7, 0.01)
        assert before_s <= frame.captured_at_s <= clock.monotonic_s()
        assert camera.preview(before_s + 5.0).rgb.shape == (2, 4, 3)
        health = camera.health()
        assert (health.is_open, health.frames, health.last_error) == (True, 2, None)
    assert not camera.health().is_open


def test_the_config_names_such_a_camera_and_it_is_not_opened_by_that(tmp_path: Path, clock: RealClock) -> None:
    camera = bare_camera(CameraConfig(source="socket", path=tmp_path / "frames"), clock)
    assert camera.is_live
    assert not camera.health().is_open
    with pytest.raises(CameraClosed):
        camera.capture(clock.monotonic_s() + 1.0)


def test_the_program_decides_how_large_its_frames_are(tmp_path: Path, clock: RealClock) -> None:
    path = tmp_path / "frames"
    config = CameraConfig(source="socket", path=path, width_px=1280, height_px=720, mm_per_px=0.25)
    with program(path, GOOD):
        camera = open_camera(config, clock)
        frame = camera.capture(clock.monotonic_s() + 5.0)
        camera.close()
    assert frame.rgb.shape == (2, 4, 3)
    assert frame.mm_per_px == 0.25


def test_without_a_program_it_is_missing(tmp_path: Path, clock: RealClock) -> None:
    with pytest.raises(CameraMissing, match="nobody listens"):
        SocketCamera(tmp_path / "nobody", clock).open(clock.monotonic_s() + 1.0)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))
    with pytest.raises(CameraMissing, match="nobody listens"):
        SocketCamera(tmp_path / "dead", clock).open(clock.monotonic_s() + 1.0)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b'{"error": "the lamp is out"}\n', CameraRefused),
        (b"hello\n", CameraRefused),
        (b"[1, 2]\n", CameraRefused),
        (b"[" * 4000 + b"\n", CameraRefused),
        (b"x" * 5000, CameraRefused),
        (GOOD + b"more", CameraRefused),
        (json.dumps(HEADER | {"width_px": 0}).encode() + b"\n", CameraRefused),
        (json.dumps(HEADER | {"width_px": 100_000}).encode() + b"\n", CameraRefused),
        (json.dumps(HEADER | {"height_px": 2.0}).encode() + b"\n", CameraRefused),
        (json.dumps(HEADER | {"exposure_s": True}).encode() + b"\n", CameraRefused),
        (json.dumps(HEADER | {"exposure_s": -1.0}).encode() + b"\n", CameraRefused),
        (b'{"width_px": 4, "height_px": 2, "exposure_s": NaN, "sequence": 1}\n', CameraRefused),
        (json.dumps(HEADER | {"sequence": -1}).encode() + b"\n", CameraRefused),
        (None, CameraVanished),
    ],
)
def test_a_program_that_answers_wrongly_is_named_and_the_next_connection_works(
    tmp_path: Path, clock: RealClock, answer: bytes | None, kind: type[CameraError]
) -> None:
    path = tmp_path / "frames"
    with program(path, answer, GOOD), opened(path, clock) as camera:
        with pytest.raises(kind, match="camera at"):
            camera.capture(clock.monotonic_s() + 5.0)
        assert camera.health().last_error is not None
        assert not camera.health().is_open  # the rest of that answer must not be taken for the next one
        camera.open(clock.monotonic_s() + 5.0)
        assert camera.capture(clock.monotonic_s() + 5.0).sequence == 7


@pytest.mark.parametrize("beginning", [b"", GOOD[:10], GOOD[:-1]])
def test_a_program_that_stops_in_the_middle_costs_no_more_than_the_deadline(tmp_path: Path, beginning: bytes) -> None:
    path, clock = tmp_path / "frames", RealClock(speed=20.0)
    with program(path, beginning), opened(path, clock) as camera, pytest.raises(CameraTimeout):
        camera.capture(clock.monotonic_s() + 4.0)


def test_closing_ends_a_capture_in_another_thread(tmp_path: Path, clock: RealClock) -> None:
    path = tmp_path / "frames"
    errors: list[CameraError] = []
    with program(path, b""), opened(path, clock) as camera:

        def capture() -> None:
            try:
                camera.capture(clock.monotonic_s() + 50.0)
            except CameraError as error:
                errors.append(error)

        thread = threading.Thread(target=capture)
        thread.start()
        while thread.is_alive():
            camera.close()
            thread.join(0.05)
    assert [type(error) for error in errors] == [CameraClosed]
