"""Commands that move, and those that say how: moves, homing, positions, limits, speeds, drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_bridge.emulator import replies
from firmware_bridge.emulator.homing import home
from firmware_bridge.emulator.motion import float32
from firmware_bridge.emulator.settings import AXES

if TYPE_CHECKING:
    from firmware_bridge.emulator.handler import Handler
    from firmware_bridge.emulator.processor import Processor, Work
    from firmware_bridge.emulator.words import Command

_MM_PER_INCH = 25.4


def _move(cpu: Processor, command: Command) -> Work:
    board = cpu.board
    target = board.motion.target(command)
    if any(command.value(letter) is not None for letter in AXES):
        yield from cpu.idle(lambda: board.planner.free > 0)
        block, is_too_long = board.motion.plan(target, board.planner.last_block)
        if is_too_long:
            board.say("echo: too long extrusion prevented")
        if block is not None:
            block.stretch = board.move_stretch()
            block.may_lose = True
            board.is_enabled = [on or bool(n) for on, n in zip(board.is_enabled, block.steps, strict=True)]
            board.planner.add(block, board.now_s)


def _set_position(cpu: Processor, command: Command) -> Work:
    board = cpu.board
    yield from cpu.idle(lambda: board.planner.free > 0)
    board.motion.set_position(command, board.planner, board.now_s)
    board.say_position()


def _units(cpu: Processor, command: Command) -> None:
    cpu.board.motion.unit_scale = _MM_PER_INCH if command.name == "G20" else 1.0


def _relative(cpu: Processor, command: Command) -> None:
    motion = cpu.board.motion
    motion.is_relative = motion.is_extruder_relative = command.name == "G91"


def _extruder_relative(cpu: Processor, command: Command) -> None:
    cpu.board.motion.is_extruder_relative = command.name == "M83"


def _take_values(command: Command, values: list[float]) -> bool:
    """Put the positive values of X, Y, Z, E into `values`; return whether there was a letter at all."""
    for axis, letter in enumerate(AXES):
        value = command.value(letter)
        if value is not None and value > 0.0:
            values[axis] = float32(value)
    return any(command.has(letter) for letter in AXES)


def _steps_per_unit(cpu: Processor, command: Command) -> Work:
    board = cpu.board
    if not _take_values(command, board.motion.steps_per_unit):
        board.say(f"echo: M92 {replies.per_axis(board.motion.steps_per_unit)}")
        return
    yield from cpu.idle(lambda: board.planner.free > 0)
    board.motion.resync(board.planner, board.now_s)


def _max_speeds(cpu: Processor, command: Command) -> None:
    if not _take_values(command, cpu.board.motion.max_speed):
        cpu.board.say(f"echo:  M203 {replies.per_axis(cpu.board.motion.max_speed)}")


def _max_accelerations(cpu: Processor, command: Command) -> None:
    if not _take_values(command, cpu.board.motion.max_acceleration):
        cpu.board.say(f"echo:  M201 {replies.per_axis(cpu.board.motion.max_acceleration)}")


def _accelerations(cpu: Processor, command: Command) -> None:
    motion = cpu.board.motion
    values = {letter: command.value(letter) for letter in "SPRT"}
    if not any(command.has(letter) for letter in "SPRT"):
        cpu.board.say(
            f"echo:  M204 P{motion.print_acceleration:.2f} R{motion.retract_acceleration:.2f} "
            f"T{motion.travel_acceleration:.2f}"
        )
    both = values["S"] or 0.0
    motion.print_acceleration = max(both, values["P"] or 0.0) or motion.print_acceleration
    motion.travel_acceleration = max(both, values["T"] or 0.0) or motion.travel_acceleration
    motion.retract_acceleration = max(0.0, values["R"] or 0.0) or motion.retract_acceleration


def _soft_endstops(cpu: Processor, command: Command) -> None:
    if command.has("S"):
        cpu.board.motion.has_soft_endstops = command.value("S") != 0.0
    else:
        cpu.board.say(*replies.soft_endstop_report(cpu.board.motion))


def _speed_percent(cpu: Processor, command: Command) -> None:
    percent = command.value("S")
    if percent is None:
        cpu.board.say(f"FR:{cpu.board.motion.speed_percent}%")
    elif percent > 0.0:
        cpu.board.motion.speed_percent = int(percent)


def _endstops(cpu: Processor, _command: Command) -> None:
    board = cpu.board
    board.say(*replies.endstop_report(board.endstops.all(board.planner.motors_at(board.now_s))))


def _named_axes(command: Command) -> list[bool]:
    named = [command.has(letter) for letter in AXES]
    return named if any(named) else [True] * len(AXES)


def _enable(cpu: Processor, command: Command) -> None:
    board = cpu.board
    pairs = zip(board.is_enabled, _named_axes(command), strict=True)
    board.is_enabled = [on or is_named for on, is_named in pairs]
    board.planner.last_motion_s = max(board.planner.last_motion_s, board.now_s)


def _disable(cpu: Processor, command: Command) -> Work | None:
    seconds = command.value("S")
    if seconds is None:
        return _disable_at_rest(cpu, command)
    cpu.board.idle_release_s = max(0.0, seconds)
    return None


def _disable_at_rest(cpu: Processor, command: Command) -> Work:
    board = cpu.board
    yield from cpu.synchronize()
    pairs = zip(board.is_enabled, _named_axes(command), strict=True)
    board.is_enabled = [on and not is_named for on, is_named in pairs]


MOTION_COMMANDS: dict[str, Handler] = {
    "G0": _move,
    "G1": _move,
    "G20": _units,
    "G21": _units,
    "G28": home,
    "G90": _relative,
    "G91": _relative,
    "G92": _set_position,
    "M17": _enable,
    "M18": _disable,
    "M82": _extruder_relative,
    "M83": _extruder_relative,
    "M84": _disable,
    "M92": _steps_per_unit,
    "M119": _endstops,
    "M201": _max_accelerations,
    "M203": _max_speeds,
    "M204": _accelerations,
    "M211": _soft_endstops,
    "M220": _speed_percent,
}
