"""``sorter board``: talk to the Marlin board directly. Every command opens the port, which resets the board."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from sorter.cli.board_common import (
    BAUD_RATE,
    BaudOption,
    LogOption,
    PortOption,
    check_log,
    connected,
    note,
    position_text,
    read_settings,
    reported_position,
    signals_to,
    supervised,
)
from sorter.cli.board_move import home, move
from sorter.cli.board_stream import stream
from sorter.cli.board_watch import monitor, replay
from sorter.cli.console import JsonOption, report
from sorter.cli.exit_codes import ExitCode

app = typer.Typer(help="The Marlin board: ask it, move it, stop it.", no_args_is_help=True)
output = typer.Typer(help="Switch an output of the board.", no_args_is_help=True)
app.add_typer(output, name="output")

_MATTERS = {
    "EMERGENCY_PARSER": "without it an emergency stop waits behind the lines that are queued, up to seconds; "
    "switch it on in Marlin's Configuration_adv.h, and keep a switch in the motor supply within reach",
}
_ONLY = "While another program holds the port, only that program or that switch can stop the board."
_UNTIL_NEXT = "it stays so until the port is opened again, which resets the board"


def ports(json: JsonOption = False) -> None:
    """List the serial devices on USB, and which one --port auto takes."""
    from firmware_bridge.errors import PortError
    from firmware_bridge.ports import candidates, find_board

    found = candidates()
    try:
        auto, why_not = str(find_board(found=found)), None
    except PortError as error:
        auto, why_not = None, error.message.partition("\n")[0].rstrip(":")
    text = [f"{each.path}: {each.why}" for each in found] or ["no serial device on USB"]
    text.append(f"auto takes {auto}" if auto else f"auto takes none: {why_not}")
    data = {"ports": [each.as_dict() for each in found], "auto": auto, "why_none": why_not}
    report(data, "\n".join(text))


def info(
    port: PortOption = "auto", baud: BaudOption = BAUD_RATE, log: LogOption = None, json: JsonOption = False
) -> None:
    """Say which firmware the board has, what that can do, how its axes are set, and what its switches say."""
    with connected(port, baud, log) as board:
        about, device = board.info, str(board.link.device)
        settings, endstops, position = read_settings(board), board.endstops(), reported_position(board)
    missing = {name: why for name, why in _MATTERS.items() if not about.capabilities.get(name, False)}
    axes = {
        letter: {
            "steps_per_unit": settings.steps_per_unit.get(letter),
            "max_speed": settings.max_speed.get(letter),
            "acceleration": settings.acceleration.get(letter),
        }
        for letter in "XYZE"
        if letter in settings.steps_per_unit
    }
    data = {
        "port": device,
        "firmware": about.firmware,
        "was_reset": about.was_announced,
        "capabilities": dict(about.capabilities),
        "missing": missing,
        "axes": axes,
        "endstops": endstops,
        "position": position,
    }
    able = ", ".join(sorted(name for name, is_there in about.capabilities.items() if is_there))
    switches = ", ".join(f"{name} {'TRIGGERED' if is_on else 'open'}" for name, is_on in endstops.items())
    text = [
        f"port:          {device}",
        f"firmware:      {about.firmware}",
        "reset:         "
        + ("by opening the port, as it must be" if about.was_announced else "the board did not say start when opened"),
        f"capabilities:  {able or 'the firmware does not say'}",
        *(f"missing:       {name}: {why}" for name, why in missing.items()),
        "axis           steps/unit   units/s max  units/s² max",
        *(f"  {letter}        {_columns(values)}" for letter, values in axes.items()),
        f"endstops:      {switches or 'none'}",
        f"position:      {position_text(position)} (0 is where an axis stood when the port was opened)",
    ]
    report(data, "\n".join(text))


def _columns(values: dict[str, float | None]) -> str:
    return "  ".join(f"{'?' if value is None else f'{value:g}':>12}" for value in values.values())


# --- outputs ------------------------------------------------------------------------------------------------------


def servo(
    index: Annotated[int, typer.Argument(min=0, help="Which servo; 0 is the first.")],
    angle: Annotated[float, typer.Argument(min=0.0, max=180.0, help="Degrees, 0 to 180.")],
    *,
    port: PortOption = "auto",
    baud: BaudOption = BAUD_RATE,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Turn a servo."""
    with connected(port, baud, log) as board:
        supervised(board, lambda: board.servo(index, angle))
    report({"servo": index, "angle_deg": angle}, f"servo {index} was told {angle:g} degrees; {_UNTIL_NEXT}")


