"""Rigs that are built otherwise: no chute, a servo's chute, an endless one, reversed motors, an index, a belt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sorter.config import MotorChuteConfig, StepperFeederConfig, TurntableConfig
from sorter.rig import Interlocked, NotFitted, NotHomed, OutOfReach
from sorter.rig.feeder import LEAST_STEPS_PER_DEG
from sorter.rig.motion import FARTHEST_DEG
from sorter.types import AxisStatus
from tests.unit.sorter.rig.rigs import (
    BELT,
    CHUTE,
    EJECTOR,
    SERVO_CHUTE,
    SETTINGS,
    SHAKER,
    connected_rig,
    ends_of_moves,
    homed_rig,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.sorter.rig.rigs import Rig


def began(rig: Rig, start: str) -> list[float]:
    return [each.started_s for each in rig.emulated.executed() if each.text.startswith(start)]


def test_a_rig_without_a_chute_homes_turns_and_pushes(tmp_path: Path) -> None:
    with homed_rig(tmp_path, chute=None) as rig:
        machine = rig.machine
        assert machine.is_homed
        assert machine.chute_deg is None
        assert machine.axes() == (AxisStatus("turntable", 0.0, True),)
        machine.turn(table_deg=90.0)
        machine.push(None)
        assert [text for text in rig.moves if text[0] == "M"] == ["M280 P0 S130", "M280 P0 S20"]


def test_a_chute_that_is_not_there_is_never_taken_for_one(tmp_path: Path) -> None:
    with homed_rig(tmp_path, chute=None) as rig:
        machine = rig.machine
        for act in (
            lambda: machine.turn(table_deg=90.0, chute_deg=0.0),
            lambda: machine.plan_turn_s(chute_deg=0.0),
            lambda: machine.push(0.0),
            lambda: machine.jog("chute", 1.0),
            lambda: machine.home_axis("chute"),
        ):
            with pytest.raises(NotFitted, match="chute"):
                act()
        assert rig.told == []


def test_a_servos_chute_is_sent_to_the_reject_bin_at_first(tmp_path: Path) -> None:
    with connected_rig(tmp_path, chute=SERVO_CHUTE) as rig:
        assert not rig.machine.is_homed
        rig.machine.home()
        assert rig.moves == ["M280 P0 S20", "M280 P1 S40"]
        assert rig.machine.chute_deg == 40.0
        assert rig.machine.is_homed
        assert began(rig, "G92 Y0")[0] - began(rig, "M280 P1")[0] >= SERVO_CHUTE.travel_s


def test_a_servos_chute_turns_before_the_table_and_a_push_waits_until_it_is_there(tmp_path: Path) -> None:
    with homed_rig(tmp_path, chute=SERVO_CHUTE) as rig:
        machine = rig.machine
        planned_s = machine.plan_turn_s(table_deg=20.0, chute_deg=180.0)
        assert planned_s == pytest.approx(0.9 * 140 / 180)
        assert machine.turn(table_deg=20.0, chute_deg=180.0) <= planned_s
        machine.push(180.0)
        told = [text.partition(" F")[0] for text in rig.moves]
        assert told == ["M280 P1 S180", "G1 Y20", "M280 P0 S130", "M280 P0 S20"]
        assert began(rig, "M280 P0 S130")[0] - began(rig, "M280 P1")[0] >= 0.9 * 140 / 180
        assert machine.turn(chute_deg=180.0) == 0.0
        machine.turn(chute_deg=170.0)
        assert began(rig, "M280 P1 S170")[0] - began(rig, "M280 P0 S130")[0] >= EJECTOR.travel_s + EJECTOR.fall_s


def test_a_servos_chute_is_jogged_within_its_limits(tmp_path: Path) -> None:
    with homed_rig(tmp_path, chute=SERVO_CHUTE) as rig:
        rig.machine.jog("chute", 20.0)
        assert rig.machine.chute_deg == 60.0
        with pytest.raises(OutOfReach, match="181 deg: it turns from 0 to 180 deg"):
            rig.machine.jog("chute", 121.0)
        with pytest.raises(OutOfReach):
            rig.machine.turn(chute_deg=float("nan"))
        assert rig.moves == ["M280 P1 S60"]


def test_a_servos_chute_that_turns_back_in_mid_way_is_given_time_for_the_whole_way(tmp_path: Path) -> None:
    slow = SERVO_CHUTE.model_copy(update={"travel_s": 9.0})
    with homed_rig(tmp_path, chute=slow, speed=10.0) as rig:
        rig.machine.turn(chute_deg=180.0)
        assert rig.machine.turn(chute_deg=170.0) > 3.0  # of 6.5 s from where it was, and 0.5 s from where it was sent
        rig.machine.quick_stop()
        with pytest.raises(NotHomed):
            _ = rig.machine.chute_deg


def test_reversed_motors_turn_the_other_way_and_home_to_the_same_angle(tmp_path: Path) -> None:
    chute = MotorChuteConfig(kind="motor", is_reversed=True, home_deg=170.0, minimum_deg=-10.0, maximum_deg=170.0)
    with homed_rig(tmp_path, chute=chute, turntable=TurntableConfig(is_reversed=True)) as rig:
        machine = rig.machine
        assert machine.chute_deg == 170.0
        homed = rig.emulated.truth().steps["X"]
        machine.turn(table_deg=90.0, chute_deg=-10.0)
        machine.stand()
        steps = rig.emulated.truth().steps
        assert steps["Y"] == -800
        assert steps["X"] - homed == 1600
        assert ends_of_moves(rig.moves) == ["G1 Y-90 X10"]
        with pytest.raises(OutOfReach, match="to 171 deg: it turns from -10 to 170 deg"):
            machine.turn(chute_deg=171.0)


def test_an_indexed_table_knows_its_angle_from_its_switch_and_is_homed_again_the_same(tmp_path: Path) -> None:
    table = TurntableConfig(homing="index", index_deg=30.0)
    with homed_rig(tmp_path, turntable=table) as rig:
        machine = rig.machine
        assert machine.table_deg == 30.0
        machine.turn(table_deg=120.0)
        machine.stand()
        assert rig.emulated.truth().steps["Y"] == -100 + 800
        machine.home_axis("turntable")
        assert machine.table_deg == 30.0
        assert rig.emulated.truth().steps["Y"] == -100
        assert [text for text in rig.moves if text.startswith("G28")] == ["G28 Y"]


def test_an_endless_chute_takes_the_short_way_and_knows_the_same_angle_by_all_its_names(tmp_path: Path) -> None:
    chute = MotorChuteConfig(kind="motor", homing="index", home_deg=10.0)
    with homed_rig(tmp_path, chute=chute) as rig:
        machine = rig.machine
        assert machine.chute_deg == 10.0
        machine.turn(chute_deg=-20.0)
        machine.stand()
        assert machine.chute_deg == 340.0
        assert rig.emulated.truth().steps["X"] == -100 - 267
        machine.push(340.0)
        machine.push(700.0)
        with pytest.raises(Interlocked):
            machine.push(341.0)
        machine.jog("chute", 360.0)
        machine.stand()
        assert machine.chute_deg == 340.0
        assert rig.emulated.truth().steps["X"] == -100 + 2933


def test_a_belt_goes_on_step_by_step(tmp_path: Path) -> None:
    with homed_rig(tmp_path, feeder=BELT) as rig:
        machine = rig.machine
        assert machine.advance_feeder() > 0.0
        machine.advance_feeder()
        machine.stand()
        assert rig.emulated.truth().steps["Z"] == round(60 * 3200 / 360)
        with pytest.raises(NotFitted, match="step by step"):
            machine.start_feeder()
        machine.stop_feeder()
        machine.quick_stop()
        machine.home()
        machine.advance_feeder()
        machine.stand()
        assert rig.emulated.truth().steps["Z"] == round(90 * 3200 / 360)


def test_a_belt_that_has_run_for_long_is_counted_anew_without_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sorter.rig.feeder.FARTHEST_DEG", 7200.0)
    belt = StepperFeederConfig(
        kind="stepper", step_deg=3600.0, speed_deg_per_s=2000.0, acceleration_deg_per_s2=50_000.0
    )
    settings = replace(SETTINGS, z=replace(SETTINGS.z, max_speed_units_per_s=5000.0))
    with homed_rig(tmp_path, feeder=belt, settings=settings) as rig:
        for number in range(1, 6):
            rig.machine.advance_feeder()
            rig.machine.stand()
            assert rig.emulated.truth().steps["Z"] == number * 32_000
            assert rig.machine.board.commanded("feeder") <= 7200.0
        assert rig.machine.turn(table_deg=90.0) > 0.0
        rig.machine.stand()
        assert rig.told.count("M92 Z0.00001") == 2


def test_a_belt_is_counted_anew_where_the_way_back_is_less_than_half_a_step() -> None:
    assert FARTHEST_DEG * LEAST_STEPS_PER_DEG < 0.5


def test_parts_that_are_put_there_by_hand_need_no_feeder(tmp_path: Path) -> None:
    with homed_rig(tmp_path) as rig:
        rig.machine.start_feeder()
        rig.machine.stop_feeder()
        with pytest.raises(NotFitted, match="by hand"):
            rig.machine.advance_feeder()
        assert rig.told == []


def test_the_least_that_a_push_takes_is_known(tmp_path: Path) -> None:
    with homed_rig(tmp_path, feeder=SHAKER, chute=CHUTE) as rig:
        assert rig.machine.push_s == pytest.approx(0.4 + 0.1 + 0.4)
    fast = EJECTOR.model_copy(update={"travel_s": 0.1, "dwell_s": 0.05})
    with homed_rig(tmp_path, ejector=fast) as rig:
        assert rig.machine.push_s == pytest.approx(0.3 + 0.3)  # Marlin keeps each M280 so long
