"""``sorter board move`` and ``home``: a builder's first five minutes with an axis."""

from __future__ import annotations

import math
import re
import time
from typing import TYPE_CHECKING, Annotated

import typer

from sorter.cli.board_common import (
    BAUD_RATE,
    BaudOption,
    LogOption,
    PortOption,
    connected,
    position_text,
    read_settings,
    reported_position,
    supervised,
)
from sorter.cli.console import JsonOption, report

if TYPE_CHECKING:
    from firmware_bridge.axes import Axis
    from firmware_bridge.board import Board
    from firmware_bridge.errors import BoardHalted
    from sorter.cli.board_program import Settings

_FAR = 720.0
_HOMING_S = 60.0
_ASSIGNMENT = re.compile(r"([XYZ])=([-+]?(?:\d+\.?\d*|\.\d+))", re.ASCII | re.IGNORECASE)


def move(
    targets: Annotated[list[str], typer.Argument(help="Axes and where to go, such as X=90 Y=-10.", metavar="AXIS=TO")],
    *,
    speed: Annotated[float, typer.Option(help="Share of the full speed, above 0 and at most 1.")] = 0.25,
    steps: Annotated[list[str] | None, typer.Option(help="Steps per unit, such as X=8.889.", metavar="AXIS=N")] = None,
    max_speed: Annotated[list[str] | None, typer.Option(help="Units per second.", metavar="AXIS=N")] = None,
    acceleration: Annotated[list[str] | None, typer.Option(help="Units per second².", metavar="AXIS=N")] = None,
    far: Annotated[bool, typer.Option("--far", help=f"Allow more than {_FAR:g} units.")] = False,
    port: PortOption = "auto",
    baud: BaudOption = BAUD_RATE,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Move axes, all in one move, and wait until they are there.

    Opening the port resets the board, so where each axis stands now is 0, and AXIS=TO counts from there. A unit is
    whatever the steps per unit say: a degree or a millimetre. What is not given is what the firmware is set to; what is
    given holds until the next reset.
    """
    to = _assignments(targets, "AXIS=TO")
    given = {
        "steps_per_unit": _assignments(steps or [], "--steps", list(to)),
        "max_speed": _assignments(max_speed or [], "--max-speed", list(to)),
        "acceleration": _assignments(acceleration or [], "--acceleration", list(to)),
    }
    if not 0.0 < speed <= 1.0:
        raise typer.BadParameter(f"{speed:g} is not above 0 and at most 1", param_hint="--speed")
    too_far = [f"{letter}={target:g}" for letter, target in to.items() if abs(target) > _FAR]
    if too_far and not far:
        raise typer.BadParameter(f"{' '.join(too_far)} is more than {_FAR:g} units away; add --far if that is meant")
    with connected(port, baud, log) as board:
        axes = _axes(read_settings(board), list(to), given)
        _set_up(board, axes)
        began_s = time.monotonic()
        planned_s = supervised(board, lambda: _move(board, to, speed))
        seconds = time.monotonic() - began_s
        position = reported_position(board)
    data = {
        "targets": to,
        "axes": {
            axis.letter: {
                "steps_per_unit": axis.steps_per_unit,
                "max_speed": axis.max_speed,
                "acceleration": axis.acceleration,
            }
            for axis in axes
        },
        "planned_s": round(planned_s, 3),
        "seconds": round(seconds, 3),
        "position": position,
    }
    text = [
        *(
            f"{axis.letter}: {axis.steps_per_unit:g} steps/unit, at most {axis.max_speed:g} units/s, "
            f"{axis.acceleration:g} units/s²"
            for axis in axes
        ),
        f"moved in {seconds:.2f} s, {planned_s:.2f} s planned",
        f"position: {position_text(position)} (0 is where each axis stood before: opening the port resets the board)",
    ]
    report(data, "\n".join(text))


def _assignments(texts: list[str], what: str, known: list[str] | None = None) -> dict[str, float]:
    """``["X=90"]`` as ``{"X": 90.0}``; values of settings (``known`` names the moved axes) are positive."""
    found: dict[str, float] = {}
    for text in texts:
        match = _ASSIGNMENT.fullmatch(text)
        if match is None or not math.isfinite(float(match[2])):
            raise typer.BadParameter(f"{text!r} is not of the form X=90; an axis is X, Y or Z", param_hint=what)
        letter, value = match[1].upper(), float(match[2])
        if letter in found:
            raise typer.BadParameter(f"{letter} is given twice", param_hint=what)
        if known is not None and letter not in known:
            raise typer.BadParameter(f"{text!r}: {letter} is not moved", param_hint=what)
        if known is not None and value <= 0.0:
            raise typer.BadParameter(f"{text!r} is not above 0", param_hint=what)
        found[letter] = value
    return found


def _axes(settings: Settings, letters: list[str], given: dict[str, dict[str, float]]) -> list[Axis]:
    from firmware_bridge.axes import Axis
    from firmware_bridge.errors import Refused

    axes = []
    for letter in letters:
        values = {}
        for name, option in (
            ("steps_per_unit", "--steps"),
            ("max_speed", "--max-speed"),
            ("acceleration", "--acceleration"),
        ):
            value = given[name].get(letter, getattr(settings, name).get(letter))
            if value is None:
                raise Refused(
                    f"the firmware does not say the {name.replace('_', ' ')} of {letter}",
                    remedy=f"Nothing moved; give it: {option} {letter}=...",
                )
            values[name] = value
        if letter not in given["acceleration"] and settings.travel_acceleration:
            values["acceleration"] = min(values["acceleration"], settings.travel_acceleration)
        axes.append(Axis(letter, letter, "units", **values))
    return axes


def _set_up(board: Board, axes: list[Axis]) -> None:
    """Tell the board how its axes are, in its memory only, and that they stand at 0."""
    from firmware_bridge.axes import path_acceleration
    from firmware_bridge.gcode import command

    board.axes.update({axis.letter: axis for axis in axes})
    travel = path_acceleration(axes)
    for text in (
        command("M92", **{axis.letter: axis.steps_per_unit for axis in axes}),
        command("M203", **{axis.letter: axis.max_speed for axis in axes}),
        command("M201", **{axis.letter: axis.acceleration for axis in axes}),
        command("M204", P=travel, T=travel),
    ):
        board.link.request(text)
    for axis in axes:
        board.set_position(axis.letter, 0.0)


def _move(board: Board, targets: dict[str, float], speed_share: float) -> float:
    planned_s = board.move(targets, speed_share=speed_share)
    board.wait()
    return planned_s


def home(
    axis: Annotated[str, typer.Argument(help="X, Y or Z.")],
    *,
    port: PortOption = "auto",
    baud: BaudOption = BAUD_RATE,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Home one axis to its switch.

    Ctrl-C makes an emergency stop: a board that is homing hears nothing else in time.
    """
    letter = axis.upper()
    if letter not in ("X", "Y", "Z"):
        raise typer.BadParameter(f"{axis!r} is no axis; there are X, Y and Z", param_hint="AXIS")
    with connected(port, baud, log) as board:
        began_s = time.monotonic()
        supervised(board, lambda: _home(board, letter), lambda: _stop_homing(board))
        seconds = time.monotonic() - began_s
        position, endstops = reported_position(board), board.endstops()
    data = {"axis": letter, "seconds": round(seconds, 3), "position": position, "endstops": endstops}
    report(data, f"{letter} is homed, in {seconds:.2f} s\nposition: {position_text(position)}")


def _home(board: Board, letter: str) -> None:
    from firmware_bridge.errors import BoardHalted

    ticket = board.link.send(f"G28 {letter}", blocks_s=_HOMING_S)
    try:
        board.link.wait(ticket)
        board.link.request("M400")
    except BoardHalted as error:
        if any("Homing Failed" in line for line in ticket.reports):
            raise _not_found(letter) from error
        raise


def _not_found(letter: str) -> BoardHalted:
    from firmware_bridge.errors import BoardHalted

    return BoardHalted(
        f"homing {letter}: the switch was not found, and Marlin halted itself",
        remedy=(
            "The board is being reset now and can be used again. Before the next try, press the switch by hand and run "
            "`sorter board info`: it must say TRIGGERED. Then check that the motor turns towards the switch."
        ),
    )


def _stop_homing(board: Board) -> None:
    from firmware_bridge.errors import EmergencyStopped

    board.emergency_stop()
    raise EmergencyStopped("homing was interrupted")