@output.command()
def fan(
    index: Annotated[int, typer.Argument(min=0, max=7, help="Which fan output; 0 is D9 on a RAMPS.")],
    level: Annotated[int, typer.Argument(min=0, max=255, help="0 is off, 255 is full.")],
    *,
    port: PortOption = "auto",
    baud: BaudOption = BAUD_RATE,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Drive a fan output (M106, M107)."""
    with connected(port, baud, log) as board:
        supervised(board, lambda: board.fan(index, level))
    report({"fan": index, "level": level}, f"fan {index} is at {level} of 255; {_UNTIL_NEXT}")


@output.command()
def pin(
    pin: Annotated[int, typer.Argument(min=0, help="The pin's number as Marlin counts.")],
    level: Annotated[int, typer.Argument(min=0, max=255, help="0 is low, 255 is high.")],
    *,
    port: PortOption = "auto",
    baud: BaudOption = BAUD_RATE,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Drive a pin (M42)."""
    with connected(port, baud, log) as board:
        supervised(board, lambda: board.output(pin, level))
    report({"pin": pin, "level": level}, f"pin {pin} is at {level} of 255; {_UNTIL_NEXT}")


# --- the emergency stop -------------------------------------------------------------------------------------------


def stop(
    port: PortOption = "auto", baud: BaudOption = BAUD_RATE, log: LogOption = None, json: JsonOption = False
) -> None:
    """Make an emergency stop, if no other program holds the port; else only that program can."""
    from firmware_bridge.errors import PortError
    from firmware_bridge.link import Link
    from firmware_bridge.ports import find_board

    check_log(log)
    try:
        link = Link(find_board(port), baud, log_file=log, on_note=note)
    except PortError as error:
        raise PortError(
            f"nothing was stopped: {error.message}",
            remedy=f"Switch off the motor supply. {_ONLY}\n{error.remedy}",
        ) from error
    with signals_to(lambda: None):  # seen through to its end
        was_written = link.emergency_stop()
        link.close()  # its thread resets the board first
        answers = _answers(link.device, baud)
    done = [
        f"{link.device} was opened, which resets the board: motors, outputs and servos drop",
        "M112 was written past every queue" if was_written else "M112 could not be written",
        "a second later the board was reset once more",
        "then it said start: it is idle, and can be used again"
        if answers
        else "then it did not say start: SWITCH OFF THE MOTOR SUPPLY and look at the board",
    ]
    data = {"port": str(link.device), "m112_was_written": was_written, "said_start": answers, "done": done}
    report(data, "\n".join(done))
    if not answers:
        raise typer.Exit(ExitCode.HARDWARE)


def _answers(device: Path, baud: int) -> bool:
    """Whether the board says ``start`` when it is reset once more."""
    from firmware_bridge.errors import BoardError
    from firmware_bridge.link import Link

    try:
        with contextlib.closing(Link(device, baud)) as link:
            return link.wait_until_ready()
    except BoardError:
        return False


def _help(command: Callable[..., None]) -> str:
    """The docstring with its paragraphs unwrapped, for the terminal wraps them anew."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(command.__doc__ or ""))


for _command in (ports, info, move, home, servo, stream, monitor, stop, replay):
    app.command(help=_help(_command))(_command)
