"""One thread that joins a session to a transport.

Whoever hands in a line writes it out himself, under the lock; the thread reads, keeps the deadlines and tells what came
of it. The emergency stop goes past the lock, see ``Link.emergency_stop``.

This module does not know what lines mean: axes, limits and homing are ``board.py``'s.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import threading
import time
from typing import TYPE_CHECKING

from firmware_bridge.errors import (
    BoardError,
    EmergencyStopped,
    LinkClosed,
    LinkError,
    PortError,
    PortLost,
    QuickStopped,
    Refused,
)
from firmware_bridge.events import Accepted, Dropped, NeedsReset, Note, Ready
from firmware_bridge.gcode import checked, framed
from firmware_bridge.lines import Line
from firmware_bridge.replies import Report, parse
from firmware_bridge.session import Session
from firmware_bridge.transport import Transport
from firmware_bridge.wirelog import WireLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firmware_bridge.events import Event
    from firmware_bridge.limits import Counters, SessionLimits

_LONGEST_NAP_S = 0.1  # so that a deadline set by another thread is seen in time
_WRITE_TIMEOUT_S = 2.0
_STOP_TO_RESET_S = 1.0  # Marlin's steppers run on for up to 0.7 s after M112
_JOIN_S = 5.0


class Ticket(Line):
    """A line in the link's hands, and what becomes of it."""

    __slots__ = ("_event", "is_accepted", "is_dropped")

    def __init__(self, text: str, *, is_repeatable: bool = False, motion_s: float = 0.0, blocks_s: float = 0.0) -> None:
        super().__init__(checked(text), is_repeatable, motion_s, blocks_s)
        if text.startswith("M118 ") and not all(isinstance(heard, Report) for heard in parse(text[5:].encode("ascii"))):
            raise Refused(f"{text!r} would make the board say what only the firmware may say")
        self.is_accepted = False
        self.is_dropped = False
        self._event: threading.Event | None = None

    def is_done(self) -> bool:
        """It was accepted or dropped."""
        return self.is_accepted or self.is_dropped

    def arm(self) -> threading.Event:
        """An event that is set when it is done; to be called under the link's lock."""
        if self._event is None:
            self._event = threading.Event()
        if self.is_done():
            self._event.set()
        return self._event

    def settle(self, *, is_accepted: bool) -> None:
        """It was accepted or dropped; to be called under the link's lock."""
        self.is_accepted, self.is_dropped = is_accepted, not is_accepted
        if self._event is not None:
            self._event.set()


