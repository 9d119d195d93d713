"""The socket at which the twin's camera gives frames; ``sorter.types.twin`` has the protocol.

A thread listens, and each client has one of its own: a client that does not read holds up nobody else, and is let go of
after a while. Pictures are taken one at a time, in the order in which they are asked for.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import threading
from typing import TYPE_CHECKING

from sorter.errors import SorterError
from sorter.twin.hang import Hang
from sorter.twin.listening import listen_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sorter.types.pictures import RgbArray

_MOST_CLIENTS = 8
_MOST_REQUEST_BYTES = 64
_SEND_TIMEOUT_S = 5.0
_JOIN_S = 10.0  # a picture that is being taken at the time waits out its exposure first
_HANG_LOOK_S = 0.02  # whether it still does


class FrameServer:
    """Gives frames at a Unix socket.

    Args:
        path: of the socket.
        take: takes a picture: H×W×3 uint8 RGB and how long it was exposed (s). Called by one thread at a time; a
            SorterError that it raises goes to the client, anything else too, and is kept in ``failure``.
        hang: whether the camera hangs: then requests are taken and not answered.
    """

    def __init__(self, path: Path, take: Callable[[], tuple[RgbArray, float]], hang: Hang | None = None) -> None:
        self._path = path
        self._take = take
        self._hang = hang or Hang()
        self._turn = threading.Lock()
        self._sequence = 0
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._clients: dict[threading.Thread, socket.socket] = {}
        self._clients_lock = threading.Lock()
        self._stop_read = self._stop_write = -1
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Listen from now on; what a dead server left at the path is replaced.

        Raises:
            SocketRefused: somebody listens there, something else stands there, or the path cannot be used.
        """
        self._listener = listen_at(self._path, _MOST_CLIENTS)
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._listen, name="frame-server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody, end the threads, and remove the socket. RuntimeError: a thread does not end."""
        thread, self._thread = self._thread, None
        listener, self._listener = self._listener, None
        if thread is None or listener is None:
            return
        os.close(self._stop_write)  # whoever waits reads its end
        thread.join(_JOIN_S)
        with self._clients_lock:
            clients = dict(self._clients)
        for connection in clients.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for each in clients:
            each.join(_JOIN_S)
        listener.close()
        self._path.unlink(missing_ok=True)
        alive = [each.name for each in (thread, *clients) if each.is_alive()]
        if alive:
            raise RuntimeError(f"the camera's threads do not end: {', '.join(alive)}")
        os.close(self._stop_read)

    def _listen(self) -> None:
        listener = self._listener
        assert listener is not None
        while True:
            ready, _, _ = select.select([listener.fileno(), self._stop_read], [], [])
            if self._stop_read in ready:
                return
            with contextlib.suppress(OSError):  # a client that has gone again
                connection, _ = listener.accept()
                self._hang.connected()
                self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        connection.settimeout(_SEND_TIMEOUT_S)
        with self._clients_lock:
            is_full = len(self._clients) >= _MOST_CLIENTS
            if not is_full:
                thread = threading.Thread(target=self._serve, args=(connection,), name="frame-client", daemon=True)
                self._clients[thread] = connection
                thread.start()
        if is_full:
            with contextlib.suppress(OSError), connection:
                connection.sendall(_error(f"{_MOST_CLIENTS} clients are here already"))

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):  # the client went away, or does not read
                self._answer_all(connection)
        finally:
            with self._clients_lock:
                self._clients.pop(threading.current_thread(), None)
            connection.close()

    def _answer_all(self, connection: socket.socket) -> None:
        asked = b""
        while True:
            request, newline, rest = asked.partition(b"\n")
            if newline:
                if request != b"frame":
                    shown = request.decode("ascii", "backslashreplace")
                    connection.sendall(_error(f"{shown!r} is no request; there is: frame"))
                    return
                asked = rest
                if not self._has_come_round(connection):
                    return
                connection.sendall(self._answer())
                continue
            if len(asked) > _MOST_REQUEST_BYTES:
                connection.sendall(_error("that is no request; there is: frame"))
                return
            ready, _, _ = select.select([connection.fileno(), self._stop_read], [], [])
            if self._stop_read in ready:
                return
            data = connection.recv(_MOST_REQUEST_BYTES)
            if not data:
                return
            asked += data

    def _has_come_round(self, connection: socket.socket) -> bool:
        """Wait while the camera hangs; returns False if the client has gone, or the server ends, before it is over."""
        watched = [connection.fileno(), self._stop_read]
        while self._hang.is_on:
            ready, _, _ = select.select(watched, [], [], _HANG_LOOK_S)
            if self._stop_read in ready:
                return False
            if connection.fileno() in ready:
                if not connection.recv(1, socket.MSG_PEEK):
                    return False
                watched = [self._stop_read]  # it has asked for more
        return True

    def _answer(self) -> bytes:
        with self._turn:
            try:
                rgb, exposure_s = self._take()
            except SorterError as error:
                return _error(error.message)
            except Exception as error:  # noqa: BLE001 - told to the client, and kept for whoever runs the server
                self.failure = error
                return _error(f"{type(error).__name__}: {error}")
            sequence, self._sequence = self._sequence, self._sequence + 1
        height, width = rgb.shape[:2]
        header = {"width_px": width, "height_px": height, "exposure_s": exposure_s, "sequence": sequence}
        return json.dumps(header).encode() + b"\n" + rgb.tobytes()


def _error(text: str) -> bytes:
    return json.dumps({"error": text}).encode() + b"\n"
