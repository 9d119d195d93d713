"""``sorter run``'s operator: options do what they promise, Ctrl-C stops, and a rig never waits for nobody."""

from __future__ import annotations

import pytest

from sorter.app.errors import RigUnreachable
from sorter.app.person import Ending, Person, Wishes
from sorter.app.typed import Typed
from sorter.types import BinId, RigState, SortPlan
from tests.operators import ToldRig, incident, snapshot

EMPTY = incident(1, "hopper empty", "refilled")
STUCK = incident(2, "part stuck", "taken", "push again")
LOST = incident(3, "part lost", "noted")


class Typist:
    """A ``Keyboard`` on which a test types."""

    def __init__(self, *, has_ended: bool = False) -> None:
        self.has_ended = has_ended
        self.pending: list[str] = []

    def lines(self) -> list[str]:
        lines, self.pending = self.pending, []
        return lines


class Sat:
    """A person at a rig that only remembers."""

    def __init__(self, wishes: Wishes | None = None, *, is_alone: bool = False) -> None:
        self.rig = ToldRig()
        self.typist = Typist(has_ended=is_alone)
        self.said: list[str] = []
        typed = Typed(self.rig, SortPlan("p", (), BinId("r")))
        self.person = Person(self.rig, typed, self.typist, wishes or Wishes(), self.said.append)

    def types(self, *lines: str) -> None:
        self.typist.pending += lines


def test_options_home_and_start_once_as_soon_as_that_is_possible() -> None:
    sat = Sat(Wishes(homes=True, starts=True))
    for state in (RigState.OFFLINE, RigState.CONNECTING, RigState.UNHOMED, RigState.HOMING, RigState.IDLE):
        assert not sat.person.attend(snapshot(state))
    assert sat.rig.told == ["home", "start"]
    for state in (RigState.RUNNING, RigState.STOPPING, RigState.IDLE, RigState.UNHOMED):
        assert not sat.person.attend(snapshot(state))
    assert sat.rig.told == ["home", "start"]


def test_without_options_nothing_moves_until_somebody_types() -> None:
    sat = Sat()
    for state in (RigState.UNHOMED, RigState.IDLE):
        assert not sat.person.attend(snapshot(state))
    assert sat.rig.told == []
    sat.types("start")
    assert not sat.person.attend(snapshot(RigState.IDLE))
    assert (sat.rig.told, sat.said) == (["start"], ["starting"])


def test_enough_parts_end_the_run_and_then_the_session() -> None:
    sat = Sat(Wishes(parts=3))
    assert not sat.person.attend(snapshot(RigState.RUNNING, parts=2))
    assert not sat.person.attend(snapshot(RigState.RUNNING, parts=3))
    assert not sat.person.attend(snapshot(RigState.RUNNING, parts=3))
    assert sat.rig.told == ["stop"]
    assert not sat.person.attend(snapshot(RigState.STOPPING, parts=3))
    assert sat.person.attend(snapshot(RigState.IDLE, parts=3))
    assert sat.person.ending is Ending.DONE


def test_an_empty_hopper_is_the_end_only_if_that_was_asked_for_or_nobody_can_fill_it() -> None:
    waiting = Sat()
    assert not waiting.person.attend(snapshot(RigState.PAUSED, EMPTY))
    assert not waiting.person.attend(snapshot(RigState.PAUSED, EMPTY))
    assert waiting.rig.told == []
    for sat in (Sat(Wishes(until_empty=True)), Sat(is_alone=True)):
        sat.person.attend(snapshot(RigState.PAUSED, EMPTY))
        assert not sat.person.attend(snapshot(RigState.PAUSED, EMPTY))
        assert sat.rig.told == ["stop"]
        assert sat.person.attend(snapshot(RigState.IDLE))
        assert sat.person.ending is Ending.DONE


def test_the_first_ctrl_c_finishes_the_part_and_the_second_stops_everything_at_once() -> None:
    sat = Sat()
    sat.person.interrupt()
    assert not sat.person.attend(snapshot(RigState.RUNNING))
    assert sat.rig.told == ["stop"]
    assert not sat.person.attend(snapshot(RigState.STOPPING))
    sat.person.interrupt()
    assert sat.rig.told == ["stop", "emergency stop"]
    assert sat.person.attend(snapshot(RigState.ESTOPPED))
    assert sat.person.ending is Ending.INTERRUPTED


