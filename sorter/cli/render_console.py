"""Rendering as a person sees it: a bar with pictures a minute and the time that is left, or now and then a line."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sorter.cli import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

_EVERY_S = 30.0  # a line, where there is no terminal


class Pace:
    """How fast it goes.

    Args:
        done, count: pictures that are finished, of so many.
        began_s: monotonic time at which the first of this run was begun.
    """

    def __init__(self, done: int, count: int, began_s: float) -> None:
        self.done = done
        self.count = count
        self._before = done
        self._began_s = began_s

    def per_minute(self, now_s: float) -> float:
        """Pictures of this run, in a minute."""
        return 60.0 * (self.done - self._before) / max(now_s - self._began_s, 1e-3)

    def told(self, now_s: float) -> str:
        """Such as ``23 a minute, 1:05:20 left``."""
        rate = self.per_minute(now_s)
        if not rate:
            return "starting"
        left_s = round(60.0 * (self.count - self.done) / rate)
        return f"{rate:.0f} a minute, {left_s // 3600}:{left_s // 60 % 60:02d}:{left_s % 60:02d} left"


class RenderObserver:
    """Tells a person how rendering goes, on stderr; under ``--json`` nothing."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID | None = None
        self._said_s = 0.0
        self.pace: Pace | None = None

    def on_begin(self, done: int, count: int) -> None:
        """Show the bar."""
        self._said_s = time.monotonic()
        self.pace = Pace(done, count, self._said_s)
        self._task = self._bars.add_task("pictures", total=count, completed=done, pace="starting")
        if done:
            console.say_beside(self._bars, f"{done} of {count} pictures are there already")

    def on_picture(self) -> None:
        """One more."""
        if self.pace is None or self._task is None:
            return
        self.pace.done += 1
        now_s = time.monotonic()
        told = self.pace.told(now_s)
        self._bars.update(self._task, advance=1, pace=told)
        if self._bars.disable and now_s - self._said_s >= _EVERY_S:
            self._said_s = now_s
            console.say_beside(self._bars, f"{self.pace.done} of {self.pace.count} pictures; {told}")

    def on_notice(self, text: str) -> None:
        """A line that stays."""
        console.say_beside(self._bars, text)


@contextmanager
def observed() -> Iterator[RenderObserver]:
    """An observer with its bar, for as long as rendering lasts."""
    from rich.progress import TextColumn

    with console.bars(last=TextColumn("{task.fields[pace]}")) as bars:
        yield RenderObserver(bars)
