"""Commands are taken on at once or refused at once, whoever gives them, and the stop goes before everything."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sorter.clock import RealClock
from sorter.config import LookConfig, ManualFeederConfig, SensorsConfig, TurntableConfig
from sorter.cycle import Controller, LoopStuck, controller, recognition
from sorter.errors import CommandRefused, SorterError
from sorter.rig import Machine
from sorter.types import BinContent, BinId, CaptureRequest, OutcomeKind, RigState, Snapshot, SortPlan, SortRule
from tests.rig_board import HopperPart, RigBoard, RigCamera, RigWorld
from tests.unit.sorter.cycle.whole_rig import (
    StandIn,
    WatchedRecorder,
    WholeRig,
    config_of,
    whole_rig,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sorter.types import BinStatus

CONFIRMED, STUCK, UNRESOLVED = OutcomeKind.CONFIRMED, OutcomeKind.STUCK, OutcomeKind.UNRESOLVED
NO_SENSORS = SensorsConfig()


@pytest.fixture
def rig() -> Iterator[WholeRig]:
    made = whole_rig()
    yield made
    made.controller.close()


def test_a_rig_that_was_switched_on_connects_and_waits_to_be_homed(rig: WholeRig) -> None:
    assert rig.state is RigState.OFFLINE
    with pytest.raises(CommandRefused, match="start is not possible while the rig is offline"):
        rig.commands.start()
    rig.until_state(RigState.UNHOMED)
    assert [each.is_homed for each in rig.controller.snapshot().axes] == [False, False]
    with pytest.raises(CommandRefused) as refused:
        rig.commands.start()
    assert "Home the rig first" in refused.value.remedy


def test_a_run_pauses_resumes_and_stops_between_parts(rig: WholeRig) -> None:
    rig.start(*(HopperPart() for _ in range(5)))
    assert rig.state is RigState.RUNNING  # at once
    rig.until(lambda: bool(rig.recorder.rows))
    rig.commands.pause()
    assert rig.state is RigState.PAUSING
    rig.until_state(RigState.PAUSED)
    assert rig.recorder.outcomes == [(CONFIRMED, "a")]
    assert rig.world.fan == 0
    with pytest.raises(CommandRefused):
        rig.commands.pause()
    rig.run(20)
    assert len(rig.recorder.rows) == 1
    rig.commands.resume()
    rig.until_done(2)
    rig.commands.stop()
    rig.until_state(RigState.IDLE)
    assert rig.recorder.unfinished == []
    run = rig.controller.snapshot().run
    assert run is not None
    assert (run.run, run.part_count) == (1, len(rig.recorder.rows))
    assert run.parts_per_minute > 10.0
    rig.commands.start()
    rig.until_done(len(rig.recorder.rows) + 1)
    assert rig.controller.snapshot().run.run == 2  # type: ignore[union-attr]


def test_a_pause_while_nothing_was_fed_yet_ends_the_feeding(rig: WholeRig) -> None:
    rig.start()
    rig.until(lambda: rig.world.fan > 0)
    rig.commands.pause()
    rig.until_state(RigState.PAUSED)
    assert rig.world.fan == 0
    assert not rig.recorder.rows


def test_a_pause_can_be_taken_back_before_it_comes_to_it(rig: WholeRig) -> None:
    rig.start(HopperPart(), HopperPart())
    rig.until(lambda: bool(rig.recorder.rows))
    rig.commands.pause()
    rig.commands.resume()
    rig.until_done(2)


@pytest.mark.parametrize("moment", ["feeding", "looking", "pushed"])
def test_an_emergency_stop_is_there_at_once_and_nothing_moves_any_more(rig: WholeRig, moment: str) -> None:
    rig.start(HopperPart("3002"), HopperPart("3002"))
    if moment == "feeding":
        rig.until(lambda: rig.world.fan > 0)
    else:
        rig.until(lambda: bool(rig.recorder.rows))
    if moment == "pushed":
        strike = rig.world.strike

        def strike_and_stop(at_s: float) -> None:
            strike(at_s)
            rig.commands.emergency_stop()

        rig.world.strike = strike_and_stop  # type: ignore[method-assign]
        rig.until_state(RigState.ESTOPPED)
    else:
        rig.commands.emergency_stop()
        assert rig.controller.snapshot().state is RigState.ESTOPPED
        assert "emergency stop" in rig.controller.snapshot().state_reason
    calls = len(rig.board.calls)
    rig.run(20)
    assert len(rig.board.calls) == calls
    assert [each.kind for each in rig.incidents] == ["emergency stop"]
    for command in (rig.commands.start, rig.commands.home, rig.commands.pause, rig.commands.stop):
        with pytest.raises(CommandRefused):
            command()
    rig.resolve("emergency stop", "reset")
    rig.world.strike = RigWorld.strike.__get__(rig.world)  # type: ignore[method-assign]
    rig.until_state(RigState.UNHOMED)
    rig.make_ready()
    broken_off = {"feeding": [], "looking": [(STUCK, None)], "pushed": [(UNRESOLVED, None)]}[moment]
    assert rig.recorder.outcomes == broken_off
    rig.commands.start()
    rig.until_done(len(broken_off) + 1)
    assert rig.recorder.outcomes[-1] == (CONFIRMED, "b")


def test_a_stop_before_the_first_connection_and_one_after_another_hold(rig: WholeRig) -> None:
    rig.commands.emergency_stop()
    rig.commands.emergency_stop()
    rig.until_asked("emergency stop")
    assert rig.state is RigState.ESTOPPED
    rig.commands.resolve(rig.incidents[0].incident, "reset")
    rig.commands.emergency_stop()  # before the reset has begun
    rig.run(5)
    assert rig.state is RigState.ESTOPPED
    assert len(rig.incidents) == 1
    assert "connect" not in rig.board.calls
    rig.resolve("emergency stop", "reset")
    rig.make_ready()


def test_a_stop_while_the_board_is_being_reset_is_not_undone_by_that(rig: WholeRig) -> None:
    rig.make_ready()
    rig.commands.emergency_stop()
    rig.until_asked("emergency stop")
    connect = rig.board.connect

    def connect_while_somebody_stops() -> Any:
        info = connect()
        rig.board.connect = connect  # type: ignore[method-assign]
        rig.controller._standing.latch()  # and the board's own latch was undone by the reset
        return info

    rig.board.connect = connect_while_somebody_stops  # type: ignore[method-assign]
    rig.resolve("emergency stop", "reset")
    rig.until_state(RigState.ESTOPPED)
    rig.run(5)
    assert rig.board.error is not None
    assert rig.board._is_stopped
    rig.resolve("emergency stop", "reset")
    rig.until_state(RigState.UNHOMED)


def test_one_axis_is_homed_alone_and_the_rig_stays_ready(rig: WholeRig) -> None:
    rig.make_ready()
    pushes = rig.board.pushes
    rig.commands.home("chute")
    rig.until_state(RigState.IDLE)
    assert rig.board.pushes == pushes
    assert rig.board.calls.count("G28 chute") == 2


@pytest.mark.parametrize("homing", ["none", "index"])
def test_a_table_whose_zero_was_set_anew_has_to_be_made_ready_again(homing: str) -> None:
    rig = whole_rig(config_of(turntable=TurntableConfig(homing=homing)))  # type: ignore[arg-type]
    rig.make_ready()
    rig.commands.home("turntable")
    rig.until_state(RigState.UNHOMED if homing == "none" else RigState.IDLE)
    rig.controller.close()


def test_one_axis_that_is_homed_first_does_not_make_a_rig_ready(rig: WholeRig) -> None:
    rig.until_state(RigState.UNHOMED)
    rig.commands.home("chute")
    rig.until_state(RigState.UNHOMED)
    assert [each.is_homed for each in rig.controller.snapshot().axes] == [False, True]


def test_axes_that_there_are_not_are_refused_by_name(rig: WholeRig) -> None:
    rig.make_ready()
    for command in (lambda: rig.commands.home("ejector"), lambda: rig.commands.jog("z", 1.0)):
        with pytest.raises(CommandRefused) as refused:
            command()
        assert "turntable, chute" in refused.value.remedy
    assert rig.state is RigState.IDLE


def test_a_jog_turns_the_axis_and_comes_back_to_idle(rig: WholeRig) -> None:
    rig.make_ready()
    before_deg = rig.controller.snapshot().axes[1].position_deg
    rig.commands.jog("chute", 12.5)
    assert rig.state is RigState.JOGGING
    rig.until_state(RigState.IDLE)
    assert rig.controller.snapshot().axes[1].position_deg == before_deg + 12.5


def test_another_plan_holds_from_the_next_part_on(rig: WholeRig) -> None:
    rig.start(HopperPart(), HopperPart())
    rig.until(lambda: bool(rig.recorder.rows))
    swapped = SortPlan("swapped", (SortRule(BinId("b"), classes=("3001",)),), reject=BinId("reject"))
    rig.commands.set_plan(swapped)
    rig.until_done(2)
    assert rig.recorder.outcomes == [(CONFIRMED, "a"), (CONFIRMED, "b")]
    assert rig.controller.snapshot().run.plan == "swapped"  # type: ignore[union-attr]
    with pytest.raises(CommandRefused, match="bins that this rig does not have: nowhere") as refused:
        rig.commands.set_plan(replace(swapped, overflow=BinId("nowhere")))
    assert "again" in refused.value.remedy


def test_another_model_recognises_from_the_next_part_on(rig: WholeRig) -> None:
    rig.start(HopperPart(), HopperPart())
    rig.until(lambda: bool(rig.recorder.rows))
    rig.commands.promote("better")
    rig.run()
    assert rig.controller.snapshot().model == "stand-in"
    rig.until_done(1)
    rig.run(2)
    assert rig.controller.snapshot().model == "better"


def test_a_model_that_cannot_be_used_is_refused_and_the_old_one_stays() -> None:
    def refuse(name: str) -> Any:
        raise SorterError(f"{name} is none", remedy="Name another one.")

    for load in (None, refuse):
        rig = whole_rig()
        rig.controller._load_recogniser = load
        with pytest.raises(CommandRefused) as refused:
            rig.commands.promote("worse")
        assert refused.value.remedy
        assert rig.controller.snapshot().model is None or rig.controller.snapshot().model == "stand-in"
        rig.controller.close()


def test_pictures_for_training_are_refused_with_what_to_do_instead(rig: WholeRig) -> None:
    rig.make_ready()
    with pytest.raises(CommandRefused, match="not built yet"):
        rig.commands.capture(CaptureRequest("3001", "red-1", None, 36))


def test_a_rig_without_a_plan_is_no_sorting_rig() -> None:
    config = config_of().model_copy(update={"sort": None})
    with pytest.raises(ValueError, match=r"\[sort\]"):
        whole_rig(config)


def test_bins_that_were_filled_before_are_not_empty_now() -> None:
    rig = whole_rig(filled={BinId("a"): BinContent({"3001": 7}), BinId("of another rig"): BinContent({"3001": 1})})
    rig.run(2)
    status: BinStatus = next(each for each in rig.controller.snapshot().bins if each.bin == "a")
    assert (status.part_count, dict(status.class_counts)) == (7, {"3001": 7})
    rig.controller.close()


def test_snapshots_grow_and_nothing_in_them_changes(rig: WholeRig) -> None:
    rig.start(HopperPart(), HopperPart("3002"))
    rig.until_done(2)
    kept = [(each, repr(each)) for each in rig.seen]
    rig.until_asked("hopper empty")
    assert all(repr(each) == text for each, text in kept)
    numbers = [each.sequence for each in rig.seen]
    assert numbers == sorted(set(numbers))
    times_s = [each.taken_at_s for each in rig.seen]
    assert times_s == sorted(times_s)
    last = rig.controller.snapshot()
    assert [each.part for each in last.recent_parts] == [2, 1]
    assert last.recent_parts[0].outcome is not None
    assert rig.seen[-1] == last


def test_a_part_that_lies_on_the_table_at_the_end_of_the_program_has_its_row_finished() -> None:
    rig = whole_rig()
    rig.start(HopperPart())
    rig.until(lambda: bool(rig.recorder.rows))
    rig.controller.close()
    assert rig.recorder.outcomes == [(STUCK, None)]
    assert rig.board.error is not None
    assert (rig.world.fan, rig.camera.is_open) == (0, False)


def test_everything_is_let_go_of_even_if_the_ledger_fails_at_the_end() -> None:
    rig = whole_rig()
    rig.start(HopperPart())
    rig.until(lambda: bool(rig.recorder.rows))
    rig.recorder.error = SorterError("the disk is full", remedy="Make room.")
    with pytest.raises(SorterError, match="the disk is full"):
        rig.controller.close()
    assert rig.board.error is not None
    assert not rig.camera.is_open


# --- with threads ----------------------------------------------------------------------------------------------------


class FastClock(RealClock):
    """A real clock that the rig's world can move, too: what it would have slept is already over."""

    def advance(self, duration_s: float) -> None:
        self.sleep(duration_s)


