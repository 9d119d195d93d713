"""A fault ends everything at once, the operator mends it, and the rig is made ready anew before it sorts on."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.errors import PortLost
from sorter.config import LookConfig
from sorter.cycle import IncidentKind
from sorter.errors import CommandRefused, SorterError
from sorter.types import OutcomeKind, RigState
from tests.rig_board import HopperPart
from tests.unit.sorter.cycle.whole_rig import WholeRig, config_of, whole_rig

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIRMED, STUCK, UNRESOLVED = OutcomeKind.CONFIRMED, OutcomeKind.STUCK, OutcomeKind.UNRESOLVED
FAULTS = (
    IncidentKind.LINK_LOST,
    IncidentKind.CAMERA_LOST,
    IncidentKind.MOTOR_POWER_CUT,
    IncidentKind.RIG_FAULT,
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


def provoke(rig: WholeRig, kind: IncidentKind) -> None:
    """Let it happen in the middle of a part."""
    rig.until(lambda: bool(rig.recorder.rows))
    if kind is IncidentKind.LINK_LOST:
        rig.board.fails_in = 1
    elif kind is IncidentKind.CAMERA_LOST:
        rig.camera.fails = 1
    elif kind is IncidentKind.MOTOR_POWER_CUT:
        rig.world.has_power = False
    else:
        rig.recorder.error = SorterError("the ledger cannot be written", remedy="Make room on the disk.")


def mend(rig: WholeRig) -> None:
    rig.world.has_power = True
    rig.recorder.error = None


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_stops_the_rig_and_the_part_stays_open_until_the_table_is_empty(
    rig: WholeRig, kind: IncidentKind
) -> None:
    rig.start(HopperPart("3002"), HopperPart("3002"))
    provoke(rig, kind)
    asked = rig.until_asked(kind)
    assert (rig.state, rig.world.fan) == (RigState.FAULT, 0)
    assert rig.controller.snapshot().state_reason
    calls, pushed = len(rig.board.calls), rig.board.pushes
    rig.run(10)
    assert len(rig.board.calls) == calls
    assert len(rig.recorder.unfinished) == 1
    for command in (rig.commands.start, rig.commands.home, rig.commands.resume):
        with pytest.raises(CommandRefused, match="while the rig is fault"):
            command()
    mend(rig)
    rig.commands.resolve(asked.incident, "reconnect")
    assert rig.state is RigState.CONNECTING
    rig.until_state(RigState.UNHOMED)
    assert not rig.incidents
    assert rig.recorder.unfinished
    rig.commands.home()
    rig.until_state(RigState.IDLE)
    was_intended = kind is IncidentKind.MOTOR_POWER_CUT  # that is found right before the push
    assert rig.recorder.outcomes == [(UNRESOLVED if was_intended else STUCK, None)]
    assert rig.board.pushes == pushed + 1  # the sweep
    rig.commands.start()
    sorts_on(rig)


def test_a_link_that_breaks_in_mid_push_leaves_the_part_unresolved(rig: WholeRig) -> None:
    rig.start(HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    strike = rig.world.strike

    def strike_and_break(at_s: float) -> None:
        strike(at_s)
        rig.board.fails_in = 0

    rig.world.strike = strike_and_break  # type: ignore[method-assign]
    rig.until_asked("link lost")
    rig.world.strike = strike  # type: ignore[method-assign]
    rig.resolve("link lost", "reconnect")
    rig.make_ready()
    assert rig.recorder.outcomes == [(UNRESOLVED, None)]
    assert rig.controller.snapshot().recent_parts[0].outcome is not None
    rig.commands.start()
    sorts_on(rig)


def test_a_fault_while_somebody_is_asked_takes_the_question_back(rig: WholeRig) -> None:
    rig.start(HopperPart(stays=9))
    rig.until_asked("part stuck")
    rig.world.has_power = False
    rig.until_asked("motor power cut")
    assert [each.kind for each in rig.incidents] == ["motor power cut"]
    rig.world.has_power = True
    rig.world.take()
    rig.resolve("motor power cut", "reconnect")
    rig.make_ready()
    rig.commands.start()
    sorts_on(rig)


def test_a_stop_while_somebody_is_asked_is_told_as_what_it_is(rig: WholeRig) -> None:
    rig.start()
    rig.until_asked("hopper empty")
    rig.commands.emergency_stop()
    rig.until_asked("emergency stop")
    assert [each.kind for each in rig.incidents] == ["emergency stop"]
    assert "emergency stop" in rig.controller.snapshot().state_reason


def test_power_that_is_cut_before_the_push_never_sends_a_part_into_the_wrong_bin(rig: WholeRig) -> None:
    rig.start(HopperPart("3002"))
    rig.until(lambda: bool(rig.recorder.rows))
    rig.world.has_power = False
    pushes = rig.board.pushes
    rig.until_asked("motor power cut")
    assert rig.board.pushes == pushes


@pytest.mark.parametrize("state", [RigState.IDLE, RigState.PAUSED])
def test_power_that_is_cut_while_nothing_happens_is_noticed(rig: WholeRig, state: RigState) -> None:
    rig.start()
    rig.until_asked("hopper empty")
    if state is RigState.IDLE:
        rig.commands.stop()
    rig.until_state(state)
    rig.world.has_power = False
    rig.until_asked("motor power cut")
    assert rig.state is RigState.FAULT
    assert [each.kind for each in rig.incidents] == ["motor power cut"]


@pytest.mark.parametrize("state", [RigState.UNHOMED, RigState.IDLE])
def test_a_board_that_goes_away_while_nothing_happens_is_noticed(rig: WholeRig, state: RigState) -> None:
    rig.until_state(RigState.UNHOMED)
    if state is RigState.IDLE:
        rig.make_ready()
    rig.board.break_link(PortLost("the device is gone"))
    asked = rig.until_asked("link lost")
    rig.commands.resolve(asked.incident, "reconnect")
    rig.make_ready()


def test_a_board_that_is_not_there_is_looked_for_ever_more_slowly_until_it_is(rig: WholeRig) -> None:
    rig.board.is_absent = True
    rig.until(lambda: "nothing answers" in rig.controller.snapshot().state_reason)
    tries = []
    for _ in range(60):
        was = rig.state
        rig.run()
        if was is RigState.CONNECTING and rig.state is RigState.OFFLINE:
            tries.append(rig.clock.monotonic_s())
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0]
    assert pauses[-1] < 40.0
    rig.board.is_absent = False
    rig.make_ready()


def test_a_camera_that_is_not_there_is_looked_for_as_well(rig: WholeRig) -> None:
    rig.camera.fails = 3
    rig.until(lambda: "no camera" in rig.controller.snapshot().state_reason)
    rig.make_ready()


def test_a_mistake_in_the_program_is_not_taken_for_a_fault_of_the_rig(rig: WholeRig) -> None:
    rig.start(HopperPart())
    rig.recorder.error = ZeroDivisionError("a mistake")
    with pytest.raises(ZeroDivisionError):
        rig.until_done(1)
    rig.recorder.error = None
    rig.controller._driver.give_up(ZeroDivisionError("a mistake"))
    assert (rig.state, rig.world.fan) == (RigState.FAULT, 0)
    asked = rig.until_asked("program error")
    assert "ZeroDivisionError: a mistake" in asked.message
    with pytest.raises(CommandRefused, match="no way out") as refused:
        rig.commands.resolve(asked.incident, "reconnect")
    assert "started anew" in refused.value.remedy


# --- start-up --------------------------------------------------------------------------------------------------------


def test_the_operator_confirms_that_the_table_is_empty() -> None:
    rig = whole_rig(config_of(look=LookConfig(angles=4, most_views=4)))
    rig.until_state(RigState.UNHOMED)
    rig.world.on_table.append(HopperPart(stays=1))
    rig.commands.home()
    rig.until_asked("confirm table empty")
    assert rig.state is RigState.HOMING
    assert rig.board.pushes == 1
    rig.resolve("confirm table empty", "sweep again")
    rig.until_asked("confirm table empty")
    assert rig.board.pushes == 2
    assert rig.world.fallen[0].fate == "reject"
    rig.resolve("confirm table empty", "empty")
    rig.until_state(RigState.IDLE)
    rig.controller.close()


@pytest.mark.parametrize("choice", ["sweep again", "empty"])
def test_a_picture_that_shows_something_calls_the_operator(rig: WholeRig, choice: str) -> None:
    rig.until_state(RigState.UNHOMED)
    rig.world.on_table.append(HopperPart(stays=1))
    rig.commands.home()
    asked = rig.until_asked("confirm table empty")
    assert "something on the table (one)" in asked.message
    if choice == "empty":
        rig.world.take()
    rig.commands.resolve(asked.incident, choice)
    rig.until_state(RigState.IDLE)
    assert rig.board.pushes == (2 if choice == "sweep again" else 1)


def test_a_table_that_the_camera_does_not_see_is_not_learnt() -> None:
    rig = whole_rig(config_of(look=LookConfig(angles=4, most_views=4)))
    rig.until_state(RigState.UNHOMED)
    rig.commands.home()
    rig.world.is_hand_in_picture = True
    rig.resolve("confirm table empty", "empty")
    rig.until_asked("no table")
    rig.world.is_hand_in_picture = False
    rig.resolve("no table", "look again")
    rig.resolve("confirm table empty", "empty")
    rig.until_state(RigState.IDLE)
    rig.controller.close()


def test_homing_without_power_is_a_fault_and_moves_nothing(rig: WholeRig) -> None:
    rig.until_state(RigState.UNHOMED)
    rig.world.has_power = False
    rig.commands.home()
    rig.until_asked("motor power cut")
    assert not any(call.startswith(("G28", "G1")) for call in rig.board.calls)


@pytest.mark.parametrize(("axis", "distance_deg"), [("chute", 900.0), ("turntable", 1e9), ("turntable", float("nan"))])
def test_a_move_that_must_not_be_moves_nothing_and_says_why(rig: WholeRig, axis: str, distance_deg: float) -> None:
    rig.make_ready()
    moves = [call for call in rig.board.calls if call.startswith("G1")]
    rig.commands.jog(axis, distance_deg)
    asked = rig.until_asked("move refused")
    assert axis in asked.message
    rig.until_state(RigState.IDLE)
    assert [call for call in rig.board.calls if call.startswith("G1")] == moves
    rig.commands.resolve(asked.incident, "noted")
    rig.run()
    assert not rig.incidents


def test_an_axis_that_does_not_know_where_it_is_does_not_jog(rig: WholeRig) -> None:
    rig.until_state(RigState.UNHOMED)
    rig.commands.jog("turntable", 10.0)
    rig.until_asked("move refused")
    rig.until_state(RigState.UNHOMED)
