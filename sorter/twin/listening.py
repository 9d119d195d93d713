"""Listening at a Unix socket, where a dead twin may have left one."""

from __future__ import annotations

import errno
import socket
import stat
from typing import TYPE_CHECKING

from sorter.twin.errors import SocketRefused

if TYPE_CHECKING:
    from pathlib import Path

_OTHER = "Name another path, or remove that file."
_PROBE_S = 1.0


def listen_at(path: Path, clients: int) -> socket.socket:
    """A socket that listens at a path; what a dead server left there is replaced.

    Args:
        path: of the socket, for this user only.
        clients: so many may wait to be welcomed.

    Raises:
        SocketRefused: somebody listens there, something else stands there, or the path cannot be used.
    """
    _clear(path)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(clients)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)  # a path that is too long has no errno
        raise SocketRefused(f"{path}: no socket can be made there: {reason}", remedy=_OTHER) from error
    return listener


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise SocketRefused(f"{path} cannot be used: {error.strerror}", remedy=_OTHER) from error
    if not stat.S_ISSOCK(mode):
        raise SocketRefused(f"{path} is there already, and no socket", remedy=_OTHER)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except OSError as error:
            if error.errno == errno.ECONNREFUSED:
                path.unlink(missing_ok=True)
                return
    raise SocketRefused(f"{path}: somebody listens there already", remedy="Name another path, or stop that.")
