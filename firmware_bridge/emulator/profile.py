"""The speed of one move over time: a trapezoid in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Trapezoid:
    """Speed up, cruise, slow down. Lengths are units along the path, times seconds from the move's start."""

    length: float
    entry_speed: float
    cruise_speed: float
    exit_speed: float
    acceleration: float

    @classmethod
    def fitted(cls, length: float, entry: float, nominal: float, leave: float, acceleration: float) -> Trapezoid:
        """Return the fastest trapezoid with these limits; `nominal` is reached only where the length allows it."""
        peak_squared = (2.0 * acceleration * length + entry * entry + leave * leave) / 2.0
        cruise = max(entry, leave, min(nominal, math.sqrt(max(peak_squared, 0.0))))
        return cls(length, entry, cruise, leave, acceleration)

    @property
    def speeding_up_s(self) -> float:
        """How long the first part takes."""
        return (self.cruise_speed - self.entry_speed) / self.acceleration

    @property
    def slowing_down_s(self) -> float:
        """How long the last part takes."""
        return (self.cruise_speed - self.exit_speed) / self.acceleration

    @property
    def cruising_s(self) -> float:
        """How long the middle part takes."""
        ramps = (self.entry_speed + self.cruise_speed) / 2.0 * self.speeding_up_s
        ramps += (self.exit_speed + self.cruise_speed) / 2.0 * self.slowing_down_s
        return max(0.0, self.length - ramps) / self.cruise_speed if self.cruise_speed > 0.0 else 0.0

    @property
    def duration_s(self) -> float:
        """How long the move takes."""
        return self.speeding_up_s + self.cruising_s + self.slowing_down_s

    def distance_at(self, elapsed_s: float) -> float:
        """Return the units covered after `elapsed_s`, from 0 to the length."""
        up_s, cruise_s = self.speeding_up_s, self.cruising_s
        if elapsed_s <= up_s:
            t = max(0.0, elapsed_s)
            return (self.entry_speed + self.acceleration * t / 2.0) * t
        if elapsed_s <= up_s + cruise_s:
            ramp = (self.entry_speed + self.cruise_speed) / 2.0 * up_s
            return min(self.length, ramp + self.cruise_speed * (elapsed_s - up_s))
        left_s = max(0.0, up_s + cruise_s + self.slowing_down_s - elapsed_s)
        return max(0.0, self.length - (self.exit_speed + self.acceleration * left_s / 2.0) * left_s)

    def time_at(self, distance: float) -> float:
        """Return when `distance` units are covered, by halving; good to 2**-50 of the duration."""
        low_s, high_s = 0.0, self.duration_s
        for _ in range(50):
            middle_s = (low_s + high_s) / 2.0
            if self.distance_at(middle_s) < distance:
                low_s = middle_s
            else:
                high_s = middle_s
        return high_s
