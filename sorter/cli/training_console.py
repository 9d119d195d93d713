"""Training as a person sees it: bars while it goes on, a line for each epoch, notices as they come; all on stderr."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sorter.cli import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from sorter.training.checkpoint import Row

_MOST_NOTICES = 20  # of a kind of work; a folder may have thousands of pictures to complain about


class TerminalObserver:
    """Tells a person how training goes; without a terminal there are no bars, under ``--json`` there is nothing."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
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
        console.say_beside(
            self._bars,
            f"{network}, epoch {row.epoch} of {epochs}: loss {row.loss:.3f}, right {row.accuracy:.1%}{held_out} "
            f"({row.seconds:.0f} s)",
        )

    def on_notice(self, text: str) -> None:
        """A line that stays; after some of them only their number, at the end."""
        self._shown += 1
        if self._shown <= _MOST_NOTICES:
            console.say_beside(self._bars, text)

    def close(self) -> None:
        """Say how much was not shown."""
        if self._shown > _MOST_NOTICES:
            console.say_beside(
                self._bars,
                f"and {self._shown - _MOST_NOTICES} more notices; a run keeps those of its start in run.json",
            )


@contextmanager
def observed() -> Iterator[TerminalObserver]:
    """An observer with its bars, for as long as training lasts."""
    with console.bars() as bars:
        observer = TerminalObserver(bars)
        yield observer
        observer.close()
