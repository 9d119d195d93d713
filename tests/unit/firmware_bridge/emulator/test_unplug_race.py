"""Pulling the plug is safe at any moment, from any thread."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.emulator.pty_server import EmulatedBoard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def restless_interpreter() -> Iterator[None]:
    """Threads take turns as often as they can, and there are more of them, so that what can race does."""
    interval_s, is_over = sys.getswitchinterval(), threading.Event()

    def spin() -> None:
        while not is_over.is_set():
            sum(range(50))

    threads = [threading.Thread(target=spin) for _ in range(2)]
    sys.setswitchinterval(1e-5)
    for thread in threads:
        thread.start()
    yield
    is_over.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval_s)


@pytest.mark.usefixtures("restless_interpreter")
def test_the_board_survives_being_unplugged_at_any_moment(tmp_path: Path) -> None:
    with EmulatedBoard(link=tmp_path / "board", speed=100.0) as board:
        for turn in range(200):
            host = os.open(board.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            os.write(host, b"M114\n" * 10)
            time.sleep(0.002 * (turn % 3))
            board.unplug()
            os.close(host)
            board.plug_in()
