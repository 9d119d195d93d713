"""The socket at which hands are asked to do something; ``sorter.types.hands`` has the protocol.

One thread serves all clients. A line that is no request is answered with an error, and its client is let go of; so is
one that sends no end of a line, or does not read.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import threading
from typing import TYPE_CHECKING

from sorter.errors import SorterError
from sorter.twin.listening import listen_at
from sorter.types.hands import HANDS, MOST_LINE_BYTES, HandRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sorter.types.hands import HandAnswer

_MOST_CLIENTS = 8
_SEND_TIMEOUT_S = 1.0
_JOIN_S = 10.0
_REMEDY = f"Ask for one of: {', '.join(HANDS)}; sorter/types/hands.py tells how."


class HandsServer:
    """Hands at a Unix socket.

    Args:
        path: of the socket.
        do: does what is asked for; called by one thread. A SorterError that it raises goes to the client, anything else
            too, and is kept in ``failure``.
    """

    def __init__(self, path: Path, do: Callable[[HandRequest], HandAnswer]) -> None:
        self._path = path
        self._do = do
        self._selector = selectors.DefaultSelector()
        self._thread: threading.Thread | None = None
        self._received: dict[socket.socket, bytes] = {}
        self._stop_read = self._stop_write = -1
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Listen from now on; what a dead server left at the path is replaced.

        Raises:
            SocketRefused: somebody listens there, something else stands there, or the path cannot be used.
        """
        listener = listen_at(self._path, _MOST_CLIENTS)
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC)
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(self._stop_read, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, args=(listener,), name="hands", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody, end the thread, and remove the socket. RuntimeError: the thread does not end."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        os.close(self._stop_write)
        thread.join(_JOIN_S)
        self._path.unlink(missing_ok=True)
        if thread.is_alive():
            raise RuntimeError("the thread of the hands does not end")
        os.close(self._stop_read)

    def _serve(self, listener: socket.socket) -> None:
        with listener, self._selector:
            while True:
                for key, _ in self._selector.select():
                    if key.fileobj == self._stop_read:
                        for client in list(self._received):
                            self._let_go(client)
                        return
                    if key.fileobj is listener:
                        self._welcome(listener)
                    elif isinstance(key.fileobj, socket.socket):
                        self._hear(key.fileobj)

    def _welcome(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # a client that has gone again
            client, _ = listener.accept()
            client.settimeout(_SEND_TIMEOUT_S)
            self._received[client] = b""
            self._selector.register(client, selectors.EVENT_READ)
            if len(self._received) > _MOST_CLIENTS:
                self._refuse(client, f"{_MOST_CLIENTS} clients are here already", "Close one.")

    def _hear(self, client: socket.socket) -> None:
        try:
            data = client.recv(MOST_LINE_BYTES)
        except OSError:
            data = b""
        if not data:
            self._let_go(client)
            return
        *lines, rest = (self._received[client] + data).split(b"\n")
        self._received[client] = rest
        for line in lines:
            if client not in self._received:
                return
            if len(line) < MOST_LINE_BYTES:
                self._answer(client, line)
            else:
                self._refuse(client, f"a line has {MOST_LINE_BYTES} bytes at most", _REMEDY)
        if client in self._received and len(rest) >= MOST_LINE_BYTES:
            self._refuse(client, f"a line has {MOST_LINE_BYTES} bytes at most", _REMEDY)

    def _answer(self, client: socket.socket, line: bytes) -> None:
        try:
            request = HandRequest.from_json(line)
        except ValueError as error:
            self._refuse(client, str(error).removeprefix("Value error, "), _REMEDY)
            return
        try:
            answer = self._do(request).to_json()
        except SorterError as error:
            answer = _error(error.message, error.remedy)
        except Exception as error:  # noqa: BLE001 - told to the client, and kept for whoever runs the server
            self.failure = error
            answer = _error(f"{type(error).__name__}: {error}", "Start the twin again.")
        self._send(client, answer)

    def _refuse(self, client: socket.socket, message: str, remedy: str) -> None:
        self._send(client, _error(message, remedy))
        self._let_go(client)

    def _send(self, client: socket.socket, answer: bytes) -> None:
        try:
            client.sendall(answer)
        except OSError:  # it has gone, or does not read
            self._let_go(client)

    def _let_go(self, client: socket.socket) -> None:
        if self._received.pop(client, None) is not None:
            self._selector.unregister(client)
            client.close()


def _error(message: str, remedy: str | None) -> bytes:
    return json.dumps({"error": message, "remedy": remedy}).encode() + b"\n"
