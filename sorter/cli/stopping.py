"""Ctrl-C for work that can be gone on with: the first one asks it to stop, the second one stops it."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def stopped_by_signals(after: str) -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, so that work ends well; a second Ctrl-C stops at once.

    Args:
        after: what is still done, as it is told: ``this step``.
    """
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        typer.echo(f"stopping after {after}; once more to stop at once", err=True)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
