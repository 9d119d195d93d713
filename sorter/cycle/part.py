"""The part under way: what is known of it, and that its row is opened once and finished once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.types import Outcome, OutcomeKind, PartSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sorter.types import BinId, Decision, PartId, Recorder, View


@dataclass(frozen=True)
class Intended:
    """What a part was taken for, and the bin it is meant for."""

    decision: Decision
    bin: BinId


class PartLog:
    """Writes parts down; for one thread.

    Args:
        recorder: where to.
        on_summary: called with a part's line whenever there is something new in it.

    A part whose way was broken off stays here until ``give_up`` finishes it: after homing, when the table is known to
    be empty, or when the program ends.
    """

    def __init__(self, recorder: Recorder, on_summary: Callable[[PartSummary], None]) -> None:
        self._recorder = recorder
        self._on_summary = on_summary
        self._part: PartId | None = None
        self._intended: Intended | None = None

    @property
    def part(self) -> PartId | None:
        """The part whose row was opened and is not finished."""
        return self._part

    def open(self) -> None:
        """A part lies on the table."""
        if self._part is not None:
            raise RuntimeError(f"part {self._part} is still under way")
        self._intended = None
        self._part = self._recorder.open_part()

    def intend(self, decision: Decision, name: BinId, views: Sequence[View], chute_deg: float | None) -> None:
        """It is about to be pushed towards a bin; returns when that is written down for good."""
        part = self._under_way()
        self._recorder.intend(part, decision, name, views=views, chute_deg=chute_deg)
        self._intended = Intended(decision, name)
        self._on_summary(PartSummary(part, decision, name, None))

    def finish(self, outcome: Outcome) -> None:
        """It is done with."""
        part = self._under_way()
        self._recorder.finish(part, outcome)
        self._part = None
        if self._intended is not None:
            self._on_summary(PartSummary(part, self._intended.decision, self._intended.bin, outcome))

    def give_up(self) -> None:
        """Finish a part whose way was broken off, if there is one.

        One that was about to be pushed is unresolved: nobody knows where it is. One that was not lay on the table.
        """
        if self._part is None:
            return
        kind = OutcomeKind.STUCK if self._intended is None else OutcomeKind.UNRESOLVED
        try:
            self.finish(Outcome(kind, None))
        except ValueError:  # its row was finished, and only the answer did not come back
            self._part = None

    def _under_way(self) -> PartId:
        if self._part is None:
            raise RuntimeError("no part is under way")
        return self._part
