"""What hands can do at the twin, and how a program asks for it: the person at the machine, as far as there is none.

The twin listens at the Unix socket ``hands`` of its settings. A client writes a line of JSON with ``do`` and reads one:

    {"do": "take parts"}                        {"do": "take parts", "at_s": 5014.2, "parts": [7, 8]}
    {"do": "empty bins", "bins": ["red"]}       {"do": "empty bins", "at_s": 5020.9, "bins": ["red"]}
    {"do": "fill hopper", "parts": 40}          {"do": "fill hopper", "at_s": 5021.3}
    {"do": "break", "fault": "stuck"}           {"do": "break", "at_s": 5022.0, "fault": "stuck"}
    {"do": "take a nap"}                        {"error": "hands cannot 'take a nap'; ...", "remedy": "..."}

``at_s`` is of the host's monotonic clock, as in the truth file, where the same is written. What needs no hands (a light
that shines) is done again and changes nothing. A line has at most ``MOST_LINE_BYTES`` bytes, its end included.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field, TypeAdapter

from sorter.types.from_json import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_LINE_BYTES = 4096
MOST_BINS = 64

TAKE_PARTS, CLEAR_CHUTE, EMPTY_BINS, FILL_HOPPER = "take parts", "clear chute", "empty bins", "fill hopper"
MEND_LIGHT, WIPE_LENS, MEND_CAMERA = "mend light", "wipe lens", "mend camera"
PRESS_ESTOP, RESTORE_POWER, UNPLUG, PLUG_IN, BREAK = "press estop", "restore power", "unplug", "plug in", "break"

HANDS: Mapping[str, str] = MappingProxyType(
    {
        TAKE_PARTS: "takes all parts off the table",
        CLEAR_CHUTE: "takes out what hangs in the chute",
        EMPTY_BINS: "empties the bins that are named, or all",
        FILL_HOPPER: "puts so many parts more into the hopper",
        MEND_LIGHT: "puts the lamp right: bright again, and of its first colour",
        WIPE_LENS: "wipes the dust off the lens",
        MEND_CAMERA: "starts a camera again that hangs",
        PRESS_ESTOP: "cuts the motors' supply",
        RESTORE_POWER: "switches the motors' supply on again",
        UNPLUG: "pulls the board's USB cable",
        PLUG_IN: "plugs it in again",
        BREAK: "lets a fault happen once, at its next opportunity",
    }
)
"""All that hands can do, and what it is."""

_STRICT = ConfigDict(extra="forbid", strict=True)
_Name = Annotated[str, Field(min_length=1, max_length=100)]


@dataclass(frozen=True)
class HandRequest:
    """What hands are asked to do.

    Args:
        do: one of ``HANDS``.
        bins: of ``empty bins``: which; None: all.
        parts: of ``fill hopper``: how many.
        fault: of ``break``: which.
    """

    do: str
    bins: Annotated[tuple[_Name, ...], Field(max_length=MOST_BINS)] | None = None
    parts: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    fault: _Name | None = None

    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        """Refuse what hands cannot do."""
        if self.do not in HANDS:
            near = difflib.get_close_matches(self.do, HANDS, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"they can {', '.join(HANDS)}"
            raise ValueError(f"hands cannot {self.do[:80]!r}; {hint}")
        for name, value, do in (
            ("bins", self.bins, EMPTY_BINS),
            ("parts", self.parts, FILL_HOPPER),
            ("fault", self.fault, BREAK),
        ):
            if value is not None and self.do != do:
                raise ValueError(f"{name} goes with {do!r}, not with {self.do!r}")
            if value is None and self.do == do and name != "bins":
                raise ValueError(f"{do!r} needs {name}")

    def to_json(self) -> bytes:
        """One line, its end included."""
        return _REQUESTS.dump_json(self, exclude_none=True) + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> HandRequest:
        """Read a line. ValueError: it is no request; says what."""
        return read_json(_REQUESTS, line)


@dataclass(frozen=True)
class HandAnswer:
    """What hands have done.

    Args:
        do: as asked.
        at_s: when, by the host's monotonic clock.
        parts: numbers of the parts that were taken; None where none are taken.
        bins: which were emptied.
        fault: which may happen now.
    """

    do: str
    at_s: float
    parts: tuple[int, ...] | None = None
    bins: tuple[str, ...] | None = None
    fault: str | None = None

    __pydantic_config__ = _STRICT

    def to_json(self) -> bytes:
        """One line, its end included."""
        return _ANSWERS.dump_json(self, exclude_none=True) + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> HandAnswer:
        """Read a line. ValueError: it is no answer; says what."""
        return read_json(_ANSWERS, line)


_REQUESTS: TypeAdapter[HandRequest] = TypeAdapter(HandRequest)
_ANSWERS: TypeAdapter[HandAnswer] = TypeAdapter(HandAnswer)
