"""What stands around a board sees every motion where it really is, and its switches act at their exact instants."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.emulator import AxisSettings, BoardSettings, EmulatedBoard, Firmware, Outward

BOARD = BoardSettings(
    x=AxisSettings(10.0, 1000.0, 5000.0),
    boot_s=0.0,
    servos=2,
    servo_starts_deg=(20.0,),
    endstops=("x_min", "z_max"),
)


class Watcher:
    """Notes what it is shown; a beam at z_max is broken for a while from each of some instants on."""

    def __init__(self, breaks_s: tuple[float, ...] = (), lasts_s: float = 0.05) -> None:
        self.shown: list[Outward] = []
        self._changes = sorted([(at_s, True) for at_s in breaks_s] + [(at_s + lasts_s, False) for at_s in breaks_s])
        self._held: Mapping[str, bool] = {"z_max": False}

    def next_s(self) -> float | None:
        return self._changes[0][0] if self._changes else None

    def follow(self, outward: Outward) -> Mapping[str, bool]:
        self.shown.append(outward)
        while self._changes and self._changes[0][0] <= outward.time_s:
            self._held = {"z_max": self._changes.pop(0)[1]}
        return self._held


def watched(watcher: Watcher, board: BoardSettings = BOARD) -> Firmware:
    firmware = Firmware(board, surroundings=watcher)
    firmware.open_port(0.0)
    firmware.advance(0.1)
    return firmware


def test_a_board_whose_time_is_advanced_late_shows_its_motion_all_the_same():
    watcher = Watcher()
    firmware = watched(watcher)
    firmware.host_bytes(b"M92 X10\nG1 X90 F21600\nM400\nM280 P0 S130\nM106 P0 S80\nM107\n", 0.1)
    firmware.advance(50.0)
    times = [each.time_s for each in watcher.shown]
    assert times == sorted(times)
    moving = [each for each in watcher.shown if 0 < each.motors[0] < 900]
    assert len(moving) > 20
    assert watcher.shown[-1].motors[0] == 900
    turned = [each.shafts_deg[0] for each in watcher.shown]
    assert (turned[0], turned[-1]) == (20.0, 130.0)
    assert 80 in {each.fans[0] for each in watcher.shown}
    assert watcher.shown[-1].are_driven == (True, False)


def test_a_line_between_two_shown_instants_is_as_good_as_the_motion_itself():
    watcher = Watcher()
    firmware = watched(watcher)
    firmware.host_bytes(b"M204 T1440\nM201 X1440\nG1 X90 F21600\n", 0.1)
    truth = []
    while firmware.now_s < 2.0:
        firmware.advance(firmware.now_s + 0.0007)
        truth.append((firmware.now_s, firmware.truth(firmware.now_s).steps["X"] / 10.0))
    alone = Watcher()
    late = watched(alone)
    late.host_bytes(b"M204 T1440\nM201 X1440\nG1 X90 F21600\n", 0.1)
    late.advance(2.0)
    for at_s, degrees in truth:
        after = next((each for each in alone.shown if each.time_s >= at_s), alone.shown[-1])
        before = [each for each in alone.shown if each.time_s <= at_s][-1]
        share = (at_s - before.time_s) / (after.time_s - before.time_s) if after.time_s > before.time_s else 1.0
        between = before.motors[0] + share * (after.motors[0] - before.motors[0])
        assert between / 10.0 == pytest.approx(degrees, abs=0.15)  # a step is 0.1 deg


def test_a_switch_is_pressed_exactly_as_long_as_it_was_however_late_somebody_looks():
    firmware = watched(Watcher(breaks_s=(1.0,), lasts_s=0.05))
    for asked_s in (0.98, 1.01, 1.03, 1.06):
        firmware.host_bytes(b"M119\n", asked_s)
    firmware.advance(5.0)
    said = [line for line in firmware.take_output().decode().splitlines() if line.startswith("z_max")]
    assert said == ["z_max: open", "z_max: TRIGGERED", "z_max: TRIGGERED", "z_max: open"]


def test_a_server_that_sleeps_is_woken_for_what_the_surroundings_do():
    firmware = watched(Watcher(breaks_s=(7.5,)))
    firmware.advance(1.0)
    firmware.take_output()
    assert firmware.next_event_s() == 7.5


@settings(max_examples=25)
@given(st.lists(st.floats(0.001, 0.9), min_size=1, max_size=30))
def test_it_does_not_matter_in_how_many_steps_time_is_advanced(steps_s):
    script = b"M92 X10\nG1 X90 F21600\nM280 P0 S130\nM106 P0 S9\nG1 X0\nM400\nM107\n"

    def run(pauses_s: list[float]) -> tuple[list[str], float, float]:
        watcher = Watcher(breaks_s=(0.3, 0.7))
        firmware = watched(watcher)
        firmware.host_bytes(script, 0.1)
        for pause_s in pauses_s:
            firmware.advance(firmware.now_s + pause_s)
        firmware.advance(40.0)
        last = watcher.shown[-1]
        ran = [f"{each.text} {each.started_s:.9f}" for each in firmware.executed]
        return ran, last.motors[0], last.shafts_deg[0]

    assert run(steps_s) == run([])


@pytest.mark.parametrize("start_steps", [-7000, -1, 0, 1, 3, 2500, 9999])
def test_an_index_is_found_from_wherever_the_axis_stands(start_steps):
    axis = AxisSettings(
        10.0,
        1000.0,
        5000.0,
        length_units=360.0,
        home_switch_at_steps=-40,
        index_turn_steps=3600.5,
        index_width_steps=20,
    )
    firmware = Firmware(BoardSettings(x=axis, boot_s=0.0))
    firmware.open_port(0.0)
    firmware.advance(0.1)
    firmware.host_bytes(f"M211 S0\nG1 X{start_steps / 10.0:.1f} F60000\nG28 X\n".encode(), 0.1)
    firmware.advance(200.0)
    truth = firmware.truth(200.0)
    assert truth.axes["X"].is_homed
    turns = (truth.steps["X"] + 40) / 3600.5
    assert abs(turns - round(turns)) * 3600.5 <= 1.0


def test_an_index_that_is_never_open_is_refused():
    with pytest.raises(ValueError, match="index"):
        AxisSettings(10.0, 100.0, 100.0, index_turn_steps=100.0, index_width_steps=100.0)


def test_whoever_asks_the_surroundings_of_a_served_board_finds_them_up_to_date():
    watcher = Watcher()
    with EmulatedBoard(BOARD, surroundings=watcher) as board:
        with board.held() as now_s:
            assert watcher.shown[-1].time_s == now_s
        assert board.host_s(now_s) == pytest.approx(board.host_s(0.0) + now_s)
        assert board.failure is None


def test_surroundings_that_break_end_the_board_and_are_named():
    class Broken(Watcher):
        def follow(self, outward: Outward) -> Mapping[str, bool]:
            raise ZeroDivisionError

    board = EmulatedBoard(BOARD, surroundings=Broken())
    board.start()
    try:
        while board.failure is None:
            time.sleep(0.001)
        assert isinstance(board.failure, ZeroDivisionError)
    finally:
        with pytest.raises(RuntimeError, match="failed"):
            board.stop()
