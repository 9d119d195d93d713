"""`python -m firmware_bridge.emulator --link PATH`: serve an emulated board on a pty until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_bridge.emulator.faults import FaultPlan, UnknownFaultError, menu_table
from firmware_bridge.emulator.pty_server import EmulatedBoard
from firmware_bridge.emulator.settings import BoardSettings, Flavour

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firmware_bridge.emulator.bridge import Trace

_STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}
_USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, or 2 for something that cannot be served."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list_faults:
        print(menu_table())
        return 0
    try:
        faults = FaultPlan.parse(options.fault)
    except (UnknownFaultError, ValueError) as error:
        parser.error(str(error))
    settings = BoardSettings(
        flavour=Flavour(options.firmware),
        emergency_parser=not options.no_emergency_parser,
        advanced_ok=options.advanced_ok,
    )
    # Blocked before any thread is there, so that every thread leaves the signals to sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        with (
            _traced(options.log) as trace,
            EmulatedBoard(settings, faults, options.seed, options.speed, options.link, trace=trace) as board,
        ):
            sys.stdout.write(f"{board.path}\n")
            sys.stdout.flush()
            signal.sigwait(_STOP_SIGNALS)
    except OSError as error:
        sys.stderr.write(f"{parser.prog}: error: {error}\n")
        return _USAGE_ERROR
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m firmware_bridge.emulator", description="Serve an emulated Marlin board on a pseudo-terminal."
    )
    parser.add_argument("--link", type=Path, metavar="PATH", help="symbolic link to make for the port")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="board seconds per second (1)")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[=RATE]", help="a fault, and how often")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="what chance begins with (0)")
    flavours = [flavour.value for flavour in Flavour]
    parser.add_argument("--firmware", choices=flavours, default=flavours[0], help="which Marlin speaks")
    parser.add_argument("--no-emergency-parser", action="store_true", help="M112 waits its turn")
    parser.add_argument("--advanced-ok", action="store_true", help="ok says N, P and B")
    parser.add_argument("--list-faults", action="store_true", help="show the menu of faults and end")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append all that crosses the port to FILE")
    return parser


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"the speed must be a number above 0, not {text!r}") from None
    if not 0.0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"the speed must be above 0, not {text}")
    return speed


@contextlib.contextmanager
def _traced(path: Path | None) -> Iterator[Trace | None]:
    """Open the log and yield what writes a line to it: the board's time in s, the direction and the bytes."""
    if path is None:
        yield None
        return
    with path.open("a", encoding="utf-8", buffering=1) as file:

        def write(time_s: float, direction: str, data: bytes) -> None:
            for line in data.splitlines(keepends=True):
                file.write(f"{time_s:12.6f} {direction} {line!r}{os.linesep}")

        yield write


if __name__ == "__main__":
    sys.exit(main())
