"""How long the command line takes to say something, compared with Python alone, in one run.

    .venv/bin/python benchmarks/cli_start.py [--rounds 20]

Prints the median of each, and what `./run` adds when there is nothing to install.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = str(ROOT / ".venv/bin/python")
COMMANDS = {
    "python -c pass": [PYTHON, "-c", "pass"],
    "sorter --help": [PYTHON, "-m", "sorter", "--help"],
    "./run --help": [str(ROOT / "run"), "--help"],
}


def seconds(command: list[str]) -> float:
    started_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    for command in COMMANDS.values():
        seconds(command)  # fill caches
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            taken[name].append(seconds(command))
    sys.stdout.write(f"{platform.platform()}, Python {platform.python_version()}, median of {rounds}\n")
    for name, times in taken.items():
        sys.stdout.write(f"{name:16} {statistics.median(times):.3f} s\n")


if __name__ == "__main__":
    main()
