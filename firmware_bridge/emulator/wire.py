"""The two directions of the serial line: bytes take their time, in order, and are handed over in bulk."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

_LINE_END = re.compile(rb"[\r\n]")
_ROUNDING = 1e-6  # of a byte; times are floats


@dataclass(slots=True)
class _Segment:
    """Bytes that leave back to back from `start_s`; the first `taken` of them have been handed over."""

    start_s: float
    byte_s: float
    data: bytes
    taken: int = 0

    def time_of(self, count: int) -> float:
        """When the first `count` bytes have arrived."""
        return self.start_s + count * self.byte_s

    def next_stop(self) -> int:
        """How many bytes there are up to and including the next line end, or all of them."""
        found = _LINE_END.search(self.data, self.taken)
        return found.end() if found else len(self.data)

    def arrived(self, now_s: float) -> int:
        """How many bytes have arrived by `now_s`."""
        if self.byte_s <= 0.0:
            return len(self.data) if now_s >= self.start_s else 0
        return max(0, min(len(self.data), int((now_s - self.start_s) / self.byte_s + _ROUNDING)))


class Wire:
    """One direction of the line. Times are seconds; they must not run backwards."""

    def __init__(self, byte_s: float) -> None:
        self._byte_s = byte_s
        self._segments: deque[_Segment] = deque()
        self._last_s = 0.0
        self.free_s = 0.0
        """When the sender's UART has got rid of everything that was put; a late arrival does not count."""

    def put(self, data: bytes, now_s: float, byte_s: float | None = None, late_s: float = 0.0) -> None:
        """Append `data` behind what is still under way; `late_s` holds it, and all that follows, back."""
        if not data:
            return
        byte_s = self._byte_s if byte_s is None else byte_s
        sent_s = max(now_s, self.free_s)
        self.free_s = sent_s + len(data) * min(byte_s, self._byte_s)
        segment = _Segment(max(sent_s + late_s, self._last_s), byte_s, data)
        self._last_s = segment.time_of(len(data))
        self._segments.append(segment)

    def next_stop_s(self) -> float | None:
        """When the next line end arrives, or the last byte of what was put together; None: nothing is under way."""
        if not self._segments:
            return None
        segment = self._segments[0]
        return segment.time_of(segment.next_stop())

    def take_line_part(self, now_s: float) -> bytes:
        """Hand over what has arrived by `now_s`, at most up to and including one line end."""
        if not self._segments:
            return b""
        segment = self._segments[0]
        stop = segment.next_stop()
        end = stop if now_s >= segment.time_of(stop) else min(stop, segment.arrived(now_s))
        part = segment.data[segment.taken : end]
        segment.taken = end
        if end == len(segment.data):
            self._segments.popleft()
        return part

    def take(self, now_s: float) -> bytes:
        """Hand over all that has arrived by `now_s`."""
        parts = []
        while part := self.take_line_part(now_s):
            parts.append(part)
        return b"".join(parts)

    def take_whole(self, now_s: float) -> bytes:
        """Hand over the lines, or the ends of what was put together, that have arrived in full by `now_s`."""
        parts = []
        while (stop_s := self.next_stop_s()) is not None and stop_s <= now_s:
            parts.append(self.take_line_part(stop_s))
        return b"".join(parts)

    @property
    def backlog_bytes(self) -> int:
        """Bytes that were put and not yet handed over."""
        return sum(len(segment.data) - segment.taken for segment in self._segments)

    def clear(self, now_s: float) -> bytes:
        """Forget what is under way and return it."""
        lost = b"".join(segment.data[segment.taken :] for segment in self._segments)
        self._segments.clear()
        self._last_s = self.free_s = now_s
        return lost
