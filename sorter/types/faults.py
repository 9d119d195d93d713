"""The twin's bad days: every fault by its name, how often ``all`` has it, what is seen of it, and who mends it.

    read_faults(["stuck=0.01,board-reset=0.001"])   # {"stuck": 0.01, "reset-in-midstream": 0.001}

A rate is the chance, for each part that is fed, that the fault gets one opportunity at a random moment while that part
is handled. Faults of the board are those of the emulated board's menu; docs/twin.md tells more of all the others.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALL = "all"
"""In the place of a name: every fault at its own rate."""

FaultKind = Literal["mechanical", "supply", "optical", "board", "port", "line"]


@dataclass(frozen=True)
class TwinFault:
    """One fault.

    Args:
        name: of it.
        kind: of what it is a fault.
        rate: with which ``all`` has it: the chance per part.
        shows: what a user sees.
        mended_by: what makes it good: hands, the rig by itself, or time.
    """

    name: str
    kind: FaultKind
    rate: float
    shows: str
    mended_by: str


_RIG, _NEW, _HOME = "the rig by itself", "a new connection", "a new connection and homing"
_HANDS = "hands: {}"
_LINK = "the link: the line is sent again"
_TAKE, _CLEAR, _LIGHT = _HANDS.format("take parts"), _HANDS.format("clear chute"), _HANDS.format("mend light")
_USUAL, _SELDOM, _RARE, _RAREST = 0.005, 0.002, 0.001, 0.0005

_FAULTS = (
    TwinFault("double-feed", "mechanical", 0.01, "a second part follows the first one", _RIG),
    TwinFault("stuck", "mechanical", _USUAL, "the part stays under the arm for a push or more, or for ever", _TAKE),
    TwinFault("slide", "mechanical", _USUAL, "the part slides as the table turns, to the rim or over it", _TAKE),
    TwinFault("ejector-miss", "mechanical", _USUAL, "the arm misses: the part stays, or falls beside", _RIG),
    TwinFault(
        "lost-steps-table", "mechanical", _RARE, "the table is not where the board counts it", "homing, by index"
    ),
    TwinFault("lost-steps-chute", "mechanical", _RARE, "the chute is not where the board counts it", "homing"),
    TwinFault("jam", "mechanical", _SELDOM, "a part hangs in the chute, and others pile up behind it", _CLEAR),
    TwinFault("bin-overflow", "mechanical", _RARE, "a bin is full too early: parts fall beside", "hands: empty bins"),
    TwinFault("power-cut", "supply", _RARE, "the motors have no power, and may be turned", "hands: restore power"),
    TwinFault("light-fails", "optical", _RARE, "the lamp goes out: pictures are dark, or black", _LIGHT),
    TwinFault("tint-drifts", "optical", _RARE, "colour and brightness drift over minutes", _LIGHT),
    TwinFault(
        "camera-hangs", "optical", _RARE, "the camera answers nothing", "a new connection, or hands: mend camera"
    ),
    TwinFault("dust", "optical", _RARE, "blobs on the lens, which do not turn with the table", "hands: wipe lens"),
    TwinFault("ok-lost", "line", _RARE, "an ok never comes", _LINK),
    TwinFault("ok-garbled", "line", _RARE, "an ok comes garbled", _LINK),
    TwinFault("ok-instant", "board", _SELDOM, "an ok is there before anybody waits for it", _RIG),
    TwinFault("ok-glued", "line", _RARE, "an ok is glued into another reply", _LINK),
    TwinFault("resend-without-ok", "board", _RARE, "no ok follows a Resend", _LINK),
    TwinFault("resend-extra-ok", "board", _RARE, "two oks follow a Resend", _LINK),
    TwinFault("resend-lost-again", "board", _RARE, "the line that was sent again is lost as well", _LINK),
    TwinFault("resend-forever", "board", _RAREST, "one line is refused whenever it comes", _HOME),
    TwinFault("resend-number-garbled", "board", _RAREST, "a Resend names a line that was never sent", _HOME),
    TwinFault("resend-late-and-repeated", "board", _RARE, "a Resend comes late, and three times", _LINK),
    TwinFault("rx-drop", "board", _RARE, "the board loses some received bytes", _LINK),
    TwinFault("slow-moves", "board", _SELDOM, "a move takes four times as long as it should", _RIG),
    TwinFault("homing-slow", "board", _SELDOM, "homing takes 30 s longer", _RIG),
    TwinFault("busy-block", "board", _RAREST, "a command blocks for 15 s", _RIG),
    TwinFault("ok-behind-moves", "board", _SELDOM, "a quick command is answered when all moves are done", _RIG),
    TwinFault("no-start", "board", _RAREST, "the board does not say that it has started", _NEW),
    TwinFault("boot-slow", "board", _RAREST, "the board needs 8 s to start", _NEW),
    TwinFault("reset-in-midstream", "board", _RAREST, "the board resets in the middle of a job", _HOME),
    TwinFault("stale-lines", "board", _RAREST, "lines from before a reset run after it", _HOME),
    TwinFault("renamed", "port", _RAREST, "the board drops off, and comes back as another device", _HOME),
    TwinFault("hang-up", "port", _RAREST, "the port hangs up while its name stays", _HOME),
    TwinFault("port-taken", "port", _RAREST, "another program holds the port for 10 s", _NEW),
    TwinFault("write-blocks", "port", _RAREST, "the board takes no more bytes", _HOME),
    TwinFault("no-emergency-parser", "board", _RAREST, "M112 and M410 wait their turn", "the next start of the board"),
    TwinFault("position-lost-on-quick-stop", "board", _RARE, "after M410 motors stand off the count", "homing"),
    TwinFault("halt", "board", _RAREST, "the board says that it has halted, then nothing", _HOME),
    TwinFault("silent-trip", "board", _RAREST, "the board stops without a word", _HOME),
    TwinFault("usb-drop", "port", _RAREST, "the port vanishes for 2 s", _HOME),
    TwinFault("byte-loss", "line", _RARE, "a byte to the board is lost", _LINK),
    TwinFault("byte-flip", "line", _RARE, "a bit to the board is flipped", _LINK),
    TwinFault("line-loss", "line", _RARE, "a line to the board is lost", _LINK),
    TwinFault("line-flip", "line", _RARE, "a bit of a line to the board is flipped", _LINK),
    TwinFault("reply-byte-loss", "line", _RARE, "a byte of a reply is lost", _LINK),
    TwinFault("reply-byte-flip", "line", _RARE, "a bit of a reply is flipped", _LINK),
    TwinFault("reply-loss", "line", _RARE, "a line of a reply is lost", _LINK),
    TwinFault("reply-flip", "line", _RARE, "a bit of a line of a reply is flipped", _LINK),
    TwinFault("one-byte-at-a-time", "line", _SELDOM, "a reply trickles in", _RIG),
    TwinFault("delay", "line", _SELDOM, "a reply comes up to 50 ms late", _RIG),
)

FAULTS: Mapping[str, TwinFault] = MappingProxyType({each.name: each for each in _FAULTS})
"""Every fault by its name, in the order in which the menu is printed."""

ALIASES: Mapping[str, str] = MappingProxyType({"board-reset": "reset-in-midstream"})
"""Other names for some."""


def fault_named(name: str) -> TwinFault:
    """The fault of a name or of another name for it.

    Raises:
        ValueError: there is none; the message offers the nearest ones.
    """
    fault = FAULTS.get(ALIASES.get(name, name))
    if fault is not None:
        return fault
    near = difflib.get_close_matches(name, [*FAULTS, *ALIASES], n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(FAULTS)}"
    raise ValueError(f"no fault is called {name!r}{hint}")


def read_faults(words: Iterable[str]) -> dict[str, float]:
    """Read ``name``, ``name=rate``, ``all`` and ``all=scale``, separated by commas or in several words.

    A name without a rate has that of ``all``, and ``all=scale`` has every rate times a scale, at most 1. What comes
    later counts. Names are those of ``FAULTS``, whichever were given.

    Raises:
        ValueError: there is no such fault, or a number is none; says which.
    """
    rates: dict[str, float] = {}
    for word in (part.strip() for each in words for part in each.split(",")):
        name, equals, text = (part.strip() for part in word.partition("="))
        if name == ALL:
            scale = _number(word, text, math.inf) if equals else 1.0
            rates |= {each.name: min(1.0, scale * each.rate) for each in FAULTS.values()}
        elif name:
            fault = fault_named(name)
            rates[fault.name] = _number(word, text, 1.0) if equals else fault.rate
        elif equals:
            raise ValueError(f"{word!r} names no fault")
    return rates


def _number(word: str, text: str, most: float) -> float:
    limit = "a number from 0 to 1" if most == 1.0 else "a number of 0 or more"
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{word!r}: {text!r} is no number; it must be {limit}") from None
    if not 0.0 <= number <= most or math.isinf(number):
        raise ValueError(f"{word!r}: it must be {limit}")
    return number


def faults_table() -> str:
    """The menu: name, kind, rate of ``all``, what a user sees and what makes it good; one fault a line."""
    width = max(map(len, FAULTS))
    lines = [f"{'fault':{width}}  {'kind':10}  {'rate':>6}  what a user sees; what makes it good"]
    lines += [
        f"{each.name:{width}}  {each.kind:10}  {each.rate:6g}  {each.shows}; {each.mended_by}"
        for each in FAULTS.values()
    ]
    lines += [f"{name:{width}}  is another name of {fault}" for name, fault in ALIASES.items()]
    return "\n".join(lines)
