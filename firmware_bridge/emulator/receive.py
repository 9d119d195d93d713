"""Receiving: the ring that the UART's interrupt fills, the emergency parser beside it, and lines out of bytes."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"[\r\n]")
_EMERGENCY = re.compile(rb" *(?:N[-0-9 ]*)?M(108|112|410)")
_EMERGENCY_BYTES = 128  # more of a line than this can say nothing that matters to the emergency parser


class RxRing:
    """The receive buffer: one byte of its size always stays empty, and what does not fit is lost in silence."""

    def __init__(self, size_bytes: int) -> None:
        self._room_bytes = size_bytes - 1
        self._bytes = bytearray()

    def put(self, data: bytes) -> int:
        """Store `data` and return how many bytes of it did not fit."""
        room = self._room_bytes - len(self._bytes)
        self._bytes += data[:room] if room < len(data) else data
        return max(0, len(data) - room)

    def take_to_line_end(self) -> bytes:
        """Take everything up to and including the next line end, or all there is."""
        found = _LINE_END.search(self._bytes)
        end = found.end() if found else len(self._bytes)
        part = bytes(self._bytes[:end])
        del self._bytes[:end]
        return part

    def clear(self) -> None:
        """Flush: what was received and not read is gone."""
        self._bytes.clear()

    def __len__(self) -> int:
        return len(self._bytes)


class EmergencyParser:
    """Sees every byte as it arrives, even one that the ring has no room for.

    Only the beginning of a line counts, so `M112 now`, `M1120` and `N77 M112*1` are M112; `G1 X1 M112`, `; M112` and
    `m112` are not (Marlin 2.0.9.7).
    """

    def __init__(self) -> None:
        self._line = bytearray()

    def feed(self, part: bytes) -> int | None:
        """Take at most one line end, at the end of `part`; return 108, 112 or 410 when such a line has ended."""
        body = part.rstrip(b"\r\n")
        self._line += body[: max(0, _EMERGENCY_BYTES - len(self._line))]
        if len(body) == len(part):
            return None
        line, self._line = bytes(self._line), bytearray()
        found = _EMERGENCY.match(line)
        return int(found.group(1)) if found else None


class LineReader:
    """Puts received bytes together to lines as Marlin's queue does.

    Comments are cut at `;`. A line longer than fits is cut in silence. A line of nothing is no line. A NUL ends the
    text, as it does for C, though the bytes behind it have taken room. Text is Latin-1: bytes pass through unchanged.
    """

    def __init__(self, max_line_bytes: int) -> None:
        self._max_bytes = max_line_bytes - 1
        self._line = bytearray()
        self._is_skipping = False

    def next_line(self, ring: RxRing) -> str | None:
        """Read from `ring` until a line is complete and return it; None: the ring is empty, the line is not."""
        while part := ring.take_to_line_end():
            body = part.rstrip(b"\r\n")
            self._store(body)
            if len(body) == len(part):
                return None
            line, self._line = self._line, bytearray()
            self._is_skipping = False
            if line:
                return bytes(line).partition(b"\0")[0].decode("latin-1")
        return None

    def _store(self, body: bytes) -> None:
        if self._is_skipping:
            return
        text, semicolon, _ = body.partition(b";")
        room = self._max_bytes - len(self._line)
        self._line += text[:room]
        self._is_skipping = bool(semicolon) or len(text) >= room
