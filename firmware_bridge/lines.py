"""One line on its way to the board, and how sure the session is that it arrived. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firmware_bridge.gcode import framed

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(eq=False, slots=True)
class Line:
    """A command that was handed to the session.

    Args:
        text: the command, without number and checksum.
        is_repeatable: running it twice, and out of turn, ends where running it once does.
        motion_s: how long the motion takes that it puts into the planner.
        blocks_s: how long it keeps the board from taking further lines, motion aside.
        number: its line number, 0 until it is sent.
        data: its bytes on the wire.
        sent_at_s: when it was first sent.
        is_own: the session's own query, of which nobody else hears.
        is_told: its acceptance has been told.
        reports: what the board said between the acceptance of the line before and that of this one.
    """

    text: str
    is_repeatable: bool = False
    motion_s: float = 0.0
    blocks_s: float = 0.0
    number: int = 0
    data: bytes = b""
    sent_at_s: float = 0.0
    is_own: bool = False
    is_told: bool = False
    reports: list[str] = field(default_factory=list)

    def numbered(self, number: int) -> None:
        """Give the line its number, once and for all."""
        self.number = number
        self.data = framed(number, self.text)


class SentLines:
    """Every line that has a number, in order, and how far each stage has come.

    ``told <= acknowledged <= sent <= last``, all line numbers:

    - up to ``told`` the caller knows that the board took them; some of them are kept, should the board ask again;
    - up to ``acknowledged`` there was an ``ok``, which may have been another line's;
    - up to ``sent`` they are on the wire: those after ``acknowledged`` are in flight;
    - up to ``last`` they have a number: those after ``sent`` are to be repeated.
    """

    def __init__(self, first_number: int, kept: int) -> None:
        self.told = self.acknowledged = self.sent = self.last = first_number
        self._kept = kept
        self._lines: dict[int, Line] = {}

    @property
    def in_flight(self) -> int:
        """How many lines are in flight."""
        return self.sent - self.acknowledged

    @property
    def bytes_in_flight(self) -> int:
        """How many bytes are in flight."""
        return sum(len(self._lines[number].data) for number in range(self.acknowledged + 1, self.sent + 1))

    @property
    def oldest(self) -> Line:
        """The oldest line in flight; there must be one."""
        return self._lines[self.acknowledged + 1]

    @property
    def newest(self) -> Line:
        """The newest line in flight; there must be one."""
        return self._lines[self.sent]

    def knows(self, number: int) -> bool:
        """Whether the board can mean ``number`` when it asks for a line: one kept, or the one after the last."""
        return number in self._lines or number == self.last + 1

    def __iter__(self) -> Iterator[Line]:
        """All lines kept, oldest first."""
        return iter(self._lines.values())

    def add(self, line: Line) -> None:
        """Number a new line; it is to be sent."""
        self.last += 1
        line.numbered(self.last)
        self._lines[self.last] = line

    def next_to_send(self) -> Line:
        """The first line that is not on the wire, and count it as sent; there must be one."""
        line = self._lines[self.sent + 1]
        self.sent += 1
        return line

    def take_as_sent(self) -> None:
        """Count everything that has a number as on the wire: the board will ask for what it lacks."""
        while self.sent < self.last:
            self.next_to_send()

    def acknowledge(self, number: int) -> None:
        """The board seems to have every line up to ``number``, which is in flight or before."""
        self.acknowledged = max(self.acknowledged, number)

    def go_back_to(self, number: int) -> None:
        """The board asks for ``number``: it has all before, and needs it and all after once more."""
        self.acknowledged = self.sent = number - 1
        self.told = min(self.told, self.acknowledged)

    def tell(self) -> list[Line]:
        """The acknowledgements are proved: the lines of which the caller has not heard yet."""
        lines = [self._lines[number] for number in range(self.told + 1, self.acknowledged + 1)]
        for number in range(self.told + 1, self.acknowledged + 1):
            self._lines.pop(number - self._kept, None)
        self.told = self.acknowledged
        return lines
