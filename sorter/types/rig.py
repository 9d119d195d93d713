"""The rig as the page sees it, and what can be asked of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sorter.types.decisions import Decision
    from sorter.types.routing import BinId, IncidentId, Outcome, PartId, RunId, SortPlan


class RigState(enum.StrEnum):
    """The states of the rig; which event leads from which to which stands in one table in ``cycle``."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    UNHOMED = "unhomed"
    HOMING = "homing"
    IDLE = "idle"
    JOGGING = "jogging"
    CAPTURING = "capturing"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    FAULT = "fault"
    ESTOPPED = "estopped"


@dataclass(frozen=True)
class AxisStatus:
    """One axis: where it was last commanded to (deg), and whether that can be believed."""

    name: str
    position_deg: float
    is_homed: bool


@dataclass(frozen=True)
class BinStatus:
    """One bin: parts in it since it was emptied, how many it holds, and how many of each class went in."""

    bin: BinId
    label: str
    part_count: int
    capacity: int
    class_counts: Mapping[str, int]
    estimated_purity: float | None


@dataclass(frozen=True)
class Incident:
    """Something that an operator has to know or resolve.

    Args:
        incident: its number in the records; below 0 if it could not be written down.
        kind: such as ``jam``; the list stands in the docs.
        happened_at: wall-clock time with zone.
        message: what happened and what to do, for a person.
        choices: the named ways out, each a word that ``Commands.resolve`` takes; empty if there is nothing to choose.
    """

    incident: IncidentId
    kind: str
    happened_at: datetime
    message: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class PartSummary:
    """One line of the list of last parts."""

    part: PartId
    decision: Decision
    intended_bin: BinId
    outcome: Outcome | None


@dataclass(frozen=True)
class RunStatus:
    """The present run, or the last one."""

    run: RunId
    plan: str
    part_count: int
    reject_count: int
    parts_per_minute: float


@dataclass(frozen=True)
class Snapshot:
    """The rig at one instant. Whoever holds one can read it at leisure: nothing in it changes.

    Args:
        sequence: grows with every snapshot.
        taken_at_s: monotonic time.
        state: of the rig.
        state_reason: why, for a person; empty in ordinary states.
        axes: turntable, then chute where there is one.
        bins: in the order of the config.
        recent_parts: newest first.
        incidents: open ones, oldest first.
        run: None before the first run.
        model: name of the model in use, or None.
    """

    sequence: int
    taken_at_s: float
    state: RigState
    state_reason: str = ""
    axes: tuple[AxisStatus, ...] = ()
    bins: tuple[BinStatus, ...] = ()
    recent_parts: tuple[PartSummary, ...] = ()
    incidents: tuple[Incident, ...] = ()
    run: RunStatus | None = None
    model: str | None = None


@dataclass(frozen=True)
class CaptureRequest:
    """One revolution of labelled pictures: what lies on the table, and how many views (at least 1) to take."""

    class_name: str
    brick: str
    pose: str | None
    view_count: int

    def __post_init__(self) -> None:
        """Refuse a revolution without views."""
        if self.view_count < 1:
            raise ValueError(f"CaptureRequest: view_count is at least 1, got {self.view_count}")


class Commands(Protocol):
    """What can be asked of a rig: the same calls for page, command line and tests.

    Each returns once the rig has taken the command on, not when it is done; the snapshot tells how it goes on.
    Each raises ``sorter.errors.CommandRefused`` if the present state does not allow it; then nothing was done.
    """

    def start(self) -> None:
        """Begin a run; only from IDLE."""

    def pause(self) -> None:
        """Finish the part under way, then hold."""

    def resume(self) -> None:
        """Go on after a pause."""

    def stop(self) -> None:
        """Finish the part under way, then end the run."""

    def emergency_stop(self) -> None:
        """Stop everything now. Takes no lock, waits for nothing, is never refused; any thread may call it."""

    def home(self, axis: str | None = None) -> None:
        """Home one axis, or all that can be homed."""

    def jog(self, axis: str, distance_deg: float) -> None:
        """Turn one axis by ``distance_deg`` from where it is."""

    def resolve(self, incident: IncidentId, choice: str) -> None:
        """Take one of the incident's named ways out."""

    def set_plan(self, plan: SortPlan) -> None:
        """Use another plan from the next part on."""

    def capture(self, request: CaptureRequest) -> None:
        """Take a revolution of labelled pictures; only from IDLE."""

    def promote(self, model: str) -> None:
        """Use another model from the next part on."""

    def empty_bins(self, names: Sequence[BinId]) -> None:
        """Somebody emptied these bins: they are counted from 0. Possible at any time."""

    def recount(self) -> None:
        """Read anew what is in the bins, after the records were corrected. Possible at any time."""