@pytest.mark.parametrize("state", [RigState.IDLE, RigState.UNHOMED, RigState.HOMING, RigState.OFFLINE, RigState.FAULT])
def test_ctrl_c_leaves_at_once_where_no_part_is_under_way(state: RigState) -> None:
    sat = Sat()
    sat.person.interrupt()
    assert sat.person.attend(snapshot(state))
    assert (sat.rig.told, sat.person.ending) == ([], Ending.INTERRUPTED)


def test_quit_finishes_the_part_and_tells_whether_the_rig_was_well() -> None:
    sat = Sat()
    sat.types("quit")
    assert not sat.person.attend(snapshot(RigState.RUNNING))
    assert sat.rig.told == ["stop"]
    assert sat.person.attend(snapshot(RigState.IDLE))
    assert sat.person.ending is Ending.DONE
    ill = Sat()
    ill.types("quit")
    assert ill.person.attend(snapshot(RigState.FAULT))
    assert ill.person.ending is Ending.FAULT


def test_with_somebody_there_the_rig_waits_for_him() -> None:
    sat = Sat()
    for _ in range(3):
        assert not sat.person.attend(snapshot(RigState.PAUSED, STUCK))
    assert not sat.person.attend(snapshot(RigState.FAULT, incident(4, "link lost", "reconnect")))
    sat.types("reconnect")
    sat.person.attend(snapshot(RigState.FAULT, incident(4, "link lost", "reconnect")))
    assert sat.rig.told == ["resolve 4 reconnect"]


def test_with_nobody_there_the_rig_never_waits_for_somebody() -> None:
    stuck = Sat(is_alone=True)
    stuck.person.attend(snapshot(RigState.PAUSED, STUCK))
    stuck.person.attend(snapshot(RigState.PAUSED, STUCK))
    assert stuck.rig.told == ["stop"]
    assert stuck.person.attend(snapshot(RigState.STOPPING, STUCK))
    assert stuck.person.ending is Ending.UNRESOLVED
    broken = Sat(is_alone=True)
    assert broken.person.attend(snapshot(RigState.FAULT, incident(4, "link lost", "reconnect")))
    assert broken.person.ending is Ending.FAULT
    noted = Sat(is_alone=True)
    assert not noted.person.attend(snapshot(RigState.RUNNING, LOST))


def test_with_nobody_there_and_nothing_asked_for_it_is_over_once_connected() -> None:
    sat = Sat(is_alone=True)
    assert not sat.person.attend(snapshot(RigState.CONNECTING))
    assert sat.person.attend(snapshot(RigState.UNHOMED))
    homed = Sat(Wishes(homes=True), is_alone=True)
    assert not homed.person.attend(snapshot(RigState.UNHOMED))
    assert not homed.person.attend(snapshot(RigState.HOMING))
    assert homed.person.attend(snapshot(RigState.IDLE))
    assert homed.rig.told == ["home"]


def test_a_rig_that_was_never_reached_is_told_and_not_waited_for() -> None:
    sat = Sat()
    assert not sat.person.attend(snapshot(RigState.OFFLINE))
    with pytest.raises(RigUnreachable) as told:
        sat.person.attend(snapshot(RigState.OFFLINE, reason="no board at /dev/ttyUSB0\nPlug it in."))
    assert (told.value.message, told.value.remedy) == ("no board at /dev/ttyUSB0", "Plug it in.")
    lost = Sat()
    lost.person.attend(snapshot(RigState.UNHOMED))
    assert not lost.person.attend(snapshot(RigState.OFFLINE, reason="the cable was pulled"))


def test_a_command_that_comes_too_late_is_tried_again_with_the_next_snapshot() -> None:
    sat = Sat()
    sat.person.interrupt()
    sat.rig.refuses = {"stop"}
    assert not sat.person.attend(snapshot(RigState.RUNNING))
    sat.rig.refuses = set()
    assert not sat.person.attend(snapshot(RigState.RUNNING))
    assert sat.rig.told == ["stop"]
