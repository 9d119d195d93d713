"""What users of serial G-code hosts have suffered, one test a fault; the number is the row in docs/faults.md.

Each test breaks the emulated board over a real pseudo-terminal and shows three things: nothing runs after a stop, the
error is the right one (or there is none, where the link can mend it), and the documented way out leads back to a link
that works. Row 26 is the camera's.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.errors import (
    BoardHalted,
    BoardReset,
    BoardSilent,
    EmergencyStopped,
    LinkError,
    LinkLost,
    PortError,
    PortLost,
)
from firmware_bridge.link import Link, Ticket
from tests.boards import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from firmware_bridge.board import Board
    from firmware_bridge.emulator.pty_server import EmulatedBoard
    from tests.boards import Connected

    Connect = Callable[..., AbstractContextManager[Connected]]


def ran(emulated: EmulatedBoard) -> list[str]:
    """What the board ran of moves, homing and outputs."""
    return [done.text for done in emulated.executed() if done.text.startswith(("G1", "G28", "M280", "M106", "M42"))]


def ran_by_number(emulated: EmulatedBoard) -> list[tuple[int, str]]:
    """Number and text of what the board ran by number, less the setting of the number itself."""
    done = (each for each in emulated.executed() if each.line_number is not None)
    return [(each.line_number or 0, each.text) for each in done if not each.text.startswith("M110")]


def works(board: Board, emulated: EmulatedBoard) -> bool:
    """A whole round: declare, move, wait, and the board did it."""
    board.set_position("turntable", 0.0)
    before = emulated.truth().steps["X"]
    board.move({"turntable": 9.0})
    board.wait()
    return emulated.truth().steps["X"] - before == 720


def stays_still(emulated: EmulatedBoard) -> bool:
    """Nothing runs and nothing turns during a second of the board's life."""
    steps, count = emulated.truth().steps, len(emulated.executed())
    time.sleep(0.1)
    return emulated.truth().steps == steps and len(emulated.executed()) == count


def wait_for_error(board: Board, timeout_s: float = 10.0) -> LinkError:
    until_s = time.monotonic() + timeout_s
    while board.error is None and time.monotonic() < until_s:
        time.sleep(0.005)
    assert board.error is not None
    return board.error


@pytest.mark.parametrize("fault", ["ok-lost", "ok-garbled"])
def test_01_a_lost_ok_does_not_stop_the_rig_for_ever_nor_move_it_twice(connect: Connect, fault: str) -> None:
    with connect() as (emulated, board, _):
        board.set_position("turntable", 0.0)
        for turn in range(1, 4):
            emulated.inject(fault)
            board.move({"turntable": turn * 10.0})
        board.wait()
        assert emulated.truth().steps["X"] == 2400
        assert len(ran(emulated)) == 3
        assert board.link.counters.queries > 1


def test_02_an_ok_that_comes_at_once_is_not_missed(connect: Connect) -> None:
    with connect({"ok-instant": 1.0}) as (emulated, board, _):
        for _ in range(5):
            assert works(board, emulated)


def test_03_an_ok_glued_to_a_report_is_seen(connect: Connect) -> None:
    with connect({"ok-glued": 1.0}) as (emulated, board, _):
        assert works(board, emulated)
        assert board.error is None


@pytest.mark.parametrize("fault", ["resend-without-ok", "resend-extra-ok"])
def test_04_the_ok_after_a_resend_frees_nothing_twice(connect: Connect, fault: str) -> None:
    with connect({fault: 1.0, "line-flip": 0.3}) as (emulated, board, _):
        for _ in range(4):
            emulated.clear_executed()
            assert works(board, emulated)
            assert len([done for done in emulated.executed() if done.text.startswith("G1")]) == 1
        assert board.link.counters.resend_requests > 0


def test_05_a_line_lost_again_in_its_resend_keeps_its_number(connect: Connect) -> None:
    with connect({"resend-lost-again": 0.5, "line-flip": 0.2}) as (emulated, board, _):
        assert works(board, emulated)
        numbers = [number for number, _ in ran_by_number(emulated)]
        assert numbers == sorted(set(numbers))


