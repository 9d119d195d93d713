"""An emulated board on a pty, and a Board of the host's that is connected to it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.axes import Axis
from firmware_bridge.board import Board
from firmware_bridge.emulator.faults import FaultPlan
from firmware_bridge.emulator.pty_server import EmulatedBoard
from firmware_bridge.emulator.settings import BoardSettings
from firmware_bridge.limits import SessionLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

TABLE = Axis("turntable", "X", "deg", steps_per_unit=80.0, max_speed=360.0, acceleration=3600.0)
CHUTE = Axis(
    "chute",
    "Y",
    "deg",
    steps_per_unit=80.0,
    max_speed=180.0,
    acceleration=1800.0,
    minimum=0.0,
    maximum=270.0,
    home_position=0.0,
)
# A tenth of a second to boot, and waits that fit a board whose clock runs ten times as fast.
SETTINGS = BoardSettings(boot_s=1.0)
LIMITS = SessionLimits(margin_s=0.6, busy_s=1.0, query_s=0.3, start_s=1.0, banner_s=0.1)

Connected = tuple[EmulatedBoard, Board, list[str]]


@contextmanager
def connected(
    link: Path,
    faults: dict[str, float] | None = None,
    *,
    settings: BoardSettings = SETTINGS,
    limits: SessionLimits = LIMITS,
    speed: float = 10.0,
) -> Iterator[Connected]:
    """A board that is connected and a list that collects its notes."""
    notes: list[str] = []
    with EmulatedBoard(settings, FaultPlan(faults or {}), seed=1, speed=speed, link=link) as emulated:
        board = Board([TABLE, CHUTE], port=str(link), limits=limits, on_note=notes.append)
        try:
            board.connect()
            yield emulated, board, notes
        finally:
            board.close()


@pytest.fixture
def connect(tmp_path: Path) -> Callable[..., AbstractContextManager[Connected]]:
    """``with connect({"ok-lost": 0.1}) as (emulated, board, notes)``."""
    return lambda faults=None, **options: connected(tmp_path / "board", faults, **options)
