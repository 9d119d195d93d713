"""What the stages of a cycle work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sorter.cycle.routing import NoRoom, likely_route, route

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.config import RigConfig
    from sorter.cycle.bins import Bins
    from sorter.cycle.empty_table import EmptyTable
    from sorter.cycle.eyes import Eyes
    from sorter.cycle.lost_steps import Slipped
    from sorter.cycle.open_incidents import OpenIncidents
    from sorter.cycle.recognition import Recognition
    from sorter.cycle.routing import Route
    from sorter.cycle.timing import Stopwatch
    from sorter.recognise import Recogniser
    from sorter.rig import Machine
    from sorter.types import BinId, Clock, Decision, Recorder, SortPlan

IN_CHUTE, MOTOR_POWER = "in_chute", "motor_power"  # in [sensors]


@dataclass
class Station:
    """See the module.

    Args:
        config: the rig's.
        machine: what moves.
        eyes: what sees.
        empty: what the empty table looked like.
        recognition: the worker that recognises.
        recogniser: what it recognises with, from the next part on.
        clock: the time.
        watch: seconds of the part under way.
        bins: what is in them.
        recorder: where it is written down what happens.
        incidents: those that are open; the rig waits for none that is opened here.
        plan: what belongs where, from the next part on.
        wants_parts: whether a further part is to be fed.
        is_table_empty: the table was seen to be empty, and nothing has come onto it since.
        visits: how often an operator has chosen a way out: he may have put something on the table, or taken it off.
        false_drops: times in a row that the beam saw something drop and the table stayed empty.
        lost_parts: parts in a row that were not seen in the chute.
        parts_since_look: finished since the axes were looked at last.
        slipped: axes that do not stand where they should, and are to be homed.
    """

    config: RigConfig
    machine: Machine
    eyes: Eyes
    empty: EmptyTable
    recognition: Recognition
    recogniser: Recogniser
    clock: Clock
    watch: Stopwatch
    bins: Bins
    recorder: Recorder
    incidents: OpenIncidents
    plan: SortPlan
    wants_parts: Callable[[], bool]
    is_table_empty: bool = False
    visits: int = 0
    false_drops: int = 0
    lost_parts: int = 0
    parts_since_look: int = 0
    slipped: list[Slipped] = field(default_factory=list)

    def route(self, decision: Decision) -> Route | NoRoom:
        """Where a part goes."""
        return route(decision, self.plan, self.bins.free, self.config.categories)

    def likely_chute_deg(self, decision: Decision) -> float | None:
        """Where the chute will probably have to stand; None if there is no chute, or no room."""
        likely = likely_route(decision, self.plan, self.bins.free, self.config.categories)
        return None if isinstance(likely, NoRoom) else self.chute_deg(likely.bin)

    def chute_deg(self, name: BinId) -> float | None:
        """Where the chute stands for a bin; None on a rig without a chute."""
        return None if self.config.chute is None else self.bins.chute_deg(name)

    def sleep_until(self, time_s: float) -> None:
        """Let time pass until then, if it is not over."""
        duration_s = time_s - self.clock.monotonic_s()
        if duration_s > 0.0:
            with self.watch.outside():
                self.clock.sleep(duration_s)

    def has_sensor(self, name: str) -> bool:
        """Whether the rig has a sensor of this name in ``[sensors]``."""
        return name in self.config.sensors.all

    def is_broken(self, beam: str) -> bool:
        """Whether something is in a beam now: one M119. False where the rig has no such beam."""
        if not self.has_sensor(beam):
            return False
        with self.watch.outside():
            return self.machine.sensor(beam) is True

    def is_chute_blocked(self) -> bool:
        """Whether something is in the beam in the chute before a push; one M119 for that and for the motors' power.

        Raises:
            MotorPowerCut: the chute may not be where it was sent, and the part would fall into another bin.
        """
        if not (self.has_sensor(IN_CHUTE) or self.has_sensor(MOTOR_POWER)):
            return False
        with self.watch.outside():
            active = self.machine.sensors()
            if active.get(MOTOR_POWER) is False:
                self.machine.check_motor_power()
        return active.get(IN_CHUTE) is True

    def check_motor_power(self) -> None:
        """One M119, where the rig has a contact for that. Raises MotorPowerCut."""
        if self.has_sensor(MOTOR_POWER):
            with self.watch.outside():
                self.machine.check_motor_power()
