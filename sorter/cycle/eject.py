"""Eject: push the part off the table, and watch the beam in the chute while it falls.

The beam's pulse is short (0.2 s and more), begins about 0.1 s after the arm's stroke, and can only be asked for between
the two M280 that move the arm, for each keeps Marlin for 0.3 s: the first is over when the pulse has begun, the second
would outlast it. So the arm stays out until the beam was seen, or until the part would be in its bin. A part that comes
so late that the beam is broken while the arm goes back is asked for once more afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.cycle.station import IN_CHUTE

if TYPE_CHECKING:
    from sorter.cycle.station import Station
    from sorter.types import BinId

_BEAM_EVERY_S = 0.015


class Ejection:
    """One push, and whether something was seen in the chute; None where no beam looks there."""

    def __init__(self, station: Station, name: BinId) -> None:
        self._station = station
        self._chute_deg = station.chute_deg(name)
        self.was_seen: bool | None = False if station.has_sensor(IN_CHUTE) else None

    def push(self) -> None:
        """Push, with the chute at the bin."""
        while_out = None if self.was_seen is None else self._watch_beam
        with self._station.watch.outside():
            self._station.machine.push(self._chute_deg, while_out=while_out)
        self.look_again()

    def look_again(self) -> None:
        """Ask the beam once more if it has not seen anything yet."""
        if self.was_seen is False and self._station.is_broken(IN_CHUTE):
            self.was_seen = True

    def wait_for_fall(self) -> None:
        """Ask until the part must lie in its bin; harmless if it was seen."""
        self._poll_until(self._station.machine.chute_free_at_s)

    def _watch_beam(self) -> None:
        self._poll_until(self._station.clock.monotonic_s() + self._station.config.ejector.fall_s)

    def _poll_until(self, until_s: float) -> None:
        clock = self._station.clock
        while self.was_seen is False and (asked_s := clock.monotonic_s()) < until_s:
            self.look_again()
            if not self.was_seen:
                self._station.sleep_until(min(asked_s + _BEAM_EVERY_S, until_s))
