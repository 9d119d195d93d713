"""Board and world together, in virtual time: a rig that does everything right loses no part, another one does."""

import itertools

import pytest

from firmware_bridge.emulator import Firmware
from sorter.twin.around import Around
from sorter.twin.board import twin_board
from sorter.twin.world import World
from sorter.types.twin import BESIDE, TwinParts
from tests.twins import BINS, PARK_DEG, PUSH_DEG, Blocks, Notes, twin_settings


class Host:
    """Sends a line, waits until it is acknowledged, and sleeps, all in the board's own time."""

    def __init__(self, settings, steps_s=(3600.0,)):
        how = twin_board(settings)
        self.notes = Notes()
        self.world = World(settings, Blocks(), self.notes)
        self.around = Around(how, self.world)
        self.firmware = Firmware(how.settings, surroundings=self.around)
        self.firmware.open_port(0.0)
        self._steps_s = itertools.cycle(steps_s)
        self.now_s = 0.0
        self.sleep(2.0)
        self.firmware.take_output()

    def sleep(self, seconds):
        self.now_s += seconds
        while self.firmware.now_s < self.now_s:
            self.firmware.advance(min(self.now_s, self.firmware.now_s + next(self._steps_s)))

    def ask(self, *lines):
        said = ""
        for line in lines:
            self.firmware.host_bytes(f"{line}\n".encode(), self.now_s)
            said = ""
            while not said.endswith("ok\n"):
                due_s = self.firmware.next_event_s()
                assert due_s is not None, f"{line} was never acknowledged, only {said!r}"
                self.sleep(max(0.0, due_s - self.now_s))
                said += self.firmware.take_output().decode()
        return said

    def home(self):
        self.ask("M92 X17.778 Y44.444", "M203 X360 Y360", "M201 X1440 Y1440", "M204 P1440 T1440", "M211 S0")
        self.ask(f"M280 P0 S{PARK_DEG:g}", "G28 X", "G92 X-15 Y0")

    def sort_one(self, bin_):
        self.ask("M106 P0 S160")
        while "z_max: TRIGGERED" not in self.ask("M119"):
            pass
        self.ask("M107")
        self.sleep(0.5)
        self.ask("G1 Y90 F20000", f"G1 Y180 X{bin_.chute_deg:g} F20000", "M400", f"M280 P0 S{PUSH_DEG:g}")
        self.sleep(0.05)
        self.ask(f"M280 P0 S{PARK_DEG:g}")
        self.sleep(0.3)
        self.ask("G1 Y0 F20000", "M400")


def test_a_rig_that_does_everything_right_loses_no_part():
    host = Host(twin_settings(parts=TwinParts(40, ("3001",))))
    host.home()
    wanted = []
    while host.world.census().hopper:
        bin_ = BINS[len(wanted) % 3]
        before = len(host.notes.of("dropped"))
        host.sort_one(bin_)
        wanted += [bin_.id] * (len(host.notes.of("dropped")) - before)
    assert [line["place"] for line in host.notes.of("fell")] == wanted
    assert host.notes.of("collision") == []
    assert host.notes.lines[-1]["event"] == "empty"


def test_a_rig_that_does_not_wait_for_the_arm_hits_it():
    host = Host(twin_settings())
    host.home()
    host.ask(f"M280 P0 S{PUSH_DEG:g}", "G1 Y90 F20000")
    host.sleep(1.0)
    assert len(host.notes.of("collision")) == 1


def test_a_rig_that_turns_the_chute_too_early_loses_the_part():
    host = Host(twin_settings(fall_s=5.0))
    host.home()
    host.sort_one(BINS[1])
    host.ask("G1 X0 F20000")
    host.sleep(5.0)
    assert [line["place"] for line in host.notes.of("fell")] == [BESIDE]


def test_gravity_needs_no_power():
    host = Host(twin_settings(fall_s=1.5))
    host.home()
    host.ask("M106 P0 S160")
    while not host.notes.of("landed"):
        host.sleep(0.01)
    host.ask("M107", f"M280 P0 S{PUSH_DEG:g}")
    assert host.notes.of("fell") == []
    host.firmware.reset(host.now_s)
    host.sleep(2.0)
    assert len(host.notes.of("fell")) == len(host.notes.of("pushed")) > 0
    host.sleep(10.0)
    assert host.world.scene().parts == ()


def test_a_reset_stops_the_feeder():
    host = Host(twin_settings())
    host.ask("M106 P0 S160")
    host.firmware.reset(host.now_s)
    host.sleep(60.0)
    assert host.notes.of("dropped") == []


@pytest.mark.parametrize("steps_s", [(0.0007,), (0.0301, 0.0003), (5.0,)])
def test_a_computer_that_is_busy_changes_nothing_in_the_world(steps_s):
    def run(steps_s):
        host = Host(twin_settings(), steps_s)
        host.home()
        for bin_ in BINS[:2]:
            host.sort_one(bin_)
        return host.notes.lines

    calm, busy = run((3600.0,)), run(steps_s)
    assert [{**line, "time_s": None} for line in calm] == [{**line, "time_s": None} for line in busy]
    assert [line["time_s"] for line in busy] == pytest.approx([line["time_s"] for line in calm], abs=0.0005)


def test_a_world_that_has_failed_is_not_gone_on_with():
    host = Host(twin_settings())

    class Full(Notes):
        def write(self, event, time_s, **details):
            raise OSError("no space left")

    host.world._truth = Full()
    with pytest.raises(OSError, match="no space left"):
        host.ask("M106 P0 S160", "G4 P5000")
    assert isinstance(host.around.failure, OSError)
    with pytest.raises(RuntimeError, match="has failed before"):
        host.sleep(1.0)
