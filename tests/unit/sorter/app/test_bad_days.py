"""What became of the twin's faults: what was noticed of each, how it was over, and what it did to parts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.app.accounts import account
from sorter.app.bad_days import BadDays, look_back
from sorter.app.blame import CROWD, Happened
from sorter.app.fault_rules import RULES
from sorter.app.truth import FaultTruth, HandTruth, Truth
from sorter.cycle.incidents import INCIDENTS
from sorter.types import OutcomeKind, RejectReason
from sorter.types.faults import FAULTS
from sorter.types.hands import HANDS
from sorter.types.twin import BESIDE, HAND
from tests.ledgers import PLAN, World

KNOWN = "3001"


def looked_back(
    world: World,
    *faults: FaultTruth,
    incidents: tuple[Happened, ...] = (),
    hands: tuple[HandTruth, ...] = (),
    notes_s: tuple[float, ...] = (),
) -> BadDays:
    truth = Truth(tuple(world.journeys), faults=faults, hands=hands)
    accounts = account(truth.journeys, world.rows, PLAN, hands)
    return look_back(truth, accounts, incidents, notes_s, speed=10.0)


def numbers(days: BadDays, name: str) -> tuple[int, ...]:
    """Injected, found, recovered by rig and by choice, wrong bin, unnoticed."""
    return tuple(days.counts[name].as_dict().values())


def test_every_fault_has_a_rule_of_incidents_and_hands_that_there_are() -> None:
    assert set(RULES) == set(FAULTS)
    for rule in RULES.values():
        assert {*rule.kinds, *rule.ends_with} <= set(INCIDENTS)
        assert set(rule.ends_with_hand) <= set(HANDS)


def test_a_part_that_is_pushed_again_and_goes_was_recovered_by_the_rig() -> None:
    world = World()
    world.push((1, KNOWN), place="bin 3001")
    world.journeys[0] = replace(world.journeys[0], pushed_s=(101.0, 101.5))
    days = looked_back(world, FaultTruth(101.0, "stuck", 1))
    assert numbers(days, "stuck") == (1, 1, 1, 0, 0, 0)
    assert days.causes == {}


def test_a_part_that_somebody_took_was_recovered_by_a_choice_and_is_in_no_wrong_bin() -> None:
    world = World()
    world.push((1, KNOWN), place=HAND, said_bin=None, kind=OutcomeKind.STUCK)
    stuck = Happened("part stuck", 101.5, 101.6, "taken", 1)
    days = looked_back(world, FaultTruth(101.0, "stuck", 1), incidents=(stuck,))
    assert numbers(days, "stuck") == (1, 1, 0, 1, 0, 0)
    assert days.unexplained == {}


def test_a_part_that_slid_off_counts_as_wrong_and_its_incident_as_found() -> None:
    world = World()
    world.push((1, KNOWN), place=BESIDE, said_bin=None, kind=OutcomeKind.LOST)
    lost = Happened("part lost", 104.0, 104.1, "noted", 1)
    days = looked_back(world, FaultTruth(99.0, "slide", 1), incidents=(lost,))
    assert numbers(days, "slide") == (1, 1, 0, 1, 1, 0)
    assert days.causes == {1: "slide"}


def test_what_nobody_could_notice_is_told_with_the_parts_that_it_cost() -> None:
    world = World()
    for part in (1, 2, 3):
        world.push((part, KNOWN), place=BESIDE, said_bin="bin 3001")
    world.push((4, "3002"), place="bin 3002")
    world.push((5, KNOWN), place="bin 3001")
    full = FaultTruth(102.0, "bin-overflow", 1, {"bin": "bin 3001"})
    days = looked_back(world, full, hands=(HandTruth(125.0, "empty bins", (), {"bins": ["bin 3001"]}),))
    assert numbers(days, "bin-overflow") == (1, 0, 0, 0, 3, 1)


def test_of_two_bins_only_that_which_is_full_is_to_blame_until_it_is_emptied() -> None:
    world = World()
    world.push((1, KNOWN), place=BESIDE, said_bin="bin 3001")
    world.push((2, "3002"), place=BESIDE, said_bin="bin 3002")
    world.push((3, KNOWN), place=BESIDE, said_bin="bin 3001")
    full = FaultTruth(102.0, "bin-overflow", 1, {"bin": "bin 3001"})
    emptied = (
        HandTruth(105.0, "empty bins", (), {"bins": ["bin 3002"]}),
        HandTruth(115.0, "empty bins", (), {"bins": ["bin 3001"]}),
    )
    assert looked_back(world, full, hands=emptied).causes == {1: "bin-overflow"}


def test_parts_that_went_astray_until_lost_steps_were_found_are_put_down_to_them() -> None:
    world = World()
    for part in range(1, 5):
        world.push((part, KNOWN), place="bin 3002" if part in (2, 3) else "bin 3001", said_bin="bin 3001")
    slipped = (FaultTruth(105.0, "lost-steps-chute", 1), FaultTruth(115.0, "lost-steps-chute", 2))
    found = Happened("steps lost", 125.0, 126.0, "home again")
    days = looked_back(world, *slipped, incidents=(found,))
    assert numbers(days, "lost-steps-chute") == (2, 2, 0, 2, 2, 0)
    assert days.row_causes == {2: "lost-steps-chute", 3: "lost-steps-chute"}


def test_two_parts_at_once_go_astray_because_of_the_chute_and_not_because_they_are_two() -> None:
    world = World()
    world.push((1, KNOWN), (2, "3002"), place=BESIDE, said_bin="reject")
    slipped, doubled = FaultTruth(90.0, "lost-steps-chute", None), FaultTruth(97.0, "double-feed", 1)
    days = looked_back(world, slipped, doubled)
    assert set(days.causes.values()) == {"lost-steps-chute"}
    assert set(looked_back(world, doubled).causes.values()) == {"double-feed"}


def test_what_is_the_usual_sign_of_a_fault_is_put_down_to_it_and_not_to_one_of_the_line_that_came_later() -> None:
    slipped, lost = FaultTruth(100.0, "lost-steps-chute", None), FaultTruth(104.0, "ok-lost", None)
    days = looked_back(World(), slipped, lost, incidents=(Happened("steps lost", 105.0, 106.0, "home again"),))
    assert (numbers(days, "lost-steps-chute")[1], numbers(days, "ok-lost")[1]) == (1, 0)


def test_a_row_that_counts_what_was_fed_again_has_its_cause() -> None:
    world = World()
    world.push((1, KNOWN), place="again", said_bin="bin 3001")
    world.push((1, KNOWN), place="bin 3001")
    days = looked_back(world, FaultTruth(95.0, "lost-steps-chute", None))
    assert days.row_causes == {1: "lost-steps-chute"}
    assert numbers(days, "lost-steps-chute") == (1, 0, 0, 0, 1, 1)


def test_a_part_whose_way_was_broken_off_is_put_down_to_what_broke_the_link() -> None:
    world = World()
    world.push((1, KNOWN), place="bin 3001", said_bin=None, kind=OutcomeKind.UNRESOLVED)
    lost = Happened("link lost", 101.5, 102.0, "reconnect", 1)
    days = looked_back(world, FaultTruth(100.9, "usb-drop", 1), incidents=(lost,))
    assert numbers(days, "usb-drop") == (1, 1, 0, 1, 1, 0)
    assert days.causes == {1: "usb-drop"}


def test_what_the_link_mends_by_itself_and_says_so_was_recovered_by_the_rig() -> None:
    world = World()
    world.push((1, KNOWN), place="bin 3001")
    days = looked_back(world, FaultTruth(99.0, "ok-lost", 1), FaultTruth(300.0, "ok-lost", 1), notes_s=(99.5,))
    assert numbers(days, "ok-lost") == (2, 1, 1, 0, 0, 1)


def test_a_camera_that_the_rig_has_connected_anew_by_itself_was_recovered_by_it() -> None:
    world = World()
    world.push((1, KNOWN), place="bin 3001")
    hung = FaultTruth(98.5, "camera-hangs", 1, {"until": "a new connection"})
    for_ever = FaultTruth(98.5, "camera-hangs", 1, {"until": "mend camera"})
    assert numbers(looked_back(world, hung), "camera-hangs") == (1, 1, 1, 0, 0, 0)
    assert numbers(looked_back(world, for_ever), "camera-hangs") == (1, 0, 0, 0, 0, 1)


@pytest.mark.parametrize(("reason", "found"), [(RejectReason.SEVERAL, 1), (None, 0)])
def test_two_parts_at_once_are_found_if_they_were_seen_as_several(reason: RejectReason | None, found: int) -> None:
    world = World()
    world.push((1, KNOWN), (2, "3002"), place="bin 3001" if reason is None else "again")
    world.rows[0] = replace(world.rows[0], reject_reason=reason)
    world.journeys[1] = replace(world.journeys[1], dropped_s=97.01)
    days = looked_back(world, FaultTruth(97.01, "double-feed", 1))
    assert numbers(days, "double-feed") == (1, found, found, 0, 1 - found, 1 - found)
    assert days.causes == ({} if found else {2: "double-feed"})


def test_a_jam_that_is_not_cleared_by_anybody_is_found_and_not_recovered() -> None:
    world = World()
    world.push((1, KNOWN), place=None, said_bin="bin 3001")
    days = looked_back(world, FaultTruth(101.5, "jam", 1), incidents=(Happened("jam", 108.0),))
    assert numbers(days, "jam") == (1, 1, 0, 0, 1, 0)


def test_a_part_that_found_no_room_on_a_table_full_of_others_is_not_lost_and_one_on_an_empty_table_is() -> None:
    world = World()
    world.push((1, KNOWN), place="reject")
    fallen = replace(world.journeys[0], part=2, dropped_s=98.5, landed_s=None, pushed_s=(), fell_s=98.7, place=BESIDE)
    world.journeys.append(fallen)
    assert looked_back(world).causes == {2: CROWD}
    world.journeys[1] = replace(fallen, dropped_s=200.0, fell_s=200.2)
    assert looked_back(world).causes == {}


def test_an_incident_without_a_fault_is_unexplained_but_for_those_that_need_none() -> None:
    incidents = (Happened("jam", 108.0, 109.0, "cleared"), Happened("hopper empty", 110.0, 111.0, "refilled"))
    assert looked_back(World(), incidents=incidents).unexplained == {"jam": 1}


@given(
    st.lists(st.tuples(st.floats(90.0, 250.0), st.sampled_from(list(FAULTS)), st.integers(1, 6)), max_size=12),
    st.lists(st.tuples(st.floats(90.0, 250.0), st.sampled_from(list(INCIDENTS)), st.integers(1, 6)), max_size=12),
    st.lists(st.sampled_from(["bin 3001", "bin 3002", "again", BESIDE, HAND]), min_size=6, max_size=6),
)
def test_whatever_happens_the_numbers_add_up(
    faults: list[tuple[float, str, int]], incidents: list[tuple[float, str, int]], places: list[str]
) -> None:
    world = World()
    for part, place in enumerate(places, start=1):
        world.push((part, KNOWN), place=place, said_bin="bin 3001")
    injected = tuple(FaultTruth(at_s, name, part) for at_s, name, part in sorted(faults))
    happened = tuple(Happened(kind, at_s, at_s + 1.0, "noted", row) for at_s, kind, row in incidents)
    days = looked_back(world, *injected, incidents=happened)
    assert sum(count.injected for count in days.counts.values()) == len(faults)
    for count in days.counts.values():
        assert 0 <= count.recovered_by_rig + count.recovered_by_choice <= count.found <= count.injected
        assert count.unnoticed == count.injected - count.found
    assert {*days.causes.values(), *days.row_causes.values()} <= {*days.counts, CROWD}
    by_faults = [cause for cause in days.causes.values() if cause != CROWD]
    assert sum(count.wrong_bin for count in days.counts.values()) == len(by_faults)
