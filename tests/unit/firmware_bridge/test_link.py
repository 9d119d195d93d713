"""The link's thread and latch, over a real pseudo-terminal."""

from __future__ import annotations

import os
import threading
import time
import tty
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.errors import EmergencyStopped, LinkClosed, LinkError, PortLost, Refused
from firmware_bridge.link import Link, Ticket
from tests.boards import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.boards import Connected

    Connect = Callable[..., AbstractContextManager[Connected]]


@pytest.fixture
def deaf() -> Iterator[tuple[int, Path]]:
    """A device behind which nobody answers: the far end's descriptor, and the device."""
    from pathlib import Path

    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, Path(os.ttyname(slave))
    os.close(master)
    os.close(slave)


def test_closing_ends_the_thread_and_whoever_waits(deaf: tuple[int, Path]) -> None:
    link = Link(deaf[1], limits=LIMITS)
    ticket = link.send("G1 X1")
    errors: list[LinkError] = []

    def waiter() -> None:
        try:
            link.wait(ticket)
        except LinkError as error:
            errors.append(error)

    thread = threading.Thread(target=waiter)
    thread.start()
    link.close()
    thread.join(5.0)
    assert isinstance(errors[0], LinkClosed)
    link.close()
    with pytest.raises(LinkClosed):
        link.send("G1 X2")
    with pytest.raises(LinkClosed):
        link.wait_for_room(1)


def test_an_emergency_stop_is_on_the_wire_when_the_call_returns(deaf: tuple[int, Path]) -> None:
    master, device = deaf
    link = Link(device, limits=LIMITS)
    assert link.emergency_stop()
    os.set_blocking(master, False)
    written, until_s = b"", time.monotonic() + 1.0
    while b"\nM112\n" not in written and time.monotonic() < until_s:
        try:
            written += os.read(master, 4096)
        except BlockingIOError:
            time.sleep(0.001)
    assert written.startswith(b"\nM112\nN"), "bare behind a newline first, then with number and checksum"
    assert isinstance(link.error, EmergencyStopped)
    with pytest.raises(EmergencyStopped):
        link.send("G1 X1")
    link.close()


def test_after_a_stop_nothing_but_the_stop_was_written(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        board.set_position("turntable", 0.0)
        board.link.submit([Ticket(f"G1 X{number} F60", motion_s=60.0) for number in range(100)])
        emulated.wait_until(lambda truth: truth.planned_moves > 10, 5.0)
        log = board.link.log
        board.emergency_stop()
        ran = [done.text for done in emulated.executed()]
        written = [entry.data for entry in log.entries() if entry.is_sent]
        emulated.wait_until(lambda truth: truth.resets > 1, 5.0)
        # What had reached the board before the stop may still begin until it reads M112.
        after = [done.text for done in emulated.executed()][len(ran) :]
        begun = [text for text in after if text != "M112"]
        assert all(any(f" {text}*".encode() in data for data in written) for text in begun)
        assert len(begun) <= 4  # the board's own queue of lines


def test_stopping_a_closed_link_writes_nowhere(deaf: tuple[int, Path], tmp_path: Path) -> None:
    link = Link(deaf[1], limits=LIMITS)
    link.close()
    innocent = (tmp_path / "file").open("wb")  # may well get the number that the port had
    with innocent:
        assert not link.emergency_stop()
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("text", ["M118 ok", "M118 start", "M118 Resend: 5", "M118 echo:busy: processing", "M118 wait"])
def test_nobody_can_make_the_board_imitate_itself(deaf: tuple[int, Path], text: str) -> None:
    with pytest.raises(Refused, match="only the firmware"):
        Ticket(text)
    assert Ticket("M118 hello").text == "M118 hello"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_the_callers_own_code_is_loud_and_ends_the_link(deaf: tuple[int, Path]) -> None:
    def broken(text: str) -> None:
        raise RuntimeError(f"cannot show {text}")

    link = Link(deaf[1], limits=LIMITS, on_note=broken)
    with pytest.raises(LinkError, match="thread failed: RuntimeError"):
        link.wait_until_ready()
    link.close()


def test_a_log_file_holds_both_directions_and_can_be_read_back(connect: Connect, tmp_path: Path) -> None:
    from firmware_bridge.wirelog import read_log

    with connect() as (_, board, _):
        device = board.link.device
        board.close()
        log = tmp_path / "wire.log"
        link = Link(device, limits=LIMITS, log_file=log)
        link.wait_until_ready()
        link.request("M114")
        link.close()
    entries = list(read_log(log))
    assert any(entry.is_sent and b"M114" in entry.data for entry in entries)
    assert any(not entry.is_sent and b" Count " in entry.data for entry in entries)


def test_a_device_that_goes_away_while_nobody_speaks_is_noticed(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        emulated.unplug()
        until_s = time.monotonic() + 5.0
        while board.error is None and time.monotonic() < until_s:
            time.sleep(0.005)
        assert isinstance(board.error, PortLost)


def test_many_threads_can_share_a_link(connect: Connect) -> None:
    with connect() as (emulated, board, _):
        link, texts = board.link, [[f"M42 P4 S{thread * 20 + number}" for number in range(15)] for thread in range(4)]
        threads = [threading.Thread(target=lambda mine=mine: [link.request(text) for text in mine]) for mine in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20.0)
        ran = [done.text for done in emulated.executed() if done.text.startswith("M42")]
        assert sorted(ran) == sorted(text for mine in texts for text in mine)
        for mine in texts:
            assert [text for text in ran if text in mine] == mine, "each thread's own order is kept"
