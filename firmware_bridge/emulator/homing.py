"""G28: search each named axis' minimum switch, back off, approach it slowly, and call that place 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_bridge.emulator import replies
from firmware_bridge.emulator.settings import AXES

if TYPE_CHECKING:
    from collections.abc import Generator

    from firmware_bridge.emulator.processor import Processor, Wait, Work
    from firmware_bridge.emulator.words import Command

_SEARCH_LENGTHS = 1.5
_BACK_TO_SWITCH = 2.0
_SLOW_HOMING_S = 30.0


def home(cpu: Processor, command: Command) -> Work:
    """Home the axes that are named, or all three. An axis whose switch does not come kills the firmware."""
    board = cpu.board
    named = [axis for axis in range(3) if command.has(AXES[axis])] or [0, 1, 2]
    yield from cpu.synchronize()
    if board.dice.fires("homing-slow"):
        yield from cpu.idle(until_s=board.now_s + _SLOW_HOMING_S)
    for axis in named:
        yield from _home_axis(cpu, axis)
    board.say_position()


def _home_axis(cpu: Processor, axis: int) -> Work:
    board = cpu.board
    settings = board.settings.axes[axis]
    found = yield from _search(cpu, axis, settings.length_units * _SEARCH_LENGTHS, settings.homing_speed_units_per_s)
    if found and settings.homing_bump_units > 0.0:
        yield from _travel(cpu, axis, settings.homing_bump_units, settings.homing_speed_units_per_s)
        slow = settings.homing_speed_units_per_s / settings.homing_bump_divisor
        found = yield from _search(cpu, axis, settings.homing_bump_units * _BACK_TO_SWITCH, slow)
    if not found:
        yield from cpu.halt(replies.HOMING_KILL)
    board.motion.set_home(axis, board.planner, board.now_s)


def _search(cpu: Processor, axis: int, units: float, speed: float) -> Generator[Wait, None, bool]:
    """Move down until the switch is pressed, at most `units`; return whether it was."""
    board = cpu.board
    name = f"{AXES[axis].lower()}_min"

    def is_pressed() -> bool:
        return board.endstops.is_triggered(name, board.planner.motors_at(board.now_s))

    left = round(units * board.motion.steps_per_unit[axis])
    while left > 0 and not is_pressed():
        way = board.endstops.steps_to_home(axis, board.planner.motors_at(board.now_s))
        steps = left if way is None else min(way, left)
        _start(cpu, axis, -steps, speed, runs_into=way == steps)
        yield from cpu.idle(lambda: not board.planner.planned or is_pressed())
        board.planner.stop(board.now_s)
        left -= steps  # a motor that was without power meanwhile is not there yet
    return is_pressed()


def _travel(cpu: Processor, axis: int, units: float, speed: float) -> Work:
    _start(cpu, axis, round(units * cpu.board.motion.steps_per_unit[axis]), speed, runs_into=False)
    yield from cpu.synchronize()


def _start(cpu: Processor, axis: int, steps: int, speed: float, *, runs_into: bool) -> None:
    """Queue a move of one axis; one that runs into its switch does not slow down before it."""
    board = cpu.board
    x, y, z = (steps if other == axis else 0 for other in range(3))
    block = board.motion.block((x, y, z, 0), speed)
    if runs_into:
        block.final_speed = block.nominal_speed
    block.stretch = board.move_stretch()
    board.is_enabled[axis] = True
    board.planner.add(block, board.now_s)
