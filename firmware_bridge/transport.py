"""The serial device: open, read, write, reset. The only file that imports ``serial``.

Reads and writes go straight to the non-blocking descriptor, so that the link's thread can wait for bytes and for
commands at once, and so that an emergency stop never meets a lock of pyserial's.
"""

from __future__ import annotations

import errno
import os
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import serial
from serial.tools import list_ports

from firmware_bridge.errors import PortError, PortLost

_DTR_LOW_S = 0.25  # as Arduino's own tools hold it; the capacitor on the board needs a clean edge

_SEEN_OPEN_S = 0.05  # what is behind a pseudo-terminal needs a moment to see that it was opened


@dataclass(frozen=True)
class UsbDevice:
    """A serial device on USB as the system describes it; ids are None for a device that is not on USB."""

    device: Path
    vendor_id: int | None
    product_id: int | None
    description: str


def usb_devices() -> list[UsbDevice]:
    """All serial devices that the system knows to have hardware behind them, sorted by name."""
    found = [UsbDevice(Path(port.device), port.vid, port.pid, port.description or "") for port in list_ports.comports()]
    return sorted(found, key=lambda device: str(device.device))


class Transport:
    """An open serial device. Opening it pulls DTR, which resets most boards.

    Args:
        device: such as ``/dev/ttyUSB0``, or a link to it.
        baud_rate: bits per second.

    Raises:
        PortError: it does not exist, is no serial device, is held by somebody else, or is not ours to open.
    """

    def __init__(self, device: Path, baud_rate: int = 250_000) -> None:
        self.device = device
        self.baud_rate = baud_rate
        self._serial = self._open()
        self._descriptor = self._serial.fileno()

    @property
    def descriptor(self) -> int:
        """The file descriptor, for ``select``."""
        return self._descriptor

    def _open(self) -> serial.Serial:
        try:
            port = serial.Serial(str(self.device), self.baud_rate, timeout=0, write_timeout=0, exclusive=True)
        except (serial.SerialException, OSError, ValueError, OverflowError, termios.error) as error:
            raise _port_error(self.device, self.baud_rate, error) from error
        os.set_blocking(port.fileno(), False)
        return port

    def read(self) -> bytes:
        """What has arrived; to be called when ``select`` finds the descriptor readable.

        Raises:
            PortLost: the device is gone, or somebody else has taken what was there.
        """
        try:
            data = os.read(self._descriptor, 4096)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(error) from error
        if not data:  # readable, yet nothing there: unplugged, or somebody else reads from the device as well
            raise PortLost(
                f"{self.device} is ready to be read but gives nothing: it was unplugged, or another program reads it",
                remedy="Check the cable, stop other programs that use the port (ModemManager, brltty), and reconnect.",
            )
        return data

    def write(self, data: bytes) -> int:
        """Write what fits now and return how many bytes that was. Raises PortLost if the device is gone."""
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._lost(error) from error

    def write_at_once(self, data: bytes) -> bool:
        """Drop what the kernel has not sent and write ``data`` instead; for the emergency stop.

        Takes no lock, never waits, may be called from any thread. False if not all of it could be written, such as
        after ``close``.
        """
        try:
            termios.tcflush(self._descriptor, termios.TCOFLUSH)
            return os.write(self._descriptor, data) == len(data)
        except (OSError, ValueError, termios.error):  # ValueError: closed, the descriptor is negative
            return False

    def reset_board(self) -> None:
        """Pulse DTR, or, where the device has no such line, close and open it again. Takes about 0.3 s.

        Raises:
            PortError: it could not be opened again.
            PortLost: the device is gone or was closed.
        """
        if self._descriptor < 0:
            raise PortLost(f"{self.device} is closed")
        if self._has_dtr():
            try:
                self._serial.dtr = False
                time.sleep(_DTR_LOW_S)
                self._serial.dtr = True
            except OSError as error:
                raise self._lost(error) from error
        else:
            self.close()
            time.sleep(_DTR_LOW_S)
            self._serial = self._open()
            self._descriptor = self._serial.fileno()
            time.sleep(_SEEN_OPEN_S)

    def _has_dtr(self) -> bool:
        try:
            return self._serial.cts in (True, False)  # whatever it says: the modem lines can be read
        except OSError as error:
            return error.errno not in (errno.ENOTTY, errno.EINVAL)  # a pseudo-terminal has none

    def close(self) -> None:
        """Close the device; more than once is harmless."""
        self._descriptor = -1  # an emergency stop from now on must not reach whatever gets this number next
        self._serial.close()

    def _lost(self, error: OSError) -> PortLost:
        return PortLost(f"{self.device} is gone: {error.strerror or error}")


def _port_error(device: Path, baud_rate: int, error: Exception) -> PortError:
    number = getattr(error, "errno", None)
    if number == errno.EACCES:
        return PortError(
            f"{device}: permission denied",
            remedy="Join the group that owns it (Debian: sudo usermod -aG dialout $USER, then log in again).",
        )
    if number == errno.ENOENT or not device.exists():
        return PortError(f"{device} does not exist")
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "exclusively lock" in str(error):
        return PortError(
            f"{device} is held by another program{_holders(device)}",
            remedy="Stop that program (another sorter, OctoPrint, a serial monitor, ModemManager) and try again.",
        )
    if isinstance(error, ValueError | OverflowError) or "baud" in str(error).lower():
        return PortError(f"{device} does not take {baud_rate} bits per second: {error}")
    return PortError(f"{device} is no usable serial device: {error}")


def _holders(device: Path) -> str:
    """`` (pid 123: octoprint)``, as far as /proc shows it to us."""
    target, found = device.resolve(), set()
    for process in os.listdir("/proc"):  # noqa: PTH208  (Path.glob fails when a process ends under it)
        if not process.isdecimal() or int(process) == os.getpid():
            continue
        folder = Path("/proc") / process
        try:
            if any(descriptor.readlink() == target for descriptor in (folder / "fd").iterdir()):
                found.add(f"pid {process}: {(folder / 'comm').read_text(encoding='utf-8').strip()}")
        except (OSError, UnicodeDecodeError):  # ended, or not ours to look at
            continue
    return f" ({', '.join(sorted(found))})" if found else ""
