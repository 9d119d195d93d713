"""Commands of the talk with the host: identity, reports, line numbers, waiting, stopping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_bridge.emulator import replies

if TYPE_CHECKING:
    from firmware_bridge.emulator.handler import Handler
    from firmware_bridge.emulator.processor import Processor, Work
    from firmware_bridge.emulator.words import Command

_MS_PER_S = 1000.0
_ROOM_DEG_C = 25.0
_HEATING_REPORT_S = 1.0
_LARGEST_INTERVAL_S = 60
_TEMPERATURE = f" T:{_ROOM_DEG_C:.2f} /0.00 @:0"


def _identity(cpu: Processor, _command: Command) -> None:
    board = cpu.board
    board.say(*replies.identity(board.settings, emergency_parser=board.has_emergency_parser))


def _temperature(cpu: Processor, _command: Command) -> None:
    cpu.acknowledger.say_ok(text=_TEMPERATURE)
    cpu.has_answered = True


def _position(cpu: Processor, command: Command) -> Work | None:
    if command.has("D"):
        return _position_at_rest(cpu)
    cpu.board.say_position()
    return None


def _position_at_rest(cpu: Processor) -> Work:
    yield from cpu.synchronize()
    cpu.board.say_position()


def _set_line_number(cpu: Processor, command: Command) -> None:
    number = command.value("N")
    if number is not None:
        cpu.board.numbers.last = int(number)
    cpu.board.seen_lines.clear()


def _keepalive(cpu: Processor, command: Command) -> None:
    seconds = command.value("S")
    if seconds is None:
        cpu.board.say(f"echo:M113 S{cpu.board.busy_interval_s:.0f}")
    else:
        cpu.board.busy_interval_s = float(min(max(int(seconds), 0), _LARGEST_INTERVAL_S))


def _position_reports(cpu: Processor, command: Command) -> None:
    seconds = command.value("S")
    if seconds is not None:
        cpu.board.report_interval_s = float(min(max(int(seconds), 0), _LARGEST_INTERVAL_S))
        cpu.board.next_report_s = cpu.board.now_s + cpu.board.report_interval_s


def _echo(cpu: Processor, command: Command) -> None:
    text, prefix = command.arguments, ""
    for mark, words in (("E1 ", "echo:"), ("A1 ", "// ")):
        if text.startswith(mark):
            text, prefix = text[len(mark) :], prefix + words
    cpu.board.say(prefix + text)


def _settings(cpu: Processor, _command: Command) -> None:
    cpu.board.say(*replies.settings_report(cpu.board.motion))


def _wait_s(command: Command) -> float:
    milliseconds, seconds = command.value("P"), command.value("S")
    if seconds is not None:
        return max(0.0, seconds)
    return max(0.0, (milliseconds or 0.0) / _MS_PER_S)


def _dwell(cpu: Processor, command: Command) -> Work:
    yield from cpu.synchronize()
    yield from cpu.idle(until_s=cpu.board.now_s + _wait_s(command))


def _wait_for_user(cpu: Processor, command: Command) -> Work:
    board = cpu.board
    yield from cpu.synchronize()
    cpu.pause()
    board.is_waiting_for_user = True
    wait_s = _wait_s(command)
    until_s = board.now_s + wait_s if wait_s else float("inf")
    yield from cpu.idle(lambda: not board.is_waiting_for_user, until_s)
    board.is_waiting_for_user = False


def _wait_for_heat(cpu: Processor, command: Command) -> Work:
    board = cpu.board
    target_deg_c = command.value("S") or 0.0
    board.is_waiting_for_user = target_deg_c > _ROOM_DEG_C
    while board.is_waiting_for_user:
        board.say(f" T:{_ROOM_DEG_C:.2f} /{target_deg_c:.2f} @:127 W:?")
        yield from cpu.idle(lambda: not board.is_waiting_for_user, board.now_s + _HEATING_REPORT_S)


def _go_on(cpu: Processor, _command: Command) -> None:
    cpu.board.is_waiting_for_user = False


def _finish_moves(cpu: Processor, _command: Command) -> Work:
    yield from cpu.synchronize()


def _emergency_stop(cpu: Processor, _command: Command) -> Work:
    yield from cpu.halt(replies.M112_KILL)


def _quick_stop(cpu: Processor, _command: Command) -> Work | None:
    return None if cpu.board.has_emergency_parser else cpu.quick_stop()


def _restart(cpu: Processor, command: Command) -> Work | None:
    if command.whole("S", 0):
        return None
    cpu.board.numbers.last = 0
    cpu.board.seen_lines.clear()
    return cpu.ask_resend()


def _nothing(_cpu: Processor, _command: Command) -> None:
    """Accept a setting that has no effect on what is emulated here."""


def _tool(cpu: Processor, command: Command) -> None:
    if command.name != "T0":
        cpu.board.say(f"echo:{command.name} Invalid extruder")


HOST_COMMANDS: dict[str, Handler] = {
    "G4": _dwell,
    "M0": _wait_for_user,
    "M1": _wait_for_user,
    "M104": _nothing,
    "M105": _temperature,
    "M108": _go_on,
    "M109": _wait_for_heat,
    "M110": _set_line_number,
    "M111": _nothing,
    "M112": _emergency_stop,
    "M113": _keepalive,
    "M114": _position,
    "M115": _identity,
    "M117": _nothing,
    "M118": _echo,
    "M154": _position_reports,
    "M155": _nothing,
    "M400": _finish_moves,
    "M410": _quick_stop,
    "M503": _settings,
    "M999": _restart,
    "T0": _tool,
    "T1": _tool,
}
