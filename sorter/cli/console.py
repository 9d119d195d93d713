"""How commands speak: reports on stdout, as text or JSON; errors and progress on stderr."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, ProgressColumn

    from firmware_bridge.errors import BoardError
    from sorter.errors import SorterError

_json_is_wanted = False


def set_json(on: bool) -> bool:
    """Say whether reports and errors are to be JSON."""
    global _json_is_wanted  # noqa: PLW0603  (one process runs one command)
    _json_is_wanted = on
    return on


def is_json_wanted() -> bool:
    """Was ``--json`` given?"""
    return _json_is_wanted


JsonOption = Annotated[bool, typer.Option("--json", help="Report as JSON on stdout.", callback=set_json)]


def report(data: dict[str, Any], text: str) -> None:
    """Print ``data`` as JSON if ``--json`` was given, else ``text``."""
    say(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) if _json_is_wanted else text)


def say_if_json(data: dict[str, Any]) -> None:
    """Print ``data`` if ``--json`` was given."""
    if _json_is_wanted:
        report(data, "")


def say_unless_json(text: str) -> None:
    """Print one line of a report that comes bit by bit; under ``--json`` it comes whole at the end."""
    if not _json_is_wanted:
        say(text)


def say(text: str) -> None:
    """Print a line on stdout at once; a reader who went away ends the program in peace.

    File names that are no UTF-8 are shown with their bytes, such as ``\\udcff``, which is also what JSON takes.
    """
    try:
        typer.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))
    except BrokenPipeError:  # the reader, such as ``head``, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or flushing at exit would fail again


def show_error(error: SorterError | BoardError) -> None:
    """Print what is wrong and what to do, on stderr; under ``--json`` also as an object on stdout."""
    if _json_is_wanted:
        say(json.dumps({"error": error.as_dict()}, indent=2, ensure_ascii=False))
    typer.secho("error: ", err=True, nl=False, fg="red", bold=True)
    typer.echo(f"{error.message}\n{error.remedy}".encode("utf-8", "backslashreplace").decode("utf-8"), err=True)


def show_warning(text: str) -> None:
    """Print on stderr what was wrong with one of several things; the others went on."""
    typer.secho("warning: ", err=True, nl=False, fg="yellow", bold=True)
    typer.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"), err=True)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr for long work; yields a function that takes how many more are done.

    Without a terminal there is no bar, and under ``--json`` neither: then nothing is printed.
    """
    with bars() as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.advance(task, done)


@contextmanager
def bars(*, last: ProgressColumn | None = None) -> Iterator[Progress]:
    """Where bars can be put on stderr, for as long as it lasts; ``last`` stands in place of the time that is left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    stderr = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), last or TimeRemainingColumn())
    with Progress(*columns, console=stderr, disable=_json_is_wanted or not stderr.is_terminal) as shown:
        yield shown


def say_beside(shown: Progress, text: str) -> None:
    """A line on stderr that stays, above the bars if there are some; under ``--json`` nothing."""
    if not _json_is_wanted:
        plain = text.encode("utf-8", "backslashreplace").decode("utf-8")
        shown.console.print(plain, markup=False, highlight=False, soft_wrap=True)
