"""A test that leaves a thread, a process, a socket or a serial device open behind it fails.

What is left may need a moment to go away, so the check waits a little before it complains.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_GRACE_S = 2.0
_TERMINALS = ("/dev/pts/", "/dev/ptmx", "/dev/tty")
_PR_SET_CHILD_SUBREAPER = 36


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make orphaned grandchildren ours (Linux), so that a daemonised process is seen as well."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _open_descriptors() -> set[str]:
    """Sockets and terminals that this process has open, as ``descriptor target``."""
    found = set()
    for link in Path("/proc/self/fd").glob("*"):
        try:
            target = str(link.readlink())
        except FileNotFoundError:
            continue  # the descriptor of this very listing
        if target.startswith(("socket:", *_TERMINALS)):
            found.add(f"open descriptor {link.name} on {target}")
    return found


def _children() -> set[str]:
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            if child.status() == psutil.STATUS_ZOMBIE:
                continue  # has ended; whoever started it may still fetch its exit code
            if child.pid not in _servants():
                found.add(f"process {child.pid}: {' '.join(child.cmdline())}")
        except psutil.NoSuchProcess:
            continue
    return found


def _servants() -> set[int | None]:
    """Processes that multiprocessing keeps for itself until the end."""
    return {resource_tracker._resource_tracker._pid, forkserver._forkserver._forkserver_pid}


def _threads() -> set[str]:
    return {
        f"thread {thread.name} ({thread.ident})"
        for thread in threading.enumerate()
        if thread.is_alive() and not isinstance(thread, threading._DummyThread)
    }


def _alive() -> set[str]:
    return _threads() | _children() | _open_descriptors()


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compare what is open before and after; fixtures of a wider scope may keep what they opened before."""
    before = _alive()
    yield
    deadline_s = time.monotonic() + _GRACE_S
    leaked = _alive() - before
    if leaked:
        gc.collect()
    while leaked and time.monotonic() < deadline_s:
        time.sleep(0.01)
        leaked = _alive() - before
    if leaked:
        pytest.fail(f"{request.node.nodeid} left behind: {'; '.join(sorted(leaked))}", pytrace=False)
