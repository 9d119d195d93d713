"""Positions: from the numbers of a G1 to a planned block, with float32 coordinates as the firmware keeps them."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from firmware_bridge.emulator.planner import Block
from firmware_bridge.emulator.settings import AXES

if TYPE_CHECKING:
    from firmware_bridge.emulator.planner import Planner, Steps
    from firmware_bridge.emulator.settings import BoardSettings
    from firmware_bridge.emulator.words import Command

_FLOAT32 = struct.Struct("f")
_LARGEST = 3.0e38
_STRAIGHT, _REVERSAL = -0.999999, 0.999999
E = 3


def float32(value: float) -> float:
    """Round to the nearest float32: the only kind of float that an ATmega2560 has."""
    rounded: float = _FLOAT32.unpack(_FLOAT32.pack(max(-_LARGEST, min(_LARGEST, value))))[0]
    return rounded


class Motion:
    """What G-code sets and reads: positions, offsets, limits, speeds. Lengths are units (mm or deg)."""

    def __init__(self, settings: BoardSettings) -> None:
        self.settings = settings
        self.steps_per_unit = [float32(axis.steps_per_unit) for axis in settings.axes]
        self.max_speed = [axis.max_speed_units_per_s for axis in settings.axes]
        self.max_acceleration = [axis.max_acceleration_units_per_s2 for axis in settings.axes]
        self.print_acceleration = settings.print_acceleration_units_per_s2
        self.retract_acceleration = settings.retract_acceleration_units_per_s2
        self.travel_acceleration = settings.travel_acceleration_units_per_s2
        self.position = [0.0, 0.0, 0.0, 0.0]
        self.workspace_offset = [0.0, 0.0, 0.0, 0.0]
        self.planned_steps = [0, 0, 0, 0]
        self.speed = settings.default_speed_units_per_s
        self.speed_percent = 100
        self.is_relative = False
        self.is_extruder_relative = False
        self.unit_scale = 1.0
        self.has_soft_endstops = True
        self.homed = [False, False, False]

    def logical(self, axis: int) -> float:
        """Return the position that M114 says: the raw coordinate shifted by G92."""
        return float32(self.position[axis] + self.workspace_offset[axis])

    def target(self, command: Command) -> list[float]:
        """Return the raw coordinates that a G0 or G1 asks for, and take over its feedrate."""
        target = list(self.position)
        for axis, letter in enumerate(AXES):
            value = command.value(letter)
            if value is None:
                continue
            value = float32(value * self.unit_scale)
            if self.is_extruder_relative if axis == E else self.is_relative:
                target[axis] = float32(self.position[axis] + value)
            else:
                target[axis] = float32(value - self.workspace_offset[axis])
        feedrate = command.value("F")
        if feedrate is not None and feedrate > 0.0:
            self.speed = feedrate * self.unit_scale / 60.0
        return self._clamped(target)

    def _clamped(self, target: list[float]) -> list[float]:
        if self.has_soft_endstops:
            for axis, is_homed in enumerate(self.homed):
                if is_homed:
                    target[axis] = min(max(target[axis], 0.0), self.settings.axes[axis].length_units)
        return target

    def plan(
        self, target: list[float], previous: Block | None, speed: float | None = None
    ) -> tuple[Block | None, bool]:
        """Take `target` (raw coordinates) for the planned end.

        Returns the block, or None where nothing moves: a move of fewer than 6 steps is left to add up with later ones.
        The second value says that a long extrusion was prevented: the position is taken for reached all the same.
        """
        self.position = list(target)
        goal = [round_half_away(float32(p * s)) for p, s in zip(target, self.steps_per_unit, strict=True)]
        steps = [to - at for to, at in zip(goal, self.planned_steps, strict=True)]
        is_too_long = abs(steps[E]) > self.steps_per_unit[E] * self.settings.max_extrusion_units
        if is_too_long:
            self.planned_steps[E] = goal[E]
            steps[E] = 0
        if max(map(abs, steps)) < self.settings.min_steps_per_move:
            return None, is_too_long
        self.planned_steps = goal
        nominal = (self.speed * self.speed_percent / 100.0) if speed is None else speed
        return self.block((steps[0], steps[1], steps[2], steps[3]), nominal, previous), is_too_long

    def block(self, steps: Steps, speed: float, previous: Block | None = None) -> Block:
        """Return the block of these steps at `speed` (units/s along the path), joined to `previous`."""
        units = [n / s for n, s in zip(steps, self.steps_per_unit, strict=True)]
        length = math.hypot(*units[:E]) or abs(units[E])
        direction = tuple(u / length for u in units)
        for share, limit in zip(direction, self.max_speed, strict=True):
            if share:
                speed = min(speed, limit / abs(share))
        if not any(steps[:E]):
            acceleration = self.retract_acceleration
        else:
            acceleration = self.print_acceleration if steps[E] else self.travel_acceleration
        block = Block(steps, length, direction, max(speed, 0.05), self._limited(acceleration, direction))
        if previous is not None and previous.length:
            block.junction_speed = self._junction_speed(previous, block)
        return block

    def _limited(self, acceleration: float, direction: tuple[float, ...]) -> float:
        for share, limit in zip(direction, self.max_acceleration, strict=True):
            if share:
                acceleration = min(acceleration, limit / abs(share))
        return acceleration

    def _junction_speed(self, previous: Block, block: Block) -> float:
        cosine = -sum(a * b for a, b in zip(previous.direction, block.direction, strict=True))
        if cosine > _REVERSAL:
            return 0.0
        slowest = min(previous.nominal_speed, block.nominal_speed)
        if cosine < _STRAIGHT:
            return slowest
        bend = [b - a for a, b in zip(previous.direction, block.direction, strict=True)]
        size = math.hypot(*bend)
        acceleration = self._limited(block.acceleration, tuple(part / size for part in bend))
        sine = math.sqrt(0.5 * (1.0 - cosine))
        corner = math.sqrt(acceleration * self.settings.junction_deviation_units * sine / (1.0 - sine))
        return min(slowest, corner)

    def set_position(self, command: Command, planner: Planner, now_s: float) -> None:
        """G92: shift the workspace on X, Y, Z, whose raw coordinate stays; really set E."""
        everything = not any(command.has(letter) for letter in AXES)
        for axis, letter in enumerate(AXES):
            value = 0.0 if everything else command.value(letter)
            if value is None:
                continue
            value = float32(value * self.unit_scale)
            if axis == E:
                self.position[E] = value
                self.planned_steps[E] = round_half_away(value * self.steps_per_unit[E])
                planner.set_counts((None, None, None, self.planned_steps[E]), now_s)
            else:
                self.workspace_offset[axis] = float32(self.workspace_offset[axis] + value - self.logical(axis))

    def resync(self, planner: Planner, now_s: float) -> None:
        """Count anew from the planned position: after M92 a unit has another number of steps."""
        pairs = zip(self.position, self.steps_per_unit, strict=True)
        self.planned_steps = [round_half_away(position * steps) for position, steps in pairs]
        planner.set_counts(tuple(self.planned_steps), now_s)

    def read_from(self, counts: Steps) -> None:
        """Take the position from the counters, as Marlin does after a quick stop."""
        self.planned_steps = list(counts)
        self.position = [float32(n / s) for n, s in zip(counts, self.steps_per_unit, strict=True)]

    def set_home(self, axis: int, planner: Planner, now_s: float) -> None:
        """Call the present place of `axis` its home: raw coordinate 0, and no workspace shift."""
        self.position[axis] = 0.0
        self.workspace_offset[axis] = 0.0
        self.planned_steps[axis] = 0
        self.homed[axis] = True
        planner.set_counts(tuple(0 if other == axis else None for other in range(len(AXES))), now_s)

    def report(self, counts: Steps) -> str:
        """Return the position line of M114: the planned end, and the counters of this instant."""
        places = " ".join(f"{letter}:{self.logical(axis):.2f}" for axis, letter in enumerate(AXES))
        return f"{places} Count X:{counts[0]} Y:{counts[1]} Z:{counts[2]}"


def round_half_away(value: float) -> int:
    """Round as C's lround does: halves go away from zero."""
    return math.floor(abs(value) + 0.5) * (1 if value >= 0.0 else -1)
