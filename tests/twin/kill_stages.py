"""What a program was doing when it was killed, told from outside: what it had said, sent and written down."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.wirelog import Entry, read_log
from sorter.types import RigState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sorter.ledger import PartRow

STAGES = (
    "program starts, ledger opens",
    "connects",
    "homes and sweeps",
    "learns the empty table",
    "ready",
    "feed",
    "settle",
    "look and decide",
    "route: intended, not pushed yet",
    "eject: the arm is out",
    "confirm and record",
    "between two parts",
    "ends",
)
STARTS, CONNECTS, HOMES, LEARNS, READY, FEED, SETTLE, LOOK, ROUTE, EJECT, CONFIRM, BETWEEN, ENDS = STAGES

_STATES = {str(state): state for state in RigState}
_LINE = re.compile(r"(?:N\d+ )?(?P<text>.*?)(?:\*\d+)?")


@dataclass(frozen=True)
class Words:
    """The rig's own words on the wire.

    Args:
        table, chute: Marlin's letters; the table has no switch, the chute has one.
        servo: which the arm is.
        push_deg: where it pushes.
        fan: which output feeds.
    """

    table: str
    chute: str
    servo: int
    push_deg: float
    fan: int

    def is_push(self, text: str) -> bool:
        """Whether a line sends the arm over the table."""
        match = re.fullmatch(rf"M280 P{self.servo} S([\d.]+)", text)
        return match is not None and float(match[1]) == self.push_deg

    def is_park(self, text: str) -> bool:
        """Whether a line sends the arm anywhere else."""
        return text.startswith(f"M280 P{self.servo} ") and not self.is_push(text)

    def is_feeding(self, text: str) -> bool:
        """Whether a line lets the feeder run."""
        match = re.fullmatch(rf"M106 P{self.fan} S([\d.]+)", text)
        return match is not None and float(match[1]) > 0.0

    def is_feeding_no_more(self, text: str) -> bool:
        """Whether a line stops it."""
        return text == f"M107 P{self.fan}"


def wire_entries(file: Path) -> list[Entry]:
    """All of a log; of a program that was killed, without a last line that was not finished."""
    if not file.exists():
        return []
    content = file.read_bytes()
    if content and not content.endswith(b"\n"):
        file.write_bytes(content[: content.rfind(b"\n") + 1])
    return list(read_log(file))


def opened_s(file: Path) -> float | None:
    """When the last link in a log was opened, by the host's monotonic clock; None if none was, or it said nothing."""
    if not file.exists():
        return None
    written_s = time.monotonic() - (time.time() - file.stat().st_mtime)
    entries = wire_entries(file)
    return written_s - entries[-1].time_s if entries else None


def texts(entry: Entry) -> Iterator[str]:
    """The lines in an entry, without number and checksum."""
    for line in entry.data.decode("ascii", errors="replace").split("\n"):
        match = _LINE.fullmatch(line)
        if match is not None and match["text"]:
            yield match["text"]


def last_state(said: str) -> RigState | None:
    """The state that a program told last; None if it never told one."""
    for line in reversed(said.splitlines()):
        state = _STATES.get(line.partition(":")[0])
        if state is not None:
            return state
    return None


def stage_of(said: str, entries: Sequence[Entry], row: PartRow | None, words: Words) -> str:
    """One of ``STAGES``.

    Args:
        said: by the program on stderr.
        entries: of its log of the wire.
        row: that was under way; None if none was.
        words: of the rig.
    """
    sent = [text for entry in entries if entry.is_sent for text in texts(entry)]
    match last_state(said):
        case None:
            return STARTS
        case RigState.OFFLINE | RigState.CONNECTING:
            return CONNECTS
        case RigState.UNHOMED | RigState.HOMING:
            return LEARNS if _is_swept(sent, words) else HOMES
        case RigState.IDLE:
            return READY
        case RigState.RUNNING:
            return _stage_of_part(sent, row, words)
        case _:
            return ENDS


def _is_swept(sent: Sequence[str], words: Words) -> bool:
    pushed = [place for place, text in enumerate(sent) if words.is_push(text)]
    return bool(pushed) and any(map(words.is_park, sent[pushed[-1] :]))


def _stage_of_part(sent: Sequence[str], row: PartRow | None, words: Words) -> str:
    """Within a run."""
    fed = [place for place, text in enumerate(sent) if words.is_feeding(text)]
    since = sent[fed[-1] :] if fed else []
    arm = [text for text in since if words.is_push(text) or words.is_park(text)]
    if row is not None and row.intended_at is None:
        return LOOK
    if row is not None:
        if not arm:
            return ROUTE
        return EJECT if words.is_push(arm[-1]) else CONFIRM
    if not since or arm:
        return BETWEEN
    return SETTLE if any(map(words.is_feeding_no_more, since)) else FEED
