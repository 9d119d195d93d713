"""The menu of faults that the emulated board can be given, and a plan of which of them happen how often.

Rows are those of the project's list of faults that G-code hosts have really met. Row 26, a camera whose capture never
returns, is not a board's fault and is not on this menu. Rows named 0 are plain line noise, which belongs to no row.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Fault:
    """One entry of the menu: its row, what one opportunity is, the rate when none is given, what a user sees."""

    name: str
    row: int
    per: str
    default_rate: float
    description: str


_BYTE_IN, _BYTE_OUT = "byte to the board", "byte to the host"
_LINE_IN, _LINE_OUT = "line to the board", "line to the host"

_MENU = (
    Fault("ok-lost", 1, "ok", 0.05, "an ok never reaches the host, which waits for ever"),
    Fault("ok-garbled", 1, "ok", 0.05, "an ok comes as k, o3 or with a wrong byte"),
    Fault("ok-instant", 2, "line executed", 1.0, "the ok is there at once, before the host waits for it"),
    Fault("ok-glued", 3, "ok", 0.2, "an ok is glued into another report: okok, N25 T:25.00 /0.00 @:0ok"),
    Fault("resend-without-ok", 4, "resend asked", 1.0, "no ok follows Resend:"),
    Fault("resend-extra-ok", 4, "resend asked", 1.0, "two oks follow Resend:"),
    Fault("resend-lost-again", 5, "resend asked", 0.5, "the line that was sent again is lost as well, silently"),
    Fault("resend-forever", 6, "numbered line", 0.01, "one line is refused with a checksum error every time it comes"),
    Fault("resend-number-garbled", 7, "resend asked", 0.5, "Resend: names a number that was never sent"),
    Fault("resend-late-and-repeated", 8, "resend asked", 0.5, "Resend: comes 0.25 s late, and three times"),
    Fault("rx-drop", 9, _BYTE_IN, 0.002, "the board loses 1 to 8 received bytes in a row"),
    Fault("slow-moves", 10, "move", 1.0, "a move takes 4 times as long as speed and acceleration say"),
    Fault("homing-slow", 11, "G28", 1.0, "homing takes 30 s longer, with echo:busy"),
    Fault(
        "busy-block", 12, "line executed", 0.05, "a command blocks for 15 s, with echo:busy as the only sign of life"
    ),
    Fault("ok-behind-moves", 13, "line executed", 1.0, "a quick command is answered only when every move is done"),
    Fault("no-start", 14, "boot", 1.0, "the banner is lost: nothing says that the board has started"),
    Fault("boot-slow", 14, "boot", 1.0, "the board needs 8 s until it says start"),
    Fault("reset-in-midstream", 15, "line executed", 0.01, "the board resets in the middle of a job"),
    Fault("stale-lines", 16, "boot", 1.0, "lines written to the board while it was down run after it has started"),
    Fault("renamed", 17, _LINE_IN, 0.01, "the board drops off and is back 2 s later under another name"),
    Fault("hang-up", 18, _LINE_IN, 0.01, "the port is ready to read and gives no data, while its name stays"),
    Fault("port-taken", 19, "close of the port", 1.0, "another program holds the port for 10 s"),
    Fault("write-blocks", 20, _LINE_IN, 0.01, "the board stops taking bytes, so that writing blocks"),
    Fault("no-emergency-parser", 21, "boot", 1.0, "M112 and M410 wait their turn behind every queued line"),
    Fault("position-lost-on-quick-stop", 22, "M410", 1.0, "after M410 the motors stand up to 24 steps from the count"),
    Fault("halt", 23, "line executed", 0.01, "Error:Printer halted, then mute until a reset"),
    Fault("silent-trip", 24, "line executed", 0.01, "the board stops answering and moving without any Error:"),
    Fault("usb-drop", 25, _LINE_IN, 0.01, "the port vanishes and is back 2 s later under the same name"),
    Fault("byte-loss", 0, _BYTE_IN, 0.002, "a byte is lost on its way to the board"),
    Fault("byte-flip", 0, _BYTE_IN, 0.002, "one bit of a byte is flipped on its way to the board"),
    Fault("line-loss", 0, _LINE_IN, 0.1, "a whole line is lost on its way to the board"),
    Fault("line-flip", 0, _LINE_IN, 0.1, "one bit of a line is flipped on its way to the board"),
    Fault("reply-byte-loss", 0, _BYTE_OUT, 0.002, "a byte is lost on its way to the host"),
    Fault("reply-byte-flip", 0, _BYTE_OUT, 0.002, "one bit of a byte is flipped on its way to the host"),
    Fault("reply-loss", 0, _LINE_OUT, 0.05, "a whole line is lost on its way to the host"),
    Fault("reply-flip", 0, _LINE_OUT, 0.05, "one bit of a line is flipped on its way to the host"),
    Fault("one-byte-at-a-time", 0, _LINE_OUT, 1.0, "a reply trickles in, one byte each millisecond"),
    Fault("delay", 0, _LINE_OUT, 1.0, "a reply, and all behind it, arrives up to 50 ms late"),
)

MENU: Mapping[str, Fault] = MappingProxyType({fault.name: fault for fault in _MENU})
"""Every fault by its name, in the order in which the menu is printed."""

PORT_FAULTS = frozenset({"renamed", "hang-up", "port-taken", "write-blocks", "usb-drop"})
"""Faults of the port, not of the firmware: only the pty server shows them."""


class UnknownFaultError(ValueError):
    """A name that is not on the menu; the message offers the nearest ones."""


def fault_named(name: str) -> Fault:
    """Return the fault called `name`.

    Raises:
        UnknownFaultError: it is not on the menu.

    """
    if name in MENU:
        return MENU[name]
    near = difflib.get_close_matches(name, MENU, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; --list-faults shows the menu"
    raise UnknownFaultError(f"no fault is called {name!r}{hint}")


@dataclass(frozen=True)
class FaultPlan(Mapping[str, float]):
    """Which faults happen how often: a probability per opportunity for each name; what is not named never happens.

    Raises:
        UnknownFaultError: a name is not on the menu.
        ValueError: a rate is outside [0, 1].

    """

    rates: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, rate in self.rates.items():
            fault_named(name)
            if not (math.isfinite(rate) and 0.0 <= rate <= 1.0):
                raise ValueError(f"the rate of {name} must be from 0 to 1, not {rate}")
        object.__setattr__(self, "rates", MappingProxyType(dict(self.rates)))

    @classmethod
    def parse(cls, words: Iterable[str]) -> FaultPlan:
        """Read `NAME` (at the menu's own rate) and `NAME=RATE`; a name that comes twice keeps its last rate.

        Raises:
            UnknownFaultError: a name is not on the menu.
            ValueError: a rate is no number, or outside [0, 1].

        """
        rates: dict[str, float] = {}
        for word in words:
            name, equals, text = word.partition("=")
            fault = fault_named(name)
            try:
                rates[name] = float(text) if equals else fault.default_rate
            except ValueError:
                raise ValueError(f"the rate of {name} must be a number from 0 to 1, not {text!r}") from None
        return cls(rates)

    def __getitem__(self, name: str) -> float:
        return self.rates[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rates)

    def __len__(self) -> int:
        return len(self.rates)


def menu_table() -> str:
    """Return the menu as a table: name, row, opportunity, default rate and what a user sees; one fault a line."""
    width = max(len(name) for name in MENU)
    lines = [f"{'fault':{width}}  row  {'per':18} {'rate':>6}  what a user sees"]
    for fault in MENU.values():
        row = str(fault.row) if fault.row else "-"
        lines.append(f"{fault.name:{width}}  {row:>3}  {fault.per:18} {fault.default_rate:6g}  {fault.description}")
    return "\n".join(lines)
