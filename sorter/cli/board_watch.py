"""``sorter board monitor`` and ``replay``: what crosses the wire, live or from a log."""

from __future__ import annotations

import contextlib
import math
import os
import re
import select
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli.board_common import (
    BAUD_RATE,
    EMERGENCY_STOPPED,
    BaudOption,
    LogOption,
    PortOption,
    check_log,
    note,
    signals_to,
)
from sorter.cli.console import JsonOption, report, say
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from firmware_bridge.errors import Refused
    from firmware_bridge.link import Link, Ticket
    from firmware_bridge.replies import LineReader, Reply
    from firmware_bridge.wirelog import Entry

_POLL_S = 0.05
_MOST_UNDER_WAY = 64
_MOST_HELD = 100_000


def _shown(time_s: float, *, is_sent: bool, line: bytes) -> str:
    return f"{time_s:10.3f} {'>' if is_sent else '<'} {line.decode('ascii', 'backslashreplace')}"


# --- monitor ------------------------------------------------------------------------------------------------------


def monitor(port: PortOption = "auto", baud: BaudOption = BAUD_RATE, log: LogOption = None) -> None:
    """Print what crosses the wire, both ways, with seconds since the port was opened (which resets the board).

    Lines typed on stdin are checked, numbered and sent; M112 and M410 stop at once. Ends at Ctrl-C, which also stops
    the motion if something was typed; or, if stdin is no terminal, when its last line was answered.
    """
    from firmware_bridge.link import Link
    from firmware_bridge.ports import find_board

    check_log(log)
    link = Link(find_board(port), baud, log_file=log, on_note=note)
    with contextlib.closing(link):
        code = _Monitor(link).run()
    raise typer.Exit(code)


class _Monitor:
    """Prints, reads stdin and hears Ctrl-C by turns, all in the main thread."""

    def __init__(self, link: Link) -> None:
        from firmware_bridge.replies import LineReader
        from sorter.cli.board_program import Interpreter

        self._link = link
        self._interpreter = Interpreter()
        self._readers = {True: LineReader(), False: LineReader()}
        self._last: Entry | None = None
        self._typed = b""
        self._is_open = sys.stdin is not None
        self._has_sent = self._was_refused = False
        self._under_way: deque[Ticket] = deque()
        self._held: deque[str] = deque()  # typed, and not handed to the link yet
        self._presses = 0

    def run(self) -> int:
        """Watch to the end and return the exit code. Raises LinkError when the link ends by itself."""
        readying = threading.Thread(target=self._wait_until_ready, daemon=True)
        readying.start()
        with signals_to(self._pressed):
            while self._link.error is None and not self._presses:
                if self._is_over() and not readying.is_alive():
                    break
                self._read()
                self._print()
            if self._presses:
                self._stop()
        self._print()
        if self._presses:
            return ExitCode.INTERRUPTED
        if self._link.error is not None:
            raise self._link.error
        return ExitCode.BAD_INPUT if self._was_refused else ExitCode.OK

    def _wait_until_ready(self) -> None:
        from firmware_bridge.errors import LinkError

        with contextlib.suppress(LinkError):  # run() looks at it as well
            self._link.wait_until_ready()

    def _pressed(self) -> None:
        self._presses += 1
        if self._presses > 1:
            self._link.emergency_stop()

    def _stop(self) -> None:
        from firmware_bridge.errors import BoardError

        if not self._has_sent:
            return
        typer.echo("stopping all motion; Ctrl-C again makes an emergency stop", err=True)
        try:
            self._link.wait(self._link.quick_stop())
            self._link.request("M410", blocks_s=1.5)
        except BoardError:
            self._link.emergency_stop()
            typer.echo(EMERGENCY_STOPPED, err=True)

    def _is_over(self) -> bool:
        """There is nothing more to send or to wait for; a terminal goes on watching."""
        self._forget_answered()
        return not (self._is_open or self._held or self._under_way) and not (sys.stdin and sys.stdin.isatty())

    def _forget_answered(self) -> None:
        while self._under_way and self._under_way[0].is_done():
            self._under_way.popleft()

    def _read(self) -> None:
        """Take what was typed, or wait a moment for it; stdin is read on whatever is under way, for it may say stop."""
        is_reading = self._is_open and len(self._held) < _MOST_HELD
        if select.select([sys.stdin] if is_reading else [], [], [], _POLL_S)[0]:
            data = os.read(sys.stdin.fileno(), 65536)
            self._is_open = bool(data)
            *lines, self._typed = (self._typed + data + (b"" if data else b"\n")).split(b"\n")
            for line in lines:
                self._take(line.decode("utf-8", "surrogateescape"))
        self._forget_answered()
        while self._held and len(self._under_way) < _MOST_UNDER_WAY:
            self._send(self._held.popleft())

    def _take(self, line: str) -> None:
        """Stop at once if the line says so; else hold it until its turn comes."""
        from firmware_bridge.errors import LinkError, Refused
        from sorter.cli.board_program import unframed

        try:
            text = unframed(line)
            if text == "M112":
                self._held.clear()
                self._link.emergency_stop()
                typer.echo(EMERGENCY_STOPPED, err=True)
            elif text == "M410":
                self._held.clear()
                self._under_way.append(self._link.quick_stop())
            elif text:
                self._held.append(text)
        except Refused as error:
            self._refuse(error)
        except LinkError:
            return  # run() looks at it

    def _send(self, text: str) -> None:
        from firmware_bridge.errors import LinkError, Refused
        from firmware_bridge.link import Ticket

        try:
            step = self._interpreter.take(text)
            ticket = Ticket(text, motion_s=step.motion_s, blocks_s=step.blocks_s)
            self._link.submit([ticket])
            self._under_way.append(ticket)
            self._has_sent = True
        except Refused as error:
            self._refuse(error)
        except LinkError:
            return  # run() looks at it

    def _refuse(self, error: Refused) -> None:
        self._was_refused = True
        typer.echo(f"not sent: {error.message}", err=True)

    def _print(self) -> None:
        fresh: list[Entry] = []
        for entry in reversed(self._link.log.entries()):
            if entry is self._last:
                break
            fresh.append(entry)
        for entry in reversed(fresh):
            self._last = entry
            for line in self._readers[entry.is_sent].feed(entry.data):
                say(_shown(entry.time_s, is_sent=entry.is_sent, line=line))


