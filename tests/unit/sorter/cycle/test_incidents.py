"""Whatever goes wrong, the operator is told what, and every way out that he is offered leads on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sorter.config import EjectorConfig, SensorsConfig, SortConfig, VibratoryFeederConfig
from sorter.cycle import INCIDENTS, Choice, IncidentKind
from sorter.cycle.before_part import LOST_PARTS
from sorter.cycle.feed import FALSE_DROPS
from sorter.cycle.open_incidents import OpenIncidents
from sorter.errors import CommandRefused
from sorter.types import BinId, Decision, Incident, IncidentId, OutcomeKind, RejectReason, RigState
from tests.recorders import MemoryRecorder
from tests.rig_board import HopperPart
from tests.unit.sorter.cycle.docs_tables import table_of
from tests.unit.sorter.cycle.whole_rig import BINS, IN_CHUTE, WholeRig, config_of, whole_rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sorter.types import Frame

CONFIRMED, LOST, STUCK, UNRESOLVED = (
    OutcomeKind.CONFIRMED,
    OutcomeKind.LOST,
    OutcomeKind.STUCK,
    OutcomeKind.UNRESOLVED,
)


@pytest.fixture
def rig() -> Iterator[WholeRig]:
    made = whole_rig()
    yield made
    made.controller.close()


def sorts_on(rig: WholeRig) -> None:
    """The proof that a way out leads on: one more part gets into its bin."""
    rig.world.hopper[:] = [HopperPart("3002")]
    finished = len(rig.recorder.outcomes)
    rig.until_done(finished + 1)
    assert rig.recorder.outcomes[-1] == (CONFIRMED, "b")


def test_the_docs_list_every_incident(checkout: Path) -> None:
    listed = table_of(checkout / "docs/cycle.md", "incident")
    expected = [
        [
            str(kind),
            rule.cause,
            rule.does,
            "; ".join(f"*{choice}*: {what}" for choice, what in rule.choices.items()) or "none",
        ]
        for kind, rule in INCIDENTS.items()
    ]
    assert listed == expected
    assert set(INCIDENTS) == set(IncidentKind)
    assert {choice for rule in INCIDENTS.values() for choice in rule.choices} == set(Choice)


# --- while feeding ---------------------------------------------------------------------------------------------------


def test_an_empty_hopper_pauses_the_run_with_the_feeder_off(rig: WholeRig) -> None:
    rig.start()
    asked = rig.until_asked("hopper empty")
    assert (rig.state, rig.world.fan) == (RigState.PAUSED, 0)
    assert "2 tries of 2 s" in asked.message
    assert "hopper empty" in rig.controller.snapshot().state_reason
    with pytest.raises(CommandRefused, match="hopper empty") as refused:
        rig.commands.resume()
    assert f"incident {asked.incident}" in refused.value.remedy
    rig.commands.resolve(asked.incident, "refilled")
    sorts_on(rig)
    assert rig.state is RigState.RUNNING


def test_an_empty_hopper_can_be_the_end_of_the_run(rig: WholeRig) -> None:
    rig.start()
    rig.until_asked("hopper empty")
    rig.commands.stop()
    rig.until_state(RigState.IDLE)
    assert not rig.incidents
    assert not rig.recorder.rows


def test_a_beam_that_sees_what_is_not_there_calls_somebody(rig: WholeRig) -> None:
    rig.start(*(HopperPart(count=0) for _ in range(FALSE_DROPS)))
    assert f"{FALSE_DROPS} times" in rig.until_asked("nothing arrives").message
    assert not rig.recorder.rows
    rig.resolve("nothing arrives", "feed again")
    sorts_on(rig)


def test_a_full_bin_without_overflow_stops_feeding_before_the_next_part() -> None:
    bins = tuple(each.model_copy(update={"capacity": 1}) if each.id == "a" else each for each in BINS)
    sort = SortConfig(reject="reject", rules=config_of().sort.rules)  # type: ignore[union-attr]
    rig = whole_rig(config_of(bins=bins, sort=sort))
    rig.start(HopperPart("3001"), HopperPart("3002"))
    asked = rig.until_asked("bin full")
    assert "Full: a." in asked.message
    assert rig.state is RigState.PAUSED
    assert not rig.world.on_table
    rig.commands.resolve(asked.incident, "emptied")
    rig.until_done(2)
    assert [each.part_count for each in rig.controller.snapshot().bins if each.bin in ("a", "b")] == [0, 1]
    rig.controller.close()


def test_several_parts_are_rejected_when_no_more_can_be_fed_again() -> None:
    bins = tuple(each.model_copy(update={"capacity": 1}) if each.id == "again" else each for each in BINS)
    rig = whole_rig(config_of(bins=bins))
    rig.start(HopperPart(count=2), HopperPart(count=2))
    rig.until_done(2)
    assert [name for _, name in rig.recorder.outcomes] == ["again", "reject"]
    rig.controller.close()


def test_a_part_that_finds_no_room_stays_on_the_table_until_there_is_some(rig: WholeRig) -> None:
    rig.start(HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    bins = rig.controller._driver._station.bins
    for name in (BinId("b"), BinId("over")):  # as if each held no more
        for _ in range(bins.free[name]):
            bins.put(name, Decision(None, RejectReason.UNSURE, None, 0))
    pushes = rig.board.pushes
    assert "Full: b, over." in rig.until_asked("bin full").message
    assert rig.board.pushes == pushes
    rig.resolve("bin full", "emptied")
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "b")]


# --- while looking ---------------------------------------------------------------------------------------------------


def test_nothing_is_pushed_while_a_hand_is_in_the_picture(rig: WholeRig) -> None:
    rig.start(HopperPart("3002"))
    rig.until(lambda: bool(rig.world.lying()))
    rig.world.is_hand_in_picture = True
    rig.until_asked("no table")
    pushes = rig.board.pushes
    rig.resolve("no table", "look again")
    rig.until_asked("no table")
    assert rig.board.pushes == pushes
    rig.world.is_hand_in_picture = False
    rig.resolve("no table", "look again")
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "b")]
    sorts_on(rig)


def test_nothing_is_pushed_when_a_hand_comes_while_the_table_turns_however_sure_the_first_view_was(
    rig: WholeRig,
) -> None:
    rig.start(HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    rig.world.is_hand_in_picture = True
    pushes = rig.board.pushes
    rig.until_asked("no table")
    rig.resolve("no table", "look again")
    rig.until_asked("no table")
    assert rig.board.pushes == pushes
    rig.world.is_hand_in_picture = False
    rig.resolve("no table", "look again")
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "b")]


def test_a_hand_in_the_last_picture_does_not_count_as_a_part_that_stays(rig: WholeRig) -> None:
    rig.start(HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    pushes = rig.board.pushes
    world, strike = rig.world, rig.world.strike

    def strike_and_reach_in(at_s: float) -> None:
        strike(at_s)
        world.is_hand_in_picture = True

    world.strike = strike_and_reach_in  # type: ignore[method-assign]
    rig.until_asked("no table")
    assert rig.board.pushes == pushes + 1
    world.is_hand_in_picture = False
    rig.resolve("no table", "look again")
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "b")]
    assert rig.board.pushes == pushes + 1


# --- while ejecting --------------------------------------------------------------------------------------------------


def test_a_part_that_stays_is_the_operators_to_take(rig: WholeRig) -> None:
    rig.start(HopperPart(stays=9), HopperPart("3002"))
    asked = rig.until_asked("part stuck")
    assert "after 2 pushes" in asked.message
    assert rig.state is RigState.PAUSED
    rig.world.take()
    rig.commands.resolve(asked.incident, "taken")
    rig.until_done(2)
    assert rig.recorder.outcomes == [(STUCK, None), (CONFIRMED, "b")]


def test_a_part_that_stays_can_be_pushed_again(rig: WholeRig) -> None:
    rig.start(HopperPart(stays=3))
    rig.resolve("part stuck", "push again")
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "a")]
    sorts_on(rig)


@pytest.mark.parametrize("sensors", [SensorsConfig(), SensorsConfig(in_chute=IN_CHUTE)], ids=["pictures", "beam"])
def test_a_part_that_was_taken_and_is_to_be_pushed_again_is_in_no_bin(sensors: SensorsConfig) -> None:
    rig = whole_rig(config_of(sensors=sensors))
    rig.start(HopperPart(stays=9), HopperPart("3002"))
    rig.until_asked("part stuck")
    rig.world.take()
    pushes = rig.board.pushes
    rig.resolve("part stuck", "push again")
    rig.until_done(1)
    assert rig.recorder.outcomes == [(STUCK, None)]
    assert rig.board.pushes == pushes
    rig.until_done(2)
    rig.controller.close()


def test_a_part_that_went_while_something_else_seemed_to_stay_is_in_its_bin() -> None:
    rig = whole_rig(config_of(sensors=SensorsConfig(in_chute=IN_CHUTE)))
    rig.start()
    rig.world.on_table.extend([HopperPart(), HopperPart(stays=9)])
    asked = rig.until_asked("part stuck")
    rig.world.take()
    rig.commands.resolve(asked.incident, "push again")
    rig.until_done(1)
    ((kind, name),) = rig.recorder.outcomes
    assert kind is CONFIRMED
    assert rig.world.fallen[-1].fate == name
    rig.controller.close()


def test_a_part_that_was_not_taken_after_all_is_sorted_anew(rig: WholeRig) -> None:
    rig.start(HopperPart(stays=2))
    rig.resolve("part stuck", "taken")
    rig.until_done(2)
    assert rig.recorder.outcomes == [(STUCK, None), (CONFIRMED, "a")]


def test_stop_while_a_part_is_stuck_ends_the_run_once_it_is_resolved(rig: WholeRig) -> None:
    rig.start(HopperPart(stays=9), HopperPart("3002"))
    asked = rig.until_asked("part stuck")
    rig.commands.stop()
    rig.run(20)
    assert rig.state is RigState.STOPPING
    assert rig.incidents == (asked,)
    rig.world.take()
    rig.commands.resolve(asked.incident, "taken")
    rig.until_state(RigState.IDLE)
    assert rig.recorder.outcomes == [(STUCK, None)]
    assert len(rig.world.hopper) == 1


def test_pause_before_a_part_is_stuck_still_pauses_afterwards(rig: WholeRig) -> None:
    rig.start(HopperPart(stays=2), HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    rig.commands.pause()
    rig.resolve("part stuck", "push again")
    rig.until_state(RigState.PAUSED)
    assert rig.recorder.outcomes == [(CONFIRMED, "a")]
    rig.commands.resume()
    rig.until_done(2)


def test_a_part_that_the_beam_in_the_chute_did_not_see_is_lost_and_the_run_goes_on(rig: WholeRig) -> None:
    rig.start(HopperPart(is_chute_missed=True), HopperPart("3002"))
    rig.until_done(2)
    assert rig.recorder.outcomes == [(LOST, None), (CONFIRMED, "b")]
    assert sum(each.part_count for each in rig.controller.snapshot().bins) == 1
    assert rig.state is RigState.RUNNING
    assert "3001 left the table for a" in rig.until_asked("part lost").message
    rig.resolve("part lost", "noted")
    rig.run()
    assert not rig.incidents


def test_a_chute_that_nothing_passes_any_more_stops_the_run(rig: WholeRig) -> None:
    rig.start(*(HopperPart(is_chute_missed=True) for _ in range(LOST_PARTS)))
    asked = rig.until_asked("jam")
    assert rig.state is RigState.PAUSED
    lost = [each for each in rig.incidents if each.kind == "part lost"]
    assert len(lost) == 1
    assert f"the last of {LOST_PARTS}" in lost[0].message
    rig.commands.resolve(asked.incident, "cleared")
    sorts_on(rig)


def test_nothing_is_pushed_into_a_chute_in_which_something_hangs(rig: WholeRig) -> None:
    rig.start(HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    pushes = rig.board.pushes
    rig.world.is_chute_beam_held = True
    asked = rig.until_asked("jam")
    assert "nothing was pushed yet" in asked.message
    rig.resolve("jam", "cleared")
    rig.until_asked("jam")
    assert rig.board.pushes == pushes
    rig.world.is_chute_beam_held = False
    rig.resolve("jam", "cleared")
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "b")]


@pytest.mark.parametrize("sensors", [SensorsConfig(), SensorsConfig(in_chute=IN_CHUTE)], ids=["pictures", "beam"])
def test_a_part_that_vanishes_while_it_is_looked_at_is_lost_and_in_no_bin(sensors: SensorsConfig) -> None:
    rig = whole_rig(config_of(sensors=sensors))
    rig.start(HopperPart(), HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    pushes = rig.board.pushes
    rig.world.take()
    rig.until_done(1)
    assert rig.recorder.outcomes == [(LOST, None)]
    assert rig.board.pushes == pushes
    assert "beside the table" in rig.until_asked("part lost").message
    rig.until_done(2)
    assert rig.recorder.outcomes[1] == (CONFIRMED, "b")
    assert sum(each.part_count for each in rig.controller.snapshot().bins) == 1
    rig.controller.close()


def test_a_part_that_is_invisible_from_behind_is_sorted_all_the_same(rig: WholeRig) -> None:
    rig.start(HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    first_deg = rig.controller.snapshot().axes[0].position_deg
    capture = rig.camera.capture

    def capture_from_its_side(deadline_s: float) -> Frame:
        if rig.board.commanded("turntable") % 360.0 == first_deg or rig.board.pushes > 1:
            return capture(deadline_s)
        lying, rig.world.on_table = rig.world.on_table, []
        try:
            return capture(deadline_s)
        finally:
            rig.world.on_table = lying

    rig.camera.capture = capture_from_its_side  # type: ignore[method-assign]
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "b")]


# --- the list --------------------------------------------------------------------------------------------------------


def test_an_incident_is_resolved_once_and_only_by_its_own_ways_out(rig: WholeRig) -> None:
    rig.start()
    asked = rig.until_asked("hopper empty")
    with pytest.raises(CommandRefused, match="no way out 'taken'") as refused:
        rig.commands.resolve(asked.incident, "taken")
    assert "refilled" in refused.value.remedy
    with pytest.raises(CommandRefused, match="incident 99 is not open"):
        rig.commands.resolve(IncidentId(99), "refilled")
    rig.commands.resolve(asked.incident, "refilled")
    with pytest.raises(CommandRefused, match="is not open"):
        rig.commands.resolve(asked.incident, "refilled")
    rig.until_state(RigState.RUNNING)


def test_incidents_are_numbered_and_the_oldest_is_first() -> None:
    incidents = OpenIncidents(MemoryRecorder())
    first = incidents.open(IncidentKind.HOPPER_EMPTY, "one")
    second = incidents.open(IncidentKind.PART_LOST, "two")
    again = incidents.open(IncidentKind.PART_LOST, "three")
    assert (first, second, again) == (101, 102, 102)
    assert [each.message.splitlines()[0] for each in incidents.all] == ["one", "three"]
    shown: Incident = incidents.all[0]
    assert shown.happened_at.tzinfo is not None
    incidents.close(first)
    incidents.close(first)
    assert incidents.open(IncidentKind.HOPPER_EMPTY, "four") == 103
    incidents.close_all(IncidentKind.HOPPER_EMPTY, IncidentKind.PART_LOST)
    assert incidents.all == ()


def test_the_feeders_limits_stand_in_what_the_operator_reads() -> None:
    feeder = VibratoryFeederConfig(kind="vibratory", give_up_s=1.5, empty_after=1)
    rig = whole_rig(config_of(feeder=feeder, ejector=EjectorConfig(pushes=1)))
    rig.start(HopperPart(stays=9))
    assert "after 1 push." in rig.until_asked("part stuck").message
    rig.world.take()
    rig.resolve("part stuck", "taken")
    assert "1 tries of 1.5 s" in rig.until_asked("hopper empty").message
    rig.controller.close()
