"""An axis in its own unit, and how long moves take. Pure.

Marlin plans moves with a trapezoid of speed: acceleration along the path is the travel acceleration (M204 T), lowered
until no axis exceeds its own (M201); here M204 is set so high that the axes' own count alone. The speed is F along the
combined path of X, Y and Z, lowered until no axis exceeds its own (M203). A block of fewer than six steps is not made
(MIN_STEPS_PER_SEGMENT).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MIN_STEPS = 6
AT_ONCE = 3
"""So many moves have to be queued for Marlin to begin with the first one at once (``Planner::get_current_block``)."""
_LEAST_PIECE_S = 0.02  # Marlin stretches shorter ones while its queue is nearly empty (SLOWDOWN)
_STEP_SLACK = 0.01  # what rounding to five places may take from a move of just six steps


@dataclass(frozen=True)
class Axis:
    """One motor as Marlin and the caller know it.

    Args:
        name: the caller's word, such as ``turntable``.
        letter: Marlin's axis: X, Y or Z.
        unit: of positions and, per second, of speeds: such as ``deg`` or ``mm``.
        steps_per_unit: microsteps.
        max_speed: units per second.
        acceleration: units per second squared.
        minimum: lowest position allowed, None on an endless axis.
        maximum: highest position allowed, None on an endless axis.
        home_position: where G28 leaves it; None if it has no switch to home to.
        home_travel_s: how long homing may take at most without a sign of life.
    """

    name: str
    letter: str
    unit: str
    steps_per_unit: float
    max_speed: float
    acceleration: float
    minimum: float | None = None
    maximum: float | None = None
    home_position: float | None = None
    home_travel_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what no axis can be."""
        if self.letter not in ("X", "Y", "Z"):
            raise Refused(f"{self.name}: an axis is X, Y or Z, got {self.letter!r}")
        for what in ("steps_per_unit", "max_speed", "acceleration", "home_travel_s"):
            value = getattr(self, what)
            if not (math.isfinite(value) and value > 0):
                raise Refused(f"{self.name}: {what} is a positive number, got {value}")
        for what in ("minimum", "maximum", "home_position"):
            value = getattr(self, what)
            if value is not None and not math.isfinite(value):
                raise Refused(f"{self.name}: {what} is a number, got {value}")
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise Refused(f"{self.name}: minimum {self.minimum} is not below maximum {self.maximum} {self.unit}")

    def check_target(self, start: float, target: float) -> None:
        """Refuse a position that is no number or beyond the limits; the error names axis, from, to, limit and unit."""
        where = f"{self.name} ({self.letter}): from {start:g} to {target:g} {self.unit}"
        if not math.isfinite(target):
            raise Refused(f"{where}: that is no position")
        if self.minimum is not None and target < self.minimum:
            raise Refused(f"{where}: the lowest position is {self.minimum:g} {self.unit}")
        if self.maximum is not None and target > self.maximum:
            raise Refused(f"{where}: the highest position is {self.maximum:g} {self.unit}")


@dataclass(frozen=True)
class Plan:
    """One combined move: ``length`` and ``speed`` along the path, and the seconds that it takes."""

    length: float
    speed: float
    duration_s: float


def planned(distances: Mapping[Axis, float], speed_share: float = 1.0) -> Plan:
    """The fastest combined move that keeps every axis within its speed, times ``speed_share``.

    Args:
        distances: how far each axis moves, in its unit; at least one is not 0.
        speed_share: above 0 and at most 1.

    Raises:
        Refused: the share is out of range, a distance is no number, or no axis would make the six steps that a move
            needs: both ends are rounded to whole steps, so that 5.9 steps may become 5.
    """
    if not 0.0 < speed_share <= 1.0:
        raise Refused(f"a move's share of the full speed is above 0 and at most 1, got {speed_share}")
    for axis, distance in distances.items():
        if not math.isfinite(distance):
            raise Refused(f"{axis.name} ({axis.letter}): {distance} {axis.unit} is no distance")
    if not any(distances.values()):
        raise Refused("a move needs an axis that moves")
    steps = {axis: abs(distance) * axis.steps_per_unit for axis, distance in distances.items()}
    if max(steps.values()) < MIN_STEPS - _STEP_SLACK:
        axis = max(steps, key=lambda axis: steps[axis])
        least = MIN_STEPS / axis.steps_per_unit
        raise Refused(
            f"{axis.name} ({axis.letter}): {distances[axis]:g} {axis.unit} is {steps[axis]:.2f} steps, and Marlin "
            f"makes no move of fewer than {MIN_STEPS}; the least here is {least:g} {axis.unit}"
        )
    length = math.hypot(*distances.values())
    speed = speed_share * min(axis.max_speed * length / abs(d) for axis, d in distances.items() if d)
    acceleration = min(axis.acceleration * length / abs(d) for axis, d in distances.items() if d)
    if length * acceleration >= speed * speed:
        duration_s = length / speed + speed / acceleration
    else:
        duration_s = 2.0 * math.sqrt(length / acceleration)
    return Plan(length, speed, duration_s)


def path_acceleration(axes: Iterable[Axis]) -> float:
    """What M204 has to say: so much along the path that a combined move is held back by its axes' own limits alone."""
    return math.ceil(math.hypot(*(axis.acceleration for axis in axes)))


def shares_that_start_at_once(distances: Mapping[Axis, float], plan: Plan) -> tuple[float, ...]:
    """Where to divide a move from standstill so that it begins at once: shares of its way, the last one is 1.

    An idle Marlin waits 0.1 s for company before it begins with a move (BLOCK_DELAY_FOR_1ST_MOVE), unless three are
    queued. Pieces of one straight line are run through without slowing down, so the move itself takes as long as in
    one piece. A move that is too short to be divided stays whole.
    """
    steps = max(abs(distance) * axis.steps_per_unit for axis, distance in distances.items())
    if steps < 2 * AT_ONCE * MIN_STEPS or plan.length < AT_ONCE * _LEAST_PIECE_S * plan.speed:
        return (1.0,)
    return tuple(number / AT_ONCE for number in range(1, AT_ONCE + 1))
