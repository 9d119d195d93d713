"""Numbering, acknowledgements, resends and timeouts of one link, without I/O: bytes and a clock value in; bytes,
events and deadlines out.

What a bare ``ok`` is worth. It names no line, and after an error Marlin says one too many (for the tail of a line that
ran un-numbered) or one too few. So the session trusts ``ok`` only while nothing odd has been heard. After anything odd
it sends nothing new, repeats what the board asks for one line at a time, and then asks with M118, which echoes a word
that no other line does: the echo proves that the board took every line before the question, and only then is the
caller told that they were accepted.

What is never done: a line is never sent under a second number, an acknowledgement is never made up, and after a reset
nothing is repeated. Line numbers start high (``first_number``), so a board that has lost count asks for line 1, which
no session ever had.

Facts about Marlin: docs/marlin.md.
"""

from __future__ import annotations

from collections import Counter, deque

from firmware_bridge.ahead import MotionAhead
from firmware_bridge.errors import BoardHalted, BoardReset, BoardSilent, LinkError, LinkLost
from firmware_bridge.events import Accepted, Dropped, Event, NeedsReset, Note, Phase, Ready
from firmware_bridge.gcode import code_of, framed
from firmware_bridge.limits import Counters, SessionLimits
from firmware_bridge.lines import Line, SentLines
from firmware_bridge.replies import (
    Busy,
    Complaint,
    Halted,
    LineReader,
    Ok,
    Reply,
    Report,
    Resend,
    Started,
    Wait,
    parse,
)

_ODD_REPORTS = ("echo:Unknown command",)  # the tail of a line may have run un-numbered
_SILENT = frozenset(
    {"G0", "G1", "G4", "G21", "G90", "M17", "M18", "M42", "M84", "M106", "M107", "M280", "M400", "M410"}
)
_MOST_REPORTS = 500
_FRAME_BYTES = 16  # about what number and checksum add


