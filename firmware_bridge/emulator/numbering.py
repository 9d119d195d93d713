"""Line numbers and checksums: which lines Marlin takes, which it refuses in which words, which it swallows."""

from __future__ import annotations

import functools
import operator
import re
from dataclasses import dataclass
from enum import Enum, auto

from firmware_bridge.emulator.settings import Flavour

_INTEGER = re.compile(r"\s*([-+]?\d+)")


class Verdict(Enum):
    """What becomes of a line."""

    ACCEPTED = auto()
    SWALLOWED = auto()
    BAD_NUMBER = auto()
    BAD_CHECKSUM = auto()
    NO_CHECKSUM = auto()


ERROR_TEXT = {
    Verdict.BAD_NUMBER: "Line Number is not Last Line Number+1, Last Line: ",
    Verdict.BAD_CHECKSUM: "checksum mismatch, Last Line: ",
    Verdict.NO_CHECKSUM: "No Checksum with line number, Last Line: ",
}


@dataclass(frozen=True)
class Checked:
    """A verdict, and the line's number where it has one."""

    verdict: Verdict
    number: int | None


def c_integer(text: str) -> int:
    """Read the integer at the beginning of `text` as C's strtol does: 0 where there is none."""
    found = _INTEGER.match(text)
    return int(found.group(1)) if found else 0


def xor_checksum(text: str) -> int:
    """Return the XOR of all bytes of `text` (Latin-1), 0..255."""
    return functools.reduce(operator.xor, text.encode("latin-1"), 0)


class LineNumbers:
    """Marlin's line counter.

    An un-numbered line is always taken. `M110` anywhere in a numbered line sets the counter as the line is read, and
    again when it is executed. A duplicate is refused by 2.0.9; bugfix-2.1.x swallows the last number and the one
    before it without a word.
    """

    def __init__(self, flavour: Flavour) -> None:
        self._is_forgiving = flavour is Flavour.BUGFIX_2_1
        self.last = 0

    def check(self, line: str) -> Checked:
        """Judge `line` (without its line end), and count it where it is accepted with a number."""
        command = line.lstrip(" ")
        if not command.startswith("N"):
            return Checked(Verdict.ACCEPTED, None)
        is_m110 = "M110" in command
        second = command.find("N", 4) if is_m110 else -1
        number = c_integer(command[max(second, 0) + 1 :])
        if number != self.last + 1 and not is_m110:
            if self._is_forgiving and self.last - 1 <= number <= self.last:
                return Checked(Verdict.SWALLOWED, number)
            return Checked(Verdict.BAD_NUMBER, number)
        body, star, checksum = command.rpartition("*")
        if not star:
            return Checked(Verdict.NO_CHECKSUM, number)
        if c_integer(checksum) != xor_checksum(body):
            return Checked(Verdict.BAD_CHECKSUM, number)
        self.last = number
        return Checked(Verdict.ACCEPTED, number)
