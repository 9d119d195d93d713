"""How long an emergency stop takes to reach the wire, with every queue full.

    .venv/bin/python benchmarks/stop.py [--trials 1000]

Each trial opens a link on a pseudo-terminal whose far end agrees on line numbers and then neither reads nor answers.
Tickets are handed in until kernel and link are full, and a second thread waits to hand in more. Then the clock runs
from the call of ``emergency_stop()`` until M112 has been read at the far end. Further series have a thread beside it
that computes in pure Python all the time: the interpreter lets others run every ``sys.getswitchinterval()`` only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import statistics
import sys
import threading
import time
import tty
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from firmware_bridge.errors import LinkError  # noqa: E402
from firmware_bridge.limits import SessionLimits  # noqa: E402
from firmware_bridge.link import Link, Ticket  # noqa: E402

EVERYTHING = SessionLimits(window_lines=100_000, window_bytes=10_000_000, banner_s=0.001, drain_s=0.001)


def agree(master: int) -> None:
    """Play the board until the link is ready."""
    os.write(master, b"start\n")
    seen = b""
    while b"M110" not in seen or not seen.endswith(b"\n"):
        seen += os.read(master, 4096)
    os.write(master, b"ok\n")
    while not (word := re.search(rb"M118 (q\d+)\*\d+\n", seen)):
        seen += os.read(master, 4096)
    os.write(master, word[1] + b"\nok\n")


def trial() -> tuple[float, Link]:
    """Milliseconds from the call to M112 at the far end; and the link, which is still to be closed."""
    master, slave = os.openpty()
    tty.setraw(slave)
    link = Link(Path(os.ttyname(slave)), limits=EVERYTHING)
    agree(master)
    link.wait_until_ready()
    link.submit([Ticket(f"G1 X{number}", is_repeatable=True) for number in range(1000)])

    def producer() -> None:
        with contextlib.suppress(LinkError):  # the stop
            link.wait_for_room(10)

    waiting = threading.Thread(target=producer)
    waiting.start()
    time.sleep(0.005)
    started_s = time.perf_counter()
    link.emergency_stop()
    seen = b""
    while b"\nM112\n" not in seen:
        seen += os.read(master, 65536)
    taken_ms = (time.perf_counter() - started_s) * 1000
    waiting.join()
    os.close(slave)
    os.close(master)
    return taken_ms, link


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    trials = parser.parse_args().trials
    print(f"{platform.platform()}, Python {platform.python_version()}, {trials} trials each")
    series("full queues", trials)
    is_over = threading.Event()

    def compute() -> None:
        while not is_over.is_set():
            sum(range(1000))

    computing = threading.Thread(target=compute, daemon=True)
    computing.start()
    series(f"full queues, a computing thread, switch interval {sys.getswitchinterval() * 1000:g} ms", trials)
    sys.setswitchinterval(0.0005)
    series(f"full queues, a computing thread, switch interval {sys.getswitchinterval() * 1000:g} ms", trials)
    is_over.set()
    computing.join()


def series(name: str, trials: int) -> None:
    times_ms, links = [], []
    for _ in range(trials):
        taken_ms, link = trial()
        times_ms.append(taken_ms)
        links.append(link)
    for link in links:
        link.close()
    cuts = statistics.quantiles(times_ms, n=100)
    print(f"{name}: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms, worst {max(times_ms):.2f} ms")


if __name__ == "__main__":
    main()
