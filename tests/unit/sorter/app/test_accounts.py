"""What became of each part: held against made-up truths, every part has one fate, and no mishap passes unseen."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.app.accounts import SETTLED, Fate, account, right_bins
from sorter.app.truth import HandTruth, Journey
from sorter.types import BinId, OutcomeKind, SortPlan, SortRule
from sorter.types.twin import BESIDE, HAND
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
    ],
)
def test_where_a_part_lies_decides_its_fate(name: str | None, place: str, fate: Fate) -> None:
    world = World()
    world.push((1, name), place=place)
    accounts = account(world.journeys, world.rows, PLAN)
    assert [part.fate for part in accounts.parts] == [fate]
    assert (accounts.parts[0].why, accounts.overcounted) == ("", ())


@pytest.mark.parametrize(
    ("place", "said_bin", "kind", "fate"),
    [
        # the records name a bin
        ("bin 3001", "bin 3002", OutcomeKind.CONFIRMED, Fate.ASTRAY),
        (BESIDE, "bin 3001", OutcomeKind.CONFIRMED, Fate.ASTRAY),
        (HAND, "bin 3001", OutcomeKind.CONFIRMED, Fate.ASTRAY),
        (None, "bin 3001", OutcomeKind.CONFIRMED, Fate.ASTRAY),
        # the records say that somebody took it: true, or it was swept, or it fell off meanwhile
        (HAND, None, OutcomeKind.STUCK, Fate.TAKEN),
        ("reject", None, OutcomeKind.STUCK, Fate.MISSING),
        (BESIDE, None, OutcomeKind.STUCK, Fate.MISSING),
        (None, None, OutcomeKind.STUCK, Fate.MISSING),
        ("bin 3001", None, OutcomeKind.STUCK, Fate.ASTRAY),
        # the records say that nobody knows
        *((place, None, OutcomeKind.LOST, Fate.MISSING) for place in ("bin 3001", "reject", "again", BESIDE, None)),
        *((place, None, OutcomeKind.UNRESOLVED, Fate.MISSING) for place in ("bin 3001", "reject", "again", BESIDE)),
        (HAND, None, OutcomeKind.LOST, Fate.TAKEN),
        (HAND, None, OutcomeKind.UNRESOLVED, Fate.TAKEN),
    ],
)
def test_what_the_records_say_is_held_against_where_the_part_lies(
    place: str | None, said_bin: str | None, kind: OutcomeKind, fate: Fate
) -> None:
    world = World()
    world.push((1, KNOWN), place=place, said_bin=said_bin, kind=kind)
    accounts = account(world.journeys, world.rows, PLAN)
    assert [part.fate for part in accounts.parts] == [fate]
    assert accounts.parts[0].why
    assert accounts.overcounted == ((1,) if said_bin else ())


def test_a_part_without_a_row_is_lost_unless_it_was_gone_before_it_could_have_one() -> None:
    for place, fate in ((BESIDE, Fate.UNSEEN), (HAND, Fate.UNSEEN), ("reject", Fate.UNSEEN), ("bin 3001", Fate.LOST)):
        journey = Journey(1, KNOWN, KNOWN, None, "up", False, 97.0, 98.0, (), 99.0, place)
        (part,) = account([journey], [row_of(1, "reject", begin_s=200.0, end_s=205.0)], PLAN).parts
        assert (part.fate, part.row) == (fate, None)


def test_a_part_that_lies_on_the_table_without_a_row_is_lost() -> None:
    (part,) = account([Journey(1, KNOWN, KNOWN, None, "up", False, 97.0, 98.0)], [], PLAN).parts
    assert (part.fate, part.why) == (Fate.LOST, "lies on the table, or hangs in the chute, and no row tells of it")


def test_a_part_whose_row_was_never_finished_is_lost_even_if_it_fell_where_it_should() -> None:
    world = World()
    world.push((1, KNOWN), place="bin 3001")
    unfinished = row_of(1, "bin 3001", begin_s=100.0, end_s=None)
    (part,) = account(world.journeys, [unfinished], PLAN).parts
    assert (part.fate, part.why) == (Fate.LOST, "lies in bin 3001, and row 1 has no end")


# --- whose row it is ------------------------------------------------------------------------------------------------


def way(part: int, dropped_s: float, pushed_s: tuple[float, ...], fell_s: float | None, place: str | None) -> Journey:
    return Journey(part, KNOWN, KNOWN, None, "up", False, dropped_s, dropped_s + 0.5, pushed_s, fell_s, place)


def test_a_part_that_was_never_pushed_has_the_row_that_was_opened_while_it_lay_there() -> None:
    row = row_of(1, None, begin_s=100.0, end_s=105.0, kind=OutcomeKind.LOST, is_intended=False)
    (part,) = account([way(1, 97.0, (), 103.0, BESIDE)], [row], PLAN).parts
    assert (part.fate, part.row) == (Fate.MISSING, row)


def test_two_parts_that_lay_there_share_a_row_and_a_third_that_came_later_has_that_which_pushed_it() -> None:
    row = row_of(1, "again", begin_s=100.0, end_s=105.0)
    ways = [way(number, dropped_s, (101.0,), 102.0, "again") for number, dropped_s in ((1, 97.0), (2, 97.1), (3, 99.5))]
    accounts = account(ways, [row], PLAN)
    assert accounts.own == {1: (1, 2, 3)}
    assert (accounts.rows_too_many, accounts.overcounted) == ((), ())


def test_a_part_at_the_rim_that_was_told_as_lost_keeps_its_row_when_the_next_one_takes_it_along() -> None:
    lost = row_of(1, None, begin_s=100.0, end_s=105.0, kind=OutcomeKind.LOST, is_intended=False)
    next_one = row_of(2, "bin 3001", begin_s=110.0, end_s=115.0)
    ways = [way(1, 97.0, (111.0,), 112.0, "bin 3001"), way(2, 107.0, (111.0,), 112.0, "bin 3001")]
    accounts = account(ways, [lost, next_one], PLAN)
    assert [part.fate for part in accounts.parts] == [Fate.MISSING, Fate.RIGHT]
    assert (accounts.own, accounts.sharing_a_row) == ({1: (1,), 2: (2,)}, 1)


def test_a_row_for_a_part_that_has_one_is_one_too_many_and_tells_last() -> None:
    first = row_of(1, None, begin_s=100.0, end_s=105.0, kind=OutcomeKind.LOST, is_intended=False)
    second = row_of(2, "bin 3001", begin_s=110.0, end_s=115.0)
    accounts = account([way(1, 97.0, (111.0,), 112.0, "bin 3001")], [first, second], PLAN)
    assert accounts.parts[0].fate is Fate.RIGHT
    assert accounts.rows_too_many == (2,)


def test_a_row_where_nothing_lay_is_told() -> None:
    row = row_of(1, None, begin_s=100.0, end_s=105.0, kind=OutcomeKind.LOST, is_intended=False)
    assert account([], [row], PLAN).rows_of_nothing == (1,)


def test_what_hangs_in_the_chute_is_not_on_the_table_when_the_next_row_is_opened() -> None:
    rows = [row_of(1, "bin 3001", begin_s=100.0, end_s=105.0), row_of(2, "bin 3001", begin_s=110.0, end_s=115.0)]
    ways = [
        way(1, 97.0, (101.0,), 120.0, HAND),
        way(2, 99.5, (101.0,), 120.0, HAND),
        way(3, 107.0, (111.0,), 112.0, "bin 3001"),
    ]
    accounts = account(ways, rows, PLAN, [HandTruth(120.0, "clear chute", (1, 2))])
    assert accounts.own == {1: (1, 2), 2: (3,)}
    assert accounts.overcounted == (1,)
    accounts = account(ways, rows, PLAN, [HandTruth(120.0, "take parts", (1, 2))])
    assert accounts.own == {1: (1,), 2: (2, 3)}


# --- counting -------------------------------------------------------------------------------------------------------


def test_a_part_that_was_fed_again_is_one_part_and_its_last_journey_counts() -> None:
    world = World()
    world.push((1, KNOWN), (2, UNKNOWN), place="again")
    world.push((1, KNOWN), place="bin 3001")
    world.push((2, UNKNOWN), place="reject")
    accounts = account(world.journeys, world.rows, PLAN)
    assert [part.fate for part in accounts.parts] == [Fate.RIGHT, Fate.UNKNOWN_REJECTED]
    assert all(part.was_fed_again for part in accounts.parts)
    assert (accounts.overcounted, accounts.earlier, accounts.sharing_a_row) == ((), (), 0)


def test_a_row_that_names_a_bin_while_the_part_is_fed_again_counts_one_too_many() -> None:
    world = World()
    world.push((1, KNOWN), place="again", said_bin="bin 3001")
    world.push((1, KNOWN), place="bin 3001")
    accounts = account(world.journeys, world.rows, PLAN)
    assert accounts.overcounted == (1,)
    assert [(part.journey.place, part.fate) for part in accounts.earlier] == [("again", Fate.ASTRAY)]


def test_a_part_that_two_rows_count_is_counted_twice() -> None:
    rows = [row_of(1, "bin 3001", begin_s=100.0, end_s=105.0), row_of(2, "bin 3001", begin_s=110.0, end_s=115.0)]
    stuck = way(1, 97.0, (101.0, 111.0), 112.0, "bin 3001")
    assert account([stuck], rows, PLAN).overcounted == (2,)
    beside = way(2, 97.1, (101.0,), 102.0, "bin 3001")  # then the first row is of that one
    assert account([stuck, beside], rows, PLAN).overcounted == ()


def test_a_row_that_says_a_bin_where_nothing_was_pushed_counts_a_part_that_is_none() -> None:
    world = World()
    world.push(place="bin 3001")
    world.push((1, KNOWN), place="bin 3001")
    world.push(place=None, said_bin=None, kind=OutcomeKind.STUCK)
    assert account(world.journeys, world.rows, PLAN).overcounted == (1,)


def test_two_parts_that_one_row_counts_as_one_are_told() -> None:
    world = World()
    world.push((1, "3001"), (2, "3002"), place="bin 3001")
    accounts = account(world.journeys, world.rows, PLAN)
    assert [part.fate for part in accounts.parts] == [Fate.RIGHT, Fate.MISROUTED]
    assert (accounts.sharing_a_row, accounts.overcounted) == (1, ())


def test_a_part_that_was_struck_twice_by_one_row_is_one_part() -> None:
    journey = Journey(1, KNOWN, KNOWN, None, "up", False, 97.0, 98.0, (101.0, 103.0), 104.0, "bin 3001")
    row = row_of(1, "bin 3001", begin_s=100.0, end_s=105.0)
    (part,) = account([journey], [row], PLAN).parts
    assert (part.fate, part.counted) == (Fate.RIGHT, (1,))


def test_the_first_rule_that_names_a_class_gives_its_bin() -> None:
    rules = (SortRule(BinId("a"), ("3001", "3002")), SortRule(BinId("b"), ("3002", "3003")), SortRule(BinId("c")))
    assert right_bins(SortPlan("p", rules, reject=BinId("r"))) == {"3001": "a", "3002": "a", "3003": "b"}


pushes = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(1, 12), st.sampled_from([*CLASSES, None])), max_size=3, unique_by=lambda p: p[0]
        ),
        st.sampled_from([*BINS, BESIDE, HAND, None]),
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
        assert bool(part.why) == (part.fate not in SETTLED or part.fate is Fate.TAKEN)
        if part.fate in SETTLED and part.fate is not Fate.TAKEN:
            assert part.row is not None
            assert part.row.bin == part.journey.place
    counting = [row for row in accounts.rows if row.bin is not None and row.part not in accounts.overcounted]
    assert len(counting) <= sum(journey.place is not None for journey in world.journeys)


@given(st.lists(st.tuples(st.sampled_from([*CLASSES, None]), st.sampled_from(BINS[:-1])), max_size=40))
def test_a_run_without_mishap_loses_nothing_and_counts_nothing_twice(parts: list[tuple[str | None, str]]) -> None:
    world = World()
    for number, (name, place) in enumerate(parts, start=1):
        world.push((number, name), place=place)
    accounts = account(world.journeys, world.rows, PLAN)
    assert len(accounts.of_fate(*SETTLED)) == len(parts)
    assert not accounts.of_fate(Fate.RETURNED)
    assert (accounts.overcounted, accounts.sharing_a_row) == ((), 0)
    right = sum(name is not None and place == f"bin {name}" for name, place in parts)
    assert len(accounts.of_fate(Fate.RIGHT)) == right
