"""A board over a real pseudo-terminal: what moves, what is refused, and what an axis believes."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.axes import Axis
from firmware_bridge.board import Board
from firmware_bridge.errors import (
    BoardError,
    BoardHalted,
    EmergencyStopped,
    LinkClosed,
    LinkError,
    PortError,
    QuickStopped,
    Refused,
    Unhomed,
)
from tests.boards import CHUTE, TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from firmware_bridge.emulator.pty_server import EmulatedBoard
    from tests.boards import Connected

    Connect = Callable[..., AbstractContextManager[Connected]]


@pytest.fixture
def rig(connect: Connect) -> Iterator[tuple[EmulatedBoard, Board]]:
    with connect() as (emulated, board, _):
        yield emulated, board


def moves(emulated: EmulatedBoard) -> list[str]:
    return [done.text for done in emulated.executed() if done.text.startswith(("G1", "G28"))]


def test_connecting_learns_the_firmware_and_sends_the_rigs_own_numbers(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    assert board.info.firmware.startswith("Marlin 2.0.9.7")
    assert board.info.capabilities["EMERGENCY_PARSER"]
    assert board.info.was_announced
    sent = [done.text for done in emulated.executed()]
    for setting in ("G21", "G90", "M211 S0", "M84 S0", "M92 X80 Y80", "M203 X360 Y180", "M201 X3600 Y1800"):
        assert setting in sent


def test_a_move_turns_the_axis_by_its_steps_and_wait_returns_when_it_stands(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.set_position("turntable", 0.0)
    seconds = board.move({"turntable": 90.0})
    board.wait()
    truth = emulated.truth()
    assert (truth.steps["X"], truth.is_moving) == (7200, False)
    assert seconds == pytest.approx(90 / 360 + 360 / 3600)
    assert board.position()["turntable"] == 90.0


def test_a_move_from_standstill_begins_at_once_and_one_behind_it_stays_whole(
    rig: tuple[EmulatedBoard, Board],
) -> None:
    emulated, board = rig
    board.set_position("turntable", 0.0)
    board.wait()
    emulated.clear_executed()
    seconds = board.move({"turntable": 100.0})
    board.move({"turntable": 0.0})
    board.wait()
    sent = [done for done in emulated.executed() if done.text.startswith(("G1", "M400"))]
    assert [done.text for done in sent] == [
        "G1 X33.33333 F21600",
        "G1 X66.66667 F21600",
        "G1 X100 F21600",
        "G1 X0 F21600",
        "M400",
    ]
    assert seconds == pytest.approx(100 / 360 + 360 / 3600)
    assert emulated.truth().steps["X"] == 0


def test_two_axes_turn_at_the_same_time_in_one_line(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.home("chute")
    board.set_position("turntable", 0.0)
    emulated.clear_executed()
    board.move({"turntable": 45.0, "chute": 90.0})
    board.wait()
    assert len(moves(emulated)) == 1
    assert board.position() == {"turntable": 45.0, "chute": 90.0}


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ({"chute": 271.0}, ["chute (Y)", "from 0 to 271 deg", "the highest position is 270 deg"]),
        ({"chute": -1.0}, ["from 0 to -1 deg", "the lowest position is 0 deg"]),
        ({"chute": math.nan}, ["nan", "no position"]),
        ({"turntable": math.inf}, ["inf", "no position"]),
        ({"turntable": 0.05}, ["turntable (X)", "4.00 steps", "the least here is 0.075 deg"]),
        ({"spoon": 1.0}, ["no axis 'spoon'", "turntable, chute"]),
        ({"turntable": 10.0, "chute": 500.0}, ["chute"]),
    ],
)
def test_what_must_not_be_sent_is_refused_before_a_byte_is_written(
    rig: tuple[EmulatedBoard, Board], targets: dict[str, float], words: list[str]
) -> None:
    emulated, board = rig
    board.home("chute")
    board.set_position("turntable", 0.0)
    lines = board.link.counters.lines
    with pytest.raises(Refused) as caught:
        board.move(targets)
    for word in words:
        assert word in str(caught.value)
    assert board.link.counters.lines == lines
    assert board.is_homed("turntable")
    assert not [text for text in moves(emulated) if text.startswith("G1")]


def test_an_axis_that_does_not_know_where_it_is_does_not_move(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    with pytest.raises(Unhomed, match="turntable"):
        board.move({"turntable": 10.0})
    assert moves(emulated) == []


def test_an_axis_without_a_switch_is_not_homed_by_mistake(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    with pytest.raises(Refused, match="no switch"):
        board.home("turntable")
    assert moves(emulated) == []


def test_homing_names_its_axis(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.home("chute")
    assert moves(emulated) == ["G28 Y"]
    assert board.commanded("chute") == 0.0


@pytest.mark.parametrize(
    "text", ["G1 X1\nG1 X2", "G1 X1;", "G1 X1*3", "g1 x1", "G1 X1\0", "M117 " + "x" * 100, "G1 X1°"]
)
def test_a_text_that_is_no_single_command_is_refused(rig: tuple[EmulatedBoard, Board], text: str) -> None:
    _, board = rig
    lines = board.link.counters.lines
    with pytest.raises(Refused):
        board.link.send(text)
    assert board.link.counters.lines == lines


def test_servo_outputs_and_switches(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.servo(0, 90.0)
    board.fan(0, 255)
    board.output(4, 1)
    truth = emulated.truth()
    assert truth.servos[0].commanded_deg == 90.0
    assert truth.fans[0] == 255
    assert board.endstops() == {"x_min": False, "y_min": False, "z_min": False}
    emulated.set_endstop("x_min", True)
    assert board.endstops()["x_min"]
    board.fan(0, 0)
    assert emulated.truth().fans[0] == 0


def test_the_servo_waits_for_the_end_of_all_motion(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.set_position("turntable", 0.0)
    board.move({"turntable": 360.0})
    board.servo(0, 90.0)
    assert emulated.truth().steps["X"] == 28800


@pytest.mark.parametrize(
    "call",
    [
        lambda board: board.servo(0, 181.0),
        lambda board: board.servo(0, math.nan),
        lambda board: board.servo(-1, 0.0),
        lambda board: board.fan(0, 256),
        lambda board: board.fan(9, 1),
        lambda board: board.output(-1, 1),
        lambda board: board.move({}, speed_share=0.5) or board.link.send(""),
    ],
)
def test_values_that_no_output_has_are_refused(
    rig: tuple[EmulatedBoard, Board], call: Callable[[Board], object]
) -> None:
    _, board = rig
    lines = board.link.counters.lines
    with pytest.raises(Refused):
        call(board)
    assert board.link.counters.lines == lines


def test_what_the_firmware_refuses_is_an_error_with_its_own_words(rig: tuple[EmulatedBoard, Board]) -> None:
    _, board = rig
    with pytest.raises(BoardError, match="Servo 1 out of range"):
        board.servo(1, 10.0)
    with pytest.raises(BoardError, match="Protected Pin"):
        board.output(0, 1)
    board.servo(0, 10.0)


def test_a_released_axis_is_unhomed(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.set_position("turntable", 0.0)
    board.enable("turntable")
    assert emulated.truth().axes["X"].is_enabled
    board.disable("turntable")
    assert not emulated.truth().axes["X"].is_enabled
    assert not board.is_homed("turntable")


def test_a_position_that_the_firmware_clamped_is_found_out(rig: tuple[EmulatedBoard, Board]) -> None:
    _, board = rig
    board.home("chute")
    board.link.request("M211 S1")  # somebody switches soft endstops on again
    board.move({"chute": 250.0})
    with pytest.raises(BoardError, match=r"sent to 250 deg, the board says 200\.0"):
        board.wait()
    assert not board.is_homed("chute")


def test_motion_that_a_flipped_bit_cut_short_is_found_out(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.set_position("turntable", 0.0)
    board.move({"turntable": 3600.0})
    emulated.wait_until(lambda truth: truth.steps["X"] > 1000, 5.0)
    board.link.request("M410")  # what one bit makes of M400; the emergency parser asks for no checksum
    with pytest.raises(BoardError, match="sent to 3600 deg, the board says"):
        board.wait()
    assert not board.is_homed("turntable")


def test_a_switch_that_is_never_reached_halts_the_board_and_reset_is_the_way_out(connect: Connect) -> None:
    from dataclasses import replace

    from tests.boards import SETTINGS

    settings = replace(SETTINGS, y=replace(SETTINGS.y, home_switch_at_steps=None))
    with connect(settings=settings) as (emulated, board, _):
        with pytest.raises(BoardHalted):
            board.home("chute")
        with pytest.raises(LinkError):
            board.home("chute")
        board.reset()
        assert not board.is_homed("chute")
        assert not emulated.truth().is_halted
        board.servo(0, 5.0)


def test_a_quick_stop_stops_within_a_few_steps_and_keeps_the_link(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.set_position("turntable", 0.0)
    board.move({"turntable": 3600.0})
    board.move({"turntable": 0.0})
    emulated.wait_until(lambda truth: truth.steps["X"] > 1000, 5.0)
    board.quick_stop()
    truth = emulated.truth()
    assert not truth.is_moving
    assert truth.steps["X"] < 200_000
    assert not board.is_homed("turntable")
    before = truth.steps["X"]
    board.set_position("turntable", 0.0)
    board.move({"turntable": 10.0})
    board.wait()
    assert emulated.truth().steps["X"] == before + 800


def test_a_quick_stop_from_another_thread_ends_the_move_that_waits(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.set_position("turntable", 0.0)
    errors: list[BaseException] = []

    def mover() -> None:
        try:
            for turn in range(1, 100):
                board.move({"turntable": turn * 720.0})
        except BoardError as error:
            errors.append(error)

    thread = threading.Thread(target=mover)
    thread.start()
    emulated.wait_until(lambda truth: truth.planned_moves > 10, 5.0)
    board.quick_stop()
    thread.join(10.0)
    assert len(errors) == 1
    assert isinstance(errors[0], QuickStopped | Unhomed)
    assert not board.is_homed("turntable")
    here = emulated.truth().steps["X"]
    time.sleep(0.1)
    assert emulated.truth().steps["X"] == here, "nothing that was queued runs after the stop"


def test_an_emergency_stop_is_final_until_somebody_resets_the_board(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.set_position("turntable", 0.0)
    board.fan(0, 255)
    board.servo(0, 90.0)
    board.move({"turntable": 36000.0})
    emulated.wait_until(lambda truth: truth.is_moving, 5.0)
    resets = emulated.truth().resets
    assert board.emergency_stop()
    with pytest.raises(EmergencyStopped):
        board.move({"turntable": 0.0})
    with pytest.raises(LinkError):
        board.servo(0, 0.0)
    emulated.wait_until(lambda truth: truth.is_halted or truth.resets > resets, 5.0)
    truth = emulated.wait_until(lambda truth: truth.resets > resets, 5.0)
    truth = emulated.wait_until(lambda truth: not truth.is_booting, 5.0)
    assert truth.fans[0] == 0, "only a reset drops the feeder's output"
    assert not truth.is_moving
    ran = len(emulated.executed())
    with pytest.raises(EmergencyStopped):
        board.servo(0, 0.0)
    assert len(emulated.executed()) == ran
    board.reset()
    assert not board.is_homed("turntable")
    board.servo(0, 10.0)


def test_stopping_without_a_connection_does_no_harm() -> None:
    board = Board([TABLE])
    with pytest.raises(LinkClosed):
        board.quick_stop()
    assert not board.emergency_stop()
    with pytest.raises(EmergencyStopped):
        board.quick_stop()
    board.close()


def test_no_reconnect_undoes_an_emergency_stop(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    emulated.unplug()
    errors: list[BaseException] = []

    def supervise() -> None:
        try:
            board.reconnect(10.0, pause_s=0.05)
        except BoardError as error:
            errors.append(error)

    supervisor = threading.Thread(target=supervise)
    supervisor.start()
    time.sleep(0.1)
    board.emergency_stop()
    emulated.plug_in()
    supervisor.join(10.0)
    assert isinstance(errors[0], EmergencyStopped)
    with pytest.raises(EmergencyStopped):
        board.connect()
    with pytest.raises(EmergencyStopped):
        board.set_position("turntable", 0.0)
    board.reset()
    board.servo(0, 1.0)


def test_an_emergency_stop_while_the_board_is_being_connected_stops_it(rig: tuple[EmulatedBoard, Board]) -> None:
    _, board = rig
    stopper = threading.Timer(0.05, board.emergency_stop)
    stopper.start()
    with pytest.raises(EmergencyStopped):
        board.connect()
    stopper.join()
    assert isinstance(board.error, EmergencyStopped)


def test_what_waits_for_its_turn_does_not_run_after_a_quick_stop(rig: tuple[EmulatedBoard, Board]) -> None:
    emulated, board = rig
    board.set_position("turntable", 0.0)
    board.move({"turntable": 36000.0})
    errors: list[BaseException] = []

    def caller(what: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                what()
            except BoardError as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    threads = [caller(board.wait)]
    time.sleep(0.1)
    threads += [caller(lambda: board.servo(0, 90.0)), caller(lambda: board.home("chute"))]
    time.sleep(0.1)
    emulated.clear_executed()
    threads += [caller(board.quick_stop), caller(board.quick_stop)]
    for thread in threads:
        thread.join(10.0)
    assert [type(error) for error in errors] == [QuickStopped] * 3, "the stops themselves are no victims"
    assert not [done.text for done in emulated.executed() if done.text.startswith(("M280", "G28", "G92"))]
    assert not board.is_homed("chute")


def test_an_axis_is_not_homed_by_a_board_that_was_reset_meanwhile(
    rig: tuple[EmulatedBoard, Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    from firmware_bridge import reports

    _, board = rig
    real, is_done = reports.positions, []

    def positions(lines: list[str]) -> dict[str, float]:
        if not is_done:
            is_done.append(True)
            board.connect()  # as another thread might, in the middle of homing
        return real(lines)

    monkeypatch.setattr(reports, "positions", positions)
    with pytest.raises(LinkError):
        board.home("chute")
    assert not board.is_homed("chute")


def test_a_homing_that_the_firmware_does_not_know_homes_nothing(rig: tuple[EmulatedBoard, Board]) -> None:
    _, board = rig
    strange = Axis("strange", "Z", "mm", 400.0, 5.0, 100.0, home_position=0.0)
    board.axes["strange"] = strange
    send = board.link.send
    board.link.send = lambda text, **options: send(text.replace("G28", "G98"), **options)  # type: ignore[method-assign]
    with pytest.raises(BoardError, match="refused G28 Z"):
        board.home("strange")
    assert not board.is_homed("strange")


def test_two_axes_of_one_letter_are_a_mistake() -> None:
    with pytest.raises(Refused, match="same name or letter"):
        Board([TABLE, Axis("other", "X", "deg", 1.0, 1.0, 1.0)])
    with pytest.raises(Refused, match="same name or letter"):
        Board([CHUTE, CHUTE])


def test_a_missing_port_is_named() -> None:
    with pytest.raises(PortError, match="/dev/there-is-none does not exist"):
        Board(port="/dev/there-is-none").connect()


def test_everything_on_the_wire_is_kept(rig: tuple[EmulatedBoard, Board]) -> None:
    _, board = rig
    entries = board.link.log.entries()
    assert any(entry.is_sent and b"M115" in entry.data for entry in entries)
    assert any(not entry.is_sent and b"FIRMWARE_NAME" in entry.data for entry in entries)
