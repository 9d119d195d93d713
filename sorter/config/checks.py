"""What must hold between the tables of rig.toml: no motor, servo or input twice, and bins that the chute can reach."""

from __future__ import annotations

import itertools
import typing
from typing import TYPE_CHECKING

from sorter.config.axes import STEPS_KEYS, MotorChuteConfig, MotorConfig, ServoChuteConfig
from sorter.config.delivery import Endstop, StepperFeederConfig
from sorter.config.plan_checks import plan_mistakes
from sorter.toml import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sorter.config.bins import BinConfig
    from sorter.config.rig import RigConfig
    from sorter.toml import KeyPath

LEAST_APART_DEG = 2.0
"""No chute can tell bins apart that are nearer to each other."""

_ROUNDING_DEG = 1e-6
_LETTERS, _SERVOS = ("X", "Y", "Z"), (0, 1, 2, 3)


def mistakes_between_tables(config: RigConfig) -> Iterator[Mistake]:
    """All that does not go together."""
    yield from _letters(config)
    yield from _servos(config)
    yield from _endstops(config)
    yield from _looking(config)
    yield from _bin_ids(config)
    yield from _bin_places(config)
    yield from plan_mistakes(config)


def what_sorting_lacks(config: RigConfig) -> Iterator[Mistake]:
    """Tables that a rig needs to sort."""
    if not config.bins and config.sort is None:
        yield Mistake(("bins",), "is missing; a rig that sorts needs [[bins]], one for each place to sort to")
    if config.sort is None:
        text = "is missing; a rig that sorts needs [sort] with a reject bin"
        yield Mistake(("sort",), text, against=(("bins", 0),))


def _motors(config: RigConfig) -> dict[str, MotorConfig]:
    motors: dict[str, MotorConfig] = {"turntable": config.turntable}
    if isinstance(config.chute, MotorChuteConfig):
        motors["chute"] = config.chute
    if isinstance(config.feeder, StepperFeederConfig):
        motors["feeder"] = config.feeder
    return motors


def _letters(config: RigConfig) -> Iterator[Mistake]:
    motors = _motors(config)
    free = [letter for letter in _LETTERS if letter not in {motor.letter for motor in motors.values()}]
    holders: dict[str, str] = {}
    # Those that were written down come last: it is they that must be changed.
    for name, motor in sorted(motors.items(), key=lambda each: "letter" in each[1].model_fields_set):
        holder = holders.setdefault(motor.letter, name)
        if holder != name:
            text = (
                f"is the {holder}'s already; give the {name} another letter{_free(free)}, got {_quoted(motor.letter)}"
            )
            yield Mistake((name, "letter"), text, against=((holder, "letter"),))


def _servos(config: RigConfig) -> Iterator[Mistake]:
    if not isinstance(config.chute, ServoChuteConfig) or config.chute.servo != config.ejector.servo:
        return
    servo = config.ejector.servo
    name, holder = ("chute", "ejector") if "servo" in config.chute.model_fields_set else ("ejector", "chute")
    text = f"is the {holder}'s already; give the {name} another socket, such as {_SERVOS[servo - 1]}, got {servo}"
    yield Mistake((name, "servo"), text, against=((holder, "servo"),))


def _endstops(config: RigConfig) -> Iterator[Mistake]:
    users: dict[str, tuple[str, KeyPath, tuple[KeyPath, ...]]] = {}
    if config.turntable.homing == "index":
        homing: KeyPath = ("turntable", "homing")
        users[f"{config.turntable.letter.lower()}_min"] = ("the turntable's index", homing, (("turntable", "letter"),))
    if isinstance(config.chute, MotorChuteConfig):
        chute: KeyPath = ("chute", "letter") if "letter" in config.chute.model_fields_set else ("chute",)
        settings: tuple[KeyPath, ...] = (("chute", "letter"), ("chute", "homing"))
        users[f"{config.chute.letter.lower()}_min"] = ("the chute's own", chute, settings)
    sensors = config.sensors.all
    taken = {*users, *(sensor.endstop for sensor in sensors.values())}
    free = [endstop for endstop in typing.get_args(Endstop) if endstop not in taken]
    for name, sensor in sensors.items():
        key: KeyPath = ("sensors", name, "endstop")
        if sensor.endstop not in users:
            users[sensor.endstop] = (f"the sensor {name}'s", key, ())
            continue
        whose, against, rests_on = users[sensor.endstop]
        text = f"is {whose} switch already; take another input{_free(free)}, got {_quoted(sensor.endstop)}"
        yield Mistake(key, text, (against,), rests_on)


