"""Whatever a rig and its people do, and whenever the power goes off: rows and counts are those of a simple model."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sorter.ledger import LEDGER_FILE, EmptyingId, Ledger, LedgerReader, PartFilter, open_reader
from sorter.types import REJECTED, BinId, Decision, IncidentId, Outcome, OutcomeKind, PartId, SortPlan
from tests.unit.sorter.ledger.kept import OTHER, PLAN, REST, SURE, UNSEEN, UNSURE, A, B, as_after_a_power_cut

BINS = st.sampled_from([A, B, REST])
DECISIONS = st.sampled_from([SURE, OTHER, UNSURE, UNSEEN])
FATES = st.sampled_from([None, OutcomeKind.LOST, OutcomeKind.STUCK, OutcomeKind.UNRESOLVED])
CLASSES = st.sampled_from(["3001", "3002", "3003", None])
ANY_PART = st.integers(min_value=0, max_value=30)


@dataclass
class Known:
    """A part as the model knows it; ``at`` counts the model's steps."""

    run: int | None
    decision: Decision | None = None
    intended_bin: BinId | None = None
    intentions: int = 0
    outcome: OutcomeKind | None = None
    bin: BinId | None = None
    class_name: str | None = None
    sureness: float | None = None
    at: int = 0
    suspect: str | None = None
    corrections: int = 0


@dataclass
class Emptied:
    bin: BinId
    at: int
    is_undone: bool = False


@dataclass
class Model:
    parts: dict[int, Known] = field(default_factory=dict)
    emptyings: list[Emptied] = field(default_factory=list)
    incidents: dict[int, bool] = field(default_factory=dict)  # is it open
    runs: int = 0
    run: int | None = None
    now: int = 0
    checked_at: int = -1

    def under_way(self) -> list[int]:
        return [number for number, part in self.parts.items() if part.outcome is None]

    def finished(self, kind: OutcomeKind | None = None) -> list[int]:
        return [
            number
            for number, part in self.parts.items()
            if part.outcome is not None and (kind is None or part.outcome is kind)
        ]

    def emptying_of(self, part: Known) -> int:
        """Which emptying took it out; 0 if it is there still."""
        later = (
            number
            for number, each in enumerate(self.emptyings, start=1)
            if each.bin == part.bin and each.at > part.at and not each.is_undone
        )
        return next(later, 0)

    def counts(self, emptying: int, name: BinId) -> Counter[str]:
        return Counter(
            part.class_name or REJECTED
            for part in self.parts.values()
            if part.bin == name and self.emptying_of(part) == emptying
        )