def test_06_a_line_that_is_refused_for_ever_ends_in_an_error_and_not_in_a_loop(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        board.set_position("turntable", 0.0)
        emulated.inject("resend-forever")
        with pytest.raises(LinkLost, match=r"asked \d+ times for line \d+; the last line sent was \d+"):
            board.move({"turntable": 10.0})
        assert ran(emulated) == []
        board.reconnect(5.0, pause_s=0.05)
        assert not board.is_homed("turntable")
        assert works(board, emulated)


def test_07_a_corrupted_resend_number_replays_nothing(connect: Connect) -> None:
    with connect({"resend-number-garbled": 1.0, "line-flip": 0.2}) as (emulated, board, _):
        for _ in range(3):
            emulated.clear_executed()
            assert works(board, emulated)
            assert len(ran(emulated)) == 1


def test_08_late_and_repeated_resends_do_not_become_a_loop(connect: Connect) -> None:
    with connect({"resend-late-and-repeated": 1.0, "line-flip": 0.1}) as (emulated, board, _):
        for _ in range(3):
            assert works(board, emulated)
        assert board.link.counters.repeated_lines < 200


def test_09_dropped_bytes_are_counted_and_cost_no_line(connect: Connect) -> None:
    with connect({"rx-drop": 0.0025}) as (emulated, board, _):
        tickets = [Ticket(f"G1 X{number} F6000", is_repeatable=True, motion_s=0.5) for number in range(40)]
        board.link.submit(tickets)
        board.link.wait(tickets[-1])
        numbers = [number for number, _ in ran_by_number(emulated)]
        assert numbers == sorted(set(numbers)), "no line is run twice or out of order"
        texts = dict(ran_by_number(emulated))
        damaged = [ticket.text for ticket in tickets if texts[ticket.number] != ticket.text]
        assert len(damaged) <= 2, "two lines that run into each other pass the checksum in 1 of 256 cases"
        assert board.link.counters.resend_requests > 0


def test_10_a_move_that_takes_longer_than_computed_does_not_time_out(connect: Connect) -> None:
    with connect({"slow-moves": 1.0}) as (emulated, board, _):
        board.set_position("turntable", 0.0)
        board.move({"turntable": 3600.0})
        board.wait()
        assert emulated.truth().steps["X"] == 288_000
        assert len(ran(emulated)) == 1


def test_11_slow_homing_is_not_started_twice(connect: Connect) -> None:
    with connect({"homing-slow": 1.0}) as (emulated, board, _):
        board.home("chute")
        assert ran(emulated) == ["G28 Y"]


def test_12_a_busy_board_is_waited_for(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        emulated.inject("busy-block")
        board.servo(0, 45.0)
        assert ran(emulated) == ["M280 P0 S45"]
        assert board.error is None


def test_13_a_quick_command_behind_a_long_move_is_waited_for(connect: Connect) -> None:
    with connect({"ok-behind-moves": 1.0}) as (emulated, board, _):
        board.set_position("turntable", 0.0)
        board.move({"turntable": 7200.0})
        board.fan(0, 10)
        assert board.error is None
        assert emulated.truth().steps["X"] == 576_000, "its ok came after the move"


def test_14_a_board_that_boots_slowly_or_says_nothing_is_found_all_the_same(connect: Connect) -> None:
    with connect({"no-start": 1.0}) as (emulated, board, notes):
        assert not board.info.was_announced
        assert any("did not say start" in note for note in notes)
        assert works(board, emulated)
    with connect({"boot-slow": 1.0}) as (emulated, board, _):
        assert works(board, emulated)


def test_15_a_reset_in_the_middle_ends_the_job_and_nothing_queued_is_sent(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        board.set_position("turntable", 0.0)
        tickets = [Ticket(f"G1 X{number} F600", motion_s=0.1) for number in range(100)]
        board.link.submit(tickets)
        emulated.wait_until(lambda truth: truth.counters.lines_executed > 20, 5.0)
        emulated.reset()
        assert isinstance(wait_for_error(board), BoardReset)
        assert not board.is_homed("turntable")
        emulated.wait_until(lambda truth: not truth.is_booting, 5.0)
        emulated.clear_executed()
        assert stays_still(emulated)
        with pytest.raises(BoardReset):
            board.move({"turntable": 1.0})
        board.reconnect(5.0, pause_s=0.05)
        assert works(board, emulated)
        assert len(ran(emulated)) == 1


def test_15_a_reset_whose_start_was_lost_is_noticed_by_its_line_count(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        board.set_position("turntable", 0.0)
        emulated.inject("no-start")
        emulated.reset()
        emulated.wait_until(lambda truth: not truth.is_booting, 5.0)
        emulated.clear_executed()
        with pytest.raises(LinkError) as caught:
            board.move({"turntable": 10.0})
        assert isinstance(caught.value, BoardReset)
        assert ran(emulated) == []
        board.reconnect(5.0, pause_s=0.05)
        assert works(board, emulated)


def test_16_stale_lines_after_a_reset_are_not_obeyed(connect: Connect) -> None:
    with connect({"stale-lines": 1.0}) as (emulated, board, _):
        board.set_position("turntable", 0.0)
        tickets = [Ticket(f"G1 X{number} F600", is_repeatable=True, motion_s=0.1) for number in range(50)]
        board.link.submit(tickets)
        emulated.reset()
        wait_for_error(board)
        board.reconnect(5.0, pause_s=0.05)
        boot = emulated.truth().resets
        assert works(board, emulated)
        moves = [done.text for done in emulated.executed() if done.boot == boot and done.text.startswith("G1")]
        assert len(moves) == 1


def test_17_a_board_that_comes_back_under_another_name_is_found_again(connect: Connect, tmp_path: Path) -> None:
    with connect() as (emulated, board, _):
        by_id = tmp_path / "board"
        emulated.unplug()
        assert isinstance(wait_for_error(board), PortLost)
        emulated.plug_in(tmp_path / "ttyUSB7")
        by_id.symlink_to(tmp_path / "ttyUSB7")  # what udev does
        board.reconnect(5.0, pause_s=0.05)
        assert not board.is_homed("turntable")
        assert works(board, emulated)


def test_18_readiness_without_data_is_an_error_that_names_its_causes(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        emulated.inject("hang-up")
        with pytest.raises(PortLost, match="another program"):
            works(board, emulated)
        board.reconnect(10.0, pause_s=0.05)
        assert works(board, emulated)


def test_19_a_port_that_another_program_holds_is_refused_and_the_program_named(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        board.close()
        descriptor = os.open(emulated.path, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            with pytest.raises(PortError, match="held by another program"):
                board.connect()
        finally:
            os.close(descriptor)
        board.reconnect(5.0, pause_s=0.05)
        assert works(board, emulated)


def test_20_a_write_that_never_returns_ends_the_link(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        board.set_position("turntable", 0.0)
        emulated.stop_reading(True)
        with pytest.raises(PortLost, match="has taken no byte"):
            board.move({"turntable": 10.0})
        emulated.stop_reading(False)
        emulated.clear_executed()
        assert stays_still(emulated)
        assert ran(emulated) == []
        board.reconnect(5.0, pause_s=0.05)
        assert works(board, emulated)


@pytest.mark.parametrize("has_parser", [True, False])
def test_21_an_emergency_stop_waits_for_no_ok(connect: Connect, has_parser: bool) -> None:
    with connect({} if has_parser else {"no-emergency-parser": 1.0}) as (emulated, board, _):
        board.set_position("turntable", 0.0)
        tickets = [Ticket(f"G1 X{number * 500} F6000", motion_s=60.0) for number in range(1, 30)]
        board.link.submit(tickets)
        emulated.wait_until(lambda truth: truth.planned_moves >= 14, 5.0)
        resets = emulated.truth().resets
        assert board.emergency_stop()
        with pytest.raises(EmergencyStopped):
            board.link.request("M114")
        emulated.wait_until(lambda truth: truth.resets > resets and not truth.is_booting, 5.0)
        assert stays_still(emulated)
        assert emulated.truth().steps["X"] < 29 * 500 * 80
        board.reset()
        assert works(board, emulated)


def test_22_after_a_quick_stop_no_position_is_believed(connect: Connect) -> None:
    with connect({"position-lost-on-quick-stop": 1.0}) as (emulated, board, _):
        board.set_position("turntable", 0.0)
        board.move({"turntable": 3600.0})
        emulated.wait_until(lambda truth: truth.steps["X"] > 1000, 5.0)
        board.quick_stop()
        assert not board.is_homed("turntable")
        assert stays_still(emulated)
        assert works(board, emulated)


def test_23_a_halted_board_is_told_apart_from_an_unplugged_one(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        board.set_position("turntable", 0.0)
        emulated.inject("halt")
        with pytest.raises(BoardHalted, match="halted itself"):
            works(board, emulated)
        emulated.clear_executed()
        assert stays_still(emulated)
        board.reset()
        assert works(board, emulated)


def test_24_silence_without_a_reason_ends_the_job(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        board.set_position("turntable", 0.0)
        emulated.inject("silent-trip")
        with pytest.raises(BoardSilent, match="no answer to line"):
            works(board, emulated)
        emulated.clear_executed()
        assert stays_still(emulated)
        board.reset()
        assert works(board, emulated)


def test_25_a_usb_drop_is_latched_and_a_supervised_reconnect_brings_the_link_back(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        board.set_position("turntable", 0.0)
        tickets = [Ticket(f"G1 X{number} F600", motion_s=0.1) for number in range(100)]
        board.link.submit(tickets)
        emulated.wait_until(lambda truth: truth.planned_moves > 3, 5.0)
        emulated.unplug()
        assert isinstance(wait_for_error(board), PortLost)
        with pytest.raises(PortLost):
            board.move({"turntable": 1.0})
        back = threading.Timer(0.3, emulated.plug_in)
        back.start()
        emulated.clear_executed()
        board.reconnect(10.0, pause_s=0.05)
        back.join()
        assert ran(emulated) == []
        assert not board.is_homed("turntable")
        assert works(board, emulated)


def test_an_unplugged_board_that_stays_away_is_an_error_and_no_hang(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        emulated.unplug()
        wait_for_error(board)
        with pytest.raises(PortError):
            board.reconnect(0.3, pause_s=0.05)


def test_every_row_of_the_document_has_a_fault_on_the_menu_and_a_test(checkout: Path) -> None:
    from firmware_bridge.emulator.faults import MENU

    text = (checkout / "docs/faults.md").read_text(encoding="utf-8")
    rows = {int(line.split("|")[1]) for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()}
    assert rows == set(range(1, 27))
    on_the_menu = {fault.row for fault in MENU.values()} - {0}  # 0: noise of no row
    assert on_the_menu == set(range(1, 26))
    tests = {int(name[5:7]) for name in globals() if name.startswith("test_") and name[5:7].isdigit()}
    assert tests == set(range(1, 26))


def test_nothing_is_left_of_a_link_that_could_not_be_opened(tmp_path: Path) -> None:
    plain_file = tmp_path / "file"
    plain_file.touch()
    with pytest.raises(PortError, match="no usable serial device"):
        Link(plain_file, limits=LIMITS)
