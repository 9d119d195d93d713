"""What noise on the cable does: counted over many sessions in virtual time, and over all pairs of flipped bits.

    .venv/bin/python benchmarks/noise.py [--sessions 300]

First table: absolute moves with the window open (up to four lines in flight) over a disturbed line. "once, in order"
are the sessions in which the board ran every numbered line exactly once and in order; "tails" are lines of the stream
that ran once more without their number, which is what the window costs: each is an absolute move of the same stream.
Second: of all pairs of flipped bits in a framed line, the share that still carries a valid number and checksum.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from firmware_bridge.gcode import checksum, framed  # noqa: E402
from firmware_bridge.limits import SessionLimits  # noqa: E402
from tests.virtual import VirtualLink  # noqa: E402

NOISE: dict[str, dict[str, float]] = {
    "none": {},
    "20 % of lines lost": {"line-loss": 0.2},
    "20 % of lines with a flipped bit": {"line-flip": 0.2},
    "0.3 % of bytes lost, both ways": {"byte-loss": 0.003, "reply-byte-loss": 0.003},
    "20 % of replies lost": {"reply-loss": 0.2},
}
LINES = 30
PATIENT = SessionLimits(max_silences=60, max_attempts=60, max_resends=60, handshake_s=300.0)


def session(faults: dict[str, float], seed: int, *, is_repeatable: bool) -> VirtualLink:
    link = VirtualLink(None, faults, seed, PATIENT)
    link.submit(*(f"G1 X{place}" for place in range(LINES)), is_repeatable=is_repeatable, motion_s=1.0)
    return link.run()


def table(sessions: int, *, is_repeatable: bool) -> None:
    print(
        f"{'noise':34} {'once, in order':>15} {'halted':>7} {'repeated':>9} {'tails':>6}   of {LINES * sessions} lines"
    )
    wanted = [f"G1 X{place}" for place in range(LINES)]
    for name, faults in NOISE.items():
        good = halted = repeated = tails = 0
        for seed in range(sessions):
            link = session(faults, seed, is_repeatable=is_repeatable)
            good += link.executed == wanted == link.accepted
            halted += link.session.error is not None
            repeated += link.session.counters.repeated_lines
            tails += sum(text in wanted for text in link.executed_unnumbered)
        print(f"{name:34} {good:>8} of {sessions:<4} {halted:>6} {repeated:>9} {tails:>6}")


def passes(line: bytes, number: int) -> bool:
    """Whether Marlin takes it for line ``number`` with a right checksum, or for a command without number."""
    found = re.fullmatch(rb"(N(\d+) [^*\n]*)\*(\d+)\n", line)
    return found is not None and int(found[2]) == number and int(found[3]) == checksum(found[1])


def double_flips() -> None:
    for text in ("M400", "G1 X10 F600", "G1 X123.456 Y78.9 F3600"):
        line = framed(1234, text)
        bits = [(place, 1 << bit) for place in range(len(line)) for bit in range(8)]
        pairs = passed = 0
        for first, second in itertools.combinations(bits, 2):
            damaged = bytearray(line)
            damaged[first[0]] ^= first[1]
            damaged[second[0]] ^= second[1]
            pairs += 1
            passed += passes(bytes(damaged), 1234)
        singles = sum(
            passes(bytes(byte ^ (mask if at == place else 0) for at, byte in enumerate(line)), 1234)
            for place, mask in bits
        )
        share = 100 * passed / pairs
        print(f"{text:26} {passed} of {pairs} pairs of flipped bits pass ({share:.1f} %), {singles} single ones")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=300)
    sessions = parser.parse_args().sessions
    print(f"{platform.platform()}, Python {platform.python_version()}\n\nwindow open")
    table(sessions, is_repeatable=True)
    print("\none line in flight")
    table(sessions, is_repeatable=False)
    print()
    double_flips()


if __name__ == "__main__":
    main()