class Session:
    """One link from the opening of the port to its end; not thread-safe, holds no clock.

    Args:
        now_s: the time at which the port was opened.
        limits: see ``SessionLimits``.
        first_number: the line number that the counter is set to; at least 1000.
    """

    def __init__(self, now_s: float, limits: SessionLimits | None = None, first_number: int = 1000) -> None:
        if first_number < 1000:
            raise ValueError(f"line numbers start at 1000 or higher, so that a reset shows; got {first_number}")
        self.limits = limits or SessionLimits()
        self.counters = Counters()
        self.phase = Phase.STARTING
        self.error: LinkError | None = None
        self.window_lines = self.limits.window_lines
        self._reader = LineReader()
        self._out = bytearray()
        self._events: list[Event] = []
        self._pending: deque[Line] = deque()
        self._lines = SentLines(first_number, kept=4 * self.limits.window_lines)
        self._was_reset_tried = False
        self._was_announced = False
        self._is_numbering_sent = False
        self._deadline_s: float | None = now_s + self.limits.start_s
        self._ready_by_s: float | None = now_s + self.limits.start_s + self.limits.handshake_s
        self._ahead = MotionAhead(now_s, self.limits.moves_ahead)
        # Recovery. A session begins in it: the first thing that a board is sent after M110 is a query.
        self._is_trusting = False
        self._is_ready_told = False
        self._distrusted_at_s = now_s
        self._resume_at_s: float | None = None
        self._query: Line | None = None
        self._was_query_answered = False
        self._attempts = 0
        self._silences = 0
        self._highest_acknowledged = first_number
        self._was_heard = False
        self._resends_of: Counter[int] = Counter()
        self._reset_hints = 0
        self._last_line_said: int | None = None  # by the complaint that precedes a request
        self._clean_lines = 0

    # --- what the caller sees -----------------------------------------------------------------------------------

    @property
    def next_deadline_s(self) -> float | None:
        """When ``tick`` should be called at the latest; None if only the board can move things on."""
        resume_at_s = None if self._lines.in_flight else self._resume_at_s
        times = (self._deadline_s, resume_at_s, self._ready_by_s)
        return min((time_s for time_s in times if time_s is not None), default=None)

    @property
    def waiting_lines(self) -> int:
        """Lines handed in and not sent yet."""
        return len(self._pending)

    @property
    def last_number(self) -> int:
        """The highest line number given so far."""
        return self._lines.last

    @property
    def is_idle(self) -> bool:
        """Everything that was handed in has been accepted."""
        return self._is_trusting and not self._pending and not self._lines.in_flight

    @property
    def motion_until_s(self) -> float:
        """When the motion that is queued on the board should be over."""
        return self._ahead.until_s

    def take_output(self) -> bytes:
        """The bytes to be written now."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def take_events(self) -> list[Event]:
        """What happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    def submit(self, line: Line, now_s: float) -> None:
        """Queue a line. Raises the session's LinkError if it has failed."""
        if self.error is not None:
            raise self.error
        self._pending.append(line)
        self._pump(now_s)

    def submit_quick_stop(self, stop: Line, now_s: float) -> None:
        """Send ``stop``, an M410, past everything; what was queued is dropped, and nothing that was sent is repeated.

        Should the board ask for a line from before the stop, it gets M410 under that number instead.
        """
        if self.error is not None:
            raise self.error
        self._drop_all()
        for line in self._lines:
            line.text, line.motion_s = "M410", 0.0
            line.data = framed(line.number, line.text)
        if self._is_trusting or (self.phase is Phase.READY and self._lines.sent == self._lines.last):
            self._send(stop, now_s, after_newline=True)
        else:
            self._pending.append(stop)
            self._pump(now_s)

    def forget_motion(self, now_s: float) -> None:
        """The planner is known to be empty."""
        self._ahead.forget(now_s)

    def was_reset(self, now_s: float) -> None:
        """The caller has pulsed DTR, as ``NeedsReset`` asked: wait for ``start`` once more."""
        self._was_reset_tried = True
        self._deadline_s = now_s + self.limits.start_s
        self._ready_by_s = self._deadline_s + self.limits.handshake_s
        self._reader.clear()

    def fail(self, error: LinkError) -> None:
        """End the session for good: everything queued is dropped."""
        if self.error is not None:
            return
        self.error = error
        self.phase = Phase.FAILED
        self._drop_all()
        self._out.clear()
        self._deadline_s = self._resume_at_s = self._ready_by_s = None

    def _drop_all(self) -> None:
        """Nobody will hear that what is under way was accepted."""
        untold = [line for line in self._lines if not line.is_told and not line.is_own]
        for line in (*untold, *self._pending):
            line.is_told = True
            self._events.append(Dropped(line))
        self._pending.clear()

    def receive(self, data: bytes, now_s: float) -> None:
        """Bytes from the board."""
        for raw in self._reader.feed(data):
            self._was_heard = True
            for reply in parse(raw):
                if self.phase is Phase.FAILED:
                    return
                if self.phase is Phase.READY:
                    self._hear(reply, now_s)
                else:
                    self._hear_before_ready(reply, now_s)
        self._pump(now_s)

    def tick(self, now_s: float) -> None:
        """Time has passed."""
        if self._ready_by_s is not None and now_s >= self._ready_by_s:
            self.fail(BoardSilent(f"the board is not ready in time; it got as far as: {self.phase.value}"))
            return
        if self._deadline_s is not None and now_s >= self._deadline_s:
            if self.phase is Phase.READY:
                self._nothing_came(now_s)
            elif self.phase is not Phase.FAILED:
                self._nothing_came_before_ready(now_s)
        self._pump(now_s)

    # --- getting ready ------------------------------------------------------------------------------------------

    def _hear_before_ready(self, reply: Reply, now_s: float) -> None:
        match reply:
            case Started():
                self.phase, self._was_announced = Phase.BANNER, True
            case Halted(text):
                self.fail(BoardHalted(f"the board halted while starting: {text}"))
                return
            case Resend() | Complaint() if self.phase is Phase.NUMBERING:
                self._number_anew(now_s)  # M110 itself was disturbed; the ok that follows means nothing
                return
            case Ok() if self.phase is Phase.NUMBERING and self._is_numbering_sent:
                self.phase, self._deadline_s = Phase.READY, None
                self._attempts = self._silences = 0
                self._distrust(now_s)
                return
            case _:
                pass
        if self.phase is Phase.BANNER:
            self._deadline_s = now_s + self.limits.banner_s

    def _nothing_came_before_ready(self, now_s: float) -> None:
        if self.phase is Phase.STARTING and not self._was_reset_tried:
            self._events.append(NeedsReset())
            self._deadline_s = self._ready_by_s = None  # until the caller says that it is done
            return
        if self.phase is Phase.STARTING:
            self._events.append(Note("the board did not say start; asking it anyway"))
        self.phase = Phase.NUMBERING
        self._is_numbering_sent = True
        self._out += b"\n" + framed(self._lines.last, f"M110 N{self._lines.last}")
        self._deadline_s = now_s + self.limits.query_s

    def _number_anew(self, now_s: float) -> None:
        """The board has another count than M110 should have given it: say it again, after a pause."""
        self.phase = Phase.NUMBERING
        self._is_numbering_sent = False
        self._query = None
        self._lines.go_back_to(self._lines.last + 1)
        self._resume_at_s = None
        self._deadline_s = now_s + self.limits.drain_s

    # --- hearing ------------------------------------------------------------------------------------------------

    def _hear(self, reply: Reply, now_s: float) -> None:  # noqa: PLR0912  (one arm a kind of reply)
        match reply:
            case Ok():
                self._hear_ok(reply, now_s)
            case Report(text, is_text):
                self._hear_report(text, now_s, is_text=is_text)
            case Busy(reason):
                if self._deadline_s is not None:
                    self._deadline_s = max(self._deadline_s, now_s + self.limits.busy_s)
                if reason != "processing":
                    self._events.append(Note(f"the board is busy: {reason}"))
            case Resend(number):
                self._hear_resend(number, now_s)
            case Complaint(text, last_line):
                is_of_numbering = last_line is not None or "checksum" in text.lower() or "line number" in text.lower()
                if is_of_numbering:
                    self._reset_hints += last_line == 0
                    self._last_line_said = last_line
                if is_of_numbering or not self._attribute(f"Error:{text}"):
                    self._distrust(now_s)
            case Wait():
                if self._lines.in_flight and self._is_trusting:
                    self._distrust(now_s)  # it has nothing to do, so the ok was lost
                    self._ask(now_s)
            case Started():
                self.fail(BoardReset("the board started anew in the middle of the session"))
            case Halted(text):
                self.fail(BoardHalted(f"the board halted itself: {text}"))

    def _hear_report(self, text: str, now_s: float, *, is_text: bool) -> None:
        # To the letter: a query whose N was hit runs as well, without its number, and its echo proves nothing.
        query = self._query
        if query is not None and text in (query.text.removeprefix("M118 "), f'echo:Unknown command: "{query.text}"'):
            self._was_query_answered = True
            self._lines.acknowledge(query.number - 1)
            return
        is_expected = self._attribute(text)
        if not is_expected or not is_text or len(text) <= 3 or text.startswith(_ODD_REPORTS):
            self._distrust(now_s)

    def _attribute(self, text: str) -> bool:
        """Give a report to the line that the board is working on: the oldest that is not acknowledged.

        Returns whether it can be that line's: a command that Marlin answers in silence has none, so what is heard then
        may be a complaint that noise has spoilt.
        """
        if not self._lines.in_flight:
            self._events.append(Note(f"the board says: {text}"))
            return True
        line = self._lines.oldest
        if len(line.reports) < _MOST_REPORTS:
            line.reports.append(text)
        return code_of(line.text) not in _SILENT

    def _hear_ok(self, ok: Ok, now_s: float) -> None:
        lines = self._lines
        is_numbered = ok.line_number is not None
        number = ok.line_number if ok.line_number is not None else lines.acknowledged + 1
        if self._is_trusting and lines.in_flight and number != lines.acknowledged + 1:
            self._distrust(now_s)  # an ok was lost, or a digit hit: no line is acknowledged by another's
            return
        is_of_query = self._query is not None and number == self._query.number
        if not lines.acknowledged < number <= lines.sent or (
            # An earlier line's ok: the query's own comes after its echo.
            is_of_query and not self._was_query_answered and not is_numbered
        ):
            self.counters.ignored_oks += 1  # such as the one after a Resend, or that of an un-numbered tail
            return
        if ok.free_command_slots is not None and lines.in_flight == 1:
            self.window_lines = max(1, min(self.window_lines, ok.free_command_slots + 1))
        if not lines.oldest.is_own and number > self._highest_acknowledged:
            self._attempts = 0  # it gets on
        self._highest_acknowledged = max(self._highest_acknowledged, number)
        lines.acknowledge(number)
        if is_of_query:
            self._query = None
            self._trust_again(now_s)
        elif self._is_trusting:
            self._tell(now_s)
        self._expect(now_s)

    def _hear_resend(self, number: int | None, now_s: float) -> None:
        self.counters.resend_requests += 1
        self._distrust(now_s)
        lines = self._lines
        said, self._last_line_said = self._last_line_said, None
        if said is not None and lines.knows(said + 1) and (number is None or not lines.knows(number)):
            number = said + 1  # the complaint before the request said the same, and could be read
        if number is None:
            return
        if not lines.knows(number) and not self._is_ready_told:
            self._number_anew(now_s)
            return
        if not lines.knows(number):
            self._reset_hints += number == 1
            if self._reset_hints >= 2:
                self.fail(BoardReset(f"the board has lost count: it asks for line 1, the last sent was {lines.last}"))
            else:
                self._events.append(Note(f"the board asks for line {number}, which it cannot mean; asking it anew"))
            return
        was_answered = lines.sent >= number
        lines.go_back_to(number)
        if self._query is not None and self._query.number >= number:
            self._query = None
        self._deadline_s = None
        self._resends_of[number] += was_answered
        if self._resends_of[number] > self.limits.max_resends:
            times = self._resends_of[number]
            self.fail(LinkLost(f"the board asked {times} times for line {number}; the last line sent was {lines.last}"))

    # --- trust --------------------------------------------------------------------------------------------------

    def _distrust(self, now_s: float) -> None:
        """Something odd was heard: send nothing new until a query has proved where the board stands."""
        if self._is_trusting:
            self._is_trusting = False
            self._distrusted_at_s = now_s
            self._set_window(self.window_lines // 2, "the line is disturbed")
        # Each oddity prolongs the pause, but a babbling board cannot prolong it for ever.
        limit_s = self._distrusted_at_s + 20 * self.limits.drain_s
        self._resume_at_s = max(now_s, min(now_s + self.limits.drain_s, limit_s))

    def _trust_again(self, now_s: float) -> None:
        """The query was answered: the board has taken every line before it."""
        self._is_trusting = True
        self._resume_at_s = None
        self._resends_of.clear()
        self._reset_hints = self._attempts = self._silences = 0
        if not self._is_ready_told:
            self._is_ready_told = True
            self._ready_by_s = None
            self._events.append(Ready(self._was_announced))
        self._tell(now_s)

    def _tell(self, now_s: float) -> None:
        for line in self._lines.tell():
            if line.is_own or line.is_told:
                continue
            line.is_told = True
            self.counters.accepted += 1
            self.counters.longest_wait_s = max(self.counters.longest_wait_s, now_s - line.sent_at_s)
            self._events.append(Accepted(line))
            if line.text == "M400":
                self._ahead.forget(now_s)
            self._clean_lines += 1
        if self._clean_lines >= self.limits.clean_lines and self.window_lines < self.limits.window_lines:
            self._set_window(self.window_lines * 2, "no disturbance for a while")

    def _set_window(self, lines: int, why: str) -> None:
        lines = max(1, min(lines, self.limits.window_lines))
        self._clean_lines = 0
        if lines != self.window_lines:
            self.window_lines = lines
            self._events.append(Note(f"{lines} lines in flight at most from here on: {why}"))

    # --- sending ------------------------------------------------------------------------------------------------

    def _pump(self, now_s: float) -> None:
        if self.phase is not Phase.READY:
            return
        if self._is_trusting:
            while self._pending and self._has_room_for(self._pending[0]):
                self._send(self._pending.popleft(), now_s)
        elif not self._lines.in_flight and (self._resume_at_s is None or now_s >= self._resume_at_s):
            self._take_a_step(now_s)

    def _take_a_step(self, now_s: float) -> None:
        """Towards trust: the next line that is to be repeated, or else a query."""
        self._resume_at_s = None
        if self._lines.sent == self._lines.last:
            self._ask(now_s)
        else:
            self.counters.repeated_lines += 1
            self._put_next(now_s, after_newline=True)

    def _has_room_for(self, line: Line) -> bool:
        lines = self._lines
        if not lines.in_flight:
            return True
        return (
            line.is_repeatable
            and lines.newest.is_repeatable
            and lines.in_flight < self.window_lines
            and lines.bytes_in_flight + len(line.text) + _FRAME_BYTES <= self.limits.window_bytes
        )

    def _send(self, line: Line, now_s: float, *, after_newline: bool = False) -> None:
        self._lines.add(line)
        line.sent_at_s = now_s
        self._ahead.add(now_s, line.motion_s)
        self.counters.lines += 1
        self._put_next(now_s, after_newline=after_newline)

    def _put_next(self, now_s: float, *, after_newline: bool) -> None:
        line = self._lines.next_to_send()
        line.reports.clear()
        if after_newline:
            self._out += b"\n"  # ends what may be left of a line whose own newline was lost
        self._out += line.data
        if self._lines.in_flight == 1:
            self._expect(now_s)

    def _ask(self, now_s: float) -> None:
        self.counters.queries += 1
        self._query = Line(f"M118 q{self._lines.last + 1}", is_own=True)
        self._was_query_answered = False
        self._send(self._query, now_s, after_newline=True)

    def _expect(self, now_s: float) -> None:
        """Set the deadline of the oldest line in flight: all motion ahead of it, its own time, and a margin."""
        if not self._lines.in_flight:
            self._deadline_s = None
            return
        margin_s = self.limits.margin_s if self._is_trusting else self.limits.query_s
        self._deadline_s = max(now_s, self._ahead.until_s) + self._lines.oldest.blocks_s + margin_s

    def _nothing_came(self, now_s: float) -> None:
        """The bounded wait is over.

        By turns: a new query after all that has a number, which shows what the board has; and the oldest line that is
        not proved to be there, once more, under its own number. Both are needed: a board that has everything may ignore
        what it knows in silence (bugfix-2.1.x does), and one that has not will ask for what it lacks.
        """
        oldest = self._lines.oldest
        waited = f"line {oldest.number} ({oldest.text}) in {now_s - oldest.sent_at_s:.1f} s"
        self._attempts += 1
        self._silences = 0 if self._was_heard else self._silences + 1
        self._was_heard = False
        if self._silences > self.limits.max_silences:
            self.fail(BoardSilent(f"no answer to {waited}"))
            return
        if self._attempts > self.limits.max_attempts:
            self.fail(LinkLost(f"no agreement on {waited} and {self._attempts - 1} tries"))
            return
        self._distrust(now_s)
        self._resume_at_s = None
        if self._attempts % 2 == 0:
            self._lines.go_back_to(self._lines.told + 1)
            self.counters.repeated_lines += 1
            self._put_next(now_s, after_newline=True)
        else:
            self._lines.take_as_sent()
            self._ask(now_s)
        self._deadline_s = max(now_s, self._ahead.until_s) + oldest.blocks_s + self.limits.query_s
