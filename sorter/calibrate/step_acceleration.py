"""Step ``acceleration``: how fast the table may speed up before a part slides on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.outcome import StepResult
from sorter.calibrate.sliding import KEPT, find_grip, slip_between

if TYPE_CHECKING:
    from sorter.calibrate.bench import Bench
    from sorter.calibrate.sliding import Slip
    from sorter.config import RigConfig

_TIMES = 4  # to and fro, as what slides at once may slide back
_SHAKE_DEG = 90.0
_SMALLER = 0.5  # of its size a part may differ from itself in two pictures

_BEFORE = """Lay ONE part on the table, halfway to its rim: one that slides more easily than most, such as a smooth tile
or a brick on its studs. The table turns to and fro, faster and faster, until the part slides. Where each try begins,
the board is opened anew and the arm parked."""


def acceleration(bench: Bench) -> StepResult:
    """Shake at rising accelerations, and write a share of the last good one."""
    bench.talk.say(_BEFORE)
    bench.talk.ask("Press Enter when it lies there.", "")
    noise = slip_between(bench.frame(), bench.frame())
    if noise.change > _SMALLER:
        raise NotMeasured(
            "two pictures of the part at rest differ too much",
            remedy="Take a part that stands out from the table, and see that the light does not flicker.",
        )
    grip = find_grip(lambda wanted: _slides(bench, wanted, noise))
    table = bench.config.turntable
    if grip.slid is None:
        bench.talk.say(f"The part did not slide, up to {grip.held:.0f} deg/s². A motor may give in before that.")
    measured = f"held at {grip.held:.0f}" + ("" if grip.slid is None else f", slid at {grip.slid:.0f}") + " deg/s²"
    bench.talk.say(
        f"Measured: {measured}. {KEPT:.0%} of what held is {grip.to_use:g} deg/s²; rig.toml says "
        f"{table.acceleration_deg_per_s2:g}."
    )
    if grip.to_use == table.acceleration_deg_per_s2:
        return StepResult(f"rig.toml is right: {measured}")
    is_written = bench.write({("turntable", "acceleration_deg_per_s2"): grip.to_use})
    return StepResult(measured if is_written else f"{measured}; rig.toml left as it was")


def _slides(bench: Bench, wanted: float, noise: Slip) -> bool:
    """Whether a part that lay still does not lie where it was after the table was turned to and fro."""
    with bench.trying(_accelerated(bench.config, wanted)):
        bench.home("turntable")
        before = bench.frame()
        for _ in range(_TIMES):
            bench.turn_by("turntable", _SHAKE_DEG)
            bench.turn_by("turntable", -_SHAKE_DEG)
        slip = slip_between(before, bench.frame())
    is_slip = slip.is_slip(noise)
    told = f"it is {slip.shift_px:.1f} px from where it was" if slip.shift_px < 1e6 else "it is not where it was"
    bench.talk.say(f"{wanted:6.0f} deg/s²: {told}{', it slid' if is_slip else ''}")
    return is_slip


def _accelerated(config: RigConfig, wanted: float) -> RigConfig:
    return config.model_copy(
        update={"turntable": config.turntable.model_copy(update={"acceleration_deg_per_s2": wanted})}
    )
