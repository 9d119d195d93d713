"""Everything that happens is written down: runs, parts, incidents; and what cannot be is said to be nowhere."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from sorter.cycle import IncidentKind
from sorter.cycle.faults import is_disk_full, kind_of
from sorter.cycle.incidents import FAULTS
from sorter.errors import CommandRefused, SorterError
from sorter.types import BinId, OutcomeKind, PartId, RigState, RunId, SortPlan
from tests.rig_board import HopperPart
from tests.unit.sorter.cycle.whole_rig import WholeRig, whole_rig

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIRMED = OutcomeKind.CONFIRMED


class NoRoomError(SorterError, OSError):
    """As a ledger's error is."""

    def __init__(self) -> None:
        super().__init__("the ledger cannot be written", remedy="Make room.")
        self.errno = errno.ENOSPC


@pytest.fixture
def rig() -> Iterator[WholeRig]:
    made = whole_rig()
    yield made
    made.recorder.error = made.recorder.incident_error = None
    made.controller.close()


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_run_is_written_down_from_its_beginning_to_its_end(rig: WholeRig) -> None:
    rig.start(HopperPart(), HopperPart())
    rig.until_done(1)
    rig.commands.set_plan(SortPlan("other", (), reject=BinId("reject")))
    rig.commands.promote("better")
    rig.until_done(2)
    rig.commands.stop()
    rig.until_state(RigState.IDLE)
    (run,) = rig.recorder.runs.values()
    assert (run.plans, run.models, run.is_open) == (["standard", "other"], ["stand-in", "better"], False)
    assert {row.run for row in rig.recorder.rows.values()} == {RunId(1)}
    assert rig.controller.snapshot().run.run == RunId(1)  # type: ignore[union-attr]
    rig.commands.start()
    rig.run()
    assert rig.recorder.runs[RunId(2)].plans == ["other"]


def test_a_plan_that_is_set_between_runs_belongs_to_the_next_one(rig: WholeRig) -> None:
    rig.make_ready()
    rig.commands.set_plan(SortPlan("other", (), reject=BinId("reject")))
    rig.run()
    assert not rig.recorder.runs
    rig.commands.start()
    rig.run()
    assert rig.recorder.runs[RunId(1)].plans == ["other"]


@pytest.mark.parametrize("end", ["fault", "emergency stop", "close"])
def test_a_run_that_is_broken_off_is_over(rig: WholeRig, end: str) -> None:
    rig.start(HopperPart())
    rig.until(lambda: bool(rig.recorder.rows))
    if end == "fault":
        rig.camera.fails = 1
        rig.until_state(RigState.FAULT)
    elif end == "emergency stop":
        rig.commands.emergency_stop()
        rig.run(2)
    else:
        rig.controller.close()
    assert rig.recorder.run is None


def test_a_run_that_cannot_be_written_down_does_not_begin(rig: WholeRig) -> None:
    rig.make_ready()
    rig.recorder.error = SorterError("the ledger is gone", remedy="Look for it.")
    rig.commands.start()
    rig.until_state(RigState.FAULT)
    assert rig.world.fan == 0
    assert not rig.recorder.runs


def test_a_run_that_is_stopped_before_it_began_is_no_run(rig: WholeRig) -> None:
    rig.make_ready()
    rig.commands.start()
    rig.commands.emergency_stop()
    rig.run(5)
    assert not rig.recorder.runs


def test_the_views_and_the_chutes_place_are_written_down_before_the_push(rig: WholeRig) -> None:
    rig.start(HopperPart("3002"))
    rig.until_done(1)
    row = rig.recorder.rows[PartId(1)]
    assert len(row.views) == 2
    assert row.chute_deg == 120.0


# --- incidents -------------------------------------------------------------------------------------------------------


def test_an_incident_has_a_row_with_the_part_and_what_was_seen(rig: WholeRig) -> None:
    rig.start(HopperPart(stays=9))
    asked = rig.until_asked("part stuck")
    row = rig.recorder.incidents[asked.incident]
    assert (row.part, row.choices, row.is_open) == (PartId(1), ("push again", "taken"), True)
    assert row.picture is not None
    assert row.message == asked.message
    rig.world.take()
    rig.resolve("part stuck", "taken")
    assert (row.is_open, row.choice) == (False, "taken")


def test_an_incident_before_a_part_has_none(rig: WholeRig) -> None:
    rig.start()
    row = rig.recorder.incidents[rig.until_asked("hopper empty").incident]
    assert row.part is None
    rig.commands.stop()
    rig.until_state(RigState.IDLE)
    assert (row.is_open, row.choice) == (False, None)


def test_a_picture_from_long_ago_is_not_what_was_seen(rig: WholeRig) -> None:
    rig.make_ready()
    rig.clock.advance(300.0)
    rig.world.has_power = False
    assert rig.recorder.incidents[rig.until_asked("motor power cut").incident].picture is None


def test_what_happens_again_is_told_in_the_same_row(rig: WholeRig) -> None:
    rig.start(HopperPart(is_chute_missed=True), HopperPart(is_chute_missed=True))
    rig.until_done(2)
    (row,) = rig.recorder.told("part lost")
    assert "the last of 2" in row.message


