"""Rendering as a person sees it: a bar with pictures a minute and the time that is left, or now and then a line."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

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

    def __init__(self, bars: Progress, *, is_silent: bool) -> None:
        self._bars = bars
        self._is_silent = is_silent
        self._task: TaskID | None = None
        self._said_s = 0.0
        self.pace: Pace | None = None

    def on_begin(self, done: int, count: int) -> None:
        """Show the bar."""
        self._said_s = time.monotonic()
        self.pace = Pace(done, count, self._said_s)
        self._task = self._bars.add_task("pictures", total=count, completed=done, pace="starting")
        if done:
            self._say(f"{done} of {count} pictures are there already")

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
            self._say(f"{self.pace.done} of {self.pace.count} pictures; {told}")

    def on_notice(self, text: str) -> None:
        """A line that stays."""
        self._say(text)

    def _say(self, text: str) -> None:
        if self._is_silent:
            return
        if self._bars.disable:
            typer.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"), err=True)
        else:
            self._bars.console.print(
                text.encode("utf-8", "backslashreplace").decode("utf-8"), markup=False, highlight=False, soft_wrap=True
            )


@contextmanager
def observed() -> Iterator[RenderObserver]:
    """An observer with its bar, for as long as rendering lasts."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    stderr = Console(stderr=True)
    is_silent = console.is_json_wanted()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}"))
    with Progress(*columns, console=stderr, disable=is_silent or not stderr.is_terminal) as bars:
        yield RenderObserver(bars, is_silent=is_silent)
