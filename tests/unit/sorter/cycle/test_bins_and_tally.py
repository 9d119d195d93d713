"""Counts that the operator reads: what is in the bins, how fast the run is, which parts were the last."""

from __future__ import annotations

import pytest

from sorter.clock import ManualClock
from sorter.config import BinConfig
from sorter.cycle.bins import Bins
from sorter.cycle.tally import RECENT_PARTS, Tally
from sorter.cycle.timing import STAGES, Stopwatch
from sorter.types import (
    REJECTED,
    BinContent,
    BinId,
    Decision,
    Outcome,
    OutcomeKind,
    PartId,
    PartSummary,
    Prediction,
    RejectReason,
    RunId,
)

A, B = BinId("a"), BinId("b")
CONFIGS = (BinConfig(id="a", chute_deg=10.0, capacity=2, label="Bricks"), BinConfig(id="b", chute_deg=20.0))
SURE = Decision("3001", None, Prediction(("3001", "3002"), (0.9, 0.1)), 2)
REJECT = Decision(None, RejectReason.UNSURE, None, 2)


def test_a_bin_counts_its_parts_until_it_is_emptied() -> None:
    bins = Bins(CONFIGS, {B: BinContent({"3002": 3, REJECTED: 1})})
    assert [(each.part_count, each.estimated_purity) for each in bins.status()] == [(0, None), (4, None)]
    for decision in (SURE, REJECT):
        bins.put(A, decision)
    first = bins.status()[0]
    assert (first.label, first.part_count, dict(first.class_counts)) == ("Bricks", 2, {"3001": 1, REJECTED: 1})
    assert first.estimated_purity == pytest.approx(0.9)
    assert bins.status()[1].label == "b"
    assert dict(bins.free) == {A: 0, B: 196}
    bins.put(A, SURE)  # more than it holds
    assert bins.free[A] == 0
    bins.empty([A])
    assert bins.free[A] == 2
    assert (bins.chute_deg(B), bins.names, A in bins, "c" in bins) == (20.0, (A, B), True, False)


def test_what_the_records_say_takes_the_place_of_what_was_counted() -> None:
    bins = Bins(CONFIGS, {B: BinContent({"3002": 3}, 2.7, 3)})
    assert bins.status()[1].estimated_purity == pytest.approx(0.9)
    bins.put(B, SURE)
    bins.recount({A: BinContent({"3001": 1}), BinId("of another rig"): BinContent({"3001": 5})})
    assert [each.part_count for each in bins.status()] == [1, 0]


def test_a_pause_does_not_make_a_run_look_slow() -> None:
    clock = ManualClock()
    tally = Tally(clock)
    tally.rest()
    tally.use_plan("none")
    assert tally.run is None
    tally.start(RunId(1), "plan")
    clock.advance(30.0)
    tally.rest()
    clock.advance(1000.0)
    tally.go_on()
    tally.go_on()
    clock.advance(30.0)
    for number, decision in ((1, SURE), (2, REJECT)):
        tally.add(PartSummary(PartId(number), decision, A, None))
        tally.add(PartSummary(PartId(number), decision, A, Outcome(OutcomeKind.CONFIRMED, A)))
    tally.add(PartSummary(PartId(3), SURE, A, Outcome(OutcomeKind.UNRESOLVED, None)))
    assert tally.run is not None
    assert (tally.run.part_count, tally.run.reject_count, tally.run.parts_per_minute) == (2, 1, 2.0)
    assert [each.part for each in tally.recent] == [3, 2, 1]
    tally.use_plan("other")
    tally.start(RunId(7), "other")
    assert (tally.run.run, tally.run.plan, tally.run.part_count) == (7, "other", 0)


def test_the_list_of_last_parts_does_not_grow_for_ever() -> None:
    tally = Tally(ManualClock())
    for number in range(50):
        tally.add(PartSummary(PartId(number), SURE, A, None))
    assert [each.part for each in tally.recent] == list(range(49, 49 - RECENT_PARTS, -1))


def test_every_second_is_somebodys_and_counted_once() -> None:
    clock = ManualClock()
    watch = Stopwatch(clock)
    watch.begin()
    with watch.stage("look"):
        clock.advance(1.0)
        with watch.outside(), watch.outside():
            clock.advance(2.0)
        with watch.held():
            clock.advance(100.0)
    with watch.stage("look"):
        clock.advance(0.5)
    watch.allow("look", 1.5)
    watch.allow("look", -3.0)
    with watch.after_the_end("record"):
        clock.advance(0.25)
    took = watch.stage_s()
    assert set(took) == {*STAGES, *(f"bound.{stage}" for stage in STAGES), "host"}
    assert (took["look"], took["bound.look"], took["host"], took["record"]) == (3.5, 1.5, 1.5, 0.0)
    watch.begin()
    assert {key: value for key, value in watch.stage_s().items() if value} == {"record": 0.25, "host": 0.25}
