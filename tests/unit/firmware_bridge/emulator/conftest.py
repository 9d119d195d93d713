"""A host at a desk: writes to a firmware in virtual time and notes what comes back and when."""

import functools
import operator
from collections.abc import Callable, Mapping

import pytest

from firmware_bridge.emulator import BoardSettings, FaultPlan, Firmware, Truth


def numbered(number: int, command: str) -> str:
    """Return the line with number and checksum, without its end."""
    body = f"N{number} {command}"
    return f"{body}*{functools.reduce(operator.xor, body.encode('latin-1'))}"


class Desk:
    """A firmware whose port has just been opened, and that has said its banner."""

    def __init__(self, settings: BoardSettings, faults: Mapping[str, float], seed: int, *, boots: bool = True) -> None:
        self.firmware = Firmware(settings, FaultPlan(faults), seed)
        self.now_s = 0.0
        self.said: list[tuple[float, str]] = []
        self._rest = ""
        if boots:
            self.firmware.open_port(0.0)
            self.run(settings.boot_s + 0.5)
            self.said.clear()

    def write(self, text: str | bytes) -> None:
        self.firmware.host_bytes(text if isinstance(text, bytes) else text.encode("latin-1"), self.now_s)
        self._collect()

    def run(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while (next_s := self.firmware.next_event_s()) is not None and next_s <= end_s:
            self.now_s = max(self.now_s, next_s)
            self.firmware.advance(self.now_s)
            self._collect()
        self.now_s = end_s
        self.firmware.advance(end_s)
        self._collect()

    def run_until_said(self, line: str, limit_s: float = 100.0) -> float:
        """Return when `line` came; it must come within `limit_s`."""
        begun, end_s = len(self.said), self.now_s + limit_s
        while all(text != line for _, text in self.said[begun:]):
            next_s = self.firmware.next_event_s()
            assert next_s is not None, f"{line!r} never came, only {self.said[begun:]}"
            assert next_s <= end_s, f"{line!r} did not come within {limit_s} s, only {self.said[begun:]}"
            self.run(max(0.0, next_s - self.now_s))
        return next(time_s for time_s, text in self.said[begun:] if text == line)

    def ask(self, text: str | bytes, seconds: float = 0.5) -> list[str]:
        """Write, wait, and return the lines that came."""
        self.said.clear()
        self.write(text if isinstance(text, bytes) else text + "\n")
        self.run(seconds)
        return self.lines()

    def lines(self) -> list[str]:
        return [line for _, line in self.said]

    def times(self, line: str) -> list[float]:
        return [time_s for time_s, text in self.said if text == line]

    def truth(self) -> Truth:
        return self.firmware.truth(self.now_s)

    def ran(self) -> list[str]:
        return [executed.text for executed in self.firmware.executed]

    def _collect(self) -> None:
        *lines, self._rest = (self._rest + self.firmware.take_output().decode("latin-1")).split("\n")
        self.said += [(self.now_s, line) for line in lines]


@pytest.fixture
def number() -> Callable[[int, str], str]:
    return numbered


@pytest.fixture
def desk() -> Callable[..., Desk]:
    def open_desk(
        settings: BoardSettings | None = None,
        faults: Mapping[str, float] | None = None,
        seed: int = 0,
        *,
        boots: bool = True,
    ) -> Desk:
        return Desk(settings or BoardSettings(), faults or {}, seed, boots=boots)

    return open_desk
