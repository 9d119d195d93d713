"""``sorter home``: park the ejector and let the axes find out where they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sorter.cli.board_common import LogOption
from sorter.cli.console import JsonOption, report
from sorter.cli.machine_common import (
    RIG_TOML,
    ConfigOption,
    axes_data,
    axes_text,
    ends_when_interrupted,
    machine_of,
    stopped_by_ctrl_c,
)

if TYPE_CHECKING:
    from sorter.rig import Machine


def home(
    axis: Annotated[str | None, typer.Argument(help="turntable or chute; without it, all that the rig has.")] = None,
    *,
    config: ConfigOption = RIG_TOML,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Home the rig, or one axis: the feeder is switched off and the ejector parked first.

    A chute turns to its switch, a table to its index; a table without one is called 0 where it stands, and a servo's
    chute is sent to the reject bin. Ctrl-C makes an emergency stop: a board that is homing hears nothing else in time.
    """
    from sorter.config import read_rig_config

    rig = read_rig_config(config)
    known = ("turntable",) if rig.chute is None else ("turntable", "chute")
    if axis is not None and axis not in known:
        raise typer.BadParameter(f"this rig has no axis {axis!r}; it has {' and '.join(known)}", param_hint="AXIS")
    with ends_when_interrupted(), machine_of(rig, log) as machine:
        seconds = stopped_by_ctrl_c(machine, lambda: _home(machine, axis), is_emergency=lambda: True)
        axes, endstops = machine.axes(), machine.board.endstops()
    done = "the rig is homed" if axis is None else f"the {axis} is homed"
    data = {"homed": axis or "all", "seconds": round(seconds, 3), "axes": axes_data(axes), "endstops": endstops}
    report(data, f"{done}, in {seconds:.2f} s; the ejector is parked\n{axes_text(axes)}")


def _home(machine: Machine, axis: str | None) -> float:
    """Connect and home; the seconds that homing took."""
    from firmware_bridge.errors import BoardHalted

    machine.connect()
    began_s = time.monotonic()
    try:
        if axis is None:
            machine.home()
        else:
            machine.home_axis(axis)
    except BoardHalted as error:
        raise BoardHalted(
            f"homing did not find its switch, and Marlin halted itself: {error.message}",
            remedy="The next command resets the board. Before it, press the switch by hand and run `sorter board "
            "info`: it must say TRIGGERED. Then check that the motor turns towards the switch; `sorter calibrate "
            "motors` asks step by step.",
        ) from error
    return time.monotonic() - began_s
