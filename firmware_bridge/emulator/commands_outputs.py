"""Commands for servos, pins and fans. They act when they are read, not behind the moves that were queued before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_bridge.emulator.handler import Handler
    from firmware_bridge.emulator.processor import Processor, Work
    from firmware_bridge.emulator.words import Command

_LED_PIN = 13
_FULL = 255


def _servo(cpu: Processor, command: Command) -> Work | None:
    board = cpu.board
    number = command.value("P")
    if number is None:
        return None
    index = int(number)
    if not 0 <= index < len(board.outputs.servos):
        board.say(f"Error:Servo {index} out of range")
        return None
    value = command.value("S")
    if value is None:
        board.say(f"echo: Servo {index}: {board.outputs.servos[index].angle_said()}")
        return None
    board.outputs.servos[index].command(int(value), board.now_s)
    return cpu.idle(until_s=board.now_s + board.settings.servo_wait_s)


def _pin(cpu: Processor, command: Command) -> None:
    board = cpu.board
    value = command.value("S")
    if value is None:
        return
    pin = command.whole("P", _LED_PIN)
    if pin in board.settings.protected_pins and not (command.has("I") or pin == _LED_PIN):
        board.say("Error:Protected Pin")
    elif 0 <= value <= _FULL:
        board.outputs.pins[pin] = int(value)


def _wait_for_pin(cpu: Processor, command: Command) -> Work | None:
    board = cpu.board
    pin = command.value("P")
    wanted = command.whole("S", -1)
    if pin is None or not -1 <= wanted <= 1:
        return None
    goal = not board.outputs.level(int(pin)) if wanted < 0 else bool(wanted)
    return _wait_for_level(cpu, int(pin), goal)


def _wait_for_level(cpu: Processor, pin: int, goal: bool) -> Work:
    yield from cpu.synchronize()
    yield from cpu.idle(lambda: cpu.board.outputs.level(pin) == goal)


def _fan(cpu: Processor, command: Command) -> None:
    index = command.whole("P", 0)
    if 0 <= index < len(cpu.board.outputs.fans):
        speed = 0 if command.name == "M107" else command.whole("S", _FULL)
        cpu.board.outputs.fans[index] = min(max(speed, 0), _FULL)


OUTPUT_COMMANDS: dict[str, Handler] = {
    "M42": _pin,
    "M106": _fan,
    "M107": _fan,
    "M226": _wait_for_pin,
    "M280": _servo,
}