def threaded(on_change: Any = None, recorder_error: Exception | None = None) -> tuple[Controller, RigWorld, Any]:
    """By hand and by picture, so that nothing depends on how late a thread wakes up."""
    hand = ManualFeederConfig(kind="manual")
    config = config_of(look=LookConfig(angles=4, most_views=4, empty_table="picture"), feeder=hand, sensors=NO_SENSORS)
    clock = FastClock(speed=50.0)
    world = RigWorld(config, clock)  # type: ignore[arg-type]
    world._seen_s = clock.monotonic_s()
    board = RigBoard(config, clock, world)  # type: ignore[arg-type]
    recorder = WatchedRecorder(board=board)
    made = Controller(
        config,
        Machine(config, clock, board=board),  # type: ignore[arg-type]
        RigCamera(world),
        StandIn(world, 4),  # type: ignore[arg-type]
        recorder,
        clock,
        on_change=on_change,
    )
    recorder.error = recorder_error
    return made, world, recorder


def wait_for(made: Controller, *states: RigState) -> None:
    deadline_s = time.monotonic() + 30.0
    while made.snapshot().state not in states:
        assert time.monotonic() < deadline_s, made.snapshot()
        time.sleep(0.002)


def test_a_rig_runs_in_its_own_thread_and_ends_with_it() -> None:
    seen: list[Snapshot] = []
    threads = set()

    def on_change(snapshot: Snapshot) -> None:
        threads.add(threading.current_thread().name)
        seen.append(snapshot)

    made, world, recorder = threaded(on_change)
    made.begin()
    with pytest.raises(RuntimeError, match="begun once"):
        made.begin()
    try:
        wait_for(made, RigState.UNHOMED)
        made.home()
        wait_for(made, RigState.IDLE)
        world.hopper += [HopperPart(), HopperPart("3002")]
        made.start()
        for done in (1, 2):
            world.drop(world.clock.monotonic_s())
            while len(recorder.outcomes) < done:
                assert made.snapshot().state is RigState.RUNNING, made.snapshot()
                time.sleep(0.005)
        made.stop()
        wait_for(made, RigState.IDLE)
        made.emergency_stop()
        assert made.snapshot().state is RigState.ESTOPPED
        while not made.snapshot().incidents:
            time.sleep(0.002)
    finally:
        made.close()
    assert threads == {"cycle"}
    assert recorder.outcomes[:2] == [(CONFIRMED, "a"), (CONFIRMED, "b")]
    numbers = [each.sequence for each in seen]
    assert numbers == sorted(set(numbers))


