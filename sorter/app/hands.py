"""Hands at the twin, for a program that stands in for a person at the machine (``sorter.types.hands``).

    hands = Hands(folder / "hands")
    hands.take_parts()          # (7, 8)
    hands.break_("stuck")       # the next part that is pushed stays where it is

Each call connects, asks, and is answered within ``timeout_s``; nothing is left open.
"""

from __future__ import annotations

import errno
import json
import socket
import time
from typing import TYPE_CHECKING

from sorter.app.errors import HandsFailed
from sorter.types import hands
from sorter.types.hands import MOST_LINE_BYTES, HandAnswer, HandRequest

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_MOST_ANSWER_BYTES = 1_000_000


class Hands:
    """Hands at a twin. May be used from any thread.

    Args:
        path: of the socket ``hands`` of the twin's settings.
        timeout_s: for how long an answer is waited for, in seconds of the host.

    All methods raise HandsFailed: the twin cannot be reached, does not answer in time, or refuses what is asked for.
    """

    def __init__(self, path: Path, *, timeout_s: float = 5.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

    def take_parts(self) -> tuple[int, ...]:
        """Take all parts off the table; returns their numbers."""
        return self.do(HandRequest(hands.TAKE_PARTS)).parts or ()

    def clear_chute(self) -> tuple[int, ...]:
        """Take out what hangs in the chute; returns the parts' numbers."""
        return self.do(HandRequest(hands.CLEAR_CHUTE)).parts or ()

    def empty_bins(self, bins: Collection[str] | None = None) -> tuple[str, ...]:
        """Empty bins by their ids, or all; returns which."""
        return self.do(HandRequest(hands.EMPTY_BINS, bins=None if bins is None else tuple(bins))).bins or ()

    def fill_hopper(self, parts: int) -> None:
        """Put so many parts more into the hopper."""
        self.do(HandRequest(hands.FILL_HOPPER, parts=parts))

    def mend_light(self) -> None:
        """Put the lamp right: bright, and of its first colour."""
        self.do(HandRequest(hands.MEND_LIGHT))

    def wipe_lens(self) -> None:
        """Wipe the dust off the lens."""
        self.do(HandRequest(hands.WIPE_LENS))

    def mend_camera(self) -> None:
        """Start a camera again that hangs."""
        self.do(HandRequest(hands.MEND_CAMERA))

    def press_estop(self) -> None:
        """Cut the motors' supply."""
        self.do(HandRequest(hands.PRESS_ESTOP))

    def restore_power(self) -> None:
        """Switch the motors' supply on again."""
        self.do(HandRequest(hands.RESTORE_POWER))

    def unplug(self) -> None:
        """Pull the board's USB cable."""
        self.do(HandRequest(hands.UNPLUG))

    def plug_in(self) -> None:
        """Plug it in again, if it is out."""
        self.do(HandRequest(hands.PLUG_IN))

    def break_(self, fault: str) -> str:
        """Let a fault happen once, at its next opportunity; returns its own name."""
        return self.do(HandRequest(hands.BREAK, fault=fault)).fault or fault

    def do(self, request: HandRequest) -> HandAnswer:
        """Ask for anything, and wait until it is done."""
        line = self._asked(request.to_json())
        try:
            told = json.loads(line)
            if isinstance(told, dict) and isinstance(told.get("error"), str):
                remedy = told.get("remedy")
                raise HandsFailed(f"{self._path}: {told['error']}", remedy=remedy if isinstance(remedy, str) else None)
            return HandAnswer.from_json(line)
        except (ValueError, RecursionError) as error:
            raise HandsFailed(f"{self._path} answers what hands do not say: {line[:80]!r}") from error

    def _asked(self, request: bytes) -> bytes:
        """The line of the answer."""
        if len(request) > MOST_LINE_BYTES:
            raise HandsFailed(f"{self._path}: a request of {len(request)} bytes; there are {MOST_LINE_BYTES} at most")
        deadline_s = time.monotonic() + self._timeout_s
        received = b""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(self._timeout_s)
                client.connect(str(self._path))
                client.sendall(request)
                while not received.endswith(b"\n") and len(received) < _MOST_ANSWER_BYTES:
                    client.settimeout(max(0.001, deadline_s - time.monotonic()))
                    data = client.recv(MOST_LINE_BYTES)
                    if not data:
                        raise HandsFailed(f"{self._path} hung up without an answer")
                    received += data
        except TimeoutError as error:
            raise HandsFailed(f"{self._path} did not answer within {self._timeout_s:g} s") from error
        except OSError as error:
            raise HandsFailed(f"{self._path}: {_reason(error)}") from error
        return received


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ECONNREFUSED):
        return "nobody listens there"
    return error.strerror or str(error)
