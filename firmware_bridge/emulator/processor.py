"""The firmware's main loop, as a generator: it yields how long it waits, and whether it looks around meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

from firmware_bridge.emulator import replies
from firmware_bridge.emulator.acknowledge import Acknowledger
from firmware_bridge.emulator.board import Board, QueuedLine
from firmware_bridge.emulator.commands import HANDLERS
from firmware_bridge.emulator.numbering import ERROR_TEXT, Verdict
from firmware_bridge.emulator.settings import AXES
from firmware_bridge.emulator.truth import Executed
from firmware_bridge.emulator.words import parse

PROCESSING = "processing"
PAUSED = "paused for user"
_OK_BYTES = 3
_LONG_BLOCK_S = 15.0
_SLOW_BOOT_S = 8.0
_MOTION_COMMANDS = frozenset({"G0", "G1", "G28", "M112", "M410", "M108"})


@dataclass(frozen=True)
class Wait:
    """Wait until `until_s`. In idle the firmware reads, reports and wakes early; otherwise it does nothing else."""

    until_s: float
    is_idle: bool


Work = Generator[Wait, None, None]


class Processor:
    """One life of the firmware, from reset to reset: boot, then read, execute and acknowledge for ever."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.acknowledger = Acknowledger(board)
        self.busy = ""
        self.has_answered = False
        self._next_busy_s = math.inf

    def run(self) -> Work:
        """Boot, then loop. The generator never returns: a kill or a reset drops it."""
        board = self.board
        boot_s = _SLOW_BOOT_S if board.dice.fires("boot-slow") else board.settings.boot_s
        yield Wait(board.now_s + boot_s, is_idle=False)
        board.is_booting = False
        if not board.dice.fires("no-start"):
            board.say(*replies.banner(board.motion))
        yield from self.until_sent()
        while True:
            yield from self._chores()
            if not board.queue:
                yield self._idle_wait(math.inf)
                continue
            yield from self._execute(board.queue[0])
            board.queue.popleft()

    def until_sent(self) -> Work:
        """Wait until the UART is empty: printing blocks, nothing is read meanwhile."""
        if self.board.to_host.free_s > self.board.now_s:
            yield Wait(self.board.to_host.free_s, is_idle=False)

    def idle(self, is_ready: Callable[[], bool] | None = None, until_s: float = math.inf) -> Work:
        """Block as a command does: until `is_ready` or `until_s`, reading, reporting and saying busy meanwhile."""
        while True:
            yield from self._chores()
            if (is_ready is not None and is_ready()) or self.board.now_s >= until_s:
                return
            yield self._idle_wait(until_s)

    def synchronize(self) -> Work:
        """Block until every move is done."""
        yield from self.idle(lambda: not self.board.planner.planned)

    def halt(self, reason: str) -> Work:
        """Kill the firmware from within a command."""
        self.board.kill(reason)
        yield Wait(math.inf, is_idle=False)

    def quick_stop(self) -> Work:
        """Empty the planner, stop within 24 steps, and take the position from the counters 1.0 to 1.5 s later."""
        board = self.board
        board.planner.stop_within(board.chance.randint(0, board.settings.quick_stop_max_steps), board.now_s)
        wait_s = board.chance.uniform(board.settings.quick_stop_min_s, board.settings.quick_stop_max_s)
        was_moving = board.planner.is_running
        yield from self.idle(until_s=board.now_s + wait_s)
        if was_moving and board.dice.fires("position-lost-on-quick-stop"):
            draw = board.dice.of("position-lost-on-quick-stop")
            for axis in range(len(AXES)):
                if board.is_enabled[axis]:
                    board.planner.slip(
                        axis, draw.choice((-1, 1)) * draw.randint(1, board.settings.quick_stop_max_steps)
                    )
        board.motion.read_from(board.planner.counts_at(board.now_s))

    def pause(self) -> None:
        """Say `paused for user` instead of `processing` until the command ends."""
        self.busy = PAUSED

    def _deadline_s(self) -> float:
        board = self.board
        deadline_s = math.inf
        if board.report_interval_s:
            deadline_s = board.next_report_s
        if self.busy and board.busy_interval_s:
            deadline_s = min(deadline_s, self._next_busy_s)
        return min(deadline_s, self._release_s())

    def _release_s(self) -> float:
        """When the drivers are switched off for want of motion, without a word."""
        board = self.board
        if not board.idle_release_s or not any(board.is_enabled) or board.planner.planned:
            return math.inf
        return board.planner.last_motion_s + board.idle_release_s

    def _idle_wait(self, until_s: float) -> Wait:
        return Wait(min(until_s, self._deadline_s()), is_idle=True)

    def _chores(self) -> Work:
        board = self.board
        if board.is_quick_stop_asked:
            board.is_quick_stop_asked = False
            yield from self.quick_stop()
        yield from self._read()
        if board.now_s < self._deadline_s():
            return
        if self.busy and board.busy_interval_s and board.now_s >= self._next_busy_s:
            board.say(f"echo:busy: {self.busy}")
            self._next_busy_s = board.now_s + board.busy_interval_s
        if board.report_interval_s and board.now_s >= board.next_report_s:
            board.say_position()
            board.next_report_s += board.report_interval_s
        if board.now_s >= self._release_s():
            board.is_enabled = [False] * len(AXES)

    def _read(self) -> Work:
        board = self.board
        while len(board.queue) < board.settings.command_queue_lines:
            line = board.reader.next_line(board.ring)
            if line is None:
                return
            checked = board.numbers.check(line)
            verdict = checked.verdict
            if checked.number is not None and verdict is Verdict.ACCEPTED:
                verdict = self._faulty_verdict(checked.number)
            if verdict is Verdict.SWALLOWED:
                board.counters.duplicates_swallowed += 1
            elif verdict is Verdict.ACCEPTED:
                if checked.number is None and not board.has_emergency_parser and line.startswith("M108"):
                    board.is_waiting_for_user = False
                board.queue.append(QueuedLine(line, checked.number))
            else:
                yield from self._refuse(verdict)

    def _faulty_verdict(self, number: int) -> Verdict:
        """Return what two faults make of an accepted numbered line."""
        board = self.board
        if board.lost_again == number:
            board.lost_again = None
            board.numbers.last = number - 1
            return Verdict.SWALLOWED
        if board.refused_for_ever is None and board.dice.fires("resend-forever"):
            board.refused_for_ever = number
        if board.refused_for_ever == number:
            board.numbers.last = number - 1
            return Verdict.BAD_CHECKSUM
        return Verdict.ACCEPTED

    def _refuse(self, verdict: Verdict) -> Work:
        """Say the error, flush what has come by then, even in mid-line, and ask for the line after the last one."""
        board = self.board
        if verdict is Verdict.BAD_NUMBER:
            board.counters.number_errors += 1
        else:
            board.counters.checksum_errors += 1
        board.say(f"Error:{ERROR_TEXT[verdict]}{board.numbers.last}")
        yield from self.until_sent()
        yield from self.ask_resend()

    def ask_resend(self) -> Work:
        """Flush the receive buffer and ask for the line after the last one that was taken."""
        board = self.board
        board.counters.bytes_flushed += len(board.ring)
        board.ring.clear()
        board.counters.resends_asked += 1
        if board.dice.fires("resend-lost-again"):
            board.lost_again = board.numbers.last + 1
        self.acknowledger.ask_resend(board.numbers.last + 1)
        yield from self.until_sent()

    def _execute(self, queued: QueuedLine) -> Work:
        board = self.board
        command = parse(queued.line)
        self._note(queued, command.text)
        self.busy = PROCESSING
        self._next_busy_s = board.now_s + board.busy_interval_s
        self.has_answered = False
        is_instant = board.dice.fires("ok-instant")
        if not is_instant:
            # The main loop looks at the receive buffer once meanwhile: so a burst is overrun where a real board's is.
            half_s = max(0.0, board.settings.work_per_line_s - _OK_BYTES * board.settings.byte_s) / 2.0
            yield Wait(board.now_s + half_s, is_idle=False)
            yield from self._read()
            yield Wait(board.now_s + half_s, is_idle=False)
        yield from self._misbehave(command.name)
        handler = HANDLERS.get(command.name)
        if handler is None:
            board.say(f'echo:Unknown command: "{command.text}"')
        else:
            work = handler(self, command)
            if work is not None:
                yield from work
        if not self.has_answered:
            self.acknowledger.say_ok(queued, is_instant=is_instant)
        self.busy = ""
        yield from self.until_sent()

    def _note(self, queued: QueuedLine, text: str) -> None:
        board, counters = self.board, self.board.counters
        counters.lines_executed += 1
        if queued.number is None:
            counters.unnumbered_lines_executed += 1
        if not board.keeps_executed:
            return
        if queued.number is not None:
            key = (queued.number, text)
            counters.repeated_lines_executed += key in board.seen_lines
            board.seen_lines.add(key)
        board.executed.append(Executed(text, queued.number, board.now_s, board.resets))

    def _misbehave(self, name: str) -> Work:
        """Draw for the faults that strike when a line is executed."""
        board, dice = self.board, self.board.dice
        if dice.fires("reset-in-midstream"):
            board.is_reset_asked = True
            yield Wait(math.inf, is_idle=False)
        if dice.fires("halt"):
            yield from self.halt("Error:MINTEMP triggered, system stopped! Heater_ID: 0")
        if dice.fires("silent-trip"):
            board.trip()
            yield Wait(math.inf, is_idle=False)
        if dice.fires("busy-block"):
            yield from self.idle(until_s=board.now_s + _LONG_BLOCK_S)
        if name not in _MOTION_COMMANDS and dice.fires("ok-behind-moves"):
            yield from self.synchronize()
