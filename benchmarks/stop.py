"""How long an emergency stop takes to reach the wire, with every queue full.

    .venv/bin/python benchmarks/stop.py [--trials 1000]

The far end of the wire is a process of its own, which agrees on line numbers and then takes every byte at once, as a
UART does, and answers nothing. In each trial a thousand lines are handed in, so that as many are in flight as may be
and the rest are queued, and a second thread waits to hand in more. The clock runs from the call of ``emergency_stop()``
until the far end has M112. Further series have a thread beside the caller that computes in pure Python all the time:
the interpreter lets others run every ``sys.getswitchinterval()`` only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import statistics
import subprocess
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

LIMITS = SessionLimits(banner_s=0.001, drain_s=0.001)


# --- the far end ---------------------------------------------------------------------------------------------------


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


def far_end() -> None:
    """Trial by trial: make a pty, agree, take what comes, and say when the stop came."""
    while sys.stdin.readline():
        master, slave = os.openpty()
        tty.setraw(slave)
        print(os.ttyname(slave), flush=True)
        sys.stdin.readline()  # the host has opened it
        agree(master)
        seen = b""
        while b"\nM112\n" not in seen:
            seen += os.read(master, 65536)
        print(time.monotonic_ns(), flush=True)
        os.close(slave)
        os.close(master)


# --- the host ------------------------------------------------------------------------------------------------------


def trial(end: subprocess.Popen[str]) -> tuple[float, Link]:
    """Milliseconds from the call to M112 at the far end; and the link, which is still to be closed."""
    assert end.stdin is not None
    assert end.stdout is not None
    print("new", file=end.stdin, flush=True)
    link = Link(Path(end.stdout.readline().strip()), limits=LIMITS)
    print("opened", file=end.stdin, flush=True)
    link.wait_until_ready()
    link.submit([Ticket(f"G1 X{number}", is_repeatable=True) for number in range(1000)])

    def producer() -> None:
        with contextlib.suppress(LinkError):  # the stop
            link.wait_for_room(10)

    waiting = threading.Thread(target=producer)
    waiting.start()
    time.sleep(0.005)
    started_ns = time.monotonic_ns()
    link.emergency_stop()
    arrived_ns = int(end.stdout.readline())
    waiting.join()
    return (arrived_ns - started_ns) / 1e6, link


def series(name: str, trials: int) -> None:
    command = [sys.executable, __file__, "--far-end"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as end:
        results = [trial(end) for _ in range(trials)]
        for _, link in results:
            link.close()
        assert end.stdin is not None
        end.stdin.close()
    times_ms = [taken_ms for taken_ms, _ in results]
    cuts = statistics.quantiles(times_ms, n=100)
    print(f"{name}: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms, worst {max(times_ms):.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--far-end", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.far_end:
        far_end()
        return
    trials = options.trials
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


if __name__ == "__main__":
    main()
