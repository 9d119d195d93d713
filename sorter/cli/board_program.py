"""A G-code file as a row of commands: each checked, each with how long it may keep the board. Pure.

Line numbers and checksums that a file brings along are taken off, for the link gives its own; a checksum that does not
fit means a damaged file and is refused. How long moves take is estimated from above, because the link waits that long
before it doubts the board: a move that changes its direction is counted as if it started and ended at rest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from firmware_bridge.errors import Refused
from firmware_bridge.gcode import checked, checksum, is_repeatable, without_comment

_LONGEST_LINE = 65_536  # comments of slicers hold whole settings
_CHECKSUM = re.compile(r"(.*)\*\s*(\d{1,3})", re.ASCII)
_NUMBER = re.compile(r"N-?\d+\s*", re.ASCII)
_CODE = re.compile(r"([GMT])(\d+)", re.ASCII)
_WORD = re.compile(r"([A-Z])([-+]?(?:\d+\.?\d*|\.\d+))", re.ASCII)

_REFUSED = {
    "M0": "waits for a button that nobody can press",
    "M1": "waits for a button that nobody can press",
    "M28": "makes the board write everything that follows to its SD card",
    "M110": "sets the line number, which is the link's own",
    "M112": "is the emergency stop",
    "M410": "is the quick stop",
    "M928": "makes the board write everything that follows to its SD card",
    "M999": "restarts a halted board and sets its line number back",
}
_BLOCKS_S = {
    "G28": 60.0, "G29": 300.0, "G30": 60.0, "G34": 300.0, "G38": 60.0,
    "M109": 900.0, "M190": 900.0, "M191": 900.0, "M280": 0.5, "M303": 900.0,
}  # fmt: skip
_HOMING = ("G28", "G29", "G30", "G34", "G38")

_AXES = "XYZE"
_MM_PER_INCH = 25.4
_STOCK_SPEED = 25.0  # units per second, where neither file nor firmware says
_LOW_ACCELERATION = 100.0
_UNKNOWN_TRAVEL = 500.0  # how far an axis may have been from where it is sent, when nobody knows where it was
_STRAIGHT = 0.99  # cosine between two moves that Marlin joins without slowing down much


@dataclass(frozen=True)
class Settings:
    """What the firmware is set to: units, units per second and units per second squared, by axis letter."""

    steps_per_unit: dict[str, float] = field(default_factory=dict)
    max_speed: dict[str, float] = field(default_factory=dict)
    acceleration: dict[str, float] = field(default_factory=dict)
    travel_acceleration: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a file.

    Args:
        line: where it stands in the file, from 1.
        text: the command alone.
        is_repeatable: see ``gcode.is_repeatable``, in the modes that hold there.
        motion_s: how long its motion takes at most.
        blocks_s: how long it keeps the board besides.
    """

    line: int
    text: str
    is_repeatable: bool
    motion_s: float
    blocks_s: float


def numbers(text: str) -> dict[str, float]:
    """The lettered numbers behind a command's code, with or without spaces between them."""
    return {letter: float(value) for letter, value in _WORD.findall(text.partition(" ")[2])}


def unframed(line: str) -> str:
    """A line without comment, line number and checksum; empty if nothing else is in it.

    Raises:
        Refused: the checksum does not fit, or the line is longer than any.
    """
    if len(line) >= _LONGEST_LINE:
        raise Refused(f"the line has more than {_LONGEST_LINE} characters")
    body = line.partition(";")[0].strip()
    if found := _CHECKSUM.fullmatch(body):
        body = found[1]
        if checksum(body.encode("utf-8", "surrogateescape")) != int(found[2]):
            raise Refused(f"the checksum of {line.strip()[:60]!r} does not fit: the file is damaged")
    return without_comment(_NUMBER.sub("", body, count=1) if _NUMBER.match(body) else body)


