"""``sorter jog``: turn one axis of the rig by a distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

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
    from sorter.config import RigConfig
    from sorter.rig import Machine

_FAR_DEG = 720.0
_AXES = ("turntable", "chute")


def jog(
    axis: Annotated[str, typer.Argument(help="turntable or chute.")],
    distance_deg: Annotated[float, typer.Argument(help="By how many degrees; less than 0 turns back.", metavar="DEG")],
    *,
    config: ConfigOption = RIG_TOML,
    far: Annotated[bool, typer.Option("--far", help=f"Allow more than {_FAR_DEG:g} degrees.")] = False,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Turn one axis by a distance, and wait until it stands.

    Opening the port resets the board, so that no axis knows where it is. So the ejector is parked first; then a chute,
    or a table with an index, is homed and turns from there, and a table without a switch turns from where it stands,
    which is called 0. Ctrl-C stops all motion.
    """
    from sorter.config import read_rig_config

    rig = read_rig_config(config)
    _check(rig, axis, distance_deg, is_far_meant=far)
    with ends_when_interrupted(), machine_of(rig, log) as machine:
        is_homing = [True]
        data = stopped_by_ctrl_c(
            machine, lambda: _jog(machine, rig, axis, distance_deg, is_homing), is_emergency=lambda: is_homing[0]
        )
        axes = machine.axes()
    text = f"the {axis} {data['from']}, and turned by {distance_deg:g} deg in {data['planned_s']:.2f} s (as planned)"
    report({**data, "axes": axes_data(axes)}, f"{text}\n{axes_text(axes)}")


def _check(rig: RigConfig, axis: str, distance_deg: float, *, is_far_meant: bool) -> None:
    """Refuse what needs no board to be refused, before the port is opened."""
    known = _AXES if rig.chute is not None else _AXES[:1]
    if axis not in known:
        raise typer.BadParameter(f"this rig has no axis {axis!r}; it has {' and '.join(known)}", param_hint="AXIS")
    if not math.isfinite(distance_deg) or distance_deg == 0.0:
        raise typer.BadParameter(f"{distance_deg:g} is no distance to turn by", param_hint="DEG")
    if abs(distance_deg) > _FAR_DEG and not is_far_meant:
        raise typer.BadParameter(
            f"{distance_deg:g} is more than {_FAR_DEG:g} deg; add --far if that is meant", param_hint="DEG"
        )
    from sorter.config import MotorChuteConfig

    chute = rig.chute
    if axis == "chute" and isinstance(chute, MotorChuteConfig) and chute.limits_deg is not None:
        low_deg, high_deg = chute.limits_deg
        goal_deg = chute.home_deg + distance_deg
        if not low_deg <= goal_deg <= high_deg:
            raise typer.BadParameter(
                f"the chute is homed to {chute.home_deg:g} deg first, and {goal_deg:g} deg is not within its limits, "
                f"{low_deg:g} to {high_deg:g} deg",
                param_hint="DEG",
            )


def _jog(machine: Machine, rig: RigConfig, axis: str, distance_deg: float, is_homing: list[bool]) -> dict[str, Any]:
    """What was done; ``is_homing`` holds whether the board is deaf now, as while it is connected."""
    machine.connect()
    machine.home_axis(axis)
    is_homing[0] = False
    start_deg = next(each.position_deg for each in machine.axes() if each.name == axis)
    planned_s = machine.jog(axis, distance_deg)
    machine.stand()
    is_declared = axis == "turntable" and rig.turntable.homing == "none"
    told = "was where it stands, which is called 0" if is_declared else f"was homed first, to {start_deg:g} deg"
    return {
        "axis": axis,
        "distance_deg": distance_deg,
        "from_deg": round(start_deg, 4),
        "from": told,
        "was_homed": not is_declared,
        "planned_s": round(planned_s, 3),
    }
