"""What rig a rig.toml describes, in words for whoever built it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.config.axes import MotorChuteConfig, MotorConfig, ServoChuteConfig
from sorter.config.delivery import StepperFeederConfig, VibratoryFeederConfig
from sorter.config.plan_checks import classes_of_rule

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sorter.config.bins import SortConfig
    from sorter.config.rig import RigConfig


def described(config: RigConfig, labels: Collection[str] | None = None) -> dict[str, str]:
    """A sentence for each table, under a word for it.

    Args:
        config: the rig.
        labels: the classes that its model can decide for, where they are known.
    """
    return {
        "board": _board(config),
        "turntable": _turntable(config),
        "chute": _chute(config),
        "ejector": _ejector(config),
        "feeder": _feeder(config),
        "sensors": _sensors(config),
        "camera": _camera(config),
        "look": _look(config, labels),
        "lost steps": _check(config),
        "bins": _bins(config),
        "sort plan": _plan(config.sort, config.categories, labels),
        "state": f"kept in {config.paths.state}",
        "page": f"at http://{config.web.host}:{config.web.port}",
    }


def _board(config: RigConfig) -> str:
    where = "looked for on USB" if config.board.port == "auto" else f"at {config.board.port}"
    return f"Marlin, {where}, {config.board.baud_rate:,} baud"


def _motor(motor: MotorConfig) -> str:
    measured = " (measured)" if motor.measured_steps_per_deg is not None else ""
    way = ", reversed" if motor.is_reversed else ""
    return (
        f"motor {motor.letter}{way}, {motor.steps_per_deg:.6g} steps a degree{measured}, up to "
        f"{motor.speed_deg_per_s:g} deg/s ({motor.speed_deg_per_s * motor.steps_per_deg:,.0f} steps/s) and "
        f"{motor.acceleration_deg_per_s2:g} deg/s²"
    )


def _turntable(config: RigConfig) -> str:
    table = config.turntable
    if table.homing == "index":
        home = f"homed at its index switch, {table.letter.lower()}_min, where it stands at {table.index_deg:g} deg"
    else:
        home = "has no switch: where it stands at start-up is 0 deg"
    return f"{_motor(table)}; turns without end; {home}"


def _chute(config: RigConfig) -> str:
    chute = config.chute
    if isinstance(chute, MotorChuteConfig):
        limits = chute.limits_deg
        reach = "turns without end" if limits is None else f"from {limits[0]:g} to {limits[1]:g} deg"
        home = f"homed at {chute.letter.lower()}_min, where it stands at {chute.home_deg:g} deg"
        return f"{_motor(chute)}; {reach}; {home}"
    if isinstance(chute, ServoChuteConfig):
        reach = f"from {chute.minimum_deg:g} to {chute.maximum_deg:g} deg in {chute.travel_s:g} s"
        return f"servo {chute.servo}, {reach}; needs no homing"
    return "none: everything falls into one bin"


def _ejector(config: RigConfig) -> str:
    arm = config.ejector
    return (
        f"servo {arm.servo}, parked at {arm.park_deg:g} deg, pushes to {arm.push_deg:g} deg in {arm.travel_s:g} s; a "
        f"part falls for {arm.fall_s:g} s; up to {arm.pushes} pushes"
    )


def _feeder(config: RigConfig) -> str:
    feeder = config.feeder
    if isinstance(feeder, VibratoryFeederConfig):
        how = "until a part is seen" if feeder.pulse_s is None else f"for {feeder.pulse_s:g} s before each look"
        what = f"shakes on fan output {feeder.fan} at {feeder.level} of 255, {how}"
    elif isinstance(feeder, StepperFeederConfig):
        what = f"{_motor(feeder)}; {feeder.step_deg:g} deg before each look"
    else:
        what = "by hand"
    return f"{what}; empty after {feeder.empty_after} tries of {feeder.give_up_s:g} s"


def _sensors(config: RigConfig) -> str:
    sensors = config.sensors.all
    each = [f"{name} at {sensor.endstop}, active when {sensor.is_active_when}" for name, sensor in sensors.items()]
    return "; ".join(each) or "none: the camera alone says that a part came and went"


def _camera(config: RigConfig) -> str:
    camera = config.camera
    where = camera.path if camera.path is not None else camera.device
    scale = "scale not measured" if camera.mm_per_px is None else f"{camera.mm_per_px:g} mm a pixel"
    return (
        f"{camera.source} {where}, {camera.width_px}×{camera.height_px} px, {camera.frames_per_s:g} a second; {scale}"
    )


def _look(config: RigConfig, labels: Collection[str] | None) -> str:
    look = config.look
    known = "" if labels is None else f" ({len(labels)} classes)"
    views = f"{look.least_views} to {look.most_views}" if look.least_views < look.most_views else f"{look.most_views}"
    rate = f"{100.0 * look.misroute_rate:g} % misroutes"
    return f"model {look.model}{known}, {views} views from {look.angles} angles, {rate}"


def _check(config: RigConfig) -> str:
    check = config.check
    by = "by its index switch" if config.turntable.homing == "index" else "by its marks in the picture"
    ways = [f"of the table to {check.table_tolerance_deg:g} deg {by}"]
    if isinstance(config.chute, MotorChuteConfig):
        ways.append(f"of the chute to {check.chute_tolerance_deg:g} deg by its switch")
    when = f"every {check.every_parts:,} parts" if check.every_parts else "only when a picture gives cause to"
    return f"looked for {when}: {', '.join(ways)}"


def _bins(config: RigConfig) -> str:
    if not config.bins:
        return "none: this rig does not sort yet"
    capacities = {one.capacity for one in config.bins}
    all_hold = f", for {capacities.pop():,} parts each" if len(capacities) == 1 else ""
    each = [
        one.id
        + (f" at {one.chute_deg:g} deg" if config.chute is not None else "")
        + ("" if all_hold else f" for {one.capacity:,} parts")
        for one in config.bins
    ]
    return f"{len(each)}{all_hold}: {', '.join(each)}"


def _plan(sort: SortConfig | None, categories: Mapping[str, Collection[str]], labels: Collection[str] | None) -> str:
    if sort is None:
        return "none: this rig does not sort yet"
    rules = f"{len(sort.rules)} rule{'' if len(sort.rules) == 1 else 's'}"
    full = "nothing is fed while a bin is full" if sort.overflow is None else f"from full bins to {sort.overflow}"
    text = (
        f"{sort.name}: {rules}, the rest to {sort.reject}; {full}; several at once to {sort.recirculate or sort.reject}"
    )
    taken = [classes_of_rule(rule, categories) for rule in sort.rules]
    left = [label for label in labels or () if not any(each is None or label in each for each in taken)]
    return f"{text}; no rule is for {', '.join(left)}" if left else text