@pytest.mark.parametrize("kind", FAULTS)
def test_connecting_anew_closes_every_fault(rig: WholeRig, kind: IncidentKind) -> None:
    rig.make_ready()
    rig.controller._driver._incidents.open(kind, "one", ())
    rig.camera.fails = 1
    rig.world.hopper.append(HopperPart())
    rig.commands.start()
    rig.until_state(RigState.FAULT)
    rig.commands.resolve(rig.incidents[-1].incident, "reconnect")
    rig.until_state(RigState.UNHOMED)
    assert not rig.incidents
    assert not rig.recorder.open_kinds


def test_an_incident_that_cannot_be_written_down_is_shown_all_the_same(rig: WholeRig) -> None:
    rig.start()
    rig.recorder.incident_error = NoRoomError()
    asked = rig.until_asked("hopper empty")
    assert asked.incident < 0
    assert "written down nowhere: the ledger cannot be written" in asked.message
    rig.commands.resolve(asked.incident, "refilled")
    rig.until_state(RigState.RUNNING)
    again = rig.until_asked("hopper empty")
    assert again.incident < asked.incident  # no number is given twice
    rig.recorder.incident_error = None
    rig.commands.resolve(again.incident, "refilled")
    rig.until_state(RigState.RUNNING)
    assert rig.until_asked("hopper empty").incident > 0


def test_what_is_written_down_nowhere_says_so_however_often_it_happens(rig: WholeRig) -> None:
    rig.make_ready()
    rig.recorder.incident_error = NoRoomError()
    for times in (1, 2):
        rig.commands.jog("chute", 900.0)
        rig.until_state(RigState.IDLE)
        (told,) = rig.incidents
        assert "written down nowhere" in told.message
        assert ("the last of 2" in told.message) == (times == 2)


def test_what_could_not_be_closed_is_closed_with_the_next_one(rig: WholeRig) -> None:
    rig.start()
    asked = rig.until_asked("hopper empty")
    rig.recorder.incident_error = NoRoomError()
    rig.commands.resolve(asked.incident, "refilled")
    rig.until_state(RigState.RUNNING)
    assert not rig.incidents
    assert rig.recorder.open_kinds == ["hopper empty"]
    rig.recorder.incident_error = None
    rig.resolve("hopper empty", "refilled")
    assert rig.recorder.open_kinds == []
    assert rig.recorder.incidents[asked.incident].choice == "refilled"


def test_a_mistake_in_the_program_is_told_even_if_the_recorder_is_what_is_broken(rig: WholeRig) -> None:
    rig.make_ready()
    rig.recorder.error = ZeroDivisionError("a mistake")
    rig.controller._driver.give_up(ZeroDivisionError("a mistake"))
    (told,) = rig.incidents
    assert (told.kind, told.incident) == ("program error", -1)
    assert "written down nowhere: ZeroDivisionError" in told.message


# --- a full disk -----------------------------------------------------------------------------------------------------


def test_nothing_is_fed_while_the_disk_is_nearly_full(rig: WholeRig) -> None:
    rig.start(HopperPart(), HopperPart("3002"))
    rig.until_done(1)
    rig.recorder.lack = "The disk has 9 MB left."
    rig.until_done(1)
    asked = rig.until_asked("disk full")
    assert asked.message == "The disk has 9 MB left. Make room, then choose: freed."
    assert asked.choices == ("freed",)
    assert (rig.state, rig.world.fan, len(rig.world.hopper)) == (RigState.PAUSED, 0, 1)
    rig.resolve("disk full", "freed")
    assert rig.until_asked("disk full").incident != asked.incident  # it is not so
    rig.recorder.lack = None
    rig.resolve("disk full", "freed")
    rig.until_done(2)


def test_a_disk_that_is_full_in_the_middle_of_a_part_is_a_fault_of_that_kind(rig: WholeRig) -> None:
    rig.start(HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    rig.recorder.error = NoRoomError()
    asked = rig.until_asked("disk full")
    assert (rig.state, asked.choices) == (RigState.FAULT, ("reconnect",))
    assert asked.incident < 0
    rig.recorder.error = None
    rig.resolve("disk full", "reconnect")
    rig.make_ready()
    assert rig.recorder.outcomes == [(OutcomeKind.STUCK, None)]
    rig.commands.start()
    rig.world.hopper[:] = [HopperPart("3002")]
    rig.until_done(2)
    assert rig.recorder.outcomes[-1] == (CONFIRMED, "b")


def test_a_full_disk_is_known_by_its_number_wherever_it_came_from() -> None:
    deep = SorterError("the ledger cannot be written", remedy="Look.")
    deep.__cause__ = OSError(errno.ENOSPC, "no space left on device")
    assert kind_of(deep) is IncidentKind.DISK_FULL
    assert is_disk_full(NoRoomError())
    assert kind_of(SorterError("the ledger is locked", remedy="Look.")) is IncidentKind.RIG_FAULT


# --- models ----------------------------------------------------------------------------------------------------------


def test_a_model_that_is_rejected_is_refused_and_written_down(rig: WholeRig) -> None:
    def refuse(name: str) -> Any:
        raise SorterError(f"{name} knows other classes", remedy="Name another one.")

    rig.controller._load_recogniser = refuse
    rig.start(HopperPart())
    with pytest.raises(CommandRefused, match="model 'worse' cannot be used: worse knows other classes"):
        rig.commands.promote("worse")
    told = rig.until_asked("model rejected")
    assert "worse knows other classes\nName another one." in told.message
    assert told.choices == ("noted",)
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "a")]
    rig.resolve("model rejected", "noted")
    assert not rig.incidents
