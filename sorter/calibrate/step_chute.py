"""Step ``chute``: the chute's angle for each bin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.calibrate.bin_angles import spread, too_near
from sorter.calibrate.errors import StepImpossible
from sorter.calibrate.nudge import nudge
from sorter.calibrate.outcome import StepResult
from sorter.config import MotorChuteConfig
from sorter.config.checks import LEAST_APART_DEG

if TYPE_CHECKING:
    from sorter.calibrate.bench import Bench
    from sorter.toml import KeyPath

_STEP_DEG = 2.0

_BEFORE = """For each bin the chute turns to its angle. Drop a part into it by hand and see where it falls; move the
chute until parts fall in the middle of the bin. The arm is parked and the chute homed first."""


def chute(bench: Bench) -> StepResult:
    """Spread the bins or take them as they are, then try each."""
    config = bench.config
    if config.chute is None or not config.bins:
        what = "no [chute]" if config.chute is None else "no [[bins]]"
        raise StepImpossible(
            f"{bench.path} has {what}, so there are no angles to find",
            remedy="Add them to rig.toml first; `sorter config reference` describes every table."
            if config.chute is not None
            else "All parts fall into the one bin of this rig: leave this step out.",
        )
    is_round = isinstance(config.chute, MotorChuteConfig)
    least_deg = LEAST_APART_DEG
    if isinstance(config.chute, MotorChuteConfig):
        least_deg = max(least_deg, config.chute.least_move_deg)
    limits_deg = config.chute.limits_deg
    angles = {each.id: each.chute_deg for each in config.bins}
    even = dict(zip(angles, spread(len(angles), limits_deg, is_round=is_round), strict=True))
    choices = {
        "as they are": ", ".join(f"{name} {angle:g}" for name, angle in angles.items()),
        "evenly": ", ".join(f"{name} {angle:g}" for name, angle in even.items()),
    }
    if bench.talk.choose("Which angles (deg) to begin with?", choices) == "evenly":
        angles = even
    bench.talk.say(_BEFORE)
    bench.talk.ask("Press Enter when the chute is free to turn.", "")
    bench.home()
    settled: dict[str, float] = {}
    for name, angle_deg in angles.items():

        def refuse(at_deg: float, name: str = name) -> str | None:
            near = too_near(at_deg, settled, is_round=is_round, least_deg=least_deg)
            if near is not None:
                return (
                    f"{at_deg:g} deg is less than {least_deg:g} deg from the bin {near} ({settled[near]:g} deg): the "
                    "chute could not tell them apart."
                )
            later = {other: angles[other] for other in angles if other != name and other not in settled}
            near = too_near(at_deg, later, is_round=is_round, least_deg=least_deg)
            if near is not None:
                bench.talk.say(f"The bin {near} cannot stay at {later[near]:g} deg then; it comes later.")
            return None

        at_deg = nudge(
            bench.talk,
            f'Bin "{name}":',
            angle_deg,
            limits_deg,
            bench.turn_chute_to,
            step_deg=_STEP_DEG,
            refuse=refuse,
        )
        settled[name] = round(at_deg, 2)
    return _written(bench, settled)


def _written(bench: Bench, settled: dict[str, float]) -> StepResult:
    values: dict[KeyPath, object] = {
        ("bins", place, "chute_deg"): settled[each.id]
        for place, each in enumerate(bench.config.bins)
        if each.chute_deg != settled[each.id]
    }
    told = ", ".join(f"{name} {angle:g}" for name, angle in settled.items())
    if not values:
        return StepResult(f"as in rig.toml: {told} deg")
    return StepResult(f"{told} deg" if bench.write(values) else f"tried {told} deg, and left rig.toml as it was")