# --- replay -------------------------------------------------------------------------------------------------------


def replay(
    log: Annotated[Path, typer.Argument(help="A file that was written with --log.")],
    verbose: Annotated[bool, typer.Option("--verbose", help="Print every line and how it is understood.")] = False,
    json: JsonOption = False,
) -> None:
    """Read a wire log through the parser of replies and say what is in it. Needs no board."""
    from sorter.cli import console

    is_shown = verbose and not json
    tally = _Tally()
    for entry in _entries(log):
        for line, replies in tally.add(entry):
            if is_shown:
                meaning = f"   {', '.join(str(reply) for reply in replies)}" if replies else ""
                console.say(_shown(entry.time_s, is_sent=entry.is_sent, line=line) + meaning)
    report({"file": str(log), **tally.as_dict()}, f"{log}\n{tally}")


def _entries(log: Path) -> Iterator[Entry]:
    from firmware_bridge.errors import Refused
    from firmware_bridge.wirelog import read_log

    for number, entry in enumerate(read_log(log), start=1):
        if not math.isfinite(entry.time_s):
            raise Refused(f"{log}: line {number} is no log entry", remedy="Name a file that was written with --log.")
        yield entry


def _line_reader() -> LineReader:
    from firmware_bridge.replies import LineReader

    return LineReader()


@dataclass
class _Tally:
    """What a log holds. A time that goes back begins another session: logs are appended to."""

    sessions: int = 0
    lines_sent: int = 0
    lines_heard: int = 0
    seconds: float = 0.0
    longest_silence_s: float = 0.0
    silence_began_s: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    _time_s: float = math.inf
    _heard_s: float = 0.0
    _readers: dict[bool, LineReader] = field(default_factory=dict)

    def add(self, entry: Entry) -> list[tuple[bytes, list[Reply]]]:
        """Count an entry; returns the lines that it completes and what they mean, nothing for what the host sent."""
        from firmware_bridge.replies import parse

        if entry.time_s < self._time_s:
            self.sessions += 1
            self._time_s = self._heard_s = 0.0
            self._readers = {True: _line_reader(), False: _line_reader()}
        self.seconds += entry.time_s - self._time_s
        self._time_s = entry.time_s
        lines = self._readers[entry.is_sent].feed(entry.data)
        if entry.is_sent:
            self.lines_sent += len(lines)
            return [(line, []) for line in lines]
        if entry.time_s - self._heard_s > self.longest_silence_s:
            self.longest_silence_s, self.silence_began_s = entry.time_s - self._heard_s, self._heard_s
        self._heard_s = entry.time_s
        self.lines_heard += len(lines)
        meant = [(line, parse(line)) for line in lines]
        for _, replies in meant:
            for reply in replies:
                self._count(reply)
        return meant

    def _count(self, reply: Reply) -> None:
        from firmware_bridge.replies import Complaint, Halted

        self.kinds[type(reply).__name__.lower()] += 1
        if isinstance(reply, Complaint | Halted):
            text = reply.text.strip()
            self.errors[re.sub(r"Last Line: -?\d+", "Last Line: ...", text)] += 1

    def as_dict(self) -> dict[str, Any]:
        """Plain values; ``replies`` counts by kind, ``errors`` by text."""
        return {
            "sessions": self.sessions,
            "seconds": round(self.seconds, 6),
            "lines_sent": self.lines_sent,
            "lines_heard": self.lines_heard,
            "replies": dict(sorted(self.kinds.items())),
            "errors": dict(self.errors),
            "resends": self.kinds["resend"],
            "resets": self.kinds["started"],
            "longest_silence_s": round(self.longest_silence_s, 6),
            "silence_began_s": round(self.silence_began_s, 6),
        }

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.most_common())
        text = [
            f"sessions:         {self.sessions}, {self.seconds:.3f} s in all",
            f"lines:            {self.lines_sent} sent, {self.lines_heard} heard",
            f"replies:          {kinds or 'none'}",
            f"resends:          {self.kinds['resend']}",
            f"resets (start):   {self.kinds['started']}",
            f"longest silence:  {self.longest_silence_s:.3f} s, from {self.silence_began_s:.3f} s on",
            f"errors:           {sum(self.errors.values())}",
        ]
        return "\n".join([*text, *(f"  {count} × {each}" for each, count in self.errors.most_common())])
