"""Step ``motors``: does each motor turn, the right way, and about as far as it is told?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_bridge.errors import BoardHalted
from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.gearing import explanations
from sorter.calibrate.outcome import StepResult
from sorter.calibrate.talk import ask_number
from sorter.config import MotorChuteConfig

if TYPE_CHECKING:
    from sorter.calibrate.bench import Bench
    from sorter.config import MotorConfig
    from sorter.toml import KeyPath

_QUARTER_DEG = 90.0
_LEAST_DEG = 10.0  # a smaller turn is hard to see
_ESTIMATED = 0.3  # an angle that was estimated may be wrong by so much
_MOST_TIMES = 6

_BEFORE = """The ejector's arm is parked now, then {what} turns by {angle:g} deg.
Keep a hand at the switch of the motors' supply. Ctrl-C stops as well, a moment later."""

_DEAD = """Look for this, with the supply off:
  - the motors' own supply (12 V or 24 V at the green terminals): USB alone does not turn them
  - the motor's plug: in the socket {letter} of the board, the driver in the right way round
  - the coils: turned by hand the shaft must get stiff when the two wires of one coil are joined; if it hums or
    trembles and does not turn, two wires of different coils have changed places
  - the driver's current: too low and it does nothing or loses steps, too high and it gets hot and drops out"""


def motors(bench: Bench) -> StepResult:
    """Turn each motor and ask what it did."""
    turns = {"turntable": _turns(bench, "turntable", "the table")}
    if isinstance(bench.config.chute, MotorChuteConfig):
        turns["chute"] = _turns(bench, "chute", "the chute")
    told = "; ".join(f"{axis} {'turns' if does else 'left out'}" for axis, does in turns.items())
    return StepResult(told, is_left_out=not any(turns.values()))


def _turns(bench: Bench, axis: str, what: str) -> bool:
    """Whether it turns as it should at last; False if it was left out."""
    for _ in range(_MOST_TIMES):
        turn_deg = _way_deg(bench, axis)
        bench.talk.say(_BEFORE.format(what=what, angle=abs(turn_deg)))
        if bench.talk.choose(f"Is {what} free to turn?", {"go": "turn it", "skip": "leave it out"}) == "skip":
            return False
        _ready(bench, axis)
        bench.turn_by(axis, turn_deg)
        answer = bench.talk.choose(f"What did {what} do?", _answers(axis, abs(turn_deg)))
        if answer == "right":
            return True
        if answer == "other":
            _turn_round(bench, axis, what, turn_deg)
        elif answer == "wrong":
            _gear(bench, axis, what, abs(turn_deg))
        else:
            bench.talk.say(_DEAD.format(letter=_motor_config(bench, axis).letter))
    raise NotMeasured(
        f"{what} did not turn as it should in {_MOST_TIMES} tries",
        remedy=f"Mend its wiring or its [{axis}] in rig.toml, then run `sorter calibrate motors` again.",
    )


def _way_deg(bench: Bench, axis: str) -> float:
    """A quarter of a turn; of a chute away from its switch if it can, and no further than its limits."""
    if axis != "chute":
        return _QUARTER_DEG
    chute = _motor_config(bench, axis)
    assert isinstance(chute, MotorChuteConfig)
    away = -1.0 if chute.is_reversed else 1.0  # a board homes towards its own negative side
    if chute.limits_deg is None:
        return away * _QUARTER_DEG
    lowest_deg, highest_deg = chute.limits_deg
    room_deg = {1.0: highest_deg - chute.home_deg, -1.0: chute.home_deg - lowest_deg}
    fits_deg = {way: min(room, _QUARTER_DEG) for way, room in room_deg.items()}
    way = away if fits_deg[away] >= min(_LEAST_DEG, fits_deg[-away]) else -away
    return way * fits_deg[way]


def _answers(axis: str, turn_deg: float) -> dict[str, str]:
    so_far = "a quarter of a turn" if turn_deg == _QUARTER_DEG else f"about {turn_deg:.0f} deg"
    way = "counter-clockwise, seen from above" if axis == "turntable" else "away from its switch"
    other = "clockwise" if axis == "turntable" else "towards its switch"
    return {
        "right": f"{so_far} {way}",
        "other": f"{so_far} the other way: {other}",
        "wrong": "it turned, but too far or too little",
        "none": "it did not turn, or only hummed",
    }


