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

_TURN_DEG = 90.0
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
    told = [_motor(bench, "turntable", "the table")]
    if isinstance(bench.config.chute, MotorChuteConfig):
        told.append(_motor(bench, "chute", "the chute"))
    return StepResult("; ".join(told))


def _motor(bench: Bench, axis: str, what: str) -> str:
    for _ in range(_MOST_TIMES):
        bench.talk.say(_BEFORE.format(what=what, angle=_TURN_DEG))
        if bench.talk.choose(f"Is {what} free to turn?", {"go": "turn it", "skip": "leave it out"}) == "skip":
            return f"{axis} left out"
        _ready(bench, axis)
        bench.turn_by(axis, _TURN_DEG)
        answer = bench.talk.choose(f"What did {what} do?", _answers(axis))
        if answer == "right":
            return f"{axis} turns"
        if answer == "other":
            _turn_round(bench, axis, what)
        elif answer == "wrong":
            _gear(bench, axis, what)
        else:
            bench.talk.say(_DEAD.format(letter=_motor_config(bench, axis).letter))
    raise NotMeasured(
        f"{what} did not turn as it should in {_MOST_TIMES} tries",
        remedy=f"Mend its wiring or its [{axis}] in rig.toml, then run `sorter calibrate motors` again.",
    )


def _answers(axis: str) -> dict[str, str]:
    way = "counter-clockwise, seen from above" if axis == "turntable" else "away from its switch"
    other = "clockwise" if axis == "turntable" else "towards its switch"
    return {
        "right": f"a quarter of a turn {way}",
        "other": f"a quarter of a turn the other way: {other}",
        "wrong": "it turned, but too far or too little",
        "none": "it did not turn, or only hummed",
    }


def _ready(bench: Bench, axis: str) -> None:
    """A table without a switch is declared to stand at 0; all else is homed, the chute after its switch was tried."""
    if axis != "chute":
        bench.home(axis)
        return
    _try_switch(bench)
    try:
        bench.home(axis)
    except BoardHalted as error:
        letter = _motor_config(bench, axis).letter
        raise NotMeasured(
            f"the chute's switch was not found, and the board halted itself: {error.message}",
            remedy=f"If the chute turned away from its switch, turn the plug of motor {letter} round (supply off): a "
            "board homes one way only. If it did not turn at all, see to its wiring. Then run this again: it resets "
            "the board.",
        ) from error


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
    if not is_pressed or not is_released:
        said = "TRIGGERED" if is_pressed else "open"
        raise NotMeasured(
            f"the board says that {name} is {said} all the time",
            remedy="Check that the switch is at that input, signal and ground. If it is always the wrong way round, "
            "change X_MIN_ENDSTOP_HIT_STATE (or ..._INVERTING) in Marlin's Configuration.h.",
        )


def _turn_round(bench: Bench, axis: str, what: str) -> None:
    motor = _motor_config(bench, axis)
    if axis == "chute" and not motor.is_reversed:
        bench.talk.say(
            f"The chute found its switch and then turned towards it: that cannot be both. Look again, and turn "
            f"the plug of motor {motor.letter} round, with the supply off, if the chute homes away from its switch."
        )
        return
    bench.talk.say(f"Then {what} is wired the other way round; rig.toml can say so.")
    bench.write({(axis, "is_reversed"): not motor.is_reversed})


def _gear(bench: Bench, axis: str, what: str) -> None:
    motor = _motor_config(bench, axis)
    about_deg = ask_number(bench.talk, f"By how many degrees did {what} turn, about?", 0.1, 36_000.0, unit="deg")
    ratio = about_deg / _TURN_DEG
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
