"""The demo's operator: a program that does at the rig what a person would, through the same commands.

It homes, starts, takes a way out of every incident (``sorter.app.ways_out``), and ends the run when the hopper is empty
in truth. What a person does at the machine, it does with the twin's hands. Beyond that it knows of the twin only the
file of what really happened, of which it reads whether the hopper is empty, and whether the process lives.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from sorter.app.errors import DemoStuck
from sorter.app.truth import read_truth
from sorter.app.ways_out import MOST_IN_A_ROW, way_out
from sorter.cycle.incidents import Choice, IncidentKind
from sorter.errors import CommandRefused
from sorter.types import BinId, OutcomeKind, RigState
from sorter.types.hands import (
    EMPTY_BINS,
    MEND_CAMERA,
    MEND_LIGHT,
    PLUG_IN,
    RESTORE_POWER,
    TAKE_PARTS,
    WIPE_LENS,
    HandRequest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from sorter.app.hands import Hands
    from sorter.types import Commands, Incident, IncidentId, PartSummary, Snapshot

_RUNNING = (RigState.RUNNING, RigState.PAUSING, RigState.PAUSED, RigState.STOPPING)
_PATIENCE_S = 180.0  # of the rig's clock, without anything new
_LEAST_PATIENCE_S = 45.0  # of the host's
_OFFLINE_S, _LEAST_OFFLINE_S = 15.0, 2.0  # until somebody looks at cable, camera and supply; of either clock
_AGAIN_S = 2.0  # of the host's, until an answer that had no effect is given once more
_ROUND_PARTS = 50  # after so many somebody looks at bins and lens, where things go wrong
_NEARLY_FULL = 0.8
_MOST_PUSHES = 2  # for a part that is not there
_SEEN = (IncidentKind.PART_STUCK, IncidentKind.CONFIRM_TABLE_EMPTY)


class Attendant:
    """See ``Operator``.

    Args:
        commands: of the rig.
        truth: the twin's file.
        recirculate: the bin from which parts go back into the hopper.
        speed: seconds that the rig lives in one of the host.
        check_twin: raises if the twin is gone.
        hands: at the machine; None: it can do nothing there.
        makes_rounds: now and then it empties the bins and wipes the lens unasked.
        seed: of the chance by which it chooses.

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
        hands: Hands | None = None,
        makes_rounds: bool = False,
        seed: int = 0,
    ) -> None:
        self._commands = commands
        self._truth = truth
        self._recirculate = recirculate
        self._patience_s = max(_LEAST_PATIENCE_S, _PATIENCE_S / speed)
        self._offline_s = max(_LEAST_OFFLINE_S, _OFFLINE_S / speed)
        self._check_twin = check_twin
        self._hands = hands
        self._makes_rounds = makes_rounds and hands is not None
        self._chance = random.Random(f"{seed}:operator")  # noqa: S311 - repeatable, not secret
        self._answered_s: dict[IncidentId, float] = {}
        self._known: set[IncidentId] = set()
        self._in_a_row: Counter[str] = Counter()
        self._tried: defaultdict[str, list[str]] = defaultdict(list)
        self._last_sorted = 0
        self._parts_since_round = 0
        self._offline_since_s: float | None = None
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
            DemoStuck: nothing has happened for too long, or the same happens again and again, whatever is done.
            HandsFailed: nothing can be done at the machine.
        """
        self._check_twin()
        self._check_patience(snapshot)
        self._look_at_progress(snapshot)
        self._take_note(snapshot)
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
            self._resolve(incident, snapshot)
        self._look_after_connection(state)
        if state is RigState.UNHOMED and not _needs_answer(snapshot.incidents):
            self._commands.home()
        elif state is RigState.IDLE and not self._is_stopping:
            if self.started_s is None:
                self.started_s = time.monotonic()
            self._commands.start()
        elif self._makes_rounds and state is RigState.RUNNING and self._parts_since_round >= _ROUND_PARTS:
            self._make_round(snapshot)

    # --- incidents ----------------------------------------------------------------------------------------------

    def _take_note(self, snapshot: Snapshot) -> None:
        """Count what is new, and give up if the same comes again and again."""
        present = {incident.incident for incident in snapshot.incidents}
        for incident in snapshot.incidents:
            if incident.incident in self._known:
                continue
            self.incidents[incident.kind] += 1
            self._in_a_row[incident.kind] += 1
            if incident.kind == IncidentKind.PROGRAM_ERROR:
                raise DemoStuck(incident.message)
            if self._in_a_row[incident.kind] > MOST_IN_A_ROW:
                tried = "; ".join(self._tried[incident.kind]) or "nothing"
                raise DemoStuck(
                    f"{incident.kind} came {MOST_IN_A_ROW + 1} times without a part being sorted in between, the last "
                    f"time: {incident.message} Tried: {tried}"
                )
        self._known = present
        self._answered_s = {number: at_s for number, at_s in self._answered_s.items() if number in present}

    def _resolve(self, incident: Incident, snapshot: Snapshot) -> None:
        if incident.kind == IncidentKind.HOPPER_EMPTY and read_truth(self._truth).is_over(self._recirculate):
            if snapshot.state is not RigState.STOPPING and not self._is_stopping:
                self._commands.stop()
                self._is_stopping = True
            return
        now_s = time.monotonic()
        if now_s - self._answered_s.get(incident.incident, -_AGAIN_S) < _AGAIN_S:
            return
        in_a_row = self._in_a_row[incident.kind]
        way = way_out(incident.kind, incident.choices, in_a_row, self._chance)
        if way is None:
            return
        is_true = self._do(way.hands, _full_bins(snapshot) or None, is_seen=incident.kind in _SEEN)
        choice = way.choice
        if (
            not is_true
            and choice is Choice.TAKEN
            and Choice.PUSH_AGAIN in incident.choices
            and in_a_row <= _MOST_PUSHES
        ):
            choice = Choice.PUSH_AGAIN  # nothing was taken
        self._commands.resolve(incident.incident, choice)
        self._answered_s[incident.incident] = now_s
        self._tried[incident.kind].append(str(way._replace(choice=choice)))

    def _look_at_progress(self, snapshot: Snapshot) -> None:
        """A part was sorted: what was in the way is over."""
        sorted_now = [each.part for each in snapshot.recent_parts if _is_sorted(each) and each.part > self._last_sorted]
        if sorted_now:
            self._last_sorted = max(sorted_now)
            self._parts_since_round += len(sorted_now)
            self._in_a_row.clear()
            self._tried.clear()

    # --- at the machine -----------------------------------------------------------------------------------------

    def _do(self, hands: Iterable[str], full: Sequence[str] | None = None, *, is_seen: bool = False) -> bool:
        """Do it; returns whether parts lay there where any were to be taken.

        If the rig says that it sees something (``is_seen``) and nothing lies there, it is the lamp or the lens.
        """
        is_true = True
        if self._hands is None:
            return is_true
        for do in hands:
            bins = tuple(full) if full is not None and do == EMPTY_BINS else None
            answer = self._hands.do(HandRequest(do, bins=bins))
            if do == TAKE_PARTS and not answer.parts:
                is_true = False
        if is_seen and not is_true:
            self._do((MEND_LIGHT, WIPE_LENS))
        return is_true

    def _look_after_connection(self, state: RigState) -> None:
        """Board or camera cannot be connected for a while: look at cable, camera and supply."""
        if state not in (RigState.OFFLINE, RigState.CONNECTING):
            self._offline_since_s = None
            return
        now_s = time.monotonic()
        if self._offline_since_s is None:
            self._offline_since_s = now_s
        elif now_s - self._offline_since_s > self._offline_s:
            self._offline_since_s = now_s
            self._do((PLUG_IN, MEND_CAMERA, RESTORE_POWER))

    def _make_round(self, snapshot: Snapshot) -> None:
        """Empty the bins and wipe the lens, whether it is needed or not."""
        self._parts_since_round = 0
        names = [each.bin for each in snapshot.bins if each.part_count and each.bin != self._recirculate]
        self._do((WIPE_LENS, EMPTY_BINS))
        if names:
            self._commands.empty_bins([BinId(name) for name in names])

    # --- patience -----------------------------------------------------------------------------------------------

    def _check_patience(self, snapshot: Snapshot) -> None:
        run, now_s = snapshot.run, time.monotonic()
        news = (snapshot.state, snapshot.incidents, None if run is None else run.part_count)
        if news != self._news:
            self._news, self._news_s = news, now_s
        elif now_s - self._news_s > self._patience_s:
            tried = "; ".join(f"{kind}: {' / '.join(ways)}" for kind, ways in self._tried.items())
            raise DemoStuck(
                f"nothing has happened for {self._patience_s:.0f} s while the rig is {snapshot.state}"
                + (f" ({snapshot.state_reason})" if snapshot.state_reason else "")
                + (f"; tried: {tried}" if tried else "")
            )


def _is_sorted(part: PartSummary) -> bool:
    return part.outcome is not None and part.outcome.kind is OutcomeKind.CONFIRMED


def _needs_answer(incidents: Iterable[Incident]) -> bool:
    """Whether one of them is more than a note."""
    return any(incident.choices for incident in incidents)


def _full_bins(snapshot: Snapshot) -> tuple[str, ...]:
    """Bins that are nearly full, as a person sees."""
    return tuple(each.bin for each in snapshot.bins if each.part_count >= _NEARLY_FULL * each.capacity)
