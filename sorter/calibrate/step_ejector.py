"""Step ``ejector``: where the arm is parked, how far it pushes, and where the table stands for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.calibrate.nudge import nudge
from sorter.calibrate.outcome import StepResult

if TYPE_CHECKING:
    from sorter.calibrate.bench import Bench
    from sorter.toml import KeyPath

_SERVO_DEG = (0.0, 180.0)
_ARM_STEP_DEG, _TABLE_STEP_DEG = 1.0, 5.0
_LEAST_PUSH_DEG = 10.0

_BEFORE = (
    """The arm moves now. Keep fingers away from it. A servo that hums is pushed against something: go back a little."""
)

_PARKED = "PARKED: the arm is clear of the table, of the camera's view and of all parts."

_PUSHED = "PUSHED: the arm has wiped all the way over the table's rim; whatever lay there is in the chute."

_AZIMUTH = """Lay a part on the table where the feeder drops parts, off the middle. Then turn the table until the part
is before the arm, so that the arm would take it along."""


def ejector(bench: Bench) -> StepResult:
    """Find both places of the arm by moving it, then the table's angle."""
    bench.talk.say(_BEFORE)
    bench.talk.ask("Press Enter when nothing is in its way.", "")
    config = bench.config.ejector

    def refuse(push_deg: float) -> str | None:
        if abs(push_deg - park_deg) >= _LEAST_PUSH_DEG:
            return None
        return f"That is less than {_LEAST_PUSH_DEG:g} deg from where it is parked ({park_deg:g} deg)."

    with bench.arm() as arm:
        park_deg = nudge(bench.talk, _PARKED, config.park_deg, _SERVO_DEG, arm.move, step_deg=_ARM_STEP_DEG)
        arm.park_deg = park_deg
        push_deg = nudge(
            bench.talk, _PUSHED, config.push_deg, _SERVO_DEG, arm.move, step_deg=_ARM_STEP_DEG, refuse=refuse
        )
    _write_changes(bench, {("ejector", "park_deg"): round(park_deg, 1), ("ejector", "push_deg"): round(push_deg, 1)})
    _azimuth(bench)
    config = bench.config.ejector
    return StepResult(
        f"parked at {config.park_deg:g} deg, pushed at {config.push_deg:g} deg, table at {config.azimuth_deg:g} deg"
    )


def _azimuth(bench: Bench) -> None:
    answer = bench.talk.choose(
        "At which angle of the table are parts pushed?",
        {"keep": f"as in rig.toml: {bench.config.ejector.azimuth_deg:g} deg", "find": "find it by turning the table"},
    )
    if answer == "keep":
        return
    bench.talk.say("The arm is parked, and the table turns to 0; without a switch that is where it stands now.")
    bench.home("turntable")
    azimuth_deg = nudge(bench.talk, _AZIMUTH, 0.0, None, bench.turn_table_to, step_deg=_TABLE_STEP_DEG)
    _write_changes(bench, {("ejector", "azimuth_deg"): round(azimuth_deg % 360.0, 1) % 360.0})


def _write_changes(bench: Bench, values: dict[KeyPath, object]) -> None:
    """Write what is another value than now."""
    changed = {key: value for key, value in values.items() if getattr(bench.config.ejector, str(key[1])) != value}
    if changed:
        bench.write(changed)
    else:
        bench.talk.say("That is what rig.toml says already.")
