"""Lists: every row once and in order, whatever is asked for, while another program writes, and never over all parts."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from sorter.ledger import LEDGER_FILE, Ledger, LedgerReader, Page, PartFilter, PartRow, part_list
from sorter.types import (
    BinId,
    Decision,
    Outcome,
    OutcomeKind,
    PartColour,
    PartId,
    Prediction,
    RejectReason,
    RunId,
)
from tests.unit.sorter.ledger.kept import IN_A, PLAN, REST, SURE, A, B, confirmed, recorded

COLOURS = (PartColour("Red", 4, 1.0, is_unsure=False), PartColour("Blue", 1, 1.0, is_unsure=True), None)
RowT = TypeVar("RowT")
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def sort_many(ledger: Ledger, parts: int) -> None:
    """Parts of all kinds, in four runs, with bins emptied, suspicions and corrections in between."""
    chance = random.Random(5)
    for number in range(parts):
        if number % (parts // 4) == 0:
            ledger.begin_run(PLAN, "tiny")
        sure = chance.choice([0.5, 0.75, 0.9, 1.0])
        posterior = Prediction(("3001", "3002"), (sure, 1.0 - sure))
        is_decided = chance.random() < 0.8
        decision = Decision(
            "3001" if is_decided else None,
            None if is_decided else chance.choice([RejectReason.UNSURE, RejectReason.BLURRED]),
            posterior,
            2,
            chance.choice(COLOURS),
        )
        outcome = confirmed(chance.choice([A, B])) if is_decided else confirmed(REST)
        if chance.random() < 0.1:
            outcome = Outcome(chance.choice([OutcomeKind.LOST, OutcomeKind.STUCK]), None)
        part = recorded(ledger, decision, outcome)
        if chance.random() < 0.05:
            ledger.correct(part, class_name="3003", note="seen", by="me")
        if chance.random() < 0.02:
            ledger.suspect("lost steps")
            ledger.check_passed()
        if chance.random() < 0.02:
            ledger.empty_bins([A])
    ledger.open_part()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("many") / LEDGER_FILE
    with Ledger(file) as ledger:
        sort_many(ledger, 200)
    return file


@pytest.fixture
def reader(many: Path) -> Iterator[LedgerReader]:
    with LedgerReader(many) as opened:
        yield opened


def all_of(turn: Callable[[int | None], Page[RowT]]) -> list[RowT]:
    """Every row of a list, page by page."""
    found: list[RowT] = []
    after = None
    while True:
        page = turn(after)
        found += page.rows
        if page.next is None:
            return found
        after = page.next


def fits(row: PartRow, wanted: PartFilter, last_emptied: dict[str, int]) -> bool:
    """Whether a row is meant, by hand."""
    asks_more = replace(wanted, run=None) != PartFilter()
    probability = row.probability if row.probability is not None else -1.0
    return (
        (row.outcome is not None or not asks_more)
        and wanted.run in (None, row.run)
        and wanted.class_name in (None, row.class_name)
        and wanted.bin in (None, row.bin)
        and (not wanted.is_in_bin or row.part > last_emptied.get(str(wanted.bin), 0))
        and wanted.colour in (None, row.colour, row.colour_code)
        and wanted.reject_reason in (None, row.reject_reason)
        and wanted.outcome in (None, row.outcome)
        and wanted.is_suspect in (None, row.suspect_reason is not None)
        and (wanted.probability_from is None or probability >= wanted.probability_from)
        and (wanted.probability_to is None or 0.0 <= probability <= wanted.probability_to)
        and (wanted.finished_from is None or (row.finished_at or LATER) >= wanted.finished_from)
        and (wanted.finished_to is None or (row.finished_at or LATER) < wanted.finished_to)
    )


ANY_FILTER = st.builds(
    PartFilter,
    run=st.none() | st.integers(1, 5).map(RunId),
    class_name=st.none() | st.sampled_from(["3001", "3003", "none such"]),
    bin=st.sampled_from([A, B, REST]),
    is_in_bin=st.booleans(),
    colour=st.sampled_from([None, None, "Red", 1, "Sand Purple"]),
    reject_reason=st.none() | st.sampled_from(RejectReason),
    outcome=st.none() | st.sampled_from(OutcomeKind),
    is_suspect=st.sampled_from([None, None, True, False]),
    probability_from=st.sampled_from([None, None, 0.5, 0.75, 0.95]),
    probability_to=st.sampled_from([None, None, 0.5, 0.9, 1.0]),
) | st.builds(
    PartFilter, run=st.none() | st.integers(1, 5).map(RunId), outcome=st.none() | st.sampled_from(OutcomeKind)
)


@given(wanted=ANY_FILTER, limit=st.integers(1, 60), at_once=st.sampled_from([3, 50, 2000]))
@example(wanted=PartFilter(probability_from=0.75, probability_to=0.5), limit=1, at_once=3)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_for_every_row_that_fits_is_found_once_and_in_order(
    reader: LedgerReader, wanted: PartFilter, limit: int, at_once: int
) -> None:
    emptied: dict[str, int] = {}
    every = list(reader.all_parts())
    for emptying in reader.emptyings(limit=1000).rows:
        before = [row.part for row in every if (row.finished_at or LATER) <= emptying.at]
        emptied.setdefault(emptying.bin, max(before, default=0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part_list, "_AT_ONCE", at_once)
        patch.setattr(part_list, "_ENOUGH_S", 0.0)
        found = all_of(lambda after: reader.parts(wanted, after=after, limit=limit))
    expected = [row for row in reversed(every) if fits(row, wanted, emptied)]
    if wanted.is_by_probability:
        expected.sort(key=lambda row: (row.probability or 0.0, row.part))
    assert [row.part for row in found] == [row.part for row in expected]


def test_times_are_found_whatever_the_clock_on_the_wall_did(reader: LedgerReader) -> None:
    every = list(reader.all_parts())
    times = [row.finished_at for row in every if row.finished_at is not None]
    begin, end = times[50], times[150]
    found = all_of(lambda after: reader.parts(PartFilter(finished_from=begin, finished_to=end), after=after, limit=30))
    assert [row.part for row in found] == list(range(150, 50, -1))
    after_all = PartFilter(finished_from=datetime.now(UTC) + timedelta(days=2))
    assert reader.parts(after_all) == Page((), None)


def test_questions_without_meaning_are_refused(reader: LedgerReader) -> None:
    with pytest.raises(ValueError, match="needs a bin"):
        PartFilter(is_in_bin=True)
    with pytest.raises(ValueError, match="has a zone"):
        PartFilter(finished_from=datetime(2026, 1, 1))  # noqa: DTZ001
    for limit in (0, 1001):
        with pytest.raises(ValueError, match="1 to 1000 rows"):
            reader.parts(limit=limit)
        with pytest.raises(ValueError, match="1 to 1000 rows"):
            reader.runs(limit=limit)


def test_other_lists_come_in_pages_too(reader: LedgerReader) -> None:
    lists: list[Callable[[int | None], Page[Any]]] = [
        lambda after: reader.runs(after=after, limit=1),
        lambda after: reader.emptyings(after=after, limit=1),
        lambda after: reader.plans(after=after, limit=1),
        lambda after: reader.rollups("run", after=after, limit=1),
        lambda after: reader.audits(after=after, limit=1),
        lambda after: reader.incidents(after=after, limit=1),
    ]
    counts = [len(all_of(turn)) for turn in lists]
    assert counts[0] == counts[3] == 4
    assert counts[1] == len(reader.emptyings(limit=1000).rows) > 1
    assert reader.part(0) is None
    assert reader.part(10**6) is None
    with pytest.raises(ValueError, match="no such number"):
        reader.part(2**70)


def test_the_stock_counts_each_class_and_colour_as_the_parts_do(reader: LedgerReader) -> None:
    every = [row for row in reader.all_parts() if row.bin is not None]
    for name in (A, B, REST, None):
        rows = [row for row in every if name in (None, row.bin)]
        counted: dict[tuple[str, str | None], int] = {}
        for row in rows:
            key = (row.class_name or "rejected", row.colour)
            counted[key] = counted.get(key, 0) + 1
        stock = reader.stock(name, everything=True)
        assert {(each.class_name, each.colour): each.parts for each in stock} == counted
        assert all(each.is_rejected == (each.class_name == "rejected") for each in stock)
    present = reader.stock(A)
    assert sum(each.parts for each in present) == next(row.part_count for row in reader.bins() if row.bin == A)


def test_charts_add_up_by_hour_and_by_run(reader: LedgerReader) -> None:
    totals = reader.totals()
    for by in ("run", "hour"):
        rows = all_of(lambda after, by=by: reader.rollups(by, after=after, limit=1))  # type: ignore[misc]
        assert sum(row.parts for row in rows) == totals.parts == 200
    (row,) = reader.rollups("run", run=RunId(2)).rows
    assert (row.run, row.parts, row.views) == (2, 50, 100)
    assert reader.rollups("hour", since=datetime.now(UTC) + timedelta(hours=2)).rows == ()
    assert all(each.hour is not None and each.hour.minute == 0 for each in reader.rollups("hour").rows)


def plans_of(reader: LedgerReader, ask: Callable[[], object]) -> list[str]:
    """How SQLite goes about everything that is asked of it meanwhile."""
    plans: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            rows = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(row[3] for row in rows)

    engine = reader._engine
    event.listen(engine, "before_cursor_execute", explain)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", explain)
    assert plans
    return plans


NOW = datetime.now(UTC)
ASKED = {
    "all": (PartFilter(), "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    "class": (PartFilter(class_name="3001"), "parts_by_class"),
    "bin": (PartFilter(bin=A), "parts_by_bin"),
    "in bin": (PartFilter(bin=A, is_in_bin=True), "parts_by_bin"),
    "colour": (PartFilter(colour="Red"), "parts_by_colour"),
    "reason": (PartFilter(reject_reason=RejectReason.UNSURE), "parts_by_reject_reason"),
    "lost": (PartFilter(outcome=OutcomeKind.LOST), "parts_not_confirmed"),
    "confirmed": (PartFilter(outcome=OutcomeKind.CONFIRMED), "INTEGER PRIMARY KEY"),
    "suspect": (PartFilter(is_suspect=True), "parts_suspect"),
    "run": (PartFilter(run=RunId(2)), "INTEGER PRIMARY KEY"),
    "probability": (PartFilter(probability_from=0.5, probability_to=0.8), "parts_by_probability"),
    "time": (PartFilter(finished_from=NOW - timedelta(days=1)), "INTEGER PRIMARY KEY"),
    "much": (PartFilter(class_name="3001", colour="Red", bin=A, run=RunId(2)), "parts_by_colour"),
}


@pytest.mark.parametrize("what", ASKED)
def test_parts_are_found_by_an_index_and_nothing_is_sorted_or_gone_through(reader: LedgerReader, what: str) -> None:
    wanted, index = ASKED[what]
    plans = plans_of(reader, lambda: reader.parts(wanted, after=None if wanted.is_in_bin else 150, limit=5))
    assert not [plan for plan in plans if plan.startswith("SCAN parts")], plans
    assert not [plan for plan in plans if "TEMP B-TREE" in plan], plans
    assert any("parts" in plan and index in plan for plan in plans), plans


def test_no_other_list_goes_through_the_parts(reader: LedgerReader) -> None:
    def ask() -> None:
        reader.runs(after=3)
        reader.plans()
        reader.rollups("run", run=RunId(1))
        reader.rollups("hour", since=NOW)
        reader.totals()
        reader.bins()
        reader.stock(A)
        reader.emptyings(A, after=3)
        reader.audits(A)
        reader.incidents(is_open=True)
        reader.incidents(kind="jam")
        reader.part(7)

    plans = plans_of(reader, ask)
    assert not [plan for plan in plans if plan.startswith(("SCAN parts", "SCAN views"))], plans


def test_readers_see_whole_parts_while_the_rig_writes(tmp_path: Path) -> None:
    file = tmp_path / LEDGER_FILE
    with Ledger(file) as ledger, LedgerReader(file) as reader:
        is_over = threading.Event()

        def write() -> None:
            for _ in range(60):
                recorded(ledger)
            is_over.set()

        writer = threading.Thread(target=write)
        writer.start()
        seen = 0
        while not is_over.is_set():
            rows = reader.parts(limit=1000).rows
            assert [row.part for row in rows] == list(range(len(rows), 0, -1))
            assert len(rows) >= seen
            assert all(row.outcome is not None for row in rows[1:])
            seen = len(rows)
            (stock,) = reader.bins()[:1] or (None,)
            assert stock is None or stock.part_count <= 60
        writer.join()
        assert len(reader.parts(limit=1000).rows) == 60


def test_people_see_who_changed_what(tmp_path: Path) -> None:
    file = tmp_path / LEDGER_FILE
    with Ledger(file) as ledger, LedgerReader(file) as reader:
        part = recorded(ledger)
        ledger.suspect("lost steps")
        ledger.correct(part, bin=B, class_name="3002", note="lay in b", by="Ada")
        unresolved = ledger.open_part()
        ledger.intend(unresolved, SURE, A)
        ledger.finish(unresolved, Outcome(OutcomeKind.UNRESOLVED, None))
        ledger.settle(unresolved, A, "Ada")
        details = reader.part(part)
        assert details is not None
        (changed,) = details.corrections
        assert (changed.by, changed.note, changed.was_bin, changed.bin) == ("Ada", "lay in b", A, B)
        assert (changed.was_class, changed.class_name, changed.was_suspect_reason) == ("3001", "3002", "lost steps")
        assert (details.row.decided_class, details.row.class_name, details.row.sureness) == ("3001", "3002", 1.0)
        settled = reader.part(unresolved)
        assert settled is not None
        assert (settled.corrections[0].what, settled.corrections[0].was_outcome) == ("settled", OutcomeKind.UNRESOLVED)
        with pytest.raises(ValueError, match="nothing is said"):
            ledger.correct(part, note="", by="me")
        for wrong in ({"bin": BinId("")}, {"class_name": ""}):
            with pytest.raises(ValueError, match="has a name"):
                ledger.correct(part, note="", by="me", **wrong)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="was never opened"):
            ledger.correct(PartId(9), bin=A, note="", by="me")


def test_purity_that_was_estimated_and_purity_that_was_counted_are_two_numbers(tmp_path: Path) -> None:
    file = tmp_path / LEDGER_FILE
    with Ledger(file) as ledger, LedgerReader(file) as reader:
        for _ in range(4):
            recorded(ledger)
        ledger.audit(A, 4, 1, "Ada")
        (row,) = reader.bins()
        assert row.estimated_purity == pytest.approx(0.9)
        assert row.last_audit is not None
        assert row.last_audit.audited_purity.share == 0.75
        assert row.last_audit.audited_purity.low < 0.75 < row.last_audit.audited_purity.high < 1.0
        assert (row.last_audit.recorded, row.last_audit.estimated_purity) == (4, pytest.approx(0.9))
        ledger.empty_bins([A])
        (row,) = reader.bins()
        assert (row.part_count, row.estimated_purity, row.emptied_at is not None) == (0, None, True)
        assert row.last_audit is not None
        assert not row.last_audit.is_of_present
        (emptied,) = reader.emptyings().rows
        assert (emptied.part_count, emptied.class_counts) == (4, {"3001": 4})
        assert emptied.estimated_purity == pytest.approx(0.9)
        for counted, wrong in ((0, 0), (3, 4), (3, -1)):
            with pytest.raises(ValueError, match="audit"):
                ledger.audit(A, counted, wrong, "Ada")


def test_outcomes_in_a_bin_that_was_emptied_since_are_counted_with_what_was_taken_out(tmp_path: Path) -> None:
    file = tmp_path / LEDGER_FILE
    with Ledger(file) as ledger, LedgerReader(file) as reader:
        part = recorded(ledger)
        ledger.empty_bins([A, B])
        ledger.correct(part, bin=B, note="it was among those of b", by="Ada")
        assert ledger.contents() == {}
        assert [(row.bin, row.part_count) for row in reader.emptyings().rows] == [(B, 1), (A, 0)]
        recorded(ledger, SURE, IN_A)
        assert ledger.contents()[A].class_counts == {"3001": 1}
