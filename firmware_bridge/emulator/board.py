"""The board's parts and its state: what the processor and the commands work on."""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.emulator import replies
from firmware_bridge.emulator.motion import Motion
from firmware_bridge.emulator.noise import noise_to_host
from firmware_bridge.emulator.numbering import LineNumbers
from firmware_bridge.emulator.outputs import Endstops, Outputs
from firmware_bridge.emulator.planner import Planner
from firmware_bridge.emulator.receive import EmergencyParser, LineReader, RxRing
from firmware_bridge.emulator.settings import AXES
from firmware_bridge.emulator.surroundings import STRAIGHT_S, Outward
from firmware_bridge.emulator.truth import AxisTruth, Counters, Executed, Truth
from firmware_bridge.emulator.wire import Wire

if TYPE_CHECKING:
    from firmware_bridge.emulator.dice import FaultDice
    from firmware_bridge.emulator.settings import BoardSettings

_TRICKLE_BYTE_S = 0.001
_LONGEST_DELAY_S = 0.05
_SLOW_MOVE_STRETCH = 4.0


@dataclass(frozen=True)
class QueuedLine:
    """A line in the command queue: as it was read, and its number."""

    line: str
    number: int | None


class Board:
    """State only; time is `now_s`, the board's own clock in seconds, set by the firmware that owns it."""

    def __init__(self, settings: BoardSettings, dice: FaultDice, seed: int) -> None:
        self.settings = settings
        self.dice = dice
        self.chance = random.Random(f"{seed}:board")  # noqa: S311 - repeatable, not secret
        self.now_s = 0.0
        self.to_host = Wire(settings.byte_s)
        self._noise = noise_to_host(dice)
        self.endstops = Endstops(settings)
        self.outputs = Outputs(settings)
        self.planner = Planner(settings.usable_blocks, settings.first_move_delay_s, self.wake)
        self.executed: list[Executed] = []
        self.keeps_executed = True
        self.is_port_open = False
        self.resets = 0
        self.is_awake = False
        self.start_over()

    def start_over(self) -> None:
        """Forget what a reset forgets. What the motors have really done, and what was executed, stays."""
        settings = self.settings
        self.planner.stop(self.now_s)
        self.planner.set_counts((0, 0, 0, 0), self.now_s)
        self.planner.last_motion_s = self.now_s
        self.motion = Motion(settings)
        self.outputs.reset(self.now_s)
        self.ring = RxRing(settings.rx_ring_bytes)
        self.reader = LineReader(settings.max_line_bytes)
        self.emergency = EmergencyParser()
        self.has_emergency_parser = settings.emergency_parser and not self.dice.fires("no-emergency-parser")
        self.numbers = LineNumbers(settings.flavour)
        self.queue: deque[QueuedLine] = deque()
        self.is_enabled = [False] * len(AXES)
        self.counters = Counters()
        self.idle_release_s = settings.idle_release_s
        self.busy_interval_s = settings.busy_interval_s
        self.report_interval_s = 0.0
        self.next_report_s = 0.0
        self.is_waiting_for_user = False
        self.is_quick_stop_asked = False
        self.is_reset_asked = False
        self.is_booting = True
        self.is_halted = False
        self.is_tripped = False
        self.freezes_s: float | None = None
        self.refused_for_ever: int | None = None
        self.lost_again: int | None = None
        self.seen_lines: set[tuple[int, str]] = set()

    @property
    def is_deaf(self) -> bool:
        """Whether received bytes go nowhere."""
        return self.is_booting or self.is_halted or self.is_tripped

    def wake(self) -> None:
        """Let a processor that waits in idle look around."""
        self.is_awake = True

    def say(self, *lines: str) -> None:
        """Send each line to the host."""
        for line in lines:
            self.say_raw(f"{line}\n")

    def say_raw(self, text: str, *, is_instant: bool = False) -> None:
        """Send `text` (Latin-1) as it is; the faults of the way to the host apply to it as to one line."""
        data = self._noise.disturb(text.encode("latin-1"))
        is_trickling = self.dice.fires("one-byte-at-a-time")
        late_s = self.dice.of("delay").uniform(0.0, _LONGEST_DELAY_S) if self.dice.fires("delay") else 0.0
        if not self.is_port_open:
            return
        if is_trickling:
            for place in range(len(data)):
                self.to_host.put(data[place : place + 1], self.now_s, _TRICKLE_BYTE_S)
        else:
            self.to_host.put(data, self.now_s, 0.0 if is_instant else None, late_s)

    def say_late(self, text: str, late_s: float) -> None:
        """Send `text`, which reaches the host, with all that follows, `late_s` later than it should."""
        if self.is_port_open:
            self.to_host.put(self._noise.disturb(text.encode("latin-1")), self.now_s, late_s=late_s)

    def say_position(self) -> None:
        """Say where the planned end is, and the counters of this instant."""
        self.say(self.motion.report(self.planner.counts_at(self.now_s)))

    def kill(self, reason: str) -> None:
        """Halt: say why, be deaf from now on, and let the steppers run on until the interrupts are off (0.7 s)."""
        if self.is_halted:
            return
        self.say(reason, replies.KILLED)
        self.is_halted = True
        self.freezes_s = self.now_s + self.settings.kill_run_on_s

    def trip(self) -> None:
        """Stop everything without a word."""
        self.is_tripped = True
        self.freezes_s = self.now_s

    def freeze(self) -> None:
        """Stop the steppers where they are and switch their drivers off."""
        self.freezes_s = None
        self.planner.stop(self.now_s)
        self.is_enabled = [False] * len(AXES)

    def move_stretch(self) -> float:
        """Return how many times longer than planned the next move takes."""
        return _SLOW_MOVE_STRETCH if self.dice.fires("slow-moves") else 1.0

    def outward(self) -> Outward:
        """Return what is seen from outside at `now_s`."""
        now_s, servos = self.now_s, self.outputs.servos
        return Outward(
            now_s,
            self.planner.motors_at(now_s),
            tuple([servo.shaft_deg(now_s) for servo in servos]),
            tuple([servo.is_driven for servo in servos]),
            tuple(self.outputs.fans),
        )

    def straight_until_s(self) -> float:
        """Until when all that moves goes on in a straight line; infinity if nothing moves."""
        until_s = self.now_s + STRAIGHT_S if self.planner.is_running else math.inf
        for servo in self.outputs.servos:
            arrives_s = servo.arrives_s()
            if arrives_s is not None and self.now_s < arrives_s < until_s:
                until_s = arrives_s
        return until_s

    def truth(self) -> Truth:
        """Return the true state at `now_s`."""
        motors = self.planner.motors_at(self.now_s)
        homed = [*self.motion.homed, False]
        return Truth(
            time_s=self.now_s,
            axes={
                letter: AxisTruth(motors[axis], self.is_enabled[axis], homed[axis]) for axis, letter in enumerate(AXES)
            },
            is_moving=self.planner.is_running,
            planned_moves=self.planner.planned,
            servos=tuple(servo.truth(self.now_s) for servo in self.outputs.servos),
            pins=dict(self.outputs.pins),
            fans=tuple(self.outputs.fans),
            endstops=self.endstops.all(motors),
            is_port_open=self.is_port_open,
            is_booting=self.is_booting,
            is_halted=self.is_halted,
            is_tripped=self.is_tripped,
            resets=self.resets,
            last_line_number=self.numbers.last,
            counters=Counters(**vars(self.counters)),
        )
