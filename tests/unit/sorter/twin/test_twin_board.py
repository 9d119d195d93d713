"""The twin's board homes to where its settings say, stands elsewhere at first, and refuses what no rig can be."""

import pytest

from firmware_bridge.emulator import Firmware
from sorter.errors import SorterError
from sorter.twin.board import twin_board
from sorter.twin.errors import TwinRefused
from sorter.types.twin import TwinBin, TwinFeeder, TwinMotor, TwinSensor
from tests.twins import BINS, twin_settings


class Watched:
    """A twin's board in virtual time, without a world."""

    def __init__(self, settings):
        self.board = twin_board(settings)
        self.firmware = Firmware(self.board.settings, surroundings=self)
        self.firmware.open_port(0.0)
        self.firmware.advance(3.0)

    def next_s(self):
        return None

    def follow(self, outward):
        self.state = self.board.state(outward)
        return {}

    def ask(self, *lines):
        for line in lines:
            self.firmware.host_bytes(f"{line}\n".encode(), self.firmware.now_s)
            self.firmware.advance(self.firmware.now_s + 60.0)
        return self.firmware.take_output().decode()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize(("is_endless", "home_deg"), [(False, -15.0), (True, 33.0)])
def test_homing_leaves_the_chute_where_the_settings_say(seed, is_reversed, is_endless, home_deg):
    bins = tuple(TwinBin(each.id, -each.chute_deg if is_reversed else each.chute_deg) for each in BINS)
    home_deg = -home_deg if is_reversed else home_deg
    chute = TwinMotor("X", 17.778, home_deg=home_deg, is_reversed=is_reversed, is_endless=is_endless)
    rig = Watched(twin_settings(chute=chute, bins=bins, seed=seed))
    assert abs(rig.state.chute_deg - home_deg) >= 9.9
    rig.ask("M211 S0", "M92 X17.778", "G28 X")
    assert (rig.state.chute_deg - home_deg + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.06)
    rig.ask("G1 X90 F6000")
    turned = -90.0 if is_reversed else 90.0
    assert (rig.state.chute_deg - home_deg - turned + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.12)


def test_a_table_with_an_index_finds_it_again_wherever_it_stands():
    rig = Watched(twin_settings(turntable=TwinMotor("Y", 44.444, home_deg=12.0)))
    for target_deg in (0, 500, -700, 3):
        rig.ask("M211 S0", f"G1 Y{target_deg} F20000", "G28 Y")
        assert rig.state.table_deg % 360.0 == pytest.approx(12.0, abs=0.05)


def test_table_and_chute_stand_anywhere_at_first():
    states = [Watched(twin_settings(seed=seed)).state for seed in range(5)]
    assert len({round(state.table_deg) for state in states}) > 3
    assert len({round(state.chute_deg) for state in states}) > 3


def test_servos_and_shaker_are_where_the_settings_put_them():
    settings = twin_settings(chute=2, ejector_servo=1, park_deg=30.0, feeder=TwinFeeder("vibratory", fan=1))
    rig = Watched(settings)
    assert rig.state.arm_deg == 30.0
    assert not rig.state.is_awake
    assert rig.state.chute_deg in {each.chute_deg for each in BINS}
    rig.ask("M280 P1 S100", "M280 P2 S45", "M106 P1 S77")
    assert (rig.state.arm_deg, rig.state.chute_deg, rig.state.fan_level) == (100.0, 45.0, 77)
    assert rig.state.is_awake


def test_a_stepper_feeder_turns_with_its_motor():
    rig = Watched(twin_settings(feeder=TwinFeeder("stepper", motor=TwinMotor("Z", 10.0, is_reversed=True))))
    before_deg = rig.state.feeder_deg
    rig.ask("M203 Z100", "M211 S0", "G1 Z-36 F6000")
    assert rig.state.feeder_deg - before_deg == pytest.approx(36.0)


def test_sensors_are_at_inputs_that_the_firmware_shows():
    said = Watched(twin_settings()).ask("M119")
    assert "z_max: open" in said
    assert "y_max: open" in said
    assert "x_max" not in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"feeder": TwinFeeder("stepper")}, "feeder.motor"),
        ({"feeder": TwinFeeder("manual", motor=TwinMotor("Z", 10.0))}, "feeder.motor"),
        ({"chute": TwinMotor("Y", 10.0)}, "same axis"),
        ({"chute": 0}, "servo 0"),
        ({"push_deg": 25.0}, "push_deg 25"),
        ({"sensors": {"dropped": TwinSensor("x_min")}}, "x_min is taken"),
        ({"sensors": {"dropped": TwinSensor("z_max"), "in_chute": TwinSensor("z_max")}}, "z_max is taken"),
        ({"sensors": {"dropped": TwinSensor("q_max")}}, "q_max"),
        ({"sensors": {"smell": TwinSensor("z_max")}}, "sensors.smell"),
        ({"bins": (BINS[0], BINS[0])}, "ids of their own"),
        ({"bins": (TwinBin("beside", 0.0),), "recirculate": None}, "ids of their own"),
        ({"recirculate": "nowhere"}, "nowhere"),
        ({"chute": None}, "without a chute"),
        ({"fall_s": 0.05}, "fall_s 0.05"),
    ],
)
def test_settings_that_contradict_themselves_are_refused_by_name(changes, words):
    with pytest.raises(TwinRefused, match=words) as refused:
        twin_board(twin_settings(**changes))
    assert isinstance(refused.value, SorterError)
    assert refused.value.remedy


def test_all_contradictions_are_told_at_once():
    with pytest.raises(TwinRefused) as refused:
        twin_board(twin_settings(push_deg=25.0, recirculate="nowhere", fall_s=0.05))
    assert len(refused.value.message.splitlines()) == 3
