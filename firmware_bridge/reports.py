"""What the board answers to questions, read into values. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_POSITION = re.compile(r"\b([XYZE]):(-?\d+(?:\.\d+)?)")
_ENDSTOP = re.compile(r"^(\w+): (open|TRIGGERED)$")


@dataclass(frozen=True)
class BoardInfo:
    """What M115 tells: the firmware's name, its capabilities, and whether the board had said ``start``."""

    firmware: str
    capabilities: Mapping[str, bool]
    was_announced: bool


def is_firmware(line: str) -> bool:
    """Whether this is the line of M115's answer that names the firmware."""
    return line.startswith("FIRMWARE_NAME:")


def is_position(line: str) -> bool:
    """Whether this is M114's answer."""
    return " Count " in line


def board_info(lines: Sequence[str], *, was_announced: bool) -> BoardInfo:
    """M115's answer. Raises LinkError if what answers is no Marlin."""
    name = next(filter(is_firmware, lines), "")
    if not name:
        raise LinkError(
            f"the device answers, but not as Marlin does: M115 gave {list(lines[:3])}",
            remedy="Check that this is the right port and that the board runs Marlin.",
        )
    pairs = (line.removeprefix("Cap:").partition(":") for line in lines if line.startswith("Cap:"))
    firmware = name.removeprefix("FIRMWARE_NAME:").partition(" SOURCE_CODE_URL")[0]
    return BoardInfo(firmware, {key: value == "1" for key, _, value in pairs}, was_announced)


def positions(lines: Sequence[str]) -> dict[str, float]:
    """M114's answer: where each of Marlin's axes is planned to be, by letter; empty if there is none."""
    found = next(filter(is_position, lines), "")
    return {letter: float(value) for letter, value in _POSITION.findall(found.partition(" Count ")[0])}


def endstops(lines: Sequence[str]) -> dict[str, bool]:
    """M119's answer: every switch that the firmware knows, and whether it is triggered."""
    return {match[1]: match[2] == "TRIGGERED" for match in map(_ENDSTOP.match, lines) if match}