class AnyCalls(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="any-calls-", dir=_fast_disk())
        self.model = Model()
        self.starts = 0
        self.file = Path(self.folder.name) / "0" / LEDGER_FILE
        self.ledger = Ledger(self.file)
        self.reader: LedgerReader | None = None

    def teardown(self) -> None:
        if self.reader is not None:
            self.reader.close()
        self.ledger.close()
        self.folder.cleanup()

    # --- the rig ------------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(["one", "another"]))
    def begin_run(self, name: str) -> None:
        self.model.runs += 1
        self.model.run = self.model.runs
        assert self.ledger.begin_run(SortPlan(name, PLAN.rules, REST), "tiny") == self.model.runs

    @rule()
    def end_run(self) -> None:
        self.ledger.end_run()
        self.model.run = None

    @rule()
    def change_settings(self) -> None:
        self.ledger.use_plan(PLAN)
        self.ledger.use_model("other")

    @rule()
    def open_part(self) -> None:
        number = len(self.model.parts) + 1
        assert self.ledger.open_part() == number
        self.model.parts[number] = Known(self.model.run)

    @rule(part=ANY_PART, decision=DECISIONS, name=BINS)
    def intend(self, part: int, decision: Decision, name: BinId) -> None:
        if part not in self.model.under_way():
            with pytest.raises(ValueError, match=r"finished already|never opened"):
                self.ledger.intend(PartId(part), decision, name)
            return
        self.ledger.intend(PartId(part), decision, name)
        self._intended(self.model.parts[part], decision, name)

    def _intended(self, known: Known, decision: Decision, name: BinId) -> None:
        known.decision, known.intended_bin, known.class_name = decision, name, decision.class_name
        known.intentions += 1
        known.sureness = None
        if decision.class_name is not None and decision.posterior is not None:
            known.sureness = dict(decision.posterior.ranked)[decision.class_name]

    @rule(part=ANY_PART, fate=FATES, name=BINS)
    def finish(self, part: int, fate: OutcomeKind | None, name: BinId) -> None:
        outcome = Outcome(OutcomeKind.CONFIRMED, name) if fate is None else Outcome(fate, None)
        if part not in self.model.under_way():
            with pytest.raises(ValueError, match=r"finished already|never opened"):
                self.ledger.finish(PartId(part), outcome)
            return
        self.ledger.finish(PartId(part), outcome)
        self._finished(part, outcome)

    @rule(decision=DECISIONS, name=BINS)
    def sort_one(self, decision: Decision, name: BinId) -> None:
        self.open_part()
        number = len(self.model.parts)
        self.intend(number, decision, name)
        self.finish(number, None, name)

    def _finished(self, part: int, outcome: Outcome) -> None:
        known = self.model.parts[part]
        self.model.now += 1
        known.outcome, known.bin, known.at = outcome.kind, outcome.bin, self.model.now

    @rule()
    def check_passed(self) -> None:
        self.ledger.check_passed()
        self.model.checked_at = self.model.now

    @rule(reason=st.sampled_from(["lost steps", "the mark is elsewhere"]))
    def suspect(self, reason: str) -> None:
        since = [
            part
            for part in map(self.model.parts.get, self.model.finished())
            if part and part.at > self.model.checked_at
        ]
        assert self.ledger.suspect(reason) == len(since)
        for part in since:
            part.suspect = part.suspect or reason

    # --- incidents ----------------------------------------------------------------------------------------------

    @rule(part=ANY_PART)
    def open_incident(self, part: int) -> None:
        if part and part not in self.model.parts:
            with pytest.raises(ValueError, match="never opened"):
                self.ledger.open_incident("jam", "look", ["done"], part=PartId(part))
            return
        number = self.ledger.open_incident("jam", "look", ["done"], part=PartId(part) if part else None)
        assert number == len(self.model.incidents) + 1
        self.model.incidents[number] = True

    @rule(incident=st.integers(min_value=1, max_value=5), choice=st.sampled_from(["done", None]))
    def close_incident(self, incident: int, choice: str | None) -> None:
        if incident not in self.model.incidents:
            with pytest.raises(ValueError, match="there is no incident"):
                self.ledger.close_incident(IncidentId(incident), choice)
            return
        if not self.model.incidents[incident]:
            with pytest.raises(ValueError, match="is over"):
                self.ledger.update_incident(IncidentId(incident), "again")
        else:
            self.ledger.update_incident(IncidentId(incident), "again")
        self.ledger.close_incident(IncidentId(incident), choice)
        self.model.incidents[incident] = False

    # --- people -------------------------------------------------------------------------------------------------

    @rule(names=st.lists(BINS, max_size=3))
    def empty_bins(self, names: list[BinId]) -> None:
        self.ledger.empty_bins(names)
        self.model.now += 1
        self.model.emptyings += [Emptied(name, self.model.now) for name in dict.fromkeys(names)]

    @rule(number=st.integers(min_value=1, max_value=8))
    def undo_emptying(self, number: int) -> None:
        known = self.model.emptyings[number - 1] if number <= len(self.model.emptyings) else None
        if known is None or known.is_undone:
            with pytest.raises(ValueError, match=r"there is no emptying|is undone already"):
                self.ledger.undo_emptying(EmptyingId(number))
            return
        self.ledger.undo_emptying(EmptyingId(number))
        known.is_undone = True

    @rule(part=ANY_PART, name=st.none() | BINS)
    def settle(self, part: int, name: BinId | None) -> None:
        if part not in self.model.finished(OutcomeKind.UNRESOLVED):
            with pytest.raises(ValueError, match=r"never opened|under way|not unresolved"):
                self.ledger.settle(PartId(part), name, "me")
            return
        self.ledger.settle(PartId(part), name, "me")
        self._found(self.model.parts[part], name)

    @precondition(lambda self: self.model.finished())
    @rule(data=st.data(), name=st.none() | BINS, class_name=CLASSES, what=st.sampled_from(["bin", "class", "both"]))
    def correct(self, data: st.DataObject, name: BinId | None, class_name: str | None, what: str) -> None:
        part = data.draw(st.sampled_from(self.model.finished()))
        known = self.model.parts[part]
        was = known.outcome
        self.ledger.correct(
            PartId(part),
            bin=... if what == "class" else name,
            class_name=... if what == "bin" else class_name,
            note="looked",
            by="me",
        )
        known.corrections += what == "class"
        if what != "class":
            was_nowhere = known.bin is None
            self._found(known, name)
            if name is None and was_nowhere and was is OutcomeKind.STUCK:
                known.outcome = OutcomeKind.STUCK
        if what != "bin":
            known.class_name, known.sureness = class_name, None if class_name is None else 1.0

    def _found(self, known: Known, name: BinId | None) -> None:
        known.outcome = OutcomeKind.LOST if name is None else OutcomeKind.CONFIRMED
        known.bin, known.suspect = name, None
        known.corrections += 1

    @rule(name=BINS, counted=st.integers(min_value=0, max_value=20), wrong=st.integers(min_value=0, max_value=25))
    def audit(self, name: BinId, counted: int, wrong: int) -> None:
        if counted == 0 or wrong > counted:
            with pytest.raises(ValueError, match="audit"):
                self.ledger.audit(name, counted, wrong, "me")
            return
        number = self.ledger.audit(name, counted, wrong, "me")
        with open_reader(self.file) as reader:
            (row,) = reader.audits(name, limit=1).rows
        assert (row.audit, row.counted, row.wrong, row.is_of_present) == (number, counted, wrong, True)
        assert row.recorded == self.model.counts(0, name).total()

    # --- ends of the program ------------------------------------------------------------------------------------

    @rule(is_cut_off=st.booleans())
    def start_again(self, is_cut_off: bool) -> None:
        if self.reader is not None:
            self.reader.close()
            self.reader = None
        self.starts += 1
        if is_cut_off:
            old, file = self.ledger, self.file
            self.file = as_after_a_power_cut(old, file, Path(self.folder.name) / str(self.starts))
            old.close()
        else:
            self.ledger.close()
        notes: list[str] = []
        self.ledger = Ledger(self.file, on_note=notes.append)
        assert self.ledger.first_part == len(self.model.parts) + 1
        assert len(notes) == len(self.model.under_way()) + (self.model.run is not None)
        for number in self.model.under_way():
            kind = OutcomeKind.UNRESOLVED if self.model.parts[number].intentions else OutcomeKind.STUCK
            self._finished(number, Outcome(kind, None))
        self.model.incidents = dict.fromkeys(self.model.incidents, False)
        self.model.run = None

    # --- what must hold -----------------------------------------------------------------------------------------

    @invariant()
    def contents_are_those_of_the_model(self) -> None:
        contents = self.ledger.contents()
        for name in (A, B, REST):
            counts = self.model.counts(0, name)
            found = contents.get(name)
            assert Counter(found.class_counts if found else {}) == counts
            sure = [
                p for p in self.model.parts.values() if p.bin == name and p.class_name and not self.model.emptying_of(p)
            ]
            assert (found.decided if found else 0) == len(sure)
            assert (found.sureness if found else 0.0) == pytest.approx(sum(part.sureness or 0.0 for part in sure))

    @invariant()
    def readers_see_the_same(self) -> None:
        if self.reader is None:
            self.reader = open_reader(self.file)
        model = self.model
        rows = list(self.reader.all_parts())
        assert [row.part for row in rows] == list(model.parts)
        for row in rows:
            known = model.parts[row.part]
            assert (row.outcome, row.bin, row.class_name) == (known.outcome, known.bin, known.class_name)
            assert (row.run, row.intended_bin, row.intentions) == (known.run, known.intended_bin, known.intentions)
            assert (row.suspect_reason, row.corrections) == (known.suspect, known.corrections)
            assert row.sureness == pytest.approx(known.sureness)
        for emptied in self.reader.emptyings(limit=100).rows:
            kept = model.emptyings[emptied.emptying - 1]
            assert (emptied.bin, emptied.undone_at is not None) == (kept.bin, kept.is_undone)
            assert Counter(emptied.class_counts) == model.counts(emptied.emptying, kept.bin)
        for name in (A, B, REST):
            there = self.reader.parts(PartFilter(bin=name, is_in_bin=True), limit=100).rows
            assert len(there) == model.counts(0, name).total()
        self._totals(self.reader)
        is_open = [row.incident for row in self.reader.incidents(is_open=True).rows]
        assert sorted(is_open) == [number for number, each in model.incidents.items() if each]

    def _totals(self, reader: LedgerReader) -> None:
        done = [part for part in self.model.parts.values() if part.outcome is not None]
        totals = reader.totals()
        assert (
            totals.parts
            == len(done)
            == sum(row.totals.parts for row in reader.runs(limit=100).rows) + sum(part.run is None for part in done)
        )
        assert totals.decided == sum(part.class_name is not None for part in done)
        assert totals.rejected == sum(part.class_name is None and part.intentions > 0 for part in done)
        kinds = (totals.confirmed, totals.lost, totals.stuck, totals.unresolved)
        assert kinds == tuple(sum(part.outcome is kind for part in done) for kind in OutcomeKind)
        assert totals.suspect == sum(part.suspect is not None for part in done)
        assert totals.corrected == sum(part.corrections > 0 for part in done)
        sureness = [part.sureness for part in done if part.sureness is not None]
        assert totals.mean_sureness == (pytest.approx(sum(sureness) / len(sureness)) if sureness else None)


def _fast_disk() -> str | None:
    """Memory, where there is such a disk: what is on it survives what is done here."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


@pytest.mark.parametrize("examples", [8, pytest.param(150, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_rows_and_counts_are_those_of_the_model_whatever_happens(examples: int) -> None:
    steps = 25 if examples < 100 else 50
    run_state_machine_as_test(
        AnyCalls, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )
