"""A camera that is a program: it gives frames at a Unix socket.

The protocol is five lines long (docs/camera.md): write ``frame`` and a newline; read a line of JSON, then the picture's
bytes. The exposure begins when the request arrives. This module does not know who answers.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import socket
import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sorter.camera.errors import CameraClosed, CameraMissing, CameraRefused, CameraTimeout, CameraVanished
from sorter.camera.pictures import shrunk
from sorter.camera.protocol import CameraHealth
from sorter.types import Frame

if TYPE_CHECKING:
    from pathlib import Path

    from sorter.types import Clock

_POLL_S = 0.05  # of real time: how often the deadline, which is of the clock, is looked at
_MOST_HEADER_BYTES = 4096
_MOST_SIDE_PX = 4096
_LONGEST_EXPOSURE_S = 60.0
_CHUNK_BYTES = 1 << 20


class _Header(NamedTuple):
    width_px: int
    height_px: int
    exposure_s: float
    sequence: int


class SocketCamera:
    """Frames from a program; see ``Camera``.

    Args:
        path: of its Unix socket.
        clock: whose seconds deadlines and frames carry.
        preview_width_px: how wide a preview is at most.
    """

    is_live = True

    def __init__(self, path: Path, clock: Clock, *, preview_width_px: int = 320) -> None:
        self.name = f"camera at {path}"
        self._path = path
        self._clock = clock
        self._preview_width_px = preview_width_px
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()
        self._frames = 0
        self._last_at_s: float | None = None
        self._last_error: str | None = None

    def open(self, deadline_s: float) -> None:
        """Connect; see ``Camera.open``.

        Raises:
            CameraMissing: nobody listens there.
            CameraTimeout: whoever listens takes no more connections.
        """
        if self._connection is not None:
            return
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_POLL_S)
        try:
            while True:
                try:
                    connection.connect(str(self._path))
                    break
                except (TimeoutError, BlockingIOError) as error:  # its backlog is full
                    if self._clock.monotonic_s() >= deadline_s:
                        raise CameraTimeout(f"{self.name}: it takes no connection") from error
                    threading.Event().wait(_POLL_S)
        except OSError as error:
            connection.close()
            if isinstance(error, CameraTimeout):
                raise
            raise CameraMissing(
                f"{self.name}: {_reason(error)}",
                remedy="Start the program that gives frames there, or name another path in [camera] of rig.toml.",
            ) from error
        self._connection = connection

    def capture(self, deadline_s: float) -> Frame:
        """A frame whose exposure began after this call; see ``Camera.capture``.

        After an error the connection is closed, as an answer may still be on its way; ``open`` connects anew.

        Raises:
            CameraClosed: it is not open, or was closed meanwhile.
            CameraTimeout: no whole frame came by the deadline.
            CameraVanished: the program has gone.
            CameraRefused: it answered with an error, or with what is no frame.
        """
        connection = self._connection
        if connection is None:
            raise CameraClosed(f"{self.name} is not open")
        try:
            self._send(connection, b"frame\n", deadline_s)
            line, picture = self._line(connection, deadline_s)
            header = self._checked(line)
            captured_at_s = self._clock.monotonic_s()
            self._fill(connection, picture, header.width_px * header.height_px * 3, deadline_s)
        except (CameraTimeout, CameraVanished, CameraRefused) as error:
            is_closed = self._connection is None
            self._last_error = error.message
            self.close()
            if is_closed:
                raise CameraClosed(f"{self.name} was closed") from error
            raise
        rgb = np.frombuffer(bytes(picture), np.uint8).reshape(header.height_px, header.width_px, 3)
        self._frames += 1
        self._last_at_s = captured_at_s
        return Frame(rgb, captured_at_s, header.sequence, header.exposure_s)

    def preview(self, deadline_s: float) -> Frame:
        """The next frame, smaller; see ``Camera.preview``; raises as ``capture``."""
        frame = self.capture(deadline_s)
        return Frame(shrunk(frame.rgb, self._preview_width_px), frame.captured_at_s, frame.sequence, frame.exposure_s)

    def close(self) -> None:
        """Hang up; see ``Camera.close``."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # ends a read in another thread
            connection.close()

    def health(self) -> CameraHealth:
        """See ``Camera.health``."""
        return CameraHealth(
            is_open=self._connection is not None,
            frames=self._frames,
            last_error=self._last_error,
            last_frame_age_s=None if self._last_at_s is None else self._clock.monotonic_s() - self._last_at_s,
        )

    # --- bytes --------------------------------------------------------------------------------------------------

    def _send(self, connection: socket.socket, data: bytes, deadline_s: float) -> None:
        while data:
            self._check_time(deadline_s)
            try:
                data = data[connection.send(data) :]
            except TimeoutError:
                continue
            except OSError as error:
                raise CameraVanished(f"{self.name}: {_reason(error)}") from error

    def _receive(self, connection: socket.socket, size: int, deadline_s: float) -> bytes:
        while True:
            self._check_time(deadline_s)
            try:
                data = connection.recv(size)
            except TimeoutError:
                continue
            except OSError as error:
                raise CameraVanished(f"{self.name}: {_reason(error)}") from error
            if not data:
                raise CameraVanished(f"{self.name}: the program has hung up")
            return data

    def _line(self, connection: socket.socket, deadline_s: float) -> tuple[bytes, bytearray]:
        """The header's line, and what came behind it."""
        received = bytearray()
        while b"\n" not in received:
            if len(received) > _MOST_HEADER_BYTES:
                raise CameraRefused(f"{self.name} answers with what is no header: {bytes(received[:40])!r}")
            received += self._receive(connection, _MOST_HEADER_BYTES, deadline_s)
        line, _, rest = received.partition(b"\n")
        return bytes(line), bytearray(rest)

    def _fill(self, connection: socket.socket, picture: bytearray, size: int, deadline_s: float) -> None:
        while len(picture) < size:
            picture += self._receive(connection, min(_CHUNK_BYTES, size - len(picture)), deadline_s)
        if len(picture) > size:
            raise CameraRefused(f"{self.name} sent more than the {size} bytes of its picture")

    def _check_time(self, deadline_s: float) -> None:
        if self._clock.monotonic_s() >= deadline_s:
            raise CameraTimeout(
                f"{self.name} gave no frame by the deadline",
                remedy="Check the program that gives frames there; start it again if it hangs.",
            )

    def _checked(self, line: bytes) -> _Header:
        try:
            told = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CameraRefused(f"{self.name} answers with what is no header: {line[:40]!r}") from error
        if isinstance(told, dict) and isinstance(told.get("error"), str):
            raise CameraRefused(f"{self.name} says: {told['error']}", remedy="Look at the program that gives frames.")
        if not isinstance(told, dict) or not _is_header(told):
            raise CameraRefused(
                f"{self.name} answers with what is no header: {line[:80]!r}",
                remedy="docs/camera.md tells what a program has to answer.",
            )
        return _Header(told["width_px"], told["height_px"], float(told["exposure_s"]), told["sequence"])


def _is_header(told: dict[str, object]) -> bool:
    sides = [told.get("width_px"), told.get("height_px")]
    exposure_s, sequence = told.get("exposure_s"), told.get("sequence")
    return (
        all(type(side) is int and 1 <= side <= _MOST_SIDE_PX for side in sides)
        and isinstance(exposure_s, int | float)
        and not isinstance(exposure_s, bool)
        and math.isfinite(exposure_s)
        and 0.0 <= exposure_s <= _LONGEST_EXPOSURE_S
        and type(sequence) is int
        and sequence >= 0
    )


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ECONNREFUSED):
        return "nobody listens there"
    return error.strerror or str(error)
