"""Sensors of the rig at spare endstop inputs: a beam that a part breaks, with a pulse stretcher, and the supply."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.types.twin import TwinSensor

MOTOR_POWER = "motor_power"
DROPPED, IN_CHUTE = "dropped", "in_chute"


class Beams:
    """The sensors' switches.

    Args:
        sensors: by name.
        pulse_s: how long a beam counts as broken by one part, where the sensor does not say.
    """

    def __init__(self, sensors: Mapping[str, TwinSensor], pulse_s: float) -> None:
        self._sensors = sensors
        self._pulse_s = pulse_s
        self._active_until_s: dict[str, float] = {}
        self._held: dict[str, bool] = {}
        self.switches: Mapping[str, bool] = {}
        self._show()

    def broken(self, name: str, now_s: float) -> float | None:
        """A part breaks a beam; returns until when it counts as broken, None if there is no such sensor."""
        sensor = self._sensors.get(name)
        if sensor is None:
            return None
        self._active_until_s[name] = now_s + (self._pulse_s if sensor.pulse_s is None else sensor.pulse_s)
        self._show()
        return self._active_until_s[name]

    def look(self, now_s: float) -> None:
        """End the pulses that are over."""
        over = [name for name, until_s in self._active_until_s.items() if until_s <= now_s]
        for name in over:
            del self._active_until_s[name]
        if over:
            self._show()

    def hold(self, name: str, is_active: bool | None) -> None:
        """Keep a sensor as it is, whatever passes: something hangs in the beam, the supply is cut; None lets go."""
        if name in self._sensors and self._held.get(name) is not is_active:
            if is_active is None:
                del self._held[name]
            else:
                self._held[name] = is_active
            self._show()

    def _show(self) -> None:
        """Press the switches as they must be; a new mapping only where something changes."""
        self.switches = {
            sensor.endstop: sensor.is_triggered_when_active
            is self._held.get(name, name == MOTOR_POWER or name in self._active_until_s)
            for name, sensor in self._sensors.items()
        }
