"""The serial device: whoever holds it is named, what disappears is noticed, and nothing is written elsewhere."""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import pty
import select
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge import errors, transport
from firmware_bridge.errors import BoardError, PortError, PortLost
from firmware_bridge.transport import Transport, UsbDevice, usb_devices


class Terminal:
    """A pseudo-terminal: ``device`` for the transport, ``board`` for what is behind it."""

    def __init__(self) -> None:
        self.board, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.board, False)
        self.device = Path(os.ttyname(self._slave))

    def unplug(self) -> None:
        for descriptor in (self.board, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self.board = self._slave = -1

    def heard(self) -> bytes:
        data = b""
        while select.select([self.board], [], [], 0)[0]:
            data += os.read(self.board, 65536)
        return data


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    if terminal.board >= 0:
        terminal.unplug()


@pytest.fixture
def port(terminal: Terminal) -> Iterator[Transport]:
    port = Transport(terminal.device)
    yield port
    port.close()


def descriptors() -> list[str]:
    with os.scandir("/proc/self/fd") as entries:
        return sorted(entry.name for entry in entries)


def readable(port: Transport) -> bool:
    return bool(select.select([port.descriptor], [], [], 1.0)[0])


def fill(port: Transport) -> None:
    """Write until nothing more goes in; the kernel hands on what it has a moment later, so it is asked again."""
    while port.write(b"x" * 4096) or select.select([], [port.descriptor], [], 0.05)[1]:
        pass


def test_every_byte_goes_through_unchanged_both_ways(terminal: Terminal, port: Transport) -> None:
    everything = bytes(range(256))
    assert port.write(everything) == 256
    assert terminal.heard() == everything
    os.write(terminal.board, everything)
    data = b""
    while len(data) < 256 and readable(port):
        data += port.read()
    assert data == everything


@pytest.mark.parametrize("baud_rate", [115_200, 250_000])
def test_the_board_is_spoken_to_at_its_own_speed(terminal: Terminal, baud_rate: int) -> None:
    port = Transport(terminal.device, baud_rate)
    assert port.baud_rate == baud_rate
    port.close()


def test_a_missing_device_is_named(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="ttyUSB7 does not exist") as refusal:
        Transport(tmp_path / "ttyUSB7")
    assert "board ports" in refusal.value.remedy


def test_a_link_that_leads_nowhere_is_a_missing_device(tmp_path: Path) -> None:
    (tmp_path / "board").symlink_to("ttyUSB7")
    with pytest.raises(PortError, match="board does not exist"):
        Transport(tmp_path / "board")


def test_a_board_is_found_through_its_lasting_name(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "board").symlink_to(terminal.device)
    port = Transport(tmp_path / "board")
    assert port.write(b"hello") == 5
    port.close()
    assert terminal.heard() == b"hello"


@pytest.mark.parametrize("name", ["file", "."])
def test_what_is_no_serial_device_is_refused_and_left_closed(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("precious")
    before = descriptors()
    with pytest.raises(PortError, match="no usable serial device"):
        Transport(tmp_path / name)
    assert (tmp_path / "file").read_text() == "precious"
    assert descriptors() == before


@pytest.mark.parametrize("baud_rate", [-1, 10**12])
def test_a_speed_that_no_device_has_is_named(terminal: Terminal, baud_rate: int) -> None:
    before = descriptors()
    with pytest.raises(PortError, match=str(baud_rate)):
        Transport(terminal.device, baud_rate)
    assert descriptors() == before


HOLDER = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_whoever_holds_the_device_is_named(terminal: Terminal) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(terminal.device)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        before = descriptors()
        with pytest.raises(PortError, match=rf"held by another program \(pid {holder.pid}: python") as refusal:
            Transport(terminal.device)
        assert descriptors() == before
        holder.communicate()
    assert "ModemManager" in refusal.value.remedy
    Transport(terminal.device).close()  # and once it has let go, the device is ours


def test_two_programs_never_share_one_board(terminal: Terminal, port: Transport) -> None:
    with pytest.raises(PortError, match="held by another program"):
        Transport(terminal.device)
    assert port.write(b"still mine") == 10


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_missing_permission_is_told_with_the_way_out(terminal: Terminal, tmp_path: Path) -> None:
    terminal.device.chmod(0)
    with pytest.raises(PortError, match="permission denied") as refusal:
        Transport(terminal.device)
    assert "dialout" in refusal.value.remedy
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    with pytest.raises(PortError, match="permission denied"):
        Transport(locked / "ttyUSB0")


def test_a_missing_permission_is_told_whoever_runs_the_test(tmp_path: Path) -> None:
    error = transport._port_error(tmp_path / "ttyUSB0", 250_000, PermissionError(13, "Permission denied"))
    assert "permission denied" in error.message
    assert "dialout" in error.remedy


def test_an_unplugged_board_is_noticed_while_reading(terminal: Terminal, port: Transport) -> None:
    terminal.unplug()
    assert readable(port)
    with pytest.raises(PortLost, match=str(port.device)):
        port.read()


def test_an_unplugged_board_is_noticed_while_writing(terminal: Terminal, port: Transport) -> None:
    terminal.unplug()
    with pytest.raises(PortLost, match=f"{port.device} is gone"):
        port.write(b"M105\n")
    assert not port.write_at_once(b"M112\n")


def test_somebody_else_who_reads_from_the_board_is_noticed(terminal: Terminal, port: Transport) -> None:
    thief = os.open(terminal.device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    os.write(terminal.board, b"ok\n")
    assert readable(port)
    assert os.read(thief, 100) == b"ok\n"
    os.close(thief)
    with pytest.raises(PortLost, match="another program reads it") as loss:
        port.read()
    assert "brltty" in loss.value.remedy


def test_a_board_that_takes_nothing_does_not_stop_the_program(terminal: Terminal, port: Transport) -> None:
    fill(port)
    assert port.write(b"more") == 0
    terminal.heard()
    assert port.write(b"more") > 0


def test_the_emergency_stop_is_written(terminal: Terminal, port: Transport) -> None:
    assert port.write_at_once(b"\nM112\n")
    assert terminal.heard().endswith(b"\nM112\n")


def test_an_emergency_stop_never_waits_for_a_full_buffer(terminal: Terminal, port: Transport) -> None:
    fill(port)
    was_written = port.write_at_once(b"\nM112\n")
    assert terminal.heard().endswith(b"\nM112\n") == was_written
    assert port.write_at_once(b"\nM112\n")  # the next try comes through
    assert terminal.heard().endswith(b"\nM112\n")


def test_a_late_emergency_stop_writes_into_nobody_elses_file(terminal: Terminal, tmp_path: Path) -> None:
    port = Transport(terminal.device)
    number = port.descriptor
    port.close()
    with (tmp_path / "precious").open("wb", buffering=0) as precious:
        stranger = precious.fileno()
        if stranger != number:
            os.dup2(stranger, number)
        try:
            assert not port.write_at_once(b"M112\n")
            for use in (port.read, lambda: port.write(b"G1 X1\n"), port.reset_board):
                with pytest.raises(PortLost):
                    use()
        finally:
            if stranger != number:
                os.close(number)
    assert (tmp_path / "precious").read_bytes() == b""


def test_closing_twice_closes_nobody_elses_file(terminal: Terminal, tmp_path: Path) -> None:
    port = Transport(terminal.device)
    port.close()
    with (tmp_path / "precious").open("wb", buffering=0) as precious:
        port.close()
        assert precious.write(b"data") == 4
    assert port.descriptor == -1


def test_a_board_without_a_reset_line_is_closed_and_opened_again(
    terminal: Terminal, port: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_DTR_LOW_S", 0.0)
    before = len(descriptors())
    port.reset_board()
    assert len(descriptors()) == before
    assert port.write(b"again") == 5
    assert terminal.heard().endswith(b"again")


def test_a_board_that_is_gone_when_it_is_reset_is_told(
    terminal: Terminal, port: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_DTR_LOW_S", 0.0)
    terminal.unplug()
    with pytest.raises((PortError, PortLost), match=str(port.device)):
        port.reset_board()
    assert not port.write_at_once(b"M112\n")


def test_nothing_is_left_of_the_line_discipline_that_echoes_or_translates(terminal: Terminal, port: Transport) -> None:
    flags = termios.tcgetattr(port.descriptor)
    assert not flags[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
    assert not flags[1] & termios.OPOST
    assert not flags[0] & (termios.IXON | termios.ICRNL)


def test_this_very_system_can_be_asked_for_its_devices() -> None:
    devices = usb_devices()
    assert all(isinstance(device, UsbDevice) for device in devices)
    assert devices == sorted(devices, key=lambda device: str(device.device))


# --- errors ----------------------------------------------------------------------------------------------------------

ALL_ERRORS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BoardError)),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_an_error_says_the_same_in_another_process(kind: type[BoardError]) -> None:
    error = kind("what happened", remedy="what to do")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is kind
        assert str(twin) == "what happened\nwhat to do"
        assert twin.as_dict() == {"kind": kind.__name__, "message": "what happened", "remedy": "what to do"}
    assert kind("only this").remedy
    assert getattr(error, "errno", None) is None  # no message in the place of an error number