class Interpreter:
    """Follows the modes, positions and speeds that a row of commands sets.

    Args:
        settings: what the firmware is set to; without it speeds and accelerations are guessed low.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self._max_speed = dict(settings.max_speed)
        self._acceleration = dict(settings.acceleration)
        self._travel_acceleration = settings.travel_acceleration
        self._is_absolute = self._is_extruder_absolute = True  # as the link's settings leave it
        self._scale = 1.0
        self._speed = _STOCK_SPEED
        self._percent = 100.0
        self._at: dict[str, float | None] = dict.fromkeys(_AXES, 0.0)
        self._direction: dict[str, float] | None = None  # of the move before, if nothing came between
        self._last_speed = 0.0

    def take(self, text: str, line: int = 1) -> Step:
        """The next command.

        Raises:
            Refused: it is none, or one that must not be sent this way.
        """
        found = _CODE.match(checked(text))
        assert found is not None
        code = f"{found[1]}{int(found[2])}"
        if code in _REFUSED:
            raise Refused(f"{text!r}: {code} {_REFUSED[code]}")
        words = numbers(text)
        is_absolute = self._is_absolute and ("E" not in words or self._is_extruder_absolute)
        can_repeat = is_repeatable(text, is_absolute=is_absolute)
        motion_s = self._motion_s(code, words)
        return Step(line, text, can_repeat, motion_s, self._blocks_s(code, words, text))

    def _motion_s(self, code: str, words: dict[str, float]) -> float:
        if code in ("G0", "G1"):
            return self._move_s(words)
        if code in ("G2", "G3"):
            return self._arc_s(words)
        self._direction = None
        self._set_mode(code, words)
        return 0.0

    def _blocks_s(self, code: str, words: dict[str, float], text: str) -> float:
        if code == "G4":
            return words.get("S", words.get("P", 0.0) / 1000.0)
        if code in _HOMING:
            named = [letter for letter in "XYZ" if letter in text] if code == "G28" else []
            self._at |= dict.fromkeys(named or "XYZ", None)
        return _BLOCKS_S.get(code, 0.0)

    def _set_mode(self, code: str, words: dict[str, float]) -> None:
        match code:
            case "G90" | "G91":
                self._is_absolute = self._is_extruder_absolute = code == "G90"
            case "M82" | "M83":
                self._is_extruder_absolute = code == "M82"
            case "G20" | "G21":
                self._scale = _MM_PER_INCH if code == "G20" else 1.0
            case "G92":
                given = {letter: words[letter] * self._scale for letter in _AXES if letter in words}
                self._at |= given or dict.fromkeys(_AXES, 0.0)
            case "M220":
                self._percent = max(1.0, words.get("S", self._percent))
            case "M203" | "M201":
                values = self._max_speed if code == "M203" else self._acceleration
                values |= {letter: words[letter] for letter in _AXES if words.get(letter, 0.0) > 0.0}
            case "M204":
                self._travel_acceleration = words.get("T", words.get("S", self._travel_acceleration or 0.0)) or None
            case _:
                pass

    def _distances(self, words: dict[str, float]) -> dict[str, float]:
        if words.get("F", 0.0) > 0.0:
            self._speed = words["F"] * self._scale / 60.0
        distances = {}
        for letter in _AXES:
            if letter not in words:
                continue
            value, at = words[letter] * self._scale, self._at[letter]
            if not (self._is_extruder_absolute if letter == "E" else self._is_absolute):
                distances[letter] = value
                self._at[letter] = None if at is None else at + value
            else:
                distances[letter] = abs(value) + _UNKNOWN_TRAVEL if at is None else value - at
                self._at[letter] = value
        return {letter: distance for letter, distance in distances.items() if distance}

    def _limits(self, distances: dict[str, float], length: float) -> tuple[float, float]:
        """Speed and acceleration along the path."""
        shares = {letter: abs(distance) / length for letter, distance in distances.items()}
        speed = min(
            self._speed * self._percent / 100.0,
            *(self._max_speed.get(letter, math.inf) / share for letter, share in shares.items()),
        )
        acceleration = min(
            self._travel_acceleration or math.inf,
            *(self._acceleration.get(letter, math.inf) / share for letter, share in shares.items()),
        )
        return speed, acceleration if math.isfinite(acceleration) else _LOW_ACCELERATION

    def _move_s(self, words: dict[str, float]) -> float:
        distances = self._distances(words)
        length = math.hypot(*(distance for letter, distance in distances.items() if letter != "E"))
        length = length or abs(distances.get("E", 0.0))
        if not length:
            return 0.0
        speed, acceleration = self._limits(distances, length)
        direction = {letter: distance / length for letter, distance in distances.items()}
        before, self._direction = self._direction, direction
        is_straight = (
            before is not None
            and sum(share * before.get(letter, 0.0) for letter, share in direction.items() if letter != "E") > _STRAIGHT
        )
        change = abs(speed - self._last_speed) if is_straight else speed
        self._last_speed = speed
        return length / speed + change / acceleration

    def _arc_s(self, words: dict[str, float]) -> float:
        """As if it were whole circles and a straight move besides."""
        self._direction = None
        radius = abs(words["R"]) if "R" in words else math.hypot(words.get("I", 0.0), words.get("J", 0.0))
        circles = 2.0 * math.pi * radius * self._scale * (1.0 + max(0.0, words.get("P", 0.0)))
        straight_s = self._move_s({letter: value for letter, value in words.items() if letter in "XYZEF"})
        self._direction = None
        slowest = min(self._speed * self._percent / 100.0, *(self._max_speed.get(letter, math.inf) for letter in "XY"))
        return straight_s + circles / slowest


def steps(file: IO[str], name: str, settings: Settings | None = None) -> Iterator[Step]:
    """Every command of an open G-code file, one line at a time.

    Raises:
        Refused: a line is no command that may be sent; it names file and line.
    """
    interpreter = Interpreter(settings)
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        try:
            if text := unframed(line):
                yield interpreter.take(text, number)
        except Refused as error:
            raise Refused(
                f"{name}: line {number}: {error.message}", remedy="Nothing was sent; mend the line and try again."
            ) from error
