"""Step ``steps``: how many steps make a degree of the table: by its gearing, or measured with the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.calibrate.gearing import explanations, measure_gearing
from sorter.calibrate.mark import table_picture
from sorter.calibrate.outcome import StepResult
from sorter.calibrate.talk import ask_number

if TYPE_CHECKING:
    from sorter.calibrate.bench import Bench
    from sorter.calibrate.gearing import Explanation, Gearing
    from sorter.toml import KeyPath

_FRAMES = 3  # of each place
_TEETH = 1e-5  # teeth are counted: a gear_ratio that is further off says something else
_EXACT = 1e-3  # a setting that explains the ratio so well is the better thing to write
_GEARING_KEYS = ("full_steps_per_turn", "microsteps", "gear_ratio")

_BEFORE = """The table turns round and round now, for a minute or two, and the camera looks at it.
  - Take everything off it.
  - Something on it must turn with it and be seen: a sticker, a stroke of a pen halfway to the rim.
  - The arm is parked first."""


def steps(bench: Bench) -> StepResult:
    """Ask which way, and do it."""
    how = bench.talk.choose(
        "How are the table's steps per degree to be found?",
        {"camera": "measured by the camera, with a mark on the table", "gearing": "reckoned from teeth of the gear"},
    )
    return _by_camera(bench) if how == "camera" else _by_teeth(bench)


def _by_teeth(bench: Bench) -> StepResult:
    motors_question = "Teeth of the motor's pulley or gear (1 if the table sits on its shaft)"
    motors = ask_number(bench.talk, motors_question, 1, 1000, is_whole=True)
    tables = ask_number(bench.talk, "Teeth of the table's", 1, 10_000, default=motors, is_whole=True)
    ratio = tables / motors
    table = bench.config.turntable
    told = f"{table.full_steps_per_turn} steps a turn, 1/{table.microsteps} steps, gear {ratio:g}"
    if table.measured_steps_per_deg is None and abs(table.gear_ratio / ratio - 1.0) < _TEETH:
        return StepResult(f"as in rig.toml: {told}")
    steps_per_deg = table.full_steps_per_turn * table.microsteps * ratio / 360.0
    bench.talk.say(f"That makes {steps_per_deg:.6g} steps/deg, if the rest is right: {told}.")
    values: dict[KeyPath, object] = {("turntable", "gear_ratio"): round(ratio, 6)}
    if table.measured_steps_per_deg is not None:
        values[("turntable", "measured_steps_per_deg")] = None
    if not bench.write(values):
        return StepResult("left as it was")
    return StepResult(f"{bench.config.turntable.steps_per_deg:.6g} steps/deg: {told}")


def _by_camera(bench: Bench) -> StepResult:
    bench.talk.say(_BEFORE)
    bench.talk.ask("Press Enter when it is ready.", "")
    bench.home("turntable")
    view = bench.view(bench.frame())
    told = bench.config.turntable.steps_per_deg
    gearing = measure_gearing(
        lambda angle_deg: bench.turn_by("turntable", angle_deg),
        lambda: table_picture([bench.frame() for _ in range(_FRAMES)]),
        view,
        told,
    )
    true = gearing.true_steps_per_deg(told)
    deviation = true * gearing.deviation / gearing.ratio
    measured = f"{true:.6g} ± {deviation:.1g} steps/deg"
    bench.talk.say(
        f"Measured over {gearing.turned_deg:.0f} deg: the table turns {gearing.ratio:.5f} ± {gearing.deviation:.1g} "
        f"degrees for each that it is told, so {measured}; rig.toml says {told:.6g}."
    )
    _tell_way(bench, gearing)
    if gearing.is_right:
        return StepResult(f"rig.toml is right: {measured}")
    return _write(bench, gearing, round(true, 5), measured)


def _tell_way(bench: Bench, gearing: Gearing) -> None:
    """Nothing in sorting depends on it; whoever compares pictures with angles may want it."""
    if gearing.is_clockwise:
        bench.talk.say(
            "Growing angles turn the table clockwise, seen from above. That does no harm; is_reversed turns it round."
        )


def _write(bench: Bench, gearing: Gearing, true: float, measured: str) -> StepResult:
    table = bench.config.turntable
    if gearing.is_implausible:
        bench.talk.say(
            f"That is {100.0 * (gearing.ratio - 1.0):+.0f} % off what rig.toml says: more than a worn gear explains. "
            "Wrong jumpers or a wrong gear_ratio would."
        )
    exact = explanations(table, gearing.ratio, max(_EXACT, 4.0 * gearing.deviation / gearing.ratio))
    choices = {str(place): f"{each.words}: write that" for place, each in enumerate(exact, start=1)}
    choices["measured"] = f"write the measured {true:g} steps/deg"
    choices["none"] = "write nothing"
    if not exact and not gearing.is_implausible:
        answer = "measured"  # asked once more when it is written
    else:
        answer = bench.talk.choose("What is to be done?", choices)
    if answer == "none":
        return StepResult(f"measured {measured}, and left as it was")
    values = _measured(bench, true) if answer == "measured" else _explained(exact[int(answer) - 1])
    return StepResult(measured if bench.write(values) else f"measured {measured}, and left as it was")


def _measured(bench: Bench, true: float) -> dict[KeyPath, object]:
    """With the keys whose place it takes taken out."""
    stated = [key for key in _GEARING_KEYS if key in bench.config.turntable.model_fields_set]
    return {("turntable", "measured_steps_per_deg"): true, **{("turntable", key): None for key in stated}}


def _explained(what: Explanation) -> dict[KeyPath, object]:
    return {("turntable", what.key): what.value}