def test_a_mistake_in_the_program_ends_the_thread_and_is_told_when_it_is_closed() -> None:
    made, world, _ = threaded(recorder_error=ZeroDivisionError("a mistake"))
    made.begin()
    try:
        wait_for(made, RigState.UNHOMED)
        made.home()
        wait_for(made, RigState.IDLE)
        world.hopper.append(HopperPart())
        world.drop(world.clock.monotonic_s())
        made.start()
        wait_for(made, RigState.FAULT)
        while not made.snapshot().incidents:
            time.sleep(0.002)
        assert [each.kind for each in made.snapshot().incidents] == ["program error"]
    finally:
        with pytest.raises(ZeroDivisionError):
            made.close()


def test_a_thread_that_hangs_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "_JOIN_S", -24.9)  # with the camera's 25 s: a tenth of a second
    may_end = threading.Event()
    made, _, _ = threaded(lambda _snapshot: may_end.wait(20.0))
    made.begin()
    try:
        with pytest.raises(LoopStuck):
            made.close()
    finally:
        may_end.set()
        made._thread.join(20.0)  # type: ignore[union-attr]
        made.close()


class Hanging:
    """Eyes and recogniser at once, neither of which comes back before it may."""

    def __init__(self) -> None:
        self.may_end = threading.Event()

    def background(self, table_deg: float) -> None:
        return None

    def look(self, *_: object, **__: object) -> None:
        self.may_end.wait(20.0)


def test_recognition_that_hangs_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "_LONGEST_S", 0.05)
    hanging = Hanging()
    worker = recognition.Recognition(hanging)  # type: ignore[arg-type]
    for _ in range(2):
        worker.look(hanging, None, 0.0)  # type: ignore[arg-type]
    try:
        with pytest.raises(LoopStuck, match="recognition"):
            worker.close()
    finally:
        hanging.may_end.set()
