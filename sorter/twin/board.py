"""The twin's board: what it is made of for given settings, and what its motor steps mean in degrees.

Table and chute stand anywhere when the twin begins, by chance of its seed, but not at their switches; homing leaves
them where the settings say.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from firmware_bridge.emulator import AxisSettings, BoardSettings
from sorter.twin.errors import TwinRefused
from sorter.twin.state import BoardState
from sorter.types.faults import fault_named
from sorter.types.twin import BESIDE, HAND, TwinMotor

if TYPE_CHECKING:
    from firmware_bridge.emulator import Outward
    from sorter.types.twin import TwinSettings

TURN_DEG = 360.0
SENSORS = ("dropped", "in_chute", "motor_power")

_LETTERS = "XYZ"
_SPARE = AxisSettings(80.0, 300.0, 3000.0)  # a socket with nothing that the twin knows of
_FASTEST_DEG_PER_S, _QUICKEST_DEG_PER_S2 = 2000.0, 50_000.0  # the host sets its own, lower ones
_INDEX_DEG = 2.0  # over which an index switch is closed
_NEAREST_DEG = 10.0  # from its switch, at the beginning
_STOCK_ENDSTOPS = ("x_min", "y_min", "z_min")
_LEAST_STROKE_DEG = 10.0
_SWITCHES = tuple(f"{letter}_{end}" for letter in "xyz" for end in ("min", "max"))
_REMEDY = "Mend the twin's settings file and start the twin again; nothing was started."


@dataclass(frozen=True)
class _Turned:
    """What a motor turns: where it stood at the beginning, and how far a step turns it."""

    axis: int
    start_deg: float
    deg_per_step: float

    def angle_deg(self, motors: tuple[int, ...]) -> float:
        return self.start_deg + motors[self.axis] * self.deg_per_step


@dataclass(frozen=True)
class TwinBoard:
    """An emulated board for a twin, and how to read it.

    Args:
        settings: what to make it of.
        table, chute, feeder: what its motors turn.
        chute_servo, arm_servo: indices of its servos.
        fan: the output that shakes the feeder.
    """

    settings: BoardSettings
    table: _Turned
    chute: _Turned | None
    feeder: _Turned | None
    chute_servo: int | None
    arm_servo: int
    fan: int | None

    def state(self, outward: Outward) -> BoardState:
        """What an instant of the board is in degrees."""
        motors = outward.motors
        chute_deg = self.chute.angle_deg(motors) if self.chute is not None else 0.0
        if self.chute_servo is not None:
            chute_deg = outward.shafts_deg[self.chute_servo]
        return BoardState(
            time_s=outward.time_s,
            table_deg=self.table.angle_deg(motors),
            chute_deg=chute_deg,
            arm_deg=outward.shafts_deg[self.arm_servo],
            feeder_deg=self.feeder.angle_deg(motors) if self.feeder is not None else 0.0,
            fan_level=outward.fans[self.fan] if self.fan is not None else 0,
            is_awake=outward.are_driven[self.arm_servo],
        )


def twin_board(settings: TwinSettings) -> TwinBoard:
    """The board that a twin needs.

    Raises:
        TwinRefused: the settings contradict themselves, or ask for what no board has.
    """
    _check(settings)
    chance = random.Random(f"{settings.seed}:start")  # noqa: S311 - repeatable, not secret
    chute = settings.chute if isinstance(settings.chute, TwinMotor) else None
    chute_servo = settings.chute if isinstance(settings.chute, int) else None
    feeder, vibrates = settings.feeder.motor, settings.feeder.kind == "vibratory"
    reach_deg = max((abs(_beyond_switch_deg(chute, each.chute_deg)) for each in settings.bins), default=0.0)
    table_axis, table_turned = _axis(replace(settings.turntable, is_endless=True), TURN_DEG, chance)
    axes = {settings.turntable.letter: table_axis}
    chute_turned = feeder_turned = None
    if chute is not None:
        axes[chute.letter], chute_turned = _axis(chute, TURN_DEG if chute.is_endless else reach_deg, chance)
    if feeder is not None and settings.feeder.kind == "stepper":
        axes[feeder.letter], feeder_turned = _axis(feeder, TURN_DEG, chance)
    servos_deg = {settings.ejector_servo: settings.park_deg}
    if chute_servo is not None:
        servos_deg[chute_servo] = chance.choice(settings.bins).chute_deg
    spare = [each.endstop for each in (settings.sensors or {}).values()]
    board = BoardSettings(
        x=axes.get("X", _SPARE),
        y=axes.get("Y", _SPARE),
        z=axes.get("Z", _SPARE),
        endstops=tuple(name for name in _SWITCHES if name in _STOCK_ENDSTOPS or name in spare),
        servos=max(servos_deg) + 1,
        servo_starts_deg=tuple(servos_deg.get(index, 0.0) for index in range(max(servos_deg) + 1)),
        fans=settings.feeder.fan + 1 if vibrates else 1,
    )
    return TwinBoard(
        settings=board,
        table=table_turned,
        chute=chute_turned,
        feeder=feeder_turned,
        chute_servo=chute_servo,
        arm_servo=settings.ejector_servo,
        fan=settings.feeder.fan if vibrates else None,
    )


def _sign(motor: TwinMotor) -> int:
    return -1 if motor.is_reversed else 1


def _beyond_switch_deg(motor: TwinMotor | None, angle_deg: float) -> float:
    """How far an angle is from the switch, in the direction in which the motor counts up."""
    return 0.0 if motor is None else _sign(motor) * (angle_deg - (motor.home_deg or 0.0))


def _axis(motor: TwinMotor, reach_deg: float, chance: random.Random) -> tuple[AxisSettings, _Turned]:
    """A motor as it is compiled in, and what it turns, which may stand up to ``reach_deg`` from its switch."""
    away_deg = chance.uniform(_NEAREST_DEG, max(2.0 * _NEAREST_DEG, reach_deg - _NEAREST_DEG))
    away_steps = round(away_deg * motor.steps_per_deg)
    deg_per_step = _sign(motor) / motor.steps_per_deg
    has_index = motor.home_deg is not None and motor.is_endless
    axis = AxisSettings(
        motor.steps_per_deg,
        _FASTEST_DEG_PER_S,
        _QUICKEST_DEG_PER_S2,
        length_units=TURN_DEG,
        home_switch_at_steps=None if motor.home_deg is None else -away_steps,
        index_turn_steps=TURN_DEG * motor.steps_per_deg if has_index else None,
        index_width_steps=max(1.0, _INDEX_DEG * motor.steps_per_deg) if has_index else 0.0,
    )
    start_deg = (motor.home_deg or 0.0) + away_steps * deg_per_step
    return axis, _Turned(_LETTERS.index(motor.letter), start_deg, deg_per_step)


def _check(settings: TwinSettings) -> None:
    """Refuse what contradicts itself."""
    problems = [*_wiring_problems(settings), *_bin_problems(settings), *_fault_problems(settings)]
    if problems:
        raise TwinRefused("\n".join(problems), remedy=_REMEDY)


def _wiring_problems(settings: TwinSettings) -> list[str]:
    problems = []
    feeder = settings.feeder
    if (feeder.motor is None) == (feeder.kind == "stepper"):
        problems.append(f'feeder.motor goes with kind "stepper" and with no other, not with "{feeder.kind}"')
    motors = {"turntable": settings.turntable, "feeder.motor": feeder.motor}
    if isinstance(settings.chute, TwinMotor):
        motors["chute"] = settings.chute
    there = [each for each in motors.values() if each is not None]
    letters = [each.letter for each in there]
    if len(set(letters)) < len(letters):
        problems.append(f"two motors are on the same axis: {', '.join(letters)}")
    if settings.chute == settings.ejector_servo:
        problems.append(f"chute and ejector_servo are both servo {settings.ejector_servo}")
    if abs(settings.push_deg - settings.park_deg) < _LEAST_STROKE_DEG:
        problems.append(f"push_deg {settings.push_deg:g} is less than 10 deg from park_deg {settings.park_deg:g}")
    taken = {f"{each.letter.lower()}_min" for each in there if each.home_deg is not None}
    for name, sensor in (settings.sensors or {}).items():
        if name not in SENSORS:
            problems.append(f"sensors.{name} is unknown; there are {', '.join(SENSORS)}")
        if sensor.endstop not in _SWITCHES:
            problems.append(f"sensors.{name}.endstop {sensor.endstop!r} is none; there are {', '.join(_SWITCHES)}")
        elif sensor.endstop in taken:
            problems.append(f"sensors.{name}.endstop {sensor.endstop} is taken by a switch or another sensor")
        taken.add(sensor.endstop)
    return problems


def _bin_problems(settings: TwinSettings) -> list[str]:
    problems = []
    ids = [each.id for each in settings.bins]
    if len(set(ids)) < len(ids) or BESIDE in ids or HAND in ids:
        problems.append(f'bins must have ids of their own, and none is "{BESIDE}" or "{HAND}": {", ".join(ids)}')
    if settings.recirculate is not None and settings.recirculate not in ids:
        problems.append(f"recirculate {settings.recirculate!r} is no bin; there are {', '.join(ids)}")
    if settings.chute is None and len(ids) > 1:
        problems.append(f"without a chute everything falls into one bin, but there are {len(ids)}")
    if settings.fall_s < settings.fall_to_chute_s:
        problems.append(
            f"fall_s {settings.fall_s:g} is below fall_to_chute_s {settings.fall_to_chute_s:g}: a part enters the "
            "chute before it lies in a bin"
        )
    return problems


def _fault_problems(settings: TwinSettings) -> list[str]:
    problems = []
    for name, rate in settings.faults.items():
        try:
            fault = fault_named(name)
        except ValueError as error:
            problems.append(f"faults: {error}")
            continue
        if rate > 0.0 and fault.name == "lost-steps-chute" and not isinstance(settings.chute, TwinMotor):
            problems.append(f"faults.{name}: no motor turns the chute")
    return problems
