"""On a pty the board behaves as a port: opening resets it, a pulled cable hangs up, and nothing is left behind."""

import contextlib
import errno
import fcntl
import os
import select
import threading
import time
from pathlib import Path

import pytest

from firmware_bridge.emulator import BoardSettings, EmulatedBoard, FaultPlan

FAST = BoardSettings(boot_s=0.001)
PATIENCE_S = 10.0


class Line:
    """The host's end of the port."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.text = ""

    def write(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, wanted):
        """Return everything that came up to and including `wanted`."""
        deadline_s = time.monotonic() + PATIENCE_S
        while wanted not in self.text:
            assert time.monotonic() < deadline_s, f"{wanted!r} never came, only {self.text!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                self.text += os.read(self.fd, 4096).decode("latin-1")
        end = self.text.index(wanted) + len(wanted)
        got, self.text = self.text[:end], self.text[end:]
        return got

    def ask(self, text):
        self.write(text + "\n")
        return self.read_until("ok\n")

    def close(self):
        os.close(self.fd)


@contextlib.contextmanager
def opened(board):
    line = Line(board.path)
    try:
        line.read_until("M301 P22.20 I1.08 D114.00\n")
        yield line
    finally:
        line.close()


@pytest.fixture
def link(tmp_path):
    return tmp_path / "board"


@pytest.fixture(autouse=True)
def nothing_left_behind():
    descriptors, threads = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    yield
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    assert threading.active_count() == threads


def test_opening_the_port_resets_the_board_each_time(link):
    with EmulatedBoard(FAST, link=link) as board:
        for resets in (1, 2):
            with opened(board) as line:
                assert line.ask("G90") == "ok\n"
                assert board.truth().resets == resets
            board.wait_until(lambda truth: not truth.is_port_open, PATIENCE_S)
        assert [executed.boot for executed in board.executed()] == [1, 2]
    assert not os.path.lexists(link)


def test_a_board_that_runs_long_keeps_no_list_of_what_it_executed():
    with EmulatedBoard(FAST, keeps_executed=False) as board, opened(board) as line:
        for _ in range(3):
            assert line.ask("G90") == "ok\n"
        assert list(board.executed()) == []
        assert board.truth().counters.lines_executed == 3


def test_nothing_is_echoed_and_nothing_is_translated():
    with EmulatedBoard(FAST) as board, opened(board) as line:
        line.write("M118 a\tb\x03\x11\r\n")
        assert line.read_until("ok\n") == "a\tb\x03\x11\nok\n"


def test_the_host_before_leaves_nothing_for_the_next():
    with EmulatedBoard(FAST) as board:
        with opened(board) as line:
            line.write("M115\nM115\n")
            board.wait_until(lambda truth: truth.counters.lines_executed == 2, PATIENCE_S)
        board.wait_until(lambda truth: not truth.is_port_open, PATIENCE_S)
        second = Line(board.path)
        assert second.read_until("start\n") == "start\n"
        second.close()


def test_unplugging_hangs_up_and_takes_the_name_away(link):
    with EmulatedBoard(FAST, link=link) as board, opened(board) as line:
        board.unplug()
        assert not os.path.lexists(link)
        assert select.select([line.fd], [], [], PATIENCE_S)[0]
        assert os.read(line.fd, 100) == b""
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            os.write(line.fd, b"G90\n")
        assert not board.truth().is_port_open
        board.plug_in()
        with opened(board) as again:
            assert again.ask("G90") == "ok\n"


def test_a_board_can_come_back_under_another_name(link):
    other = link.with_name("other")
    with EmulatedBoard(FAST, link=link) as board:
        board.unplug()
        board.plug_in(other)
        assert board.path == other
        assert not os.path.lexists(link)
        with opened(board) as line:
            assert line.ask("G90") == "ok\n"
    assert not os.path.lexists(other)


def test_writes_block_once_the_board_stops_reading():
    with EmulatedBoard(FAST) as board, opened(board) as line:
        board.stop_reading(True)
        assert not select.select([], [line.fd], [], 0.05)[1]
        with pytest.raises(BlockingIOError):
            os.write(line.fd, b"G90\n")
        board.stop_reading(False)
        assert line.ask("G90") == "ok\n"


def test_a_port_that_is_taken_cannot_be_locked():
    with EmulatedBoard(FAST) as board:
        board.take_port(True)
        if os.geteuid():
            with pytest.raises(OSError, match=os.strerror(errno.EBUSY)):
                os.open(board.path, os.O_RDWR | os.O_NOCTTY)
        else:  # root may open what is exclusive, but not lock what is locked
            host = os.open(board.path, os.O_RDWR | os.O_NOCTTY)
            with pytest.raises(BlockingIOError):
                fcntl.flock(host, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(host)
        board.take_port(False)
        with opened(board) as line:
            assert line.ask("G90") == "ok\n"


@pytest.mark.parametrize(("fault", "name"), [("usb-drop", "board"), ("renamed", "board1")])
def test_a_dropped_board_is_back_2_s_later(link, fault, name):
    with EmulatedBoard(FAST, speed=20.0, link=link) as board:
        with opened(board) as line:
            board.inject(fault)
            line.write("G90\n")
            assert select.select([line.fd], [], [], PATIENCE_S)[0]
            assert os.read(line.fd, 100) == b""
            gone_s = board.truth().time_s
        while not os.path.lexists(link.with_name(name)):
            time.sleep(0.005)
        assert board.truth().time_s - gone_s > 1.5
        assert board.path == link.with_name(name)
        with opened(board) as line:
            assert line.ask("G90") == "ok\n"


def test_a_lasting_link_leads_to_a_board_that_came_back_as_another_device(link):
    with EmulatedBoard(FAST, speed=20.0, link=link, is_link_lasting=True) as board:
        with opened(board) as line:
            device = link.readlink()
            board.inject("renamed")
            line.write("G90\n")
            assert select.select([line.fd], [], [], PATIENCE_S)[0]
            while os.path.lexists(link):
                time.sleep(0.001)
        while not os.path.lexists(link):
            time.sleep(0.005)
        assert link.readlink() != device
        with opened(board) as line:
            assert line.ask("G90") == "ok\n"


def test_hang_up_is_ready_to_read_and_gives_nothing_while_the_name_stays(link):
    with EmulatedBoard(FAST, link=link) as board, opened(board) as line:
        board.inject("hang-up")
        line.write("G90\n")
        assert select.select([line.fd], [], [], PATIENCE_S)[0]
        assert os.read(line.fd, 100) == b""
        assert link.is_symlink()
        with opened(board) as again:
            assert again.ask("G90") == "ok\n"


def test_write_blocks_as_a_fault_until_the_port_is_opened_again():
    with EmulatedBoard(FAST) as board:
        with opened(board) as line:
            board.inject("write-blocks")
            line.write("G90\n")
            while select.select([], [line.fd], [], 0.0)[1]:
                time.sleep(0.002)
        board.wait_until(lambda truth: not truth.is_port_open, PATIENCE_S)
        with opened(board) as line:
            assert line.ask("G90") == "ok\n"


def test_port_taken_as_a_fault_lasts_10_s():
    with EmulatedBoard(FAST, FaultPlan({"port-taken": 1.0}), speed=200.0) as board:
        with opened(board):
            pass
        closed_s = board.wait_until(lambda truth: not truth.is_port_open, PATIENCE_S).time_s
        board.wait_until(lambda truth: truth.time_s > closed_s + 15.0, PATIENCE_S)
        with opened(board) as line:
            assert line.ask("G90") == "ok\n"


def test_thousands_of_lines_go_through_at_high_speed(number):
    """1,500 numbered lines in windows of 4, far faster than life; not one is lost or run twice."""
    with EmulatedBoard(FAST, speed=1000.0) as board, opened(board) as line:
        for first in range(1, 1501, 4):
            line.write("".join(number(n, "G90") + "\n" for n in range(first, first + 4)))
            for _ in range(4):
                assert line.read_until("\n") == "ok\n"
        counters = board.truth().counters
    assert (counters.lines_executed, counters.repeated_lines_executed, counters.resends_asked) == (1500, 0, 0)


def test_the_world_can_press_a_switch():
    with EmulatedBoard(FAST) as board, opened(board) as line:
        board.set_endstop("x_min", True)
        assert "x_min: TRIGGERED" in line.ask("M119")
        with pytest.raises(ValueError, match="no endstop 'a_min'"):
            board.set_endstop("a_min", True)


def test_waiting_in_vain_says_what_was_true_at_last():
    with EmulatedBoard(FAST) as board, pytest.raises(TimeoutError, match="is_halted=False"):
        board.wait_until(lambda truth: truth.is_halted, 0.01)


def test_a_real_file_is_never_replaced_by_a_link(link):
    link.write_text("precious")
    with pytest.raises(FileExistsError, match="left alone"), EmulatedBoard(FAST, link=link):
        pass
    assert link.read_text() == "precious"


def test_a_stale_link_is_replaced(link):
    link.symlink_to("/dev/pts/no-such-pty")
    with EmulatedBoard(FAST, link=link) as board, opened(board) as line:
        assert line.ask("G90") == "ok\n"


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(ValueError, match="speed must be above 0"):
        EmulatedBoard(speed=speed)


def test_a_failed_thread_is_loud():
    def explode(*_):
        raise RuntimeError("boom")

    board = EmulatedBoard(FAST, trace=explode)
    board.start()
    line = Line(board.path)
    deadline_s = time.monotonic() + PATIENCE_S
    while any(thread.name == "emulated-board" for thread in threading.enumerate()):
        assert time.monotonic() < deadline_s
        time.sleep(0.002)
    line.close()
    with pytest.raises(RuntimeError, match="thread has failed"):
        board.stop()
