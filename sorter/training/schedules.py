"""Learning rates over a phase, as pure functions of the step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sorter.training.recipe import ScheduleRecipe

_FIRST = 1 / 25  # of the highest rate, where one_cycle begins
_LAST = 1e-4  # of the highest rate, where one_cycle ends


def rate_at(schedule: ScheduleRecipe, highest: float, step: int, steps: int) -> float:
    """The rate of a step.

    constant: the highest throughout. cosine: falls along half a cosine to ``least`` (Loshchilov and Hutter 2017),
    after a straight rise over ``warm_up``. one_cycle: rises along half a cosine from a 25th over ``warm_up`` (0.3 if
    that is 0) and falls to a ten-thousandth (Smith 2018). cyclical: straight up from ``least`` and down again
    ``cycles`` times (Smith 2017, "triangular"), or as often as there are steps for it: one up, one down.

    Args:
        schedule: of the phase's recipe.
        highest: rate.
        step: from 0.
        steps: of the whole phase, above 0.

    Raises:
        ValueError: the step is not one of the phase.
    """
    if not 0 <= step < steps:
        raise ValueError(f"step {step} is not one of {steps}")
    place = step / max(steps - 1, 1)
    cycles = min(schedule.cycles, (steps - 1) // 2)
    if schedule.name == "constant" or (schedule.name == "cyclical" and not cycles):
        return highest  # of one or two steps, being the first and the last, all would have the least
    if schedule.name == "cyclical":
        within = place * cycles % 1.0
        share = 1.0 - abs(2.0 * within - 1.0)
        return highest * (schedule.least + (1.0 - schedule.least) * share)
    if schedule.name == "one_cycle":
        warm_up = schedule.warm_up or 0.3
        if place < warm_up:
            return highest * _between(_FIRST, 1.0, place / warm_up)
        return highest * _between(1.0, _LAST, (place - warm_up) / max(1.0 - warm_up, 1e-9))
    if place < schedule.warm_up:
        return highest * (step + 1) / (schedule.warm_up * max(steps - 1, 1) + 1)
    return highest * _between(1.0, schedule.least, (place - schedule.warm_up) / max(1.0 - schedule.warm_up, 1e-9))


def _between(first: float, last: float, place: float) -> float:
    """From one to the other along half a cosine."""
    return last + (first - last) * (1.0 + math.cos(math.pi * min(place, 1.0))) / 2.0
