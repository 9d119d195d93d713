"""Outputs and inputs that are not motors: servos, pins, fans and endstop switches."""

from __future__ import annotations

import math
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING

from firmware_bridge.emulator.settings import AXES
from firmware_bridge.emulator.truth import ServoTruth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware_bridge.emulator.planner import Steps
    from firmware_bridge.emulator.settings import BoardSettings

_FULL_TURN_DEG = 180.0
_SHORTEST_US, _LONGEST_US = 546, 2402
_SMALLEST_PULSE_US = 544


def pulse_us(angle_deg: float) -> int:
    """Return the pulse of a servo angle: 546, 1474 and 2402 microseconds at 0, 90 and 180 degrees."""
    share = min(max(angle_deg, 0.0), _FULL_TURN_DEG) / _FULL_TURN_DEG
    return round(_SHORTEST_US + share * (_LONGEST_US - _SHORTEST_US))


class Servo:
    """One servo: its pulse, and a shaft that follows at its own speed. A reset leaves the shaft where it is."""

    def __init__(self, deg_per_s: float, shaft_deg: float = 0.0) -> None:
        self._deg_per_s = deg_per_s
        self._commanded_deg: float | None = None
        self._commanded_s: float | None = None
        self._shaft_deg = shaft_deg
        self._shaft_s = 0.0

    def command(self, value: int, now_s: float) -> None:
        """Take an angle in degrees or, from 544 on, a pulse in microseconds."""
        self._shaft_deg, self._shaft_s = self.shaft_deg(now_s), now_s
        if value >= _SMALLEST_PULSE_US:
            share = (min(max(value, _SHORTEST_US), _LONGEST_US) - _SHORTEST_US) / (_LONGEST_US - _SHORTEST_US)
            self._commanded_deg = share * _FULL_TURN_DEG
        else:
            self._commanded_deg = min(max(float(value), 0.0), _FULL_TURN_DEG)
        self._commanded_s = now_s

    def power_down(self, now_s: float) -> None:
        """Stop the pulses: the shaft stays where it has got to."""
        self._shaft_deg, self._shaft_s = self.shaft_deg(now_s), now_s
        self._commanded_deg = self._commanded_s = None

    @property
    def is_driven(self) -> bool:
        """Whether it gets pulses."""
        return self._commanded_deg is not None

    def arrives_s(self) -> float | None:
        """When the shaft arrives, or has arrived; None: it goes nowhere."""
        if self._commanded_deg is None:
            return None
        return self._shaft_s + abs(self._commanded_deg - self._shaft_deg) / self._deg_per_s

    def shaft_deg(self, now_s: float) -> float:
        """Where the shaft is."""
        if self._commanded_deg is None:
            return self._shaft_deg
        way = self._commanded_deg - self._shaft_deg
        reach = self._deg_per_s * (now_s - self._shaft_s)
        return self._commanded_deg if abs(way) <= reach else self._shaft_deg + (reach if way > 0 else -reach)

    def angle_said(self) -> int:
        """Return what `M280 P0` answers."""
        return 0 if self._commanded_deg is None else round(self._commanded_deg)

    def truth(self, now_s: float) -> ServoTruth:
        """Return the servo's true state."""
        pulse = None if self._commanded_deg is None else pulse_us(self._commanded_deg)
        return ServoTruth(self._commanded_deg, pulse, self._commanded_s, self.shaft_deg(now_s))


class Outputs:
    """Servos, pins and fans. They survive a kill and a quick stop; only a board reset drops them."""

    def __init__(self, settings: BoardSettings) -> None:
        starts_deg = islice(chain(settings.servo_starts_deg, repeat(0.0)), settings.servos)
        self.servos = [Servo(settings.servo_deg_per_s, start_deg) for start_deg in starts_deg]
        self.pins: dict[int, int] = {}
        self.fans = [0] * settings.fans
        self.inputs: dict[int, bool] = {}

    def reset(self, now_s: float) -> None:
        """Drop everything, as a reset of the board does. Levels at inputs come from outside and stay."""
        for servo in self.servos:
            servo.power_down(now_s)
        self.pins.clear()
        self.fans = [0] * len(self.fans)

    def level(self, pin: int) -> bool:
        """Return the level that M226 reads at `pin`."""
        return self.inputs.get(pin, self.pins.get(pin, 0) > 0)


class Endstops:
    """The switches. Each follows its axis (`home_switch_at_steps`) until the world sets it itself."""

    def __init__(self, settings: BoardSettings) -> None:
        self._settings = settings
        self._set: dict[str, bool] = {}

    def set(self, name: str, triggered: bool | None) -> None:
        """Hold the switch `name` pressed or released; None lets it follow its axis again.

        Raises:
            ValueError: the board has no such switch.

        """
        if name not in self._settings.endstops:
            raise ValueError(f"the board has no endstop {name!r}, only {', '.join(self._settings.endstops)}")
        if triggered is None:
            self._set.pop(name, None)
        else:
            self._set[name] = triggered

    def hold(self, levels: Mapping[str, bool]) -> bool:
        """Hold switches pressed or released, by name; return whether that changes any. ValueError: no such switch."""
        changes = [(name, level) for name, level in levels.items() if self._set.get(name) is not level]
        for name, level in changes:
            self.set(name, level)
        return bool(changes)

    def is_triggered(self, name: str, motors: Steps) -> bool:
        """Whether the switch `name` is pressed with the motors at these true steps."""
        if name in self._set or name not in self._settings.endstops:
            return self._set.get(name, False)
        axis = AXES.index(name[0].upper())
        settings = self._settings.axes[axis]
        place, turn = settings.home_switch_at_steps, settings.index_turn_steps
        if place is None or not name.endswith("_min"):
            return False
        below = place - motors[axis]
        return below >= 0 if turn is None else below % turn < settings.index_width_steps

    def steps_to_home(self, axis: int, motors: Steps) -> int | None:
        """Return the steps down to where the axis presses its switch; None: it will not, whatever it does."""
        name = f"{AXES[axis].lower()}_min"
        settings = self._settings.axes[axis]
        place, turn = settings.home_switch_at_steps, settings.index_turn_steps
        if name in self._set or name not in self._settings.endstops or place is None:
            return None
        if self.is_triggered(name, motors):
            return 0
        above = motors[axis] - place
        return above if turn is None else math.ceil(above % turn)

    def all(self, motors: Steps) -> dict[str, bool]:
        """Return every switch by name, in the order of M119."""
        return {name: self.is_triggered(name, motors) for name in self._settings.endstops}
