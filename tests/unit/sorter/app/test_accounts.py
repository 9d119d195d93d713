"""What became of each part: held against made-up truths, every part has one fate, and no mishap passes unseen."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.app.accounts import Fate, account, right_bins
from sorter.app.truth import Journey
from sorter.types import BinId, OutcomeKind, SortPlan, SortRule
from sorter.types.twin import BESIDE
from tests.ledgers import BINS, CLASSES, PLAN, World, row_of

KNOWN, UNKNOWN = "3001", None


@pytest.mark.parametrize(
    ("name", "place", "fate"),
    [
        (KNOWN, "bin 3001", Fate.RIGHT),
        (KNOWN, "bin 3002", Fate.MISROUTED),
        (KNOWN, "reject", Fate.REJECTED),
        (UNKNOWN, "bin 3001", Fate.UNKNOWN_ACCEPTED),
        (UNKNOWN, "reject", Fate.UNKNOWN_REJECTED),
        (KNOWN, "again", Fate.RETURNED),
        (KNOWN, BESIDE, Fate.LOST),
        (KNOWN, None, Fate.LOST),
    ],
)
def test_where_a_part_lies_decides_its_fate(name: str | None, place: str | None, fate: Fate) -> None:
    world = World()
    world.push((1, name), place=place)
    accounts = account(world.journeys, world.rows, PLAN)
    assert [part.fate for part in accounts.parts] == [fate]
    assert accounts.double_counted == 0


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"said_bin": "bin 3002"}, "lies in bin 3001, and row 1 says bin 3002"),
        ({"said_bin": None, "kind": OutcomeKind.LOST}, "lies in bin 3001, and row 1 says lost"),
        ({"said_bin": None, "kind": OutcomeKind.UNRESOLVED}, "lies in bin 3001, and row 1 says unresolved"),
        ({"pushed_s": 50.0}, "lies in bin 3001, and no row tells of it"),
        ({"pushed_s": 107.0}, "lies in bin 3001, and no row tells of it"),
    ],
)
def test_a_part_of_which_the_records_say_something_else_is_lost(row: dict[str, object], why: str) -> None:
    world = World()
    world.push((1, KNOWN), place="bin 3001", **row)  # type: ignore[arg-type]
    (part,) = account(world.journeys, world.rows, PLAN).parts
    assert (part.fate, part.why_lost) == (Fate.LOST, why)


def test_a_part_whose_row_was_never_finished_is_lost_even_if_it_fell_where_it_should() -> None:
    world = World()
    world.push((1, KNOWN), place="bin 3001")
    unfinished = row_of(1, "bin 3001", begin_s=100.0, end_s=None)
    (part,) = account(world.journeys, [unfinished], PLAN).parts
    assert (part.fate, part.why_lost) == (Fate.LOST, "lies in bin 3001, and row 1 has no end")


def test_a_part_that_was_fed_again_is_one_part_and_its_last_journey_counts() -> None:
    world = World()
    world.push((1, KNOWN), (2, UNKNOWN), place="again")
    world.push((1, KNOWN), place="bin 3001")
    world.push((2, UNKNOWN), place="reject")
    accounts = account(world.journeys, world.rows, PLAN)
    assert [part.fate for part in accounts.parts] == [Fate.RIGHT, Fate.UNKNOWN_REJECTED]
    assert all(part.was_fed_again for part in accounts.parts)
    assert accounts.double_counted == 0
    assert accounts.sharing_a_row == 0


def test_a_part_that_two_rows_say_to_lie_in_bins_is_counted_twice() -> None:
    world = World()
    world.push((1, KNOWN), place="again", said_bin="bin 3001")
    world.push((1, KNOWN), place="bin 3001")
    accounts = account(world.journeys, world.rows, PLAN)
    assert accounts.double_counted == 1
    assert accounts.parts[0].counted == (1, 2)


def test_a_row_that_says_a_bin_where_nothing_was_pushed_counts_a_part_that_is_none() -> None:
    world = World()
    world.push(place="bin 3001")
    world.push((1, KNOWN), place="bin 3001")
    world.push(place=None, said_bin=None, kind=OutcomeKind.STUCK)
    accounts = account(world.journeys, world.rows, PLAN)
    assert accounts.empty_rows == (1,)
    assert accounts.double_counted == 1


def test_two_parts_that_one_row_counts_as_one_are_told() -> None:
    world = World()
    world.push((1, "3001"), (2, "3002"), place="bin 3001")
    accounts = account(world.journeys, world.rows, PLAN)
    assert [part.fate for part in accounts.parts] == [Fate.RIGHT, Fate.MISROUTED]
    assert (accounts.sharing_a_row, accounts.double_counted) == (1, 0)


def test_a_part_that_was_struck_twice_by_one_row_is_one_part() -> None:
    journey = Journey(1, KNOWN, KNOWN, None, "up", False, 97.0, 98.0, (101.0, 103.0), 104.0, "bin 3001")
    row = row_of(1, "bin 3001", begin_s=100.0, end_s=105.0)
    (part,) = account([journey], [row], PLAN).parts
    assert (part.fate, part.counted) == (Fate.RIGHT, (1,))


def test_a_part_on_the_table_that_was_never_pushed_is_lost() -> None:
    lying = Journey(1, KNOWN, KNOWN, None, "up", False, 97.0, 98.0)
    (part,) = account([lying], [row_of(1, None, begin_s=100.0, end_s=None, is_intended=False)], PLAN).parts
    assert (part.fate, part.why_lost) == (Fate.LOST, "lies on the table")


def test_the_first_rule_that_names_a_class_gives_its_bin() -> None:
    rules = (SortRule(BinId("a"), ("3001", "3002")), SortRule(BinId("b"), ("3002", "3003")), SortRule(BinId("c")))
    assert right_bins(SortPlan("p", rules, reject=BinId("r"))) == {"3001": "a", "3002": "a", "3003": "b"}


pushes = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(1, 12), st.sampled_from([*CLASSES, None])), max_size=3, unique_by=lambda p: p[0]
        ),
        st.sampled_from([*BINS, BESIDE, None]),
        st.sampled_from(["as is", *BINS, None]),
        st.sampled_from([None, 50.0, 1.0]),
    ),
    max_size=20,
)


@given(pushes)
def test_whatever_happens_each_part_has_one_fate_and_all_are_counted(
    happened: list[tuple[list[tuple[int, str | None]], str | None, str | None, float | None]],
) -> None:
    world = World()
    for parts, place, said_bin, late_s in happened:
        pushed_s = None if late_s is None else world.now_s + late_s
        world.push(*parts, place=place, said_bin=said_bin, pushed_s=pushed_s)
    accounts = account(world.journeys, world.rows, PLAN)
    assert [part.journey.part for part in accounts.parts] == sorted({journey.part for journey in world.journeys})
    fates = Counter(part.fate for part in accounts.parts)
    assert sum(fates.values()) == sum(len(accounts.of_fate(fate)) for fate in Fate) == len(accounts.parts)
    for part in accounts.parts:
        assert (part.fate is Fate.LOST) == bool(part.why_lost)
        if part.fate is not Fate.LOST:
            assert part.row is not None
            assert part.row.finished is not None
            assert part.row.finished.bin == part.journey.place
    claimed = {row for row, journeys in accounts.claims.items() if journeys}
    assert not claimed & set(accounts.empty_rows)


@given(st.lists(st.tuples(st.sampled_from([*CLASSES, None]), st.sampled_from(BINS[:-1])), max_size=40))
def test_a_run_without_mishap_loses_nothing_and_counts_nothing_twice(parts: list[tuple[str | None, str]]) -> None:
    world = World()
    for number, (name, place) in enumerate(parts, start=1):
        world.push((number, name), place=place)
    accounts = account(world.journeys, world.rows, PLAN)
    assert not accounts.of_fate(Fate.LOST, Fate.RETURNED)
    assert accounts.double_counted == accounts.sharing_a_row == 0
    right = sum(name is not None and place == f"bin {name}" for name, place in parts)
    assert len(accounts.of_fate(Fate.RIGHT)) == right
