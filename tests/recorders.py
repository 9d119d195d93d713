"""A recorder in memory, strict about misuse: what the rows of a real one would be, without a disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sorter.types import REJECTED, BinContent, BinId, IncidentId, Outcome, OutcomeKind, PartId, Recorder, RunId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sorter.types import Decision, Frame, SortPlan, View


@dataclass
class PartRow:
    """What was written down of one part."""

    run: RunId | None
    decision: Decision | None = None
    bin: BinId | None = None
    views: tuple[View, ...] = ()
    chute_deg: float | None = None
    outcome: Outcome | None = None
    is_suspect: bool = False


@dataclass
class IncidentRow:
    """What was written down of one incident."""

    kind: str
    message: str
    choices: tuple[str, ...]
    part: PartId | None
    picture: Frame | None
    is_open: bool = True
    choice: str | None = None


@dataclass
class RunRow:
    """What was written down of one run; plans and models in the order in which they were used."""

    plans: list[str]
    models: list[str]
    is_open: bool = True


@dataclass
class MemoryRecorder(Recorder):
    """Keeps all in memory, and lets nothing be written twice or out of order.

    Args:
        error: what every call raises from now on, but ``shortage``.
        incident_error: what the calls about incidents raise.
        lack: what ``shortage`` says.
        on_call: called with the name of every call before anything is done.
    """

    error: Exception | None = None
    incident_error: Exception | None = None
    lack: str | None = None
    on_call: Callable[[str], None] = lambda _name: None
    rows: dict[PartId, PartRow] = field(default_factory=dict)
    incidents: dict[IncidentId, IncidentRow] = field(default_factory=dict)
    runs: dict[RunId, RunRow] = field(default_factory=dict)
    emptied: list[BinId] = field(default_factory=list)
    filled: dict[BinId, BinContent] = field(default_factory=dict)
    checks: int = 0
    suspicions: list[str] = field(default_factory=list)
    _unchecked: list[PartId] = field(default_factory=list)
    _first_incident: int = 101  # so that nobody takes it for the number of a part or a run

    # --- runs ---------------------------------------------------------------------------------------------------

    def begin_run(self, plan: SortPlan, model: str) -> RunId:
        self._call("begin_run")
        if self.run is not None:
            self.runs[self.run].is_open = False
        number = RunId(len(self.runs) + 1)
        self.runs[number] = RunRow([plan.name], [model])
        return number

    def end_run(self) -> None:
        self._call("end_run")
        if self.run is not None:
            self.runs[self.run].is_open = False

    def use_plan(self, plan: SortPlan) -> None:
        self._call("use_plan")
        assert self.run is not None, "another plan outside a run"
        self.runs[self.run].plans.append(plan.name)

    def use_model(self, model: str) -> None:
        self._call("use_model")
        assert self.run is not None, "another model outside a run"
        self.runs[self.run].models.append(model)

    @property
    def run(self) -> RunId | None:
        """The run that is under way."""
        return next((number for number, row in self.runs.items() if row.is_open), None)

    # --- parts --------------------------------------------------------------------------------------------------

    def open_part(self) -> PartId:
        self._call("open_part")
        assert self.run is not None, "a part was opened outside a run"
        assert not self.unfinished, "a part was opened while another one is under way"
        part = PartId(len(self.rows) + 1)
        self.rows[part] = PartRow(self.run)
        return part

    def intend(
        self,
        part: PartId,
        decision: Decision,
        bin: BinId,  # noqa: A002
        *,
        views: Sequence[View] = (),
        chute_deg: float | None = None,
    ) -> None:
        self._call("intend")
        row = self.rows[part]
        assert row.decision is None, "intended twice"
        assert row.outcome is None, "intended after its end"
        assert len(views) >= max(1, decision.view_count), "not the views that were decided by"
        row.decision, row.bin, row.views, row.chute_deg = decision, bin, tuple(views), chute_deg

    def finish(self, part: PartId, outcome: Outcome) -> None:
        self._call("finish")
        row = self.rows[part]
        if row.outcome is not None:
            raise ValueError(f"part {part} is finished already")
        row.outcome = outcome
        self._unchecked.append(part)
        if outcome.kind is OutcomeKind.CONFIRMED:
            assert outcome.bin == row.bin, "confirmed in another bin than it was meant for"
            assert row.decision is not None
            assert outcome.bin is not None
            known = self.filled.get(outcome.bin, BinContent())
            counted = row.decision.class_name or REJECTED
            counts = dict(known.class_counts)
            counts[counted] = counts.get(counted, 0) + 1
            self.filled[outcome.bin] = BinContent(counts, known.sureness, known.decided)
        else:
            assert outcome.bin is None, f"{outcome.kind} is in no bin"

    def check_passed(self) -> None:
        self._call("check_passed")
        self.checks += 1
        self._unchecked.clear()

    def suspect(self, reason: str) -> int:
        self._call("suspect")
        assert reason, "a suspicion without a reason"
        self.suspicions.append(reason)
        for part in self._unchecked:
            self.rows[part].is_suspect = True
        return len(self._unchecked)

    @property
    def unchecked(self) -> tuple[PartId, ...]:
        """Parts that were finished since the last good look."""
        return tuple(self._unchecked)

    @property
    def unfinished(self) -> list[PartId]:
        return [part for part, row in self.rows.items() if row.outcome is None]

    @property
    def outcomes(self) -> list[tuple[OutcomeKind, BinId | None]]:
        return [(row.outcome.kind, row.outcome.bin) for row in self.rows.values() if row.outcome is not None]

    @property
    def suspects(self) -> list[PartId]:
        return [part for part, row in self.rows.items() if row.is_suspect]

    # --- incidents ----------------------------------------------------------------------------------------------

    def open_incident(
        self,
        kind: str,
        message: str,
        choices: Sequence[str],
        *,
        part: PartId | None = None,
        picture: Frame | None = None,
    ) -> IncidentId:
        self._call("open_incident")
        assert part is None or part in self.rows, "an incident with a part that there is not"
        number = IncidentId(self._first_incident + len(self.incidents))
        self.incidents[number] = IncidentRow(kind, message, tuple(choices), part, picture)
        return number

    def update_incident(self, incident: IncidentId, message: str) -> None:
        self._call("update_incident")
        assert self.incidents[incident].is_open, "there is more to say of an incident that is over"
        self.incidents[incident].message = message

    def close_incident(self, incident: IncidentId, choice: str | None) -> None:
        self._call("close_incident")
        row = self.incidents[incident]
        assert row.is_open, f"{row.kind} was closed twice"
        assert choice is None or choice in row.choices, f"{row.kind} has no way out {choice!r}"
        row.is_open, row.choice = False, choice

    @property
    def open_kinds(self) -> list[str]:
        return [row.kind for row in self.incidents.values() if row.is_open]

    def told(self, kind: str) -> list[IncidentRow]:
        """Every incident of this kind, oldest first."""
        return [row for row in self.incidents.values() if row.kind == kind]

    # --- bins ---------------------------------------------------------------------------------------------------

    def empty_bins(self, bins: Sequence[BinId]) -> None:
        self._call("empty_bins")
        assert bins, "nothing was emptied"
        self.emptied += bins
        for name in bins:
            self.filled.pop(name, None)

    def contents(self) -> Mapping[BinId, BinContent]:
        self._call("contents")
        return dict(self.filled)

    def shortage(self) -> str | None:
        self.on_call("shortage")
        return self.lack

    def _call(self, name: str) -> None:
        self.on_call(name)
        if self.error is not None:
            raise self.error
        if self.incident_error is not None and name.endswith("_incident"):
            raise self.incident_error
