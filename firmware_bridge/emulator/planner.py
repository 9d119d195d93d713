"""The planner and the steppers below it: a queue of moves, run one after the other, and where the motors are.

Speeds at junctions are planned as Marlin does it with junction deviation: a straight run of short moves does not stop
between them, a corner slows down, a reversal stops. Left out: Marlin's SLOWDOWN of a nearly empty queue and its lowest
step rate; both would change a move's duration by a few milliseconds at most.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.emulator.profile import Trapezoid

if TYPE_CHECKING:
    from collections.abc import Callable

Steps = tuple[int, int, int, int]
_ORIGIN: Steps = (0, 0, 0, 0)
_MOVES_THAT_START_AT_ONCE = 3


@dataclass(slots=True)
class Block:
    """One planned move. `steps` are signed, per motor X, Y, Z, E; lengths are units along the path.

    `counts` marks no move but a change of the position counters, which takes effect in its turn. `may_lose`: a motor
    may lose steps in it, as one does that stalls; searching a switch goes on until the switch is there.
    """

    steps: Steps = _ORIGIN
    length: float = 0.0
    direction: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    nominal_speed: float = 0.0
    acceleration: float = 1.0
    junction_speed: float = 0.0
    final_speed: float = 0.0
    stretch: float = 1.0
    counts: tuple[int | None, ...] | None = None
    entry_speed: float = 0.0
    may_lose: bool = False


@dataclass(slots=True)
class _Running:
    """The move that the motors are in; it ends early where it was told to. At its end they are `lost` steps short."""

    block: Block
    profile: Trapezoid
    started_s: float
    ends_s: float
    lost: Steps = _ORIGIN

    def fraction_at(self, now_s: float) -> float:
        """How much of the move is done, 0 to 1."""
        if not self.block.length:
            return 1.0
        return self.profile.distance_at((now_s - self.started_s) / self.block.stretch) / self.block.length

    def steps_at(self, now_s: float) -> list[int]:
        """Whole steps sent so far, per motor."""
        return _share_of(self.block.steps, self.fraction_at(now_s))

    def made_at(self, now_s: float) -> list[int]:
        """Whole steps made so far, per motor: those sent but for those lost."""
        sent = self.steps_at(now_s)
        if self.lost == _ORIGIN:
            return sent
        return [n - short for n, short in zip(sent, _share_of(self.lost, self.fraction_at(now_s)), strict=True)]


def _share_of(steps: Steps, share: float) -> list[int]:
    return [int(n * share + 0.5) if n >= 0 else -int(-n * share + 0.5) for n in steps]


class Planner:
    """Holds up to `usable_blocks` moves, the running one included. Times are seconds, motors are in steps."""

    def __init__(self, usable_blocks: int, first_move_delay_s: float, on_done: Callable[[], None]) -> None:
        self._usable = usable_blocks
        self._delay_s = first_move_delay_s
        self._on_done = on_done
        self._waiting: deque[Block] = deque()
        self._running: _Running | None = None
        self._starts_s = 0.0
        self._handover_speed = 0.0
        self._motors = [0, 0, 0, 0]
        self._zero = [0, 0, 0, 0]
        self._losses: dict[int, tuple[int, Callable[[int], None]]] = {}
        self._made_with_power: list[int] | None = None  # of the running move; None: the motors have power
        self.last_motion_s = 0.0

    @property
    def planned(self) -> int:
        """Blocks in the queue, the running one included."""
        return len(self._waiting) + (self._running is not None)

    @property
    def free(self) -> int:
        """Blocks that still fit: P of `ok P15 B3`."""
        return self._usable - self.planned

    @property
    def is_running(self) -> bool:
        """Whether a motor is being stepped."""
        return self._running is not None

    @property
    def last_block(self) -> Block | None:
        """The newest move that is not done: the one that the next is joined to."""
        if self._waiting:
            return self._waiting[-1]
        return self._running.block if self._running else None

    def add(self, block: Block, now_s: float) -> None:
        """Queue `block`. The first of an idle planner waits 0.1 s for company, or until three are there."""
        if not self.planned:
            self._starts_s = now_s + self._delay_s
        self._waiting.append(block)
        if self._running is None and len(self._waiting) >= _MOVES_THAT_START_AT_ONCE:
            self._starts_s = min(self._starts_s, now_s)
        self._replan()

    def _replan(self) -> None:
        leave = self._waiting[-1].final_speed
        for block in reversed(self._waiting):
            reachable = math.sqrt(leave * leave + 2.0 * block.acceleration * block.length)
            block.entry_speed = leave = min(block.junction_speed, reachable)
        speed = self._handover_speed
        for block in self._waiting:
            block.entry_speed = speed = min(block.entry_speed, speed) if block is not self._waiting[0] else speed
            speed = math.sqrt(speed * speed + 2.0 * block.acceleration * block.length)

    def next_event_s(self) -> float | None:
        """When a move starts or ends next."""
        if self._running:
            return self._running.ends_s
        return self._starts_s if self._waiting else None

    def handle_event(self) -> None:
        """Do what `next_event_s` announced."""
        if self._running:
            self._finish(self._running.ends_s)
            return
        block = self._waiting.popleft()
        leave = self._waiting[0].entry_speed if self._waiting else block.final_speed
        leave = min(leave, math.sqrt(block.entry_speed * block.entry_speed + 2.0 * block.acceleration * block.length))
        profile = Trapezoid.fitted(block.length, block.entry_speed, block.nominal_speed, leave, block.acceleration)
        self._handover_speed = leave if self._waiting else 0.0
        duration_s = profile.duration_s * block.stretch if block.length else 0.0
        lost = self._losses_of(block) if self._losses and block.may_lose else _ORIGIN
        self._running = _Running(block, profile, self._starts_s, self._starts_s + duration_s, lost)

    def _finish(self, now_s: float) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        sent, made = running.steps_at(now_s), running.made_at(now_s)
        if self._made_with_power is not None:
            made, self._made_with_power = self._made_with_power, [0, 0, 0, 0]
        self._motors = [motor + n for motor, n in zip(self._motors, made, strict=True)]
        self._zero = [zero - (n - true) for zero, n, true in zip(self._zero, sent, made, strict=True)]
        if running.block.counts:
            self._set_counts(running.block.counts)
        self._starts_s = self.last_motion_s = now_s
        self._on_done()

    def stop(self, now_s: float) -> None:
        """Forget every move; the motors stand where they are at `now_s`."""
        self._waiting.clear()
        self._handover_speed = 0.0
        self._finish(now_s)

    def stop_within(self, steps: int, now_s: float) -> None:
        """Forget every move, but let the running one make up to `steps` more steps of its fastest motor."""
        self._waiting.clear()
        self._handover_speed = 0.0
        running = self._running
        total = max(map(abs, running.block.steps)) if running else 0
        if running and total:
            fraction = min(1.0, running.fraction_at(now_s) + steps / total)
            elapsed_s = running.profile.time_at(fraction * running.block.length) * running.block.stretch
            running.ends_s = max(now_s, min(running.ends_s, running.started_s + elapsed_s))

    def motors_at(self, now_s: float) -> Steps:
        """Return the true position of every motor, in steps from where it stood when the emulator was made."""
        made = self._made_with_power
        if made is None:
            made = self._running.made_at(now_s) if self._running else [0, 0, 0, 0]
        x, y, z, e = (motor + n for motor, n in zip(self._motors, made, strict=True))
        return (x, y, z, e)

    def counts_at(self, now_s: float) -> Steps:
        """Return what the firmware believes: the `Count` of M114."""
        sent = self._running.steps_at(now_s) if self._running else _ORIGIN
        x, y, z, e = (motor + n - zero for motor, n, zero in zip(self._motors, sent, self._zero, strict=True))
        return (x, y, z, e)

    def set_counts(self, counts: tuple[int | None, ...], now_s: float) -> None:
        """Change the position counters (None: not this one), behind the moves that are queued."""
        if self.planned:
            self.add(Block(counts=counts), now_s)
        else:
            self._set_counts(counts)

    def _set_counts(self, counts: tuple[int | None, ...]) -> None:
        for axis, count in enumerate(counts):
            if count is not None:
                self._zero[axis] = self._motors[axis] - count

    def slip(self, axis: int, steps: int) -> None:
        """Move a motor by hand: its true position changes, the count does not."""
        self._motors[axis] += steps
        self._zero[axis] += steps

    def lose(self, axis: int, steps: int, on_lost: Callable[[int], None]) -> None:
        """Let a motor lose up to `steps` steps in its next move that is no search for a switch.

        `on_lost` is called as that move begins, with how many it will be short of at its end, signed as the move is.
        """
        self._losses[axis] = (steps, on_lost)

    def _losses_of(self, block: Block) -> Steps:
        lost = [0, 0, 0, 0]
        for axis in [axis for axis in self._losses if block.steps[axis]]:
            steps, on_lost = self._losses.pop(axis)
            lost[axis] = min(steps, abs(block.steps[axis])) * (1 if block.steps[axis] > 0 else -1)
            on_lost(lost[axis])
        return (lost[0], lost[1], lost[2], lost[3])

    def cut_power(self, is_cut: bool, now_s: float) -> None:
        """Take the motors' supply away: the count goes on, the motors stand. Or give it back: they go on from there."""
        if is_cut is (self._made_with_power is not None):
            return
        made = self._running.made_at(now_s) if self._running else [0, 0, 0, 0]
        if is_cut:
            self._made_with_power = made
            return
        stood, self._made_with_power = self._made_with_power or made, None
        for axis, (n, true) in enumerate(zip(made, stood, strict=True)):
            self.slip(axis, true - n)
