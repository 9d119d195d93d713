"""What surroundings do to a board is what it is in life: lost steps, a cut supply, faults that are armed once."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.emulator import MENU, AxisSettings, BoardSettings, Firmware, Outward, UnknownFaultError
from firmware_bridge.emulator.dice import FaultDice
from firmware_bridge.emulator.faults import FaultPlan

BOARD = BoardSettings(
    x=AxisSettings(10.0, 1000.0, 5000.0, length_units=360.0, home_switch_at_steps=-300),
    y=AxisSettings(
        10.0,
        1000.0,
        5000.0,
        length_units=360.0,
        home_switch_at_steps=-300,
        index_turn_steps=3600.0,
        index_width_steps=20.0,
    ),
    boot_s=0.0,
)
SETUP = b"M211 S0\nM203 X1000 Y1000\n"


class Host:
    """A board in virtual time, with all that it says."""

    def __init__(self, faults: Mapping[str, float] | None = None) -> None:
        self.fired: list[str] = []
        self.firmware = Firmware(BOARD, FaultPlan(faults or {}), on_fault=self.fired.append)
        self.firmware.open_port(0.0)
        self.now_s = 0.0
        self.run(0.1)
        self.write(SETUP)
        self.run(1.0)

    def write(self, data: bytes) -> None:
        self.firmware.host_bytes(data, self.now_s)

    def run(self, seconds: float) -> str:
        self.now_s += seconds
        self.firmware.advance(self.now_s)
        return self.firmware.take_output().decode("latin-1")

    def ask(self, data: bytes, seconds: float = 30.0) -> str:
        self.write(data)
        return self.run(seconds)

    def steps(self) -> tuple[int, int]:
        steps = self.firmware.truth(self.now_s).steps
        return steps["X"], steps["Y"]

    def count(self) -> str:
        return self.ask(b"M114\n", 0.5).split("Count ")[1].split(" Z:")[0]


def test_a_motor_that_loses_steps_stands_short_and_the_count_does_not_know():
    host, lost = Host(), list[int]()
    host.firmware.lose_steps("X", 64, lost.append)
    host.ask(b"G1 Y30 F6000\nM400\n")
    assert (host.steps(), lost) == ((0, 300), [])
    host.ask(b"G1 X50 F6000\nM400\n")
    assert (host.steps(), lost) == ((436, 300), [64])
    assert host.count() == "X:500 Y:300"
    host.ask(b"G1 X0 F6000\nM400\n")
    assert host.steps() == (-64, 300)


def test_lost_steps_are_lost_on_the_way_and_a_short_move_loses_no_more_than_it_has():
    host, lost = Host(), list[int]()
    host.firmware.lose_steps("X", 100, lost.append)
    host.write(b"G1 X-5 F600\n")
    host.run(0.35)
    assert host.steps()[0] == 0
    host.run(5.0)
    assert (host.steps()[0], lost) == (0, [-50])
    assert host.count() == "X:-50 Y:0"


@pytest.mark.parametrize("letter", ["X", "Y"])
def test_homing_against_a_switch_puts_lost_steps_right(letter):
    host, well = Host(), Host()
    host.firmware.lose_steps(letter, 77, lambda _steps: None)
    for each in (host, well):
        each.ask(f"G1 {letter}50 F6000\nG28 {letter}\nG1 {letter}20 F6000\nM400\n".encode())
    assert host.steps() == well.steps()
    assert host.count() == well.count()


def test_searching_a_switch_loses_no_steps():
    host, lost = Host(), list[int]()
    host.firmware.lose_steps("X", 77, lost.append)
    assert "ok" in host.ask(b"G28 X\n")
    assert lost == []


def test_motors_without_power_stand_while_the_count_goes_on():
    host = Host()
    host.write(b"G1 X100 F6000\n")
    host.run(0.6)
    at = host.steps()[0]
    assert 0 < at < 1000
    host.firmware.cut_power(is_cut=True)
    host.firmware.cut_power(is_cut=True)
    host.run(0.2)
    assert host.steps()[0] == at
    host.firmware.cut_power(is_cut=False)
    assert host.steps()[0] == at
    host.run(5.0)
    assert at < host.steps()[0] < 1000
    assert host.count() == "X:1000 Y:0"
    at = host.steps()[0]
    host.firmware.cut_power(is_cut=True)
    host.ask(b"G1 X0 F6000\nM400\n")
    assert host.steps()[0] == at
    host.firmware.slip("X", -30)
    host.firmware.cut_power(is_cut=False)
    host.ask(b"G1 X10 F6000\nM400\n")
    assert host.steps()[0] == at - 30 + 100
    assert host.count() == "X:100 Y:0"


def test_homing_without_power_fails_and_works_again_with_it():
    host = Host()
    host.firmware.cut_power(is_cut=True)
    assert "Homing Failed" in host.ask(b"G28 X\n", 60.0)
    host = Host()
    host.firmware.cut_power(is_cut=True)
    host.write(b"G28 X\n")
    host.run(0.5)
    host.firmware.cut_power(is_cut=False)
    assert "Homing Failed" not in host.run(60.0)
    assert "x_min: TRIGGERED" in host.ask(b"M119\n")
    assert host.steps()[0] == -300


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.0, 1.0), st.sampled_from(["cut", "back", "slip", "lose", "X30", "X-20", "X0"])),
        max_size=12,
    )
)
def test_whatever_happens_to_the_motors_the_count_is_what_was_sent(story):
    host, well = Host(), Host()
    for seconds, what in story:
        if what.startswith("X"):
            for each in (host, well):
                each.write(f"G1 {what} F6000\n".encode())
        elif what == "slip":
            host.firmware.slip("X", 17)
        elif what == "lose":
            host.firmware.lose_steps("X", 64, lambda _steps: None)
        else:
            host.firmware.cut_power(is_cut=what == "cut")
        host.run(seconds)
        well.run(seconds)
    assert host.count() == well.count()


def test_a_fault_that_is_armed_happens_at_the_next_opportunity_and_once():
    host = Host()
    host.firmware.arm("reset-in-midstream")
    host.firmware.arm("reset-in-midstream")
    assert host.fired == []
    assert "start" in host.ask(b"M105\n", 5.0)
    assert host.fired == ["reset-in-midstream"]
    assert "start" not in host.ask(b"M105\nM105\n", 5.0)
    with pytest.raises(UnknownFaultError, match="halt"):
        host.firmware.arm("hault")


@pytest.mark.parametrize("name", MENU)
def test_each_fault_of_the_menu_can_be_armed_for_one_opportunity(name):
    fired: list[str] = []
    dice = FaultDice(FaultPlan({"delay": 0.5}), 1, fired.append)
    dice.force(name, 1)
    assert dice.is_armed(name)
    assert dice.is_possible(name)
    assert dice.fires(name)
    assert not dice.is_armed(name)
    assert fired == [name]


def test_arming_a_fault_does_not_shift_what_chance_does_with_its_rate():
    def rolls(arm: Callable[[FaultDice], None]) -> list[bool]:
        dice = FaultDice(FaultPlan({"delay": 0.5}), 3)
        arm(dice)
        return [dice.fires("delay") for _ in range(40)]

    assert rolls(lambda dice: dice.force("delay", 1))[1:] == rolls(lambda _dice: None)[:-1]


def test_the_names_of_faults_that_happen_at_a_rate_are_told_too():
    host = Host({"delay": 1.0})
    host.ask(b"M105\n")
    assert set(host.fired) == {"delay"}


def test_surroundings_reach_into_the_board_in_a_call_of_theirs():
    class Stumbles:
        firmware: Firmware | None = None
        has_stumbled = False

        def next_s(self) -> float | None:
            return None

        def follow(self, outward: Outward) -> Mapping[str, bool]:
            if self.firmware is not None and outward.motors[0] > 100 and not self.has_stumbled:
                self.has_stumbled = True
                self.firmware.slip("X", -40)
            return {}

    around = Stumbles()
    firmware = Firmware(BOARD, surroundings=around)
    around.firmware = firmware
    firmware.open_port(0.0)
    firmware.advance(0.1)
    firmware.host_bytes(SETUP + b"G1 X50 F6000\nM400\n", 0.1)
    assert firmware.truth(30.0).steps["X"] == 460
