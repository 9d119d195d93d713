"""This link against printcore (PyPI: Printrun) on one emulated board: lines per second, and host CPU per line.

    .venv/bin/python benchmarks/link.py [--lines 5000] [--rounds 5]

Both stream the same short absolute moves over the same pseudo-terminal, by turns, each run in a process of its own, so
that CPU seconds are the host's alone. Printrun is fetched into a temporary environment, without its window toolkit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

OURS = """
import json, sys, time
from pathlib import Path
from firmware_bridge.link import Link, Ticket
link = Link(Path(sys.argv[1]))
link.wait_until_ready()
lines = [line for line in Path(sys.argv[2]).read_text().splitlines() if line]
cpu_s, started_s = time.process_time(), time.perf_counter()
for start in range(0, len(lines), 32):
    link.wait_for_room(32)
    tickets = [Ticket(line, is_repeatable=True, motion_s=0.01) for line in lines[start : start + 32]]
    link.submit(tickets)
link.wait(tickets[-1])
seconds, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
link.close()
print(json.dumps({"lines": len(lines), "seconds": seconds, "cpu_s": cpu_s}))
"""

PRINTCORE = """
import json, logging, sys, time
from pathlib import Path
from printrun import gcoder
from printrun.printcore import printcore
core = printcore()
core.loud = False
core.connect(sys.argv[1], 250000)
while not core.online:
    time.sleep(0.01)
lines = [line for line in Path(sys.argv[2]).read_text().splitlines() if line]
code = gcoder.LightGCode(lines)
time.sleep(0.5)
cpu_s, started_s = time.process_time(), time.perf_counter()
core.startprint(code)
while core.printing:
    time.sleep(0.005)
seconds, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
core.disconnect()
print(json.dumps({"lines": len(lines), "seconds": seconds, "cpu_s": cpu_s}))
"""


def short_moves(count: int) -> str:
    """Moves of 0.1 mm back and forth, 8 steps each at 80 steps per mm: shorter than the work that a line costs."""
    return "".join(f"G1 X{abs((number % 200) - 100) / 10:g} F12000\n" for number in range(100, 100 + count))


def environment_with_printrun(folder: Path) -> Path:
    """A Python that has printcore."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "Printrun", "pyserial"], check=True)
    return python


def run_once(python: Path, code: str, moves: Path, folder: Path) -> dict[str, float]:
    """One run against a board of its own, in a process of its own."""
    link = folder / "board"
    command = [sys.executable, "-m", "firmware_bridge.emulator", "--link", str(link)]
    board = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert board.stdout is not None
        board.stdout.readline()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [python, "-c", code, link, moves], env=environment, capture_output=True, text=True, timeout=300, check=True
        )
        result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return result
    finally:
        board.terminate()
        board.wait()
        board.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        moves = folder / "moves.gcode"
        moves.write_text(short_moves(options.lines), encoding="ascii")
        other = environment_with_printrun(folder / "printrun")
        runs: dict[str, list[dict[str, float]]] = {"this link": [], "printcore": []}
        for _ in range(options.rounds):
            runs["this link"].append(run_once(Path(sys.executable), OURS, moves, folder))
            runs["printcore"].append(run_once(other, PRINTCORE, moves, folder))
            rates = {who: f"{each[-1]['lines'] / each[-1]['seconds']:.1f} lines/s" for who, each in runs.items()}
            print(rates, file=sys.stderr)
    print(
        f"{platform.platform()}, Python {platform.python_version()}, {options.lines} lines, median of {options.rounds}"
    )
    rate = {who: statistics.median(run["lines"] / run["seconds"] for run in each) for who, each in runs.items()}
    cpu_ms = {who: statistics.median(run["cpu_s"] / run["lines"] * 1000 for run in each) for who, each in runs.items()}
    for who in runs:
        print(f"{who:10} {rate[who]:6.1f} lines/s  {cpu_ms[who]:.3f} ms of host CPU a line")
    ratios = [each["this link"] / each["printcore"] for each in (rate, cpu_ms)]
    print(f"ratio      {ratios[0]:6.2f}          {ratios[1]:.2f}")


if __name__ == "__main__":
    main()
