"""Training as a person sees it: bars while it goes on, a line for each epoch, notices as they come; all on stderr."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from sorter.cli import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from rich.progress import Progress, TaskID

    from sorter.training.checkpoint import Row

_MOST_NOTICES = 20  # of a kind of work; a folder may have thousands of pictures to complain about


class TerminalObserver:
    """Tells a person how training goes; without a terminal there are no bars, under ``--json`` there is nothing."""

    def __init__(self, bars: Progress, *, is_silent: bool) -> None:
        self._bars = bars
        self._is_silent = is_silent
        self._task: TaskID | None = None
        self._shown = 0

    def on_begin(self, what: str, count: int) -> Callable[[int], None]:
        """A bar for so many things."""
        task = self._bars.add_task(what, total=count)
        return lambda done: self._bars.advance(task, done)

    def on_step(self, network: str, epoch: int, step: int, steps: int, loss: float) -> None:
        """The bar of the present epoch."""
        if self._task is None:
            self._task = self._bars.add_task("", total=steps)
        self._bars.update(
            self._task, total=steps, completed=step, description=f"{network}, epoch {epoch}, loss {loss:.3f}"
        )

    def on_epoch(self, network: str, row: Row, epochs: int) -> None:
        """A line that stays."""
        held_out = ""
        if row.validation_loss is not None:
            held_out = f"; held out: loss {row.validation_loss:.3f}, right {row.validation_accuracy:.1%}"
        self._say(
            f"{network}, epoch {row.epoch} of {epochs}: loss {row.loss:.3f}, right {row.accuracy:.1%}{held_out} "
            f"({row.seconds:.0f} s)"
        )

    def on_notice(self, text: str) -> None:
        """A line that stays; after some of them only their number, at the end."""
        self._shown += 1
        if self._shown <= _MOST_NOTICES:
            self._say(text)

    def close(self) -> None:
        """Say how much was not shown."""
        if self._shown > _MOST_NOTICES:
            self._say(f"and {self._shown - _MOST_NOTICES} more notices; a run keeps those of its start in run.json")

    def _say(self, text: str) -> None:
        if not self._is_silent:
            self._bars.console.print(
                text.encode("utf-8", "backslashreplace").decode("utf-8"), markup=False, highlight=False, soft_wrap=True
            )


@contextmanager
def observed() -> Iterator[TerminalObserver]:
    """An observer with its bars, for as long as training lasts."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    stderr = Console(stderr=True)
    is_silent = console.is_json_wanted()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, disable=is_silent or not stderr.is_terminal) as bars:
        observer = TerminalObserver(bars, is_silent=is_silent)
        yield observer
        observer.close()


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, so that training saves and stops; a second Ctrl-C stops at once."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        typer.echo("stopping after this step; once more to stop at once", err=True)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
