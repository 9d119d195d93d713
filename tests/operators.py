"""A rig that only remembers what it was told, for tests of whoever tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sorter.errors import CommandRefused
from sorter.types import CaptureRequest, Incident, IncidentId, RigState, RunId, RunStatus, Snapshot

if TYPE_CHECKING:
    from sorter.types import SortPlan


class ToldRig:
    """See ``Commands``; ``refuses`` names what is refused."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.refuses: set[str] = set()

    def _take(self, name: str, *words: object) -> None:
        if name in self.refuses:
            raise CommandRefused(f"{name} is not possible now", remedy="Wait.")
        self.told.append(" ".join([name, *map(str, words)]))

    def start(self) -> None:
        self._take("start")

    def pause(self) -> None:
        self._take("pause")

    def resume(self) -> None:
        self._take("resume")

    def stop(self) -> None:
        self._take("stop")

    def emergency_stop(self) -> None:
        self._take("emergency stop")

    def home(self, axis: str | None = None) -> None:
        self._take("home", *([axis] if axis else []))

    def jog(self, axis: str, distance_deg: float) -> None:
        self._take("jog", axis, distance_deg)

    def resolve(self, incident: IncidentId, choice: str) -> None:
        self._take("resolve", incident, choice)

    def set_plan(self, plan: SortPlan) -> None:
        self._take("plan", plan.name)

    def capture(self, request: CaptureRequest) -> None:
        self._take("capture")

    def promote(self, model: str) -> None:
        self._take("promote", model)


def incident(number: int, kind: str, *choices: str) -> Incident:
    return Incident(IncidentId(number), kind, datetime.now(UTC), f"what happened at {kind}", choices)


def snapshot(state: RigState, *incidents: Incident, parts: int | None = None, reason: str = "") -> Snapshot:
    run = None if parts is None else RunStatus(RunId(1), "standard", parts, 0, 20.0)
    return Snapshot(1, 0.0, state, reason, incidents=incidents, run=run)
