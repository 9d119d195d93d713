"""The pty under an emulated board: made raw, named by a link, watched for a host that opens and closes it.

The server keeps no slave end open: on Linux the master then reports a hang-up for as long as no host has the port, and
the terminal settings stay with the pty as long as the master lives.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import termios
import tty
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIX = ".new"
_READ_BYTES = 4096


class Port:
    """One pty at a time, and the link to it. Not for several threads at once."""

    def __init__(self) -> None:
        self.master: int | None = None
        self._link: Path | None = None
        self._device = ""
        self._taken: int | None = None
        self._poll = select.poll()

    @property
    def path(self) -> Path:
        """What a host opens: the link where there is one, else the pty itself."""
        return self._link or Path(self._device)

    def open(self, link: Path | None, *, is_elsewhere: bool = False) -> None:
        """Make a new pty and point `link` at it; `is_elsewhere`: without a link, not under the last device's name.

        Raises:
            FileExistsError: something that is not a symbolic link stands where `link` should be.

        """
        self.close()
        master, slave = os.openpty()
        if is_elsewhere and os.ttyname(slave) == self._device:
            occupied = (master, slave)
            master, slave = os.openpty()
            for descriptor in occupied:
                os.close(descriptor)
        try:
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._device = os.ttyname(slave)
            self._link = link
            self._point_link()
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)
        self.master = master
        self._poll = select.poll()
        self._poll.register(master, 0)  # a hang-up is always told

    def close(self, *, keeps_link: bool = False) -> None:
        """Close the master, which hangs up on a host, and remove the link."""
        if self.master is None:
            return
        self.take(is_taken=False)
        if not keeps_link:
            self._remove_link()
        os.close(self.master)
        self.master = None

    def is_host_there(self) -> bool:
        """Whether anybody has the slave end open."""
        if self.master is None or self._taken is not None:
            return False
        return not any(events & select.POLLHUP for _, events in self._poll.poll(0))

    def read(self) -> bytes:
        """Return what the host has written, or nothing: there is none, or the host is gone."""
        if self.master is None:
            return b""
        try:
            return os.read(self.master, _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""

    def write(self, data: bytes) -> bytes:
        """Write to the host; return what it did not take."""
        if self.master is None:
            return b""
        try:
            return data[os.write(self.master, data) :]
        except BlockingIOError:
            return data
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""

    def clean(self) -> None:
        """Make the pty as new for the next host: raw, nothing left in it, nothing held back."""
        with self._slave() as slave:
            if slave is not None:
                termios.tcflow(slave, termios.TCOON)
                tty.setraw(slave, termios.TCSANOW)
                termios.tcflush(slave, termios.TCIOFLUSH)
        while self.read():
            pass

    def hold_back(self, *, is_held: bool) -> None:
        """Let the host's writes block, or go on."""
        with self._slave() as slave:
            if slave is not None:
                termios.tcflow(slave, termios.TCOOFF if is_held else termios.TCOON)

    def take(self, *, is_taken: bool) -> None:
        """Hold the slave end as another program would, with TIOCEXCL and a lock; or give it back."""
        if is_taken and self._taken is None and self.master is not None:
            self._taken = os.open(self._device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._taken, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.ioctl(self._taken, termios.TIOCEXCL)
        elif not is_taken and self._taken is not None:
            fcntl.ioctl(self._taken, termios.TIOCNXCL)
            os.close(self._taken)
            self._taken = None

    @contextlib.contextmanager
    def _slave(self) -> Iterator[int | None]:
        """Open the slave end for a moment; None: somebody holds it for himself."""
        try:
            slave = os.open(self._device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in {errno.EBUSY, errno.EIO, errno.ENOENT}:
                raise
            yield None
            return
        try:
            yield slave
        finally:
            os.close(slave)

    def _point_link(self) -> None:
        link = self._link
        if link is None:
            return
        if os.path.lexists(link) and not link.is_symlink():
            raise FileExistsError(f"{link} is a real file, not a link to a port: it is left alone; choose another name")
        new = link.with_name(link.name + _SUFFIX)
        new.unlink(missing_ok=True)
        new.symlink_to(self._device)
        new.replace(link)

    def _remove_link(self) -> None:
        link = self._link
        if link is not None and link.is_symlink() and str(link.readlink()) == self._device:
            link.unlink()
