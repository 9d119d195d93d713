"""Who writes down what the rig does, and what is known of the bins from that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sorter.types.decisions import Decision, View
    from sorter.types.pictures import Frame
    from sorter.types.routing import BinId, IncidentId, Outcome, PartId, RunId, SortPlan

REJECTED = "rejected"
"""What parts without a class are counted as in a bin."""


@dataclass(frozen=True)
class BinContent:
    """What went into a bin since it was last emptied, as far as the records know.

    Args:
        class_counts: parts of each class, ``REJECTED`` for those without one.
        sureness: sum of the probabilities of the decided classes.
        decided: how many parts that sum is of.
    """

    class_counts: Mapping[str, int] = field(default_factory=dict)
    sureness: float = 0.0
    decided: int = 0


class Recorder(Protocol):
    """Where the rig writes what it does; each call is durable when it returns. The ledger implements it.

    Any thread may call. Every call but ``shortage`` raises a ``SorterError`` when nothing can be written down; then
    nothing was, or nobody knows whether it was, and the rig stops.
    """

    def begin_run(self, plan: SortPlan, model: str) -> RunId:
        """A run begins; one that was not ended is ended first."""

    def end_run(self) -> None:
        """The run is over; harmless if none is under way."""

    def use_plan(self, plan: SortPlan) -> None:
        """From the next part on the run sorts by this plan."""

    def use_model(self, model: str) -> None:
        """From the next part on the run recognises with this model."""

    def open_part(self) -> PartId:
        """A part is on the table: give it its one row."""

    def intend(
        self,
        part: PartId,
        decision: Decision,
        bin: BinId,  # noqa: A002  (the word for it)
        *,
        views: Sequence[View] = (),
        chute_deg: float | None = None,
    ) -> None:
        """The part is about to be pushed towards ``bin``; to be called before the ejector moves.

        Args:
            part: which.
            decision: what it was taken for.
            bin: towards which bin.
            views: that were looked at; their pictures are kept if there is room for them, without waiting for that.
            chute_deg: where the chute stands for that bin; None on a rig without a chute.
        """

    def finish(self, part: PartId, outcome: Outcome) -> None:
        """The part is done with. Raises ValueError if it was never opened or is finished already."""

    def check_passed(self) -> None:
        """The axes were looked at and stand where they should: parts finished until now are above suspicion."""

    def suspect(self, reason: str) -> int:
        """Flag every part that was finished since the last ``check_passed``; returns how many those are."""

    def open_incident(
        self,
        kind: str,
        message: str,
        choices: Sequence[str],
        *,
        part: PartId | None = None,
        picture: Frame | None = None,
    ) -> IncidentId:
        """Something that an operator has to know or resolve; its number is never given again.

        Args:
            kind: of the incident.
            message: what happened and what to do.
            choices: its ways out.
            part: that was under way.
            picture: what the machine saw; kept if there is room for it.
        """

    def update_incident(self, incident: IncidentId, message: str) -> None:
        """It has happened once more, or there is more to say."""

    def close_incident(self, incident: IncidentId, choice: str | None) -> None:
        """It is over, by an operator's choice, or by itself (None). Harmless if it is over already."""

    def empty_bins(self, bins: Sequence[BinId]) -> None:
        """Somebody emptied these: they are counted from 0."""

    def contents(self) -> Mapping[BinId, BinContent]:
        """What is in the bins; a bin that is not named is empty."""

    def shortage(self) -> str | None:
        """Why nothing more should be fed, such as a disk that is nearly full, for a person; None: go on."""