def _looking(config: RigConfig) -> Iterator[Mistake]:
    """The table can be turned from one place to the next, and has the time to be seen standing still."""
    look, table = config.look, config.turntable
    if look.angles > 1 and 360.0 / look.angles < table.least_move_deg:
        stated = [name for name in STEPS_KEYS if name in table.model_fields_set]
        steps = tuple(("turntable", name) for name in STEPS_KEYS)
        text = (
            f"makes {table.steps_per_deg:g} steps a degree, and the {360.0 / look.angles:g} deg between two of "
            f"look.angles {look.angles} are too few steps for the board, which needs {table.least_move_deg:g} deg"
        )
        yield Mistake(("turntable", *stated[:1]), text, against=(("look", "angles"),), rests_on=steps)
    least_s = (look.still_frames + 1) / config.camera.frames_per_s
    if look.settle_timeout_s < least_s:
        stated = [name for name in ("settle_timeout_s", "still_frames") if name in look.model_fields_set]
        key = ("look", stated[0]) if stated else ("camera", "frames_per_s")
        text = (
            f"settle_timeout_s must be {least_s:g} or more: still_frames {look.still_frames} at "
            f"{config.camera.frames_per_s:g} frames_per_s take that long, got {look.settle_timeout_s:g}"
        )
        keys = (("look", "settle_timeout_s"), ("look", "still_frames"), ("camera", "frames_per_s"))
        yield Mistake(key, text, against=tuple(each for each in keys if each != key))


def _bin_ids(config: RigConfig) -> Iterator[Mistake]:
    holders: dict[str, int] = {}
    for place, each in enumerate(config.bins):
        holder = holders.setdefault(each.id, place)
        if holder != place:
            text = f"is another bin's already; each needs an id of its own, got {_quoted(each.id)}"
            yield Mistake(("bins", place, "id"), text, against=(("bins", holder, "id"),))


def _bin_places(config: RigConfig) -> Iterator[Mistake]:
    chute, bins = config.chute, config.bins
    if chute is None:
        if len(bins) > 1:
            text = f'cannot be reached: without [chute] all falls into "{bins[0].id}"; leave it out or add [chute]'
            yield Mistake(("bins", 1), text, against=(("bins", 0),), rests_on=(("chute",),))
        return
    if chute.limits_deg is not None:
        low, high = chute.limits_deg
        limits: tuple[KeyPath, ...] = (("chute", "minimum_deg"), ("chute", "maximum_deg"))
        for place, each in enumerate(bins):
            if not low <= each.chute_deg <= high:
                text = f"must be from {low:g} to {high:g}, which are the chute's limits, got {each.chute_deg:g}"
                yield Mistake(("bins", place, "chute_deg"), text, against=limits, rests_on=(("chute", "homing"),))
    turn_deg = 360.0 if isinstance(chute, MotorChuteConfig) else None
    least_deg = max(LEAST_APART_DEG, chute.least_move_deg) if isinstance(chute, MotorChuteConfig) else LEAST_APART_DEG
    yield from _bins_apart(bins, turn_deg, least_deg)


def _bins_apart(bins: Sequence[BinConfig], turn_deg: float | None, least_deg: float) -> Iterator[Mistake]:
    """Bins that are too near each other, on a chute that is back where it was after ``turn_deg``, or never."""
    places = sorted((each.chute_deg % turn_deg if turn_deg else each.chute_deg, at) for at, each in enumerate(bins))
    pairs = list(itertools.pairwise(places))
    if turn_deg and len(places) > 2:
        pairs.append((places[-1], places[0]))
    for (angle_deg, at), (next_deg, next_at) in pairs:
        apart_deg = abs(next_deg - angle_deg)
        if turn_deg:
            apart_deg = min(apart_deg, turn_deg - apart_deg)
        if apart_deg >= least_deg - _ROUNDING_DEG:
            continue
        first, second = sorted((at, next_at))
        near = "at the same place as" if apart_deg == 0.0 else f"{apart_deg:g} deg from"
        text = (
            f'is {near} bin "{bins[first].id}"; a chute tells bins apart that are {least_deg:g} deg or more from each '
            f"other, got {bins[second].chute_deg:g}"
        )
        rests_on = tuple(("chute", name) for name in ("kind", *STEPS_KEYS))
        yield Mistake(("bins", second, "chute_deg"), text, (("bins", first, "chute_deg"),), rests_on)


def _free(free: list[str]) -> str:
    return f", such as {_quoted(free[0])}" if free else "; none is free"


def _quoted(text: str) -> str:
    return f'"{text}"'