def _ready(bench: Bench, axis: str) -> None:
    """A table without a switch is declared to stand at 0; all else is homed, the chute after its switch was tried."""
    if axis == "chute":
        _try_switch(bench)
    try:
        bench.home(axis)
    except BoardHalted as error:
        raise _switch_not_found(axis, _motor_config(bench, axis).letter, error) from error


def _switch_not_found(axis: str, letter: str, error: BoardHalted) -> NotMeasured:
    if axis == "turntable":
        return NotMeasured(
            f"the board halted itself while the table looked for its index: {error.message}",
            remedy=f"If it did not turn, see to the wiring of motor {letter}. If it did, turn it by hand to its index: "
            f"`sorter board info` must say then that {letter.lower()}_min is TRIGGERED. Then run this again: it resets "
            "the board.",
        )
    return NotMeasured(
        f"the board halted itself while the chute looked for its switch: {error.message}",
        remedy=f"If the chute turned away from its switch, turn the plug of motor {letter} round (supply off): a "
        "board homes one way only. If it did not turn at all, see to its wiring. Then run this again: it resets "
        "the board.",
    )


def _try_switch(bench: Bench) -> None:
    """Without a switch that works homing would drive the chute into its end."""
    letter = _motor_config(bench, "chute").letter
    name = f"{letter.lower()}_min"
    bench.talk.ask(f"Press the chute's switch ({name}) by hand, hold it, and press Enter.", "")
    is_pressed = bench.machine.board.endstops().get(name)
    if is_pressed is None:
        raise NotMeasured(
            f"the board knows no switch {name}", remedy="Check [chute] letter in rig.toml against the wiring."
        )
    bench.talk.ask("Now let go of it, and press Enter.", "")
    is_released = not bench.machine.board.endstops().get(name)
    if is_pressed and is_released:
        return
    if not is_pressed and not is_released:
        raise NotMeasured(
            f"the board says that {name} is open while it is pressed, and TRIGGERED when it is not",
            remedy=f"Change {letter}_MIN_ENDSTOP_HIT_STATE (older Marlin: {letter}_MIN_ENDSTOP_INVERTING) in Marlin's "
            "Configuration.h, or wire the switch to its other contact.",
        )
    said = "TRIGGERED" if is_pressed else "open"
    raise NotMeasured(
        f"the board says that {name} is {said} all the time",
        remedy="Check that the switch is at that input, signal and ground, and that it clicks.",
    )


def _turn_round(bench: Bench, axis: str, what: str, turn_deg: float) -> None:
    motor = _motor_config(bench, axis)
    if axis == "chute" and (turn_deg < 0.0) == motor.is_reversed:
        bench.talk.say(
            f"The chute found its switch and then turned towards it: that cannot be both. Look again, and turn "
            f"the plug of motor {motor.letter} round, with the supply off, if the chute homes away from its switch."
        )
        return
    bench.talk.say(f"Then {what} is wired the other way round; rig.toml can say so.")
    bench.write({(axis, "is_reversed"): not motor.is_reversed})


def _gear(bench: Bench, axis: str, what: str, turn_deg: float) -> None:
    motor = _motor_config(bench, axis)
    about_deg = ask_number(bench.talk, f"By how many degrees did {what} turn, about?", 0.1, 36_000.0, unit="deg")
    ratio = about_deg / turn_deg
    found = explanations(motor, ratio, _ESTIMATED)
    choices = {str(place): each.words for place, each in enumerate(found, start=1)}
    if motor.measured_steps_per_deg is None:
        choices["gear"] = f"a gear or belt: gear_ratio would be {motor.gear_ratio / ratio:.4g}"
    else:
        choices["gear"] = "the measured steps per degree are wrong by that"
    choices["none"] = "change nothing; `sorter calibrate steps` measures it"
    answer = bench.talk.choose(f"It turned {ratio:.3g} times as far as it was told. What explains that?", choices)
    values: dict[KeyPath, object] = {}
    if answer == "gear" and motor.measured_steps_per_deg is not None:
        values = {(axis, "measured_steps_per_deg"): round(motor.measured_steps_per_deg / ratio, 5)}
    elif answer == "gear":
        values = {(axis, "gear_ratio"): round(motor.gear_ratio / ratio, 5)}
    elif answer != "none":
        chosen = found[int(answer) - 1]
        values = {(axis, chosen.key): chosen.value}
    if values:
        bench.write(values)


def _motor_config(bench: Bench, axis: str) -> MotorConfig:
    chute = bench.config.chute
    if axis == "chute":
        assert isinstance(chute, MotorChuteConfig)  # nobody else asks
        return chute
    return bench.config.turntable
