"""The demo's operator: a program that does at the rig what a person would, through the same commands.

It homes, starts, takes the first way out of every incident, and ends the run when the hopper is empty in truth. Of the
twin it knows the file of what really happened, and whether the process lives.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from sorter.app.errors import DemoStuck
from sorter.app.truth import read_truth
from sorter.cycle.incidents import IncidentKind
from sorter.errors import CommandRefused
from sorter.types import RigState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sorter.types import Commands, Incident, IncidentId, Snapshot

_RUNNING = (RigState.RUNNING, RigState.PAUSING, RigState.PAUSED, RigState.STOPPING)
_PATIENCE_S = 180.0  # of the rig's clock, without anything new
_LEAST_PATIENCE_S = 45.0  # of the host's
_MOST_FAULTS = 20


class Attendant:
    """See ``Operator``.

    Args:
        commands: of the rig.
        truth: the twin's file.
        recirculate: the bin from which parts go back into the hopper.
        speed: seconds that the rig lives in one of the host.
        check_twin: raises if the twin is gone.

    ``incidents`` counts those that there were, by kind; ``started_s`` is when the run began, by the host's monotonic
    clock.
    """

    def __init__(
        self,
        commands: Commands,
        truth: Path,
        *,
        recirculate: str | None,
        speed: float,
        check_twin: Callable[[], None],
    ) -> None:
        self._commands = commands
        self._truth = truth
        self._recirculate = recirculate
        self._patience_s = max(_LEAST_PATIENCE_S, _PATIENCE_S / speed)
        self._check_twin = check_twin
        self._seen: set[IncidentId] = set()
        self._is_stopping = False
        self._is_leaving = False
        self._news: object = None
        self._news_s = time.monotonic()
        self.incidents: Counter[str] = Counter()
        self.started_s: float | None = None

    def leave(self) -> None:
        """End the run after the part under way, hopper empty or not."""
        self._is_leaving = True

    def attend(self, snapshot: Snapshot) -> bool:
        """See ``Operator``.

        Raises:
            TwinFailed: the twin is gone.
            DemoStuck: nothing has happened for too long, or the rig failed again and again.
        """
        self._check_twin()
        self._check_patience(snapshot)
        for incident in snapshot.incidents:
            if incident.incident not in self._seen:
                self._seen.add(incident.incident)
                self.incidents[incident.kind] += 1
        if sum(self.incidents[kind] for kind in _FAULTS) > _MOST_FAULTS:
            raise DemoStuck(f"the rig failed more than {_MOST_FAULTS} times, the last time: {snapshot.state_reason}")
        if (self._is_leaving or self._is_stopping) and snapshot.state not in _RUNNING:
            return True
        try:
            self._act(snapshot)
        except CommandRefused:  # the rig has gone on since the snapshot was taken: there will be a newer one
            return False
        return False

    def _act(self, snapshot: Snapshot) -> None:
        state = snapshot.state
        if self._is_leaving and state in _RUNNING and state is not RigState.STOPPING and not self._is_stopping:
            self._commands.stop()
            self._is_stopping = True
        for incident in snapshot.incidents:
            self._resolve(incident, state)
        if state is RigState.UNHOMED and not snapshot.incidents:
            self._commands.home()
        elif state is RigState.IDLE and not self._is_stopping:
            if self.started_s is None:
                self.started_s = time.monotonic()
            self._commands.start()

    def _resolve(self, incident: Incident, state: RigState) -> None:
        if incident.kind == IncidentKind.HOPPER_EMPTY and read_truth(self._truth).is_over(self._recirculate):
            if state is not RigState.STOPPING and not self._is_stopping:
                self._commands.stop()
                self._is_stopping = True
            return
        if incident.choices:
            self._commands.resolve(incident.incident, incident.choices[0])

    def _check_patience(self, snapshot: Snapshot) -> None:
        run, now_s = snapshot.run, time.monotonic()
        news = (snapshot.state, snapshot.incidents, None if run is None else run.part_count)
        if news != self._news:
            self._news, self._news_s = news, now_s
        elif now_s - self._news_s > self._patience_s:
            raise DemoStuck(
                f"nothing has happened for {self._patience_s:.0f} s while the rig is {snapshot.state}"
                + (f" ({snapshot.state_reason})" if snapshot.state_reason else "")
            )


_FAULTS = (
    IncidentKind.BOARD_LOST,
    IncidentKind.CAMERA_LOST,
    IncidentKind.MOTOR_POWER_CUT,
    IncidentKind.RIG_FAULT,
    IncidentKind.PROGRAM_ERROR,
    IncidentKind.EMERGENCY_STOP,
)
