"""Joins a firmware and a pty: one step brings both up to date. Time is passed in; there is no thread in here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from firmware_bridge.emulator.firmware import Firmware
    from firmware_bridge.emulator.port import Port

Trace = Callable[[float, str, bytes], None]
"""Called with the board's time in s, `>` (to the board) or `<` (to the host), and the bytes."""

_AWAY_S = 2.0
_TAKEN_S = 10.0
_BACKLOG_BYTES = 256
_UNSENT_BYTES = 65536
_LAST_NUMBER = re.compile(r"(\d*)$")


@dataclass(frozen=True)
class Next:
    """What the server waits for: the master to become readable or writable, the board's time, or a host to look for."""

    reads: bool
    writes: bool
    at_s: float | None
    is_looking: bool


def other_name(link: Path) -> Path:
    """Return the name under which a board comes back: ttyUSB0 as ttyUSB1, board as board1."""
    found = _LAST_NUMBER.search(link.name)
    digits = found.group(1) if found else ""
    stem = link.name[: len(link.name) - len(digits)]
    return link.with_name(f"{stem}{int(digits or 0) + 1}")


class Bridge:
    """A firmware on a port. All times are the board's own seconds."""

    def __init__(
        self, firmware: Firmware, port: Port, link: Path | None, trace: Trace | None, *, is_link_lasting: bool = False
    ) -> None:
        self._firmware = firmware
        self._port = port
        self._link = link
        self._trace = trace
        self._is_link_lasting = is_link_lasting
        self._is_host_there = False
        self._is_reading_stopped = False
        self._unsent = b""
        self._returns_s: float | None = None
        self._is_renamed = False
        self._gives_back_s: float | None = None

    def step(self, now_s: float) -> Next:
        """Do what is due and say what comes next."""
        self._keep_appointments(now_s)
        self._watch_host(now_s)
        self._firmware.advance(now_s)
        self._write(now_s)
        times = [self._firmware.next_event_s(), self._returns_s, self._gives_back_s]
        at_s = min((time_s for time_s in times if time_s is not None), default=None)
        has_room = not self._is_reading_stopped and self._firmware.wire_backlog_bytes < _BACKLOG_BYTES
        reads = self._is_host_there and has_room
        writes = self._is_host_there and bool(self._unsent)
        return Next(reads, writes, at_s, is_looking=self._port.master is not None and not reads)

    def has_host_changed(self) -> bool:
        """Whether a host has come or gone since the last step; far cheaper than a step."""
        return self._port.is_host_there() != self._is_host_there

    def read_host(self, now_s: float) -> None:
        """Take what the host has written, line by line where a fault of the port may strike."""
        self._take(self._port.read(), now_s)

    def unplug(self, now_s: float) -> None:
        """Pull the cable, for good."""
        self._returns_s = None
        self._drop(now_s)

    def plug_in(self, now_s: float, link: Path | None) -> None:
        """Plug the cable in: a new pty, under `link` if there is one, else under the name it had."""
        self._drop(now_s)
        self._returns_s = None
        self._link = link or self._link
        self._port.open(self._link)

    def stop_reading(self, *, is_stopped: bool) -> None:
        """Take no more bytes from the host, so that its writes block; or take them again."""
        self._is_reading_stopped = is_stopped
        if self._port.master is not None:
            self._port.hold_back(is_held=is_stopped)

    def take_port(self, *, is_taken: bool) -> None:
        """Hold the port as another program would, or give it back."""
        self._gives_back_s = None
        self._port.take(is_taken=is_taken)

    def _take(self, data: bytes, now_s: float) -> None:
        if data and self._trace:
            self._trace(now_s, ">", data)
        self._firmware.host_bytes(data, now_s)
        for _ in range(data.count(b"\n")):
            self._strike(now_s)

    def _strike(self, now_s: float) -> None:
        """Draw for the faults of the port, once for each line from the host."""
        dice = self._firmware.dice
        for name in ("usb-drop", "renamed"):
            if dice.fires(name):
                self._drop(now_s)
                self._returns_s = now_s + _AWAY_S
                self._is_renamed = name == "renamed"
        if dice.fires("hang-up") and self._port.master is not None:
            self._lose_host(now_s)
            self._port.close(keeps_link=True)
            self._port.open(self._link)
        if dice.fires("write-blocks"):
            self.stop_reading(is_stopped=True)

    def _keep_appointments(self, now_s: float) -> None:
        if self._returns_s is not None and now_s >= self._returns_s:
            self._returns_s = None
            if self._is_renamed and self._link is not None and not self._is_link_lasting:
                self._link = other_name(self._link)
            self._port.open(self._link, is_elsewhere=self._is_renamed)
        if self._gives_back_s is not None and now_s >= self._gives_back_s:
            self.take_port(is_taken=False)

    def _watch_host(self, now_s: float) -> None:
        is_there = self._port.is_host_there()
        if is_there and not self._is_host_there:
            self._is_host_there = True
            self._firmware.open_port(now_s)
        elif not is_there and self._is_host_there:
            while not self._is_reading_stopped and (data := self._port.read()):
                self._take(data, now_s)
            self._lose_host(now_s)
            if self._port.master is not None:
                self._port.clean()
            if self._firmware.dice.fires("port-taken") and self._port.master is not None:
                self._port.take(is_taken=True)
                self._gives_back_s = now_s + _TAKEN_S

    def _write(self, now_s: float) -> None:
        output = self._firmware.take_output_lines()
        if output and self._trace:
            self._trace(now_s, "<", output)
        self._unsent = (self._unsent + output)[-_UNSENT_BYTES:]
        if self._unsent and self._is_host_there:
            self._unsent = self._port.write(self._unsent)

    def _drop(self, now_s: float) -> None:
        self._lose_host(now_s)
        self._port.close()

    def _lose_host(self, now_s: float) -> None:
        self._unsent = b""
        self._is_reading_stopped = False
        if self._is_host_there:
            self._is_host_there = False
            self._firmware.close_port(now_s)
