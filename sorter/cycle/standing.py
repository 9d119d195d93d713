"""Where the rig stands: its state, the latch of the emergency stop, and the snapshot that whoever watches reads.

One lock guards state and snapshot, so a command is checked and taken in one step, whichever thread it comes from. The
latch takes no lock: it is one attribute, and from the moment it is set the state is ESTOPPED to everybody. Snapshots
that are stored have even numbers; one that is stored but older than the latch is shown with the odd number after it.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from sorter.cycle.states import RigEvent, after
from sorter.errors import CommandRefused
from sorter.types import RigState, Snapshot

if TYPE_CHECKING:
    from sorter.types import Clock, Incident, IncidentId

STOPPED_REASON = "the emergency stop was pressed"


class Standing:
    """See the module; any thread may call it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._state = RigState.OFFLINE
        self._reason = ""
        self._is_stopped = False
        self._asked: IncidentId | None = None
        self._answered: set[IncidentId] = set()
        self._snapshot = Snapshot(0, clock.monotonic_s(), RigState.OFFLINE)

    # --- reading ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> RigState:
        """The state now."""
        return RigState.ESTOPPED if self._is_stopped else self._state

    @property
    def is_stopped(self) -> bool:
        """Whether the latch is set."""
        return self._is_stopped

    def snapshot(self) -> Snapshot:
        """The rig as it is."""
        stored = self._snapshot
        if not self._is_stopped or stored.state is RigState.ESTOPPED:
            return stored
        return replace(
            stored, sequence=stored.sequence + 1, state=RigState.ESTOPPED, state_reason=STOPPED_REASON, incidents=()
        )

    # --- commands -----------------------------------------------------------------------------------------------

    def latch(self) -> None:
        """The emergency stop was pressed. Takes no lock."""
        self._is_stopped = True

    def command(self, event: RigEvent, *, needs_answer_first: bool = False) -> None:
        """A command: the state changes at once, if the table allows it.

        Args:
            event: what is asked for.
            needs_answer_first: it does not go while the rig waits for an operator's choice.

        Raises:
            NoSuchTransition: the table does not allow it.
            CommandRefused: the rig waits for a choice.
        """
        with self._lock:
            target = after(self.state, event)
            if needs_answer_first and self._asked is not None:
                raise CommandRefused(
                    f"the rig waits for an operator: {self._reason}", remedy=f"Resolve incident {self._asked} first."
                )
            self._take(target, "")

    def answer(self, incident: IncidentId, choice: str, event: RigEvent | None) -> None:
        """An operator's choice is taken on, once; ``event`` is what follows from it at once, if anything does.

        Raises:
            CommandRefused: there is no such incident, it is being resolved, or it has no such way out.
            NoSuchTransition: the table does not allow what would follow.
        """
        with self._lock:
            found = next((each for each in self.snapshot().incidents if each.incident == incident), None)
            if found is None or incident in self._answered:
                raise CommandRefused(
                    f"incident {incident} is not open", remedy="Look at the list of incidents: it may be resolved."
                )
            if choice not in found.choices:
                ways = ", ".join(found.choices) or "none: the program has to be started anew"
                raise CommandRefused(f"incident {incident} has no way out {choice!r}", remedy=f"There are: {ways}.")
            if event is not None:
                target = after(self.state, event)
                if event is RigEvent.RESET:
                    self._is_stopped = False
                self._take(target, "")
            self._answered.add(incident)

    # --- the loop -----------------------------------------------------------------------------------------------

    def happen(self, event: RigEvent, reason: str = "") -> bool:
        """Something happened to the rig; returns whether it is so: not if it has been stopped meanwhile.

        Raises:
            NoSuchTransition: the table does not know it; a mistake in the program.
        """
        with self._lock:
            if self._is_stopped:
                return False
            self._take(after(self._state, event), reason)
            return True

    def happen_in(self, event: RigEvent, *states: RigState, reason: str = "") -> bool:
        """As ``happen``, if the rig is in one of these states now, and else nothing."""
        with self._lock:
            if self._is_stopped or self._state not in states:
                return False
            self._take(after(self._state, event), reason)
            return True

    def meet_stop(self) -> bool:
        """Take note that the latch is set; returns whether it is news."""
        with self._lock:
            if not self._is_stopped or self._state is RigState.ESTOPPED:
                return False
            self._take(after(self._state, RigEvent.EMERGENCY_STOP), STOPPED_REASON)
            return True

    def wait_for(self, incident: IncidentId | None, reason: str = "") -> None:
        """The rig waits for an operator's choice from now on, or for none."""
        with self._lock:
            if incident is not None or self._asked is not None:
                self._reason = reason if self._state is not RigState.ESTOPPED else STOPPED_REASON
            self._asked = incident

    def publish(self, incidents: tuple[Incident, ...], draft: Snapshot) -> Snapshot | None:
        """Store what there is to see; returns it if it is new.

        Args:
            incidents: those that are open.
            draft: everything but sequence, time, state, reason and incidents.
        """
        with self._lock:
            self._answered &= {each.incident for each in incidents}
            last = self._snapshot
            new = replace(
                draft,
                sequence=last.sequence,
                taken_at_s=last.taken_at_s,
                state=self._state,
                state_reason=self._reason,
                incidents=incidents,
            )
            if new == last:
                return None
            self._snapshot = self._numbered(new)
            return self._snapshot

    # --- inside, with the lock held -----------------------------------------------------------------------------

    def _take(self, target: RigState, reason: str) -> None:
        self._state, self._reason = target, reason
        self._snapshot = self._numbered(replace(self._snapshot, state=target, state_reason=reason))

    def _numbered(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, sequence=self._snapshot.sequence + 2, taken_at_s=self._clock.monotonic_s())