class Link:
    """A reliable line channel to one board, from the opening of its port until something ends it for good.

    Args:
        device: the serial device.
        baud_rate: bits per second.
        limits: see ``SessionLimits``.
        log_file: everything that crosses the wire is written there too, see ``wirelog``.
        on_note: called in the link's thread with sentences that whoever watches should read.

    Raises:
        PortError: the device cannot be opened.
    """

    def __init__(
        self,
        device: Path,
        baud_rate: int = 250_000,
        *,
        limits: SessionLimits | None = None,
        log_file: Path | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        self.device = device
        self._log = WireLog(log_file)
        self._transport = Transport(device, baud_rate)
        self._opened_at_s = time.monotonic()
        self._session = Session(self._opened_at_s, limits, first_number=random.randrange(1_000, 9_000))  # noqa: S311
        self._on_note = on_note or (lambda _text: None)
        self._lock = threading.Lock()
        self._backlog = b""
        self._backlog_since_s: float | None = None
        self._is_stopped = False  # the latch: set by emergency_stop, looked at before every write
        self._stop_bytes = b""
        self._is_closing = False
        self._stops = 0
        self._is_announced = False
        self._ready = threading.Event()
        self._room = threading.Event()
        self._room_below: int | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._thread = threading.Thread(target=self._run, name=f"link {device}", daemon=True)
        self._thread.start()

    # --- for everybody ------------------------------------------------------------------------------------------

    @property
    def error(self) -> LinkError | None:
        """Why the link is over; None while it is not."""
        if self._is_stopped:
            return EmergencyStopped(f"{self.device}: an emergency stop was asked for")
        return self._session.error

    @property
    def counters(self) -> Counters:
        """What happened so far."""
        return self._session.counters

    @property
    def stops(self) -> int:
        """How many quick stops there were; see ``submit``."""
        return self._stops

    @property
    def log(self) -> WireLog:
        """The last lines both ways."""
        return self._log

    def wait_until_ready(self) -> bool:
        """Wait until line numbers are agreed on; True if the board had said ``start``.

        Raises:
            LinkError: it did not come to that.
        """
        self._ready.wait()  # bounded by the session's own deadlines
        self._raise_error()
        return self._is_announced

    def send(
        self,
        text: str,
        *,
        is_repeatable: bool = False,
        motion_s: float = 0.0,
        blocks_s: float = 0.0,
        stops: int | None = None,
    ) -> Ticket:
        """Hand in one command; see ``Line`` and ``submit`` for the arguments.

        Raises:
            Refused: it is no single command; nothing was sent.
            LinkError: the link is over.
        """
        ticket = Ticket(text, is_repeatable=is_repeatable, motion_s=motion_s, blocks_s=blocks_s)
        self.submit([ticket], stops=stops)
        return ticket

    def submit(self, tickets: list[Ticket], *, stops: int | None = None) -> None:
        """Hand in several commands.

        Args:
            tickets: in order.
            stops: how many quick stops there had been when the caller began; None if that does not matter.

        Raises:
            QuickStopped: there was one since; nothing was sent.
            LinkError: the link is over.
        """
        with self._lock:
            self._raise_error()
            if stops is not None and stops != self._stops:
                raise QuickStopped("a quick stop came before the command was sent")
            now_s = time.monotonic()
            for ticket in tickets:
                self._session.submit(ticket, now_s)
            self._flush_or_fail(now_s)

    def wait(self, ticket: Ticket) -> list[str]:
        """Wait until a ticket is accepted; returns what the board said to it.

        Bounded: the session accepts or fails within the computed time, which a board that says ``busy`` extends.

        Raises:
            LinkError: the link ended first.
            QuickStopped: a quick stop dropped it.
        """
        with self._lock:
            event = ticket.arm()
        event.wait()
        if ticket.is_dropped:
            self._raise_error()
            raise QuickStopped("a quick stop came between the command and its end")
        return ticket.reports

    def request(
        self, text: str, *, blocks_s: float = 0.0, motion_s: float = 0.0, stops: int | None = None
    ) -> list[str]:
        """``send`` and ``wait``."""
        return self.wait(self.send(text, blocks_s=blocks_s, motion_s=motion_s, stops=stops))

    def wait_for_room(self, lines: int) -> None:
        """Wait until fewer than ``lines`` lines are queued; for one thread at a time.

        Raises LinkError if the link is over.
        """
        with self._lock:
            self._raise_error()
            if self._session.waiting_lines < lines:
                return
            self._room.clear()
            self._room_below = lines
        self._room.wait()
        self._raise_error()

    def quick_stop(self) -> Ticket:
        """Send M410 now, past everything that is queued, which is dropped; see ``Session.submit_quick_stop``."""
        with self._lock:
            self._raise_error()
            now_s = time.monotonic()
            self._stops += 1
            ticket = Ticket("M410", blocks_s=1.5)
            self._session.submit_quick_stop(ticket, now_s)
            self._flush_or_fail(now_s)
            self._tell(self._session.take_events())
        return ticket

    def forget_motion(self) -> None:
        """The planner is known to be empty."""
        with self._lock:
            self._session.forget_motion(time.monotonic())

    def emergency_stop(self) -> bool:
        """Stop everything, now. Takes no lock and waits for nothing; any thread may call it, more than once.

        Sets the latch, drops what the kernel has not sent, and writes M112 past every queue: bare, behind a newline,
        and once more with number and checksum. A second later the link's thread resets the board, which also drops its
        outputs and servos. The link is over; a new one is an explicit act.

        Returns:
            whether M112 was written at once; if not, the link's thread goes on trying.
        """
        self._is_stopped = True
        data = b"\nM112\n" + framed(self._session.last_number + 1, "M112")
        was_written = self._transport.write_at_once(data)
        if not was_written:
            self._stop_bytes = data
        self._wake()
        return was_written

    def close(self) -> None:
        """End the link and wait for its thread. More than once is harmless.

        Raises:
            LinkError: the thread did not end in time.
        """
        self._is_closing = True
        self._wake()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            raise LinkError(f"{self.device}: the link's thread did not end within {_JOIN_S:g} s")

    # --- the thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self.error is None and not self._is_closing:
                self._turn()
            if self._is_stopped:
                self._see_the_stop_through()
        except BoardError as error:
            with self._lock:
                self._session.fail(error if isinstance(error, LinkError) else PortLost(error.message))
        except BaseException as error:
            with self._lock:
                self._session.fail(LinkError(f"{self.device}: the link's thread failed: {error!r}"))
            raise
        finally:
            with self._lock:
                self._session.fail(self.error or LinkClosed(f"{self.device}: the link was closed"))
                self._tell(self._session.take_events())
            self._leave()

    def _turn(self) -> None:
        """Wait for bytes, for a deadline or for a wake-up, and deal with it."""
        descriptor = self._transport.descriptor
        writing = [descriptor] if self._backlog else []
        readable, _, _ = select.select([descriptor, self._wake_read], writing, [], self._nap_s())
        if self._wake_read in readable:
            os.read(self._wake_read, 64)
        with self._lock:
            now_s = time.monotonic()
            if descriptor in readable and (data := self._transport.read()):
                self._log.add(now_s - self._opened_at_s, data, is_sent=False)
                self._session.receive(data, now_s)
            deadline_s = self._session.next_deadline_s
            if deadline_s is not None and now_s >= deadline_s:
                self._session.tick(now_s)
            self._flush(now_s)
            events = self._session.take_events()
            self._tell(events)
        for event in events:
            if isinstance(event, Note):
                self._on_note(event.text)
            elif isinstance(event, NeedsReset):
                self._on_note("the board did not say start; resetting it")
                self._transport.reset_board()
                with self._lock:
                    self._session.was_reset(time.monotonic())

    def _nap_s(self) -> float:
        deadline_s = self._session.next_deadline_s
        if deadline_s is None:
            return _LONGEST_NAP_S
        return min(max(0.0, deadline_s - time.monotonic()), _LONGEST_NAP_S)

    def _flush(self, now_s: float) -> None:
        """Write what the session wants written; under the lock."""
        data = self._session.take_output()
        if data:
            self._log.add(now_s - self._opened_at_s, data, is_sent=True)
        if self._is_stopped or not (data or self._backlog):
            return
        pending = self._backlog + data
        written = self._transport.write(pending)
        had_backlog, self._backlog = bool(self._backlog), pending[written:]
        if not self._backlog:
            self._backlog_since_s = None
        elif written or self._backlog_since_s is None:
            self._backlog_since_s = now_s
            if not had_backlog:
                self._wake()
        elif now_s - self._backlog_since_s > _WRITE_TIMEOUT_S:
            raise PortLost(f"{self.device} has taken no byte for {_WRITE_TIMEOUT_S:g} s")

    def _flush_or_fail(self, now_s: float) -> None:
        """As ``_flush``, in a thread other than the link's own: there an error must end the link as well."""
        try:
            self._flush(now_s)
        except PortLost as error:
            self._session.fail(error)
            self._wake()
            raise

    def _tell(self, events: list[Event]) -> None:
        """Settle tickets; under the lock."""
        for event in events:
            match event:
                case Accepted(line) | Dropped(line) if isinstance(line, Ticket):
                    line.settle(is_accepted=isinstance(event, Accepted))
                case Ready(was_announced):
                    self._is_announced = was_announced
                    self._ready.set()
                case _:
                    pass
        if self._room_below is not None and self._session.waiting_lines < self._room_below:
            self._room_below = None
            self._room.set()
        if self._session.error is not None:
            self._ready.set()
            self._room.set()

    def _see_the_stop_through(self) -> None:
        """Let M112 act, hear what the board says to it, then reset the board."""
        with self._lock:
            self._session.fail(EmergencyStopped(f"{self.device}: an emergency stop was asked for"))
            self._tell(self._session.take_events())
        until_s = time.monotonic() + _STOP_TO_RESET_S
        while (left_s := until_s - time.monotonic()) > 0:
            if self._stop_bytes and self._transport.write_at_once(self._stop_bytes):
                self._stop_bytes = b""
            nap_s = min(left_s, 0.01 if self._stop_bytes else 0.05)
            if select.select([self._transport.descriptor], [], [], nap_s)[0] and (data := self._transport.read()):
                self._log.add(time.monotonic() - self._opened_at_s, data, is_sent=False)

    def _leave(self) -> None:
        """The link is over: reset the board if it may still be moving or driving outputs, and close everything."""
        error = self._session.error
        try:
            if not isinstance(error, LinkClosed | PortLost):
                self._transport.reset_board()
        except (PortError, PortLost) as cause:
            self._on_note(f"the board could not be reset: {cause.message}; its outputs may still be on")
        finally:
            self._transport.close()
            self._log.close()
            self._close_wake_pipe()

    def _close_wake_pipe(self) -> None:
        with self._lock:
            writing, self._wake_write = self._wake_write, -1  # whoever wakes from now on must not reach another file
            os.close(writing)
            os.close(self._wake_read)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it is awake; closed: it has ended
            os.write(self._wake_write, b"w")

    def _raise_error(self) -> None:
        error = self.error
        if error is not None:
            raise error
