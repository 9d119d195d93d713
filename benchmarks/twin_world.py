"""What the twin's world costs beside its board, by turns in one run: CPU of the board's thread, without a camera.

    .venv/bin/python benchmarks/twin_world.py [--seconds 8] [--speeds 1 20]

A host feeds, turns the table and the chute through four views, pushes and turns back, without a pause.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from firmware_bridge.axes import Axis  # noqa: E402
from firmware_bridge.board import Board  # noqa: E402
from firmware_bridge.emulator import EmulatedBoard  # noqa: E402
from firmware_bridge.limits import SessionLimits  # noqa: E402
from sorter.twin.around import Around  # noqa: E402
from sorter.twin.board import twin_board  # noqa: E402
from sorter.twin.world import World  # noqa: E402
from sorter.types.twin import TwinParts  # noqa: E402
from tests.twins import PARK_DEG, PUSH_DEG, Blocks, Notes, twin_settings  # noqa: E402

TABLE = Axis("turntable", "Y", "deg", 44.444, max_speed=360.0, acceleration=1440.0)
CHUTE = Axis("chute", "X", "deg", 17.778, 360.0, 1440.0, minimum=-15.0, maximum=350.0, home_position=-15.0)
PATIENT = SessionLimits(margin_s=5.0, busy_s=5.0, query_s=5.0, start_s=5.0, banner_s=0.1)
IDLE_S = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--speeds", type=float, nargs="+", default=[1.0, 20.0])
    options = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print("| speed | world | board's thread, of a core | idle with a host | idle without | cycles/s | parts dropped |")
    print("|---|---|---|---|---|---|---|")
    for speed in options.speeds:
        for has_world in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                print(line(Path(folder), speed, options.seconds, has_world=has_world), flush=True)


def line(folder: Path, speed: float, seconds: float, *, has_world: bool) -> str:
    settings = twin_settings(folder, speed=speed, parts=TwinParts(1_000_000, ("3001",)))
    how, notes = twin_board(settings), Notes()
    around = Around(how, World(settings, Blocks(), notes)) if has_world else None
    with EmulatedBoard(how.settings, speed=speed, link=folder / "port", surroundings=around):
        alone = idle()
        with Board([TABLE, CHUTE], port=str(folder / "port"), limits=PATIENT) as board:
            board.servo(0, PARK_DEG)
            board.home("chute")
            board.set_position("turntable", 0.0)
            with_host = idle()
            begun_s, cpu_s, cycles = time.monotonic(), thread_cpu_s(), 0
            while time.monotonic() < begun_s + seconds:
                cycle(board, speed)
                cycles += 1
            took_s, cpu_s = time.monotonic() - begun_s, thread_cpu_s() - cpu_s
    drops = len(notes.of("dropped"))
    return (
        f"| {speed:g} | {'yes' if has_world else 'no'} | {cpu_s / took_s:.1%} | {with_host:.1%} | {alone:.1%} "
        f"| {cycles / took_s:.2f} | {drops} |"
    )


def cycle(board: Board, speed: float) -> None:
    """One part's way, seen from the board."""
    board.fan(0, 160)
    time.sleep(0.4 / speed)
    board.fan(0, 0)
    for view_deg in (90.0, 180.0, 270.0, 360.0):
        board.move({"turntable": view_deg, "chute": view_deg * 0.9})
        board.wait()
        time.sleep(0.1 / speed)
    board.servo(0, PUSH_DEG)
    time.sleep(0.05 / speed)
    board.servo(0, PARK_DEG)
    time.sleep(0.2 / speed)
    board.move({"turntable": 0.0})
    board.wait()


def idle() -> float:
    """Share of a core that the whole process takes while nothing happens."""
    cpu_s = time.process_time()
    time.sleep(IDLE_S)
    return (time.process_time() - cpu_s) / IDLE_S


def thread_cpu_s() -> float:
    """CPU seconds of the board's thread so far."""
    (thread,) = [each for each in threading.enumerate() if each.name == "emulated-board"]
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


if __name__ == "__main__":
    main()
