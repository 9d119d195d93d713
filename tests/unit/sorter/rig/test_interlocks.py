"""What must not move, does not: the arm never sweeps over what turns, and the chute stands while a part falls."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.errors import BoardReset, EmergencyStopped, PortLost, QuickStopped
from sorter.clock import RealClock
from sorter.rig import Interlocked, NotFitted, NotHomed, OutOfReach
from tests.unit.sorter.rig import rigs
from tests.unit.sorter.rig.rigs import SHAKER, Rig, connected_rig, ends_of_moves, homed_rig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


EJECTOR = rigs.EJECTOR.model_copy(update={"fall_s": 15.0})  # half a second for a test to look meanwhile


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with homed_rig(tmp_path, feeder=SHAKER, ejector=EJECTOR) as rig:
        yield rig


class CutClock(RealClock):
    """A clock in whose sleep somebody presses Ctrl-C, once."""

    def sleep(self, duration_s: float) -> None:
        raise KeyboardInterrupt


def leave_the_arm_out(rig: Rig) -> None:
    """Interrupt a push while the arm is over the table."""
    ejector = rig.machine._ejector._servo
    clock, ejector._clock = ejector._clock, CutClock(rig.clock.speed)
    with pytest.raises(KeyboardInterrupt):
        rig.machine.push(rig.machine.chute_deg)
    ejector._clock = clock
    rig.forget_told()


def began(rig: Rig, start: str) -> list[float]:
    """When (board's seconds) the lines that start so were begun."""
    return [each.started_s for each in rig.emulated.executed() if each.text.startswith(start)]


def test_a_push_waits_for_the_end_of_motion_before_the_arm_goes_out_and_back(rig: Rig) -> None:
    rig.machine.turn(table_deg=90.0, chute_deg=40.0)
    rig.machine.push(40.0)
    assert ends_of_moves(rig.told) == ["G1 Y90 X40", "M400", "M280 P0 S130", "M280 P0 S20"]
    out_s, back_s = began(rig, "M280")
    assert back_s - out_s >= EJECTOR.travel_s + EJECTOR.dwell_s
    assert rig.emulated.truth().steps["Y"] == 800
    assert rig.machine.is_parked


def test_nothing_turns_before_the_arm_is_back(rig: Rig) -> None:
    rig.machine.push(0.0)
    rig.machine.turn(table_deg=90.0)
    assert rig.emulated.truth().servos[0].shaft_deg == EJECTOR.park_deg
    assert began(rig, "G1")[0] - began(rig, "M280")[-1] >= EJECTOR.travel_s


def test_the_chute_stands_until_the_part_has_fallen_and_the_table_does_not_wait_for_that(rig: Rig) -> None:
    rig.machine.push(0.0)
    assert rig.machine.chute_free_at_s > rig.clock.monotonic_s()
    rig.machine.turn(table_deg=90.0)
    rig.machine.turn(table_deg=180.0, chute_deg=0.0)
    assert rig.machine.chute_free_at_s > rig.clock.monotonic_s()
    rig.machine.turn(table_deg=270.0, chute_deg=90.0)
    assert rig.machine.chute_free_at_s <= rig.clock.monotonic_s()
    assert began(rig, "G1")[-1] - began(rig, "M280")[0] >= EJECTOR.travel_s + EJECTOR.fall_s


def test_a_beam_can_be_watched_while_the_arm_is_out(tmp_path: Path) -> None:
    with homed_rig(tmp_path, sensors=rigs.SENSORS) as rig:
        seen: list[bool | None] = []

        def watch() -> None:
            assert rig.emulated.truth().servos[0].shaft_deg == EJECTOR.push_deg
            seen.append(rig.machine.sensor("in_chute"))
            rig.emulated.set_endstop("x_max", False)
            seen.append(rig.machine.sensor("in_chute"))
            with pytest.raises(Interlocked):
                rig.machine.turn(table_deg=90.0)

        rig.machine.push(0.0, while_out=watch)
        assert seen == [False, True]
        assert rig.machine.is_parked
        rig.machine.turn(table_deg=90.0)


def test_an_arm_stays_where_it_is_if_watching_fails(rig: Rig) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rig.machine.push(0.0, while_out=fail)
    rig.forget_told()
    refuse_all(rig)
    rig.machine.home()
    assert rig.machine.is_parked


@pytest.mark.parametrize("act", ["jog", "home", "home_axis"])
def test_jogging_and_homing_the_chute_wait_for_the_part_too(rig: Rig, act: str) -> None:
    rig.machine.push(0.0)
    calls: dict[str, Callable[[], object]] = {
        "jog": lambda: rig.machine.jog("chute", 30.0),
        "home": rig.machine.home,
        "home_axis": lambda: rig.machine.home_axis("chute"),
    }
    calls[act]()
    moved_s = began(rig, "G1") + began(rig, "G28")
    assert moved_s[0] - began(rig, "M280")[0] >= EJECTOR.travel_s + EJECTOR.fall_s


@pytest.mark.parametrize(
    ("chute_deg", "words"),
    [(41.0, r"sent to 40 deg.*be at 41 deg"), (None, r"sent to 40 deg.*nobody says")],
)
def test_no_push_into_another_bin_than_the_parts(rig: Rig, chute_deg: float | None, words: str) -> None:
    rig.machine.turn(chute_deg=40.0)
    rig.forget_told()
    with pytest.raises(Interlocked, match=words):
        rig.machine.push(chute_deg)
    assert rig.told == []
    assert rig.machine.is_homed


def test_no_push_towards_an_angle_that_the_chute_cannot_reach(rig: Rig) -> None:
    with pytest.raises(OutOfReach, match="400 deg"):
        rig.machine.push(400.0)
    assert rig.told == []


@pytest.mark.parametrize("homed", ["turntable", "chute"])
def test_no_push_while_an_axis_does_not_know_where_it_is(tmp_path: Path, homed: str) -> None:
    with connected_rig(tmp_path) as rig:
        rig.machine.home_axis(homed)
        rig.forget_told()
        missing = "chute" if homed == "turntable" else "turntable"
        with pytest.raises(Interlocked, match=f"cannot push: the {missing} does not know where it is"):
            rig.machine.push(0.0)
        assert rig.told == []


def test_after_connecting_nothing_turns_and_nothing_is_pushed_or_fed(tmp_path: Path) -> None:
    with connected_rig(tmp_path, feeder=SHAKER) as rig:
        rig.forget_told()
        refuse_all(rig)


def refuse_all(rig: Rig) -> None:
    machine = rig.machine
    acts: list[Callable[[], object]] = [
        lambda: machine.turn(table_deg=90.0),
        lambda: machine.turn(chute_deg=90.0),
        lambda: machine.jog("turntable", 90.0),
        lambda: machine.jog("chute", 90.0),
        lambda: machine.push(0.0),
        machine.start_feeder,
        machine.advance_feeder,
    ]
    for act in acts:
        with pytest.raises(Interlocked, match="ejector is not known to be parked"):
            act()
    assert rig.told == []


def test_an_arm_that_was_left_out_holds_everything_until_it_is_parked(rig: Rig) -> None:
    leave_the_arm_out(rig)
    assert rig.emulated.truth().servos[0].commanded_deg == EJECTOR.push_deg
    refuse_all(rig)
    assert rig.machine.chute_free_at_s > rig.clock.monotonic_s()
    rig.machine.park()
    rig.machine.turn(table_deg=90.0, chute_deg=90.0)
    assert began(rig, "G1")[0] - began(rig, "M280")[0] >= EJECTOR.travel_s
    assert rig.machine.is_homed


def test_closing_takes_the_arm_back_and_switches_the_feeder_off(rig: Rig) -> None:
    rig.machine.start_feeder()
    leave_the_arm_out(rig)
    rig.machine.close()
    assert [text for text in rig.told if text != "M400"] == ["M107 P0", "M280 P0 S20"]
    assert not rig.machine.is_connected
    rig.machine.close()


def test_closing_moves_no_arm_that_was_not_left_out(tmp_path: Path) -> None:
    with connected_rig(tmp_path) as rig:
        rig.machine.close()
        assert rig.moves == []


def test_closing_a_rig_whose_board_is_gone_says_what_could_not_be_done(rig: Rig) -> None:
    leave_the_arm_out(rig)
    rig.emulated.inject("halt")
    rig.machine.close()
    assert any("could not be left as it should be" in note for note in rig.notes)


class Push(threading.Thread):
    """A push in a thread of its own, and what came of it."""

    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self.caught: BaseException | None = None
        self._rig = rig

    def run(self) -> None:
        try:
            self._rig.machine.push(0.0)
        except Exception as error:  # noqa: BLE001 - told to the test
            self.caught = error

    def until_the_arm_is_out(self) -> None:
        self.start()
        push_deg = self._rig.machine.config.ejector.push_deg
        self._rig.emulated.wait_until(lambda truth: truth.servos[0].commanded_deg == push_deg, 5.0)


def test_an_emergency_stop_in_mid_push_leaves_nothing_that_is_believed(tmp_path: Path) -> None:
    with homed_rig(tmp_path, speed=5.0) as rig:
        machine, push = rig.machine, Push(rig)
        push.until_the_arm_is_out()
        assert machine.emergency_stop()
        assert not machine.is_homed
        push.join()
        assert isinstance(push.caught, EmergencyStopped)
        assert isinstance(machine.error, EmergencyStopped)
        assert (machine.is_homed, machine.is_parked, machine.is_connected) == (False, False, False)
        assert [each.is_homed for each in machine.axes()] == [False, False]
        for act in (machine.home, machine.park, machine.connect, machine.stop_feeder, lambda: machine.turn(90.0)):
            with pytest.raises(EmergencyStopped):
                act()
        machine.reset()
        rig.forget_told()
        with pytest.raises(Interlocked):
            machine.turn(table_deg=90.0)
        machine.home()
        assert [text for text in rig.moves if text[0] != "G"] == ["M280 P0 S20"]
        machine.turn(table_deg=90.0, chute_deg=90.0)
        assert machine.is_homed


def test_a_board_that_resets_in_mid_push_leaves_nothing_that_is_believed(tmp_path: Path) -> None:
    with homed_rig(tmp_path, speed=5.0) as rig:
        push = Push(rig)
        push.until_the_arm_is_out()
        rig.emulated.reset()
        push.join()
        assert isinstance(push.caught, BoardReset)
        assert (rig.machine.is_homed, rig.machine.is_parked) == (False, False)
        rig.machine.connect()
        with pytest.raises(Interlocked):
            rig.machine.turn(table_deg=90.0)
        rig.machine.home()
        assert rig.machine.is_parked


def test_a_cable_that_is_pulled_and_plugged_in_again_leaves_the_rig_unhomed_with_the_feeder_off(rig: Rig) -> None:
    machine = rig.machine
    machine.start_feeder()
    rig.emulated.unplug()
    with pytest.raises(PortLost):
        machine.stop_feeder()
    assert (machine.is_homed, machine.is_parked) == (False, False)
    rig.emulated.plug_in()
    rig.forget_told()
    machine.connect()
    assert rig.told[-1] == "M107 P0"
    assert rig.moves == []
    assert not machine.is_homed
    with pytest.raises(Interlocked):
        machine.turn(table_deg=90.0)


def test_a_quick_stop_in_another_thread_ends_a_turn_unhomed(tmp_path: Path) -> None:
    with homed_rig(tmp_path, speed=5.0) as rig:
        rig.machine.turn(table_deg=170.0)
        stopper = threading.Timer(0.05, rig.machine.board.quick_stop)
        stopper.start()
        with pytest.raises(QuickStopped):
            rig.machine.stand()
        stopper.join()
        assert (rig.machine.is_homed, rig.machine.is_parked) == (False, False)


def test_a_rig_that_knows_nothing_has_no_angles(tmp_path: Path) -> None:
    with connected_rig(tmp_path) as rig:
        rig.machine.park()
        rig.forget_told()
        acts: list[Callable[[], object]] = [
            lambda: rig.machine.table_deg,
            lambda: rig.machine.chute_deg,
            lambda: rig.machine.turn(table_deg=1.0),
            lambda: rig.machine.turn(chute_deg=1.0),
            lambda: rig.machine.plan_turn_s(table_deg=1.0),
            lambda: rig.machine.jog("turntable", 1.0),
            lambda: rig.machine.jog("chute", 1.0),
        ]
        for act in acts:
            with pytest.raises(NotHomed):
                act()
        assert rig.told == []


def test_a_feeder_that_shakes_is_switched_and_does_not_advance(rig: Rig) -> None:
    rig.machine.start_feeder()
    assert rig.told == ["M106 P0 S150"]
    rig.machine.stop_feeder()
    assert rig.emulated.truth().fans == (0,)
    with pytest.raises(NotFitted, match="knows no steps"):
        rig.machine.advance_feeder()
