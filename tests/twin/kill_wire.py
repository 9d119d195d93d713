"""What went over the wire, held against the promise that nothing moves before it is homed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.twin.kill_stages import texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware_bridge.wirelog import Entry
    from tests.twin.kill_stages import Words

_SAME_LINK_S = 0.5  # by so much an entry may seem to be older than the one before
_FORGETTING = ("M84", "M18", "M410", "M112", "M999")


@dataclass
class Wire:
    """What was looked at in all logs, and what was wrong.

    Attributes:
        connections, homings, moves, pushes, feedings: how many lines of each kind there were.
        problems: what was sent too early, with where.
    """

    connections: int = 0
    homings: int = 0
    moves: int = 0
    pushes: int = 0
    feedings: int = 0
    problems: list[str] = field(default_factory=list)

    def look(self, name: str, entries: Iterable[Entry], words: Words) -> None:
        """Read one program's log; ``name`` is how problems call it."""
        homed: set[str] = set()
        last_s = float("inf")
        for entry in entries:
            if last_s - entry.time_s > _SAME_LINK_S:  # another link: its seconds begin anew
                self.connections += 1
                homed.clear()
            last_s = entry.time_s
            for text in texts(entry):
                if entry.is_sent:
                    self._sent(f"{name} at {entry.time_s:.3f} s: {text}", text, homed, words)
                elif text == "start":
                    homed.clear()

    def _sent(self, where: str, text: str, homed: set[str], words: Words) -> None:
        code, _, rest = text.partition(" ")
        letters, axes = set(re.findall(r"([A-Z])-?[\d.]*", rest)), {words.table, words.chute}
        if code == "G28":
            self.homings += 1
            homed |= letters
        elif code == "G92":
            homed |= letters & {words.table}  # which has no switch; the chute's only counts after its G28
        elif code in _FORGETTING and text != "M84 S0":
            homed.clear()
        elif code in ("G0", "G1"):
            self.moves += 1
            if moved := letters.intersection("XYZE") - homed:
                self.problems.append(f"{where}: {', '.join(sorted(moved))} moves and is not homed")
        elif words.is_push(text):
            self.pushes += 1
            if axes - homed:
                self.problems.append(f"{where}: a push, and {', '.join(sorted(axes - homed))} is not homed")
        elif words.is_feeding(text):
            self.feedings += 1
            if axes - homed:
                self.problems.append(f"{where}: parts are fed, and {', '.join(sorted(axes - homed))} is not homed")
