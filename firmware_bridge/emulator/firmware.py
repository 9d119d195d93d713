"""The emulated firmware: a Marlin that lives in virtual time, without threads, sockets or clocks.

The caller says what time it is. Between two calls everything happens that would have happened on the board, in order:
bytes arrive one by one, lines are executed, motors step, answers leave. The same calls give the same run, and it does
not matter in how many steps time is advanced.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from firmware_bridge.emulator import replies
from firmware_bridge.emulator.board import Board
from firmware_bridge.emulator.dice import FaultDice
from firmware_bridge.emulator.faults import FaultPlan
from firmware_bridge.emulator.noise import noise_to_board
from firmware_bridge.emulator.processor import Processor, Wait, Work
from firmware_bridge.emulator.settings import AXES, BoardSettings
from firmware_bridge.emulator.surroundings import Follower
from firmware_bridge.emulator.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firmware_bridge.emulator.surroundings import Surroundings
    from firmware_bridge.emulator.truth import Executed, Truth

_LINE_ENDS = (b"\n", b"\r")
_LONGEST_DROP_BYTES = 8
_READ_BYTES = 64


class Firmware:
    """A board with its firmware. All times are seconds of the board's own clock, which starts at 0 with power-up.

    Nobody hears the banner of that power-up: the port is closed. `open_port` resets the board (DTR), and the answer to
    that is what a host sees first. Time never runs backwards: an earlier `now_s` is taken for the present.
    `surroundings` follow the board and press its switches. `on_fault` is called with the name of each fault of the menu
    that happens.
    """

    def __init__(
        self,
        settings: BoardSettings | None = None,
        faults: FaultPlan | None = None,
        seed: int = 0,
        surroundings: Surroundings | None = None,
        on_fault: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings or BoardSettings()
        self.dice = FaultDice(faults or FaultPlan(), seed, on_fault)
        self._board = Board(self.settings, self.dice, seed)
        self._follower = Follower(self._board, surroundings) if surroundings is not None else None
        self._inbound = Wire(self.settings.byte_s)
        self._noise = noise_to_board(self.dice)
        self._dropping_bytes = 0
        self._unheard = bytearray()
        self._is_keeping_stale = False
        self._wait = Wait(0.0, is_idle=False)
        self._work: Work | None = None
        self._boot()

    @property
    def now_s(self) -> float:
        """The time of the last call."""
        return self._board.now_s

    @property
    def executed(self) -> Sequence[Executed]:
        """Every line that was begun since power-up, or since `clear_executed`; it survives resets."""
        return self._board.executed

    def forget_executed(self) -> None:
        """Keep no list of executed lines from now on, nor count those that come twice: for a board that runs long."""
        self._board.keeps_executed = False
        self._board.seen_lines.clear()
        self.clear_executed()

    def clear_executed(self) -> None:
        """Forget which lines were executed."""
        self._board.executed.clear()

    @property
    def wire_backlog_bytes(self) -> int:
        """Bytes that the host has written and that have not arrived at the board yet."""
        return self._inbound.backlog_bytes

    def open_port(self, now_s: float) -> None:
        """Open the port: DTR resets the board, unless it is one that does not care."""
        self.advance(now_s)
        self._board.to_host.clear(self._board.now_s)
        self._board.is_port_open = True
        if self.settings.resets_on_open:
            self._reset()

    def close_port(self, now_s: float) -> None:
        """Close the port: what the board says now is lost. It goes on with what it has."""
        self.advance(now_s)
        self._board.is_port_open = False
        self._board.to_host.clear(self._board.now_s)

    def reset(self, now_s: float) -> None:
        """Press the reset button."""
        self.advance(now_s)
        self._reset()

    def host_bytes(self, data: bytes, now_s: float) -> None:
        """Put what the host writes at `now_s` on the wire."""
        self.advance(now_s)
        data = self._noise.disturb(data)
        is_instant = self.dice.fires("ok-instant")
        self._inbound.put(data, self._board.now_s, byte_s=0.0 if is_instant else None)
        if is_instant:
            self.advance(self._board.now_s)

    def take_output(self) -> bytes:
        """Return what has crossed the wire to the host by the time of the last call, and was not returned before."""
        return self._board.to_host.take(self._board.now_s)

    def take_output_lines(self) -> bytes:
        """Return the same in whole lines, as a USB adapter passes bytes on; what trickles in still comes in bytes."""
        return self._board.to_host.take_whole(self._board.now_s)

    def next_event_s(self) -> float | None:
        """When `advance` has something to do next, or a line of output is due; None: not before the host writes."""
        times = [self._internal_s(), self._board.to_host.next_stop_s()]
        if self._follower is not None:
            times.append(self._follower.next_s())
        return min((time_s for time_s in times if time_s is not None), default=None)

    def advance(self, now_s: float) -> None:
        """Let everything happen that happens up to and including `now_s`."""
        board = self._board
        while True:
            event_s = self._internal_s()
            if self._have_surroundings_changed(now_s if event_s is None else min(event_s, now_s)):
                continue  # a switch has changed before that: the firmware may do something sooner
            if event_s is None or event_s > now_s:
                break
            board.now_s = max(board.now_s, event_s)
            self._handle_events()
        self._deliver(now_s)
        board.now_s = max(board.now_s, now_s)

    def truth(self, now_s: float) -> Truth:
        """Return what is true at `now_s`, whatever has been said about it."""
        self.advance(now_s)
        return self._board.truth()

    def set_endstop(self, name: str, triggered: bool | None, now_s: float) -> None:
        """Hold a switch pressed or released; None lets it follow its axis again. ValueError: no such switch."""
        self.advance(now_s)
        self._board.endstops.set(name, triggered)
        self._wake()
        self.advance(now_s)

    def set_input_pin(self, pin: int, level: bool, now_s: float) -> None:
        """Set the level at an input pin, for M226."""
        self.advance(now_s)
        self._board.outputs.inputs[pin] = level
        self._wake()
        self.advance(now_s)

    def inject(self, fault: str, times: int = 1) -> None:
        """Let the next `times` opportunities of a fault happen, whatever its rate. UnknownFaultError: no such fault."""
        self.dice.force(fault, times)

    def arm(self, fault: str) -> None:
        """See ``Inside``. UnknownFaultError: no such fault."""
        if not self.dice.is_armed(fault):
            self.dice.force(fault, 1)

    def lose_steps(self, letter: str, steps: int, on_lost: Callable[[int], None]) -> None:
        """See ``Inside``. ValueError: no such motor."""
        self._board.planner.lose(AXES.index(letter), steps, on_lost)

    def slip(self, letter: str, steps: int) -> None:
        """See ``Inside``. ValueError: no such motor."""
        self._board.planner.slip(AXES.index(letter), steps)

    def cut_power(self, *, is_cut: bool) -> None:
        """See ``Inside``."""
        self._board.planner.cut_power(is_cut, self._board.now_s)

    def _have_surroundings_changed(self, until_s: float) -> bool:
        """Take the surroundings along to `until_s`, or to where they change a switch; return whether they did."""
        if self._follower is None or not self._follower.follow(until_s):
            return False
        self._wake()
        return True

    def _internal_s(self) -> float | None:
        board = self._board
        times = [self._inbound.next_stop_s(), board.planner.next_event_s(), board.freezes_s]
        if self._work is not None and self._wait.until_s < math.inf:
            times.append(self._wait.until_s)
        return min((time_s for time_s in times if time_s is not None), default=None)

    def _handle_events(self) -> None:
        board = self._board
        self._deliver(board.now_s)
        motion_s = board.planner.next_event_s()
        if board.freezes_s is not None and board.freezes_s <= board.now_s:
            board.freeze()
        elif motion_s is not None and motion_s <= board.now_s:
            board.planner.handle_event()
            self._wake_if_asked()
        elif self._work is not None and self._wait.until_s <= board.now_s:
            self._resume()

    def _resume(self) -> None:
        board = self._board
        board.is_awake = False
        if self._work is not None:
            self._wait = next(self._work)
        if not board.is_booting:
            self._is_keeping_stale = False
        if board.is_halted or board.is_tripped:
            self._work = None
        if board.is_reset_asked:
            self._reset()

    def _wake(self) -> None:
        if self._wait.is_idle:
            self._wait = Wait(self._board.now_s, is_idle=True)

    def _wake_if_asked(self) -> None:
        if self._board.is_awake:
            self._board.is_awake = False
            self._wake()

    def _boot(self) -> None:
        self._work = Processor(self._board).run()
        self._resume()

    def _reset(self) -> None:
        board = self._board
        self._is_keeping_stale = self.dice.fires("stale-lines")
        stale = self._unheard + self._inbound.clear(board.now_s)
        board.to_host.clear(board.now_s)
        board.start_over()
        board.resets += 1
        self._unheard = bytearray()
        if self._is_keeping_stale:
            board.ring.put(bytes(stale))
        self._boot()

    def _deliver(self, now_s: float) -> None:
        """Hand over the bytes that have arrived, line by line: each line's end can change what becomes of the next."""
        while part := self._inbound.take_line_part(now_s):
            self._receive(part)

    def _receive(self, part: bytes) -> None:
        board = self._board
        if self.dice.is_possible("rx-drop") or self._dropping_bytes:
            part = self._dropped(part)
        if board.is_deaf:
            if self._is_keeping_stale:
                board.ring.put(part)
                return
            self._unheard += part[: self.settings.rx_ring_bytes - len(self._unheard)]
            board.counters.bytes_dropped += len(part)
            return
        emergency = board.emergency.feed(part) if board.has_emergency_parser else None
        if self._is_reading() and self._wait.until_s > board.now_s:
            # Nothing stays in the ring: only a line's end can stop the reader.
            for start in range(0, len(part) - 1, _READ_BYTES):
                board.ring.put(part[start : min(start + _READ_BYTES, len(part) - 1)])
                board.reader.next_line(board.ring)
            part = part[-1:]
        board.counters.bytes_dropped += board.ring.put(part)
        if emergency is not None:
            self._handle_emergency(emergency)
        if part.endswith(_LINE_ENDS):
            if self._is_reading():
                self._wake()
        elif self._is_reading() and self._wait.until_s > board.now_s:
            board.reader.next_line(board.ring)

    def _is_reading(self) -> bool:
        return self._wait.is_idle and len(self._board.queue) < self.settings.command_queue_lines

    def _handle_emergency(self, code: int) -> None:
        board = self._board
        if code == 112:
            board.kill(replies.M112_KILL)
            self._work = None
        elif code == 410:
            board.is_quick_stop_asked = True
            self._wake()
        else:
            board.is_waiting_for_user = False
            self._wake()

    def _dropped(self, part: bytes) -> bytes:
        left = bytearray()
        for byte in part:
            if not self._dropping_bytes and self.dice.fires("rx-drop"):
                self._dropping_bytes = self.dice.of("rx-drop").randint(1, _LONGEST_DROP_BYTES)
            if self._dropping_bytes:
                self._dropping_bytes -= 1
            else:
                left.append(byte)
        self._board.counters.bytes_dropped += len(part) - len(left)
        return bytes(left)
