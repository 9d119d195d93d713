"""The camera's socket: what a client is given, and what it cannot break."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sorter.errors import SorterError
from sorter.twin.errors import SocketRefused
from sorter.twin.frames import FrameServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPE = (48, 64, 3)


class Scene:
    """Takes numbered pictures; or fails, or waits, as a test says."""

    def __init__(self) -> None:
        self.count = 0
        self.error: Exception | None = None
        self.may_take = threading.Event()
        self.may_take.set()

    def take(self) -> tuple[np.ndarray, float]:
        assert self.may_take.wait(10.0)
        if self.error is not None:
            raise self.error
        self.count += 1
        return np.full(SHAPE, self.count, np.uint8), 0.008


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def server(tmp_path: Path, scene: Scene) -> Iterator[Path]:
    path = tmp_path / "frames"
    frames = FrameServer(path, scene.take)
    frames.start()
    yield path
    frames.stop()
    assert not path.exists()


def connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10.0)
    connection.connect(str(path))
    return connection


def ask(connection: socket.socket, request: bytes = b"frame\n") -> tuple[dict[str, object], bytes]:
    connection.sendall(request)
    with connection.makefile("rb") as answers:
        header = json.loads(answers.readline())
        size = header.get("width_px", 0) * header.get("height_px", 0) * 3
        return header, answers.read(size)


def test_each_request_is_answered_with_a_picture_taken_after_it(server: Path) -> None:
    with connect(server) as client:
        for count in (1, 2, 3):
            header, picture = ask(client)
            assert header == {"width_px": 64, "height_px": 48, "exposure_s": 0.008, "sequence": count - 1}
            assert picture == bytes([count]) * (48 * 64 * 3)


def test_a_request_in_pieces_and_two_in_one_are_understood(server: Path, scene: Scene) -> None:
    with connect(server) as client:
        client.sendall(b"fra")
        client.sendall(b"me\nframe\n")
        with client.makefile("rb") as answers:
            for sequence in (0, 1):
                assert json.loads(answers.readline())["sequence"] == sequence
                answers.read(48 * 64 * 3)
    assert scene.count == 2


@pytest.mark.parametrize("rubbish", [b"picture\n", b"\xff\xfe\n", b"\n", b"x" * 65])
def test_a_client_that_sends_rubbish_is_told_so_and_the_next_one_is_served(server: Path, rubbish: bytes) -> None:
    with connect(server) as client:
        header, _ = ask(client, rubbish)
        assert "frame" in str(header["error"])
        assert client.recv(10) == b""
    with connect(server) as client:
        assert ask(client)[0]["sequence"] == 0


def test_a_client_that_does_not_read_holds_up_nobody_else(server: Path) -> None:
    with connect(server) as idle, connect(server) as busy:
        idle.sendall(b"frame\n" * 10)
        for _ in range(20):
            assert len(ask(busy)[1]) == 48 * 64 * 3


def test_what_goes_wrong_in_the_scene_is_told_to_the_client(server: Path, scene: Scene) -> None:
    with connect(server) as client:
        scene.error = SorterError("the photograph is gone", remedy="Put it back.")
        assert ask(client)[0] == {"error": "the photograph is gone"}
        scene.error = ValueError("odd")
        assert ask(client)[0] == {"error": "ValueError: odd"}
        scene.error = None
        assert ask(client)[0]["sequence"] == 0


def test_more_clients_than_it_serves_are_sent_away(server: Path) -> None:
    clients = [connect(server) for _ in range(8)]
    try:
        for client in clients:
            ask(client)
        with connect(server) as one_more, one_more.makefile("rb") as answers:
            assert "clients" in json.loads(answers.readline())["error"]
    finally:
        for client in clients:
            client.close()


def test_stopping_hangs_up_on_a_client_that_waits(tmp_path: Path, scene: Scene) -> None:
    frames = FrameServer(tmp_path / "frames", scene.take)
    frames.start()
    with connect(tmp_path / "frames") as client:
        ask(client)
        frames.stop()
        assert client.recv(10) == b""
    frames.stop()  # harmless


def test_the_socket_of_a_dead_server_is_replaced_and_a_living_one_is_left_alone(tmp_path: Path, scene: Scene) -> None:
    path = tmp_path / "frames"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    one, other = FrameServer(path, scene.take), FrameServer(path, scene.take)
    one.start()
    with pytest.raises(SocketRefused, match="listens there already"):
        other.start()
    with connect(path) as client:
        assert ask(client)[0]["sequence"] == 0
    one.stop()


def test_a_file_that_is_no_socket_and_a_path_that_cannot_be_are_refused(tmp_path: Path, scene: Scene) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(SocketRefused, match="no socket"):
        FrameServer(file, scene.take).start()
    assert file.read_text() == "mine"
    for path in (tmp_path / "no" / "folder", tmp_path / ("long" * 60)):
        with pytest.raises(SocketRefused):
            FrameServer(path, scene.take).start()
