"""``sorter board stream``: a G-code file, line by line, to the board."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli.board_common import (
    BAUD_RATE,
    BaudOption,
    Interrupted,
    LogOption,
    PortOption,
    check_log,
    connected,
    read_settings,
    supervised,
)
from sorter.cli.console import JsonOption, progress, report
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from firmware_bridge.board import Board
    from firmware_bridge.link import Ticket
    from sorter.cli.board_program import Step

_BATCH = 64  # this many lines are handed in at once, and at most twice as many are under way
_SHOWN_COMPLAINTS = 20


def stream(
    file: Annotated[Path, typer.Argument(help="The G-code file.", exists=True, dir_okay=False, readable=True)],
    port: PortOption = "auto",
    baud: BaudOption = BAUD_RATE,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Send a G-code file and wait until all motion is over.

    Every line is checked before the first one is sent. Opening the port resets the board, so the file starts where the
    axes stand, which is 0. Ctrl-C stops all motion at once, a second Ctrl-C makes an emergency stop.
    """
    check_log(log)
    with file.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
        total = _count(lines, file)
        with connected(port, baud, log) as board:
            _stream(board, lines, file, total)


def _count(lines: IO[str], file: Path) -> int:
    """How many commands the file has; refuses the file if one of them is not fit to be sent."""
    from firmware_bridge.errors import Refused
    from sorter.cli.board_program import steps

    if not lines.seekable():
        raise Refused(f"{file} is no plain file", remedy="Nothing was sent; a file is read twice, so save it first.")
    total = sum(1 for _ in steps(lines, str(file)))
    if not total:
        raise Refused(f"{file} has no command in it", remedy="Nothing was sent; name a file of G-code.")
    return total


def _stream(board: Board, lines: IO[str], file: Path, total: int) -> None:
    from firmware_bridge.errors import BoardError, Refused
    from sorter.cli.board_program import steps

    settings = read_settings(board)
    lines.seek(0)
    sender = _Sender(board, steps(lines, str(file), settings))
    try:
        with progress(file.name, total=total) as sender.advance:
            supervised(board, sender.run, sender.stop)
    except Interrupted:
        _report(sender, file, total, is_interrupted=True)
        raise
    except Refused as error:
        sender.stop()
        message = f"{file} was changed while it was sent: {error.message}"
        raise Refused(message, remedy="All motion was stopped; leave the file alone and send it again.") from error
    except BoardError:
        typer.echo(f"{sender.accepted} of {total} lines were accepted", err=True)
        raise
    _report(sender, file, total, is_interrupted=False)
    if sender.complaints:
        raise typer.Exit(ExitCode.FINDINGS)


class _Sender:
    """Hands the lines to the link in batches and gathers what the board says to them."""

    def __init__(self, board: Board, steps: Iterator[Step]) -> None:
        self.complaints: list[dict[str, Any]] = []
        self.advance: Callable[[int], None] = lambda _lines: None
        self._board, self._steps = board, steps
        self._link = board.link
        self._accepted_before = self._link.counters.accepted
        self._accepted_at_stop: int | None = None
        self._began_s = time.monotonic()
        self._seconds: float | None = None
        self._under_way: deque[tuple[Step, Ticket]] = deque()
        self._gate = threading.Lock()  # nothing is handed in once a stop has begun
        self._is_stopped = False

    @property
    def accepted(self) -> int:
        """How many lines the board has taken for certain."""
        if self._accepted_at_stop is not None:
            return self._accepted_at_stop
        return self._link.counters.accepted - self._accepted_before

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self._began_s if self._seconds is None else self._seconds

    def run(self) -> None:
        """Send everything and wait for M400. Ends early if a stop has begun."""
        from firmware_bridge.link import Ticket

        while batch := list(islice(self._steps, _BATCH)):
            pairs = [
                (
                    step,
                    Ticket(step.text, is_repeatable=step.is_repeatable, motion_s=step.motion_s, blocks_s=step.blocks_s),
                )
                for step in batch
            ]
            self._settle(most=_BATCH)
            if not self._submit([ticket for _, ticket in pairs]):
                return
            self._under_way.extend(pairs)
        self._settle(most=0)
        last = Ticket("M400")
        if self._submit([last]):
            self._accepted_at_stop = self.accepted
            self._link.wait(last)
            self._link.forget_motion()
            self._seconds = self.seconds

    def stop(self) -> None:
        """Stop all motion; nothing more is sent."""
        with self._gate:
            self._is_stopped = True
        if self._accepted_at_stop is None:
            self._accepted_at_stop = self.accepted
        self._seconds = self.seconds
        self._board.quick_stop()

    def _submit(self, tickets: list[Ticket]) -> bool:
        with self._gate:
            if not self._is_stopped:
                self._link.submit(tickets)
            return not self._is_stopped

    def _settle(self, most: int) -> None:
        """Wait until at most that many lines are under way, and look at what the board said to the others."""
        while len(self._under_way) > most:
            step, ticket = self._under_way[0]
            self._link.wait(ticket)
            self._under_way.popleft()
            self.advance(1)
            for text in ticket.reports:
                # The tail of a disturbed line, which was repeated, is an unknown command in other words.
                if text.startswith("Error:") or text == f'echo:Unknown command: "{step.text}"':
                    self.complaints.append({"line": step.line, "text": step.text, "reply": text})


def _report(sender: _Sender, file: Path, total: int, *, is_interrupted: bool) -> None:
    counters = sender._link.counters
    rate = sender.accepted / sender.seconds if sender.seconds > 0.0 else 0.0
    data = {
        "file": str(file),
        "lines": total,
        "accepted": sender.accepted,
        "seconds": round(sender.seconds, 3),
        "lines_per_second": round(rate, 1),
        "resends": counters.resend_requests,
        "longest_wait_s": round(counters.longest_wait_s, 3),
        "is_interrupted": is_interrupted,
        "complaints": sender.complaints,
    }
    how = f"{sender.accepted} of {total} lines were accepted" if is_interrupted else f"{total} lines, all done"
    pace = f"{data['seconds']} s, {data['lines_per_second']} lines/s"
    text = [
        f"{file}: {how}",
        f"{pace}, {counters.resend_requests} resends, longest wait {data['longest_wait_s']} s",
    ]
    shown = sender.complaints[:_SHOWN_COMPLAINTS]
    text += [f"line {each['line']}: {each['text']}: the board says: {each['reply']}" for each in shown]
    if len(sender.complaints) > len(shown):
        text.append(f"and {len(sender.complaints) - len(shown)} more like these")
    report(data, "\n".join(text))
