"""``sorter`` itself, with a clock that runs as fast as the twin lives: ``python -P kill_host.py SPEED run ...``.

Nothing else is another than in ``python -m sorter``; with speed 1 nothing is.
"""

from __future__ import annotations

import functools
import sys

import sorter.clock


def main() -> None:
    """Run the command line."""
    speed = float(sys.argv.pop(1))
    sorter.clock.RealClock = functools.partial(sorter.clock.RealClock, speed=speed)  # type: ignore[misc,assignment]
    from sorter.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
