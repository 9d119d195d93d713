"""The rig's motion on an emulated board over a real pseudo-terminal: in the order of a day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.errors import BoardError, BoardHalted, LinkClosed
from sorter.clock import RealClock
from sorter.config import SensorConfig, SensorsConfig
from sorter.rig import Machine, MotorPowerCut, NotFitted, NotHomed, OutOfReach
from sorter.rig.sensors import Sensors
from sorter.types import AxisStatus
from tests.unit.sorter.rig.rigs import (
    SENSORS,
    SETTINGS,
    SHAKER,
    Rig,
    config_of,
    connected_rig,
    ends_of_moves,
    homed_rig,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Rig]:
    with connected_rig(tmp_path) as rig:
        yield rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with homed_rig(tmp_path) as rig:
        yield rig


def test_after_connecting_the_feeder_is_off_and_nothing_is_believed(tmp_path: Path) -> None:
    with connected_rig(tmp_path, feeder=SHAKER) as rig:
        machine = rig.machine
        assert rig.told[-1] == "M107 P0"
        assert (machine.is_connected, machine.is_homed, machine.is_parked) == (True, False, False)
        assert rig.moves == []


def test_before_connecting_the_error_says_so(tmp_path: Path) -> None:
    machine = Machine(config_of(tmp_path / "nothing"), RealClock())
    assert not machine.is_connected
    for act in (machine.home, machine.stand, machine.park, machine.turn, machine.sensors, lambda: machine.push(90.0)):
        with pytest.raises(LinkClosed, match="not connected"):
            act()
    machine.close()


def test_homing_parks_the_arm_first_and_names_each_axis(fresh: Rig) -> None:
    fresh.forget_told()
    fresh.machine.home()
    moves = [text for text in fresh.told if text != "M400"]
    assert moves == ["M280 P0 S20", "G28 X", "G92 X0", "G92 Y0"]
    assert fresh.machine.is_homed
    assert (fresh.machine.table_deg, fresh.machine.chute_deg) == (0.0, 0.0)
    assert fresh.machine.axes() == (AxisStatus("turntable", 0.0, True), AxisStatus("chute", 0.0, True))


def test_one_axis_is_homed_alone_and_the_arm_is_parked_for_it(fresh: Rig) -> None:
    machine = fresh.machine
    machine.home_axis("chute")
    assert fresh.moves == ["M280 P0 S20", "G28 X"]
    assert not machine.is_homed
    with pytest.raises(NotHomed, match="turntable does not know"):
        machine.turn(table_deg=10.0)
    with pytest.raises(NotHomed):
        _ = machine.table_deg
    machine.home_axis("turntable")
    assert fresh.moves == ["M280 P0 S20", "G28 X"]
    assert machine.is_homed


def test_an_axis_that_the_rig_does_not_have_is_named(rig: Rig) -> None:
    for act in (lambda: rig.machine.home_axis("spoon"), lambda: rig.machine.jog("spoon", 1.0)):
        with pytest.raises(NotFitted, match=r"spoon.*\n.*turntable, chute"):
            act()
    assert rig.told == []


def test_a_chute_whose_switch_never_comes_halts_the_board_and_reset_is_the_way_out(tmp_path: Path) -> None:
    settings = replace(SETTINGS, x=replace(SETTINGS.x, home_switch_at_steps=None))
    with connected_rig(tmp_path, settings=settings) as rig:
        with pytest.raises(BoardHalted):
            rig.machine.home()
        assert (rig.machine.is_homed, rig.machine.is_parked) == (False, False)
        assert isinstance(rig.machine.error, BoardHalted)
        rig.machine.reset()
        assert rig.machine.is_connected
        assert not rig.machine.is_homed


def test_both_axes_turn_in_one_line_by_the_short_way(rig: Rig) -> None:
    seconds = rig.machine.turn(table_deg=315.0, chute_deg=90.0)
    rig.machine.stand()
    assert ends_of_moves(rig.moves) == ["G1 Y-45 X90"]
    assert (rig.machine.table_deg, rig.machine.chute_deg) == (315.0, 90.0)
    steps = rig.emulated.truth().steps
    assert (steps["X"], steps["Y"]) == (-100 + 800, -400)
    assert seconds == pytest.approx(90 / 180 + 180 / 900, abs=0.01)


def test_what_a_turn_will_take_is_known_before(rig: Rig) -> None:
    planned_s = rig.machine.plan_turn_s(table_deg=90.0, chute_deg=200.0)
    assert rig.told == []
    assert rig.machine.turn(table_deg=90.0, chute_deg=200.0) == planned_s
    assert rig.machine.plan_turn_s(table_deg=90.0) == 0.0
    assert rig.machine.plan_turn_s() == 0.0


def test_an_angle_that_is_there_already_is_no_move(rig: Rig) -> None:
    rig.machine.turn(table_deg=45.0)
    rig.forget_told()
    for angle_deg in (45.0, 45.0 + 1e-9, 405.0, 44.995):
        assert rig.machine.turn(table_deg=angle_deg, chute_deg=0.004) == 0.0
    assert rig.machine.turn() == 0.0
    assert rig.moves == []
    assert rig.machine.table_deg == 45.0


@pytest.mark.parametrize("distance_deg", [0.3, -0.3, 0.02, 0.6])
def test_a_turn_that_is_too_short_for_marlin_is_made_all_the_same(rig: Rig, distance_deg: float) -> None:
    rig.machine.turn(table_deg=100.0)
    planned_s = rig.machine.plan_turn_s(table_deg=100.0 + distance_deg)
    assert planned_s > 0.0
    assert rig.machine.turn(table_deg=100.0 + distance_deg) == pytest.approx(planned_s)
    rig.machine.stand()
    assert rig.emulated.truth().steps["Y"] == pytest.approx((100.0 + distance_deg) * 3200 / 360, abs=0.51)
    assert rig.machine.table_deg == pytest.approx(100.0 + distance_deg)


def test_a_short_turn_at_the_chutes_end_stays_within_its_limits(rig: Rig) -> None:
    rig.machine.turn(chute_deg=0.3)
    rig.machine.turn(chute_deg=0.0)
    rig.machine.turn(chute_deg=350.0)
    rig.machine.turn(chute_deg=349.7)
    rig.machine.turn(chute_deg=350.0)
    rig.machine.stand()
    assert rig.emulated.truth().steps["X"] == -100 + 3111
    places = [float(text.split()[1][1:]) for text in rig.moves]
    assert all(0.0 <= place <= 350.0 for place in places)


@pytest.mark.parametrize("angle_deg", [-0.1, 350.1, float("nan"), float("inf")])
def test_a_chute_angle_beyond_its_ends_is_refused_and_nothing_moves(rig: Rig, angle_deg: float) -> None:
    with pytest.raises(OutOfReach, match="the chute cannot turn to"):
        rig.machine.turn(table_deg=90.0, chute_deg=angle_deg)
    assert rig.told == []
    assert rig.machine.is_homed


def test_a_jog_turns_as_far_as_it_was_told_also_over_a_whole_turn(rig: Rig) -> None:
    rig.machine.jog("turntable", 720.0)
    assert rig.machine.table_deg == 0.0
    rig.machine.jog("chute", 12.0)
    rig.machine.stand()
    steps = rig.emulated.truth().steps
    assert (steps["Y"], steps["X"]) == (6400, -100 + 107)
    rig.machine.turn(table_deg=350.0)
    rig.machine.stand()
    assert rig.emulated.truth().steps["Y"] == round(350 * 3200 / 360)


def test_a_jog_beyond_the_ends_or_beyond_truth_is_refused(rig: Rig) -> None:
    with pytest.raises(OutOfReach, match="the chute cannot turn to -1 deg"):
        rig.machine.jog("chute", -1.0)
    with pytest.raises(OutOfReach, match="true up to 36000 deg"):
        rig.machine.jog("turntable", 40_000.0)
    assert rig.machine.jog("chute", 0.001) == 0.0
    assert rig.told == []


def test_a_position_that_is_not_the_commanded_one_unhomes_everything(rig: Rig) -> None:
    rig.machine.turn(table_deg=100.0)
    rig.machine.board.link.request("M410")  # what one flipped bit makes of M400
    with pytest.raises(BoardError, match="sent to 100 deg"):
        rig.machine.stand()
    assert not rig.machine.is_homed
    assert not rig.machine.is_parked
    assert [each.is_homed for each in rig.machine.axes()] == [False, False]
    rig.machine.home()
    assert rig.machine.is_homed


def test_standing_still_is_asked_for_once(rig: Rig) -> None:
    rig.machine.turn(table_deg=30.0)
    rig.machine.stand()
    lines = rig.sent_lines
    rig.machine.stand()
    assert rig.sent_lines == lines


def test_a_table_without_a_switch_stays_true_after_being_stopped_in_mid_turn(rig: Rig) -> None:
    for _ in range(3):
        rig.machine.turn(table_deg=170.0)
        rig.machine.turn(table_deg=340.0)
        rig.emulated.wait_until(lambda truth: truth.is_moving, 5.0)
        rig.machine.quick_stop()
        assert not rig.machine.is_homed
        with pytest.raises(NotHomed):
            _ = rig.machine.table_deg
        rig.machine.home()
        zero = rig.emulated.truth().steps["Y"]
        assert rig.machine.table_deg == 0.0
        assert abs(rig.machine.board.commanded("turntable")) <= 540.0
        rig.machine.turn(table_deg=90.0)
        rig.machine.stand()
        assert (rig.emulated.truth().steps["Y"] - zero) % 3200 == 800


def test_a_quick_stop_switches_the_feeder_off(tmp_path: Path) -> None:
    with homed_rig(tmp_path, feeder=SHAKER) as rig:
        rig.machine.start_feeder()
        assert rig.emulated.truth().fans == (150,)
        rig.machine.quick_stop()
        assert rig.emulated.truth().fans == (0,)


def test_power_cut_to_the_motors_ends_motion_and_unhomes_everything(tmp_path: Path) -> None:
    with homed_rig(tmp_path, sensors=SENSORS, feeder=SHAKER) as rig:
        machine = rig.machine
        machine.check_motor_power()
        machine.start_feeder()
        machine.turn(table_deg=170.0)
        machine.turn(table_deg=340.0)
        rig.emulated.set_endstop("y_max", True)
        with pytest.raises(MotorPowerCut, match="no power"):
            machine.check_motor_power()
        truth = rig.emulated.truth()
        assert (truth.is_moving, truth.planned_moves, truth.fans) == (False, 0, (0,))
        assert not machine.is_homed
        rig.forget_told()
        with pytest.raises(MotorPowerCut):
            machine.home()
        assert rig.moves == []
        rig.emulated.set_endstop("y_max", False)
        machine.home()
        assert machine.is_homed


def test_sensors_are_told_by_name_from_one_question(tmp_path: Path) -> None:
    with connected_rig(tmp_path, sensors=SENSORS) as rig:
        assert rig.machine.sensors() == {"dropped": False, "in_chute": False, "motor_power": True}
        rig.emulated.set_endstop("z_max", True)
        rig.emulated.set_endstop("x_max", False)
        lines = rig.sent_lines
        assert rig.machine.sensors() == {"dropped": True, "in_chute": True, "motor_power": True}
        assert rig.sent_lines == lines + 1
        assert rig.machine.sensor("dropped") is True


def test_a_rig_without_sensors_is_not_asked_for_any(rig: Rig) -> None:
    lines = rig.sent_lines
    assert rig.machine.sensors() == {}
    assert rig.machine.sensor("dropped") is None
    rig.machine.check_motor_power()
    assert rig.sent_lines == lines


def test_a_sensor_at_an_input_that_the_firmware_does_not_have_is_told_with_what_to_do(tmp_path: Path) -> None:
    settings = replace(SETTINGS, endstops=("x_min", "y_min", "y_max"))
    with connected_rig(tmp_path, settings=settings) as rig:
        sensors = Sensors(SensorsConfig(dropped=SensorConfig(endstop="z_max")), rig.machine.board)
        with pytest.raises(NotFitted, match=r"dropped is at z_max.*only x_min, y_min, y_max.*\n.*Configuration\.h"):
            sensors.read()
