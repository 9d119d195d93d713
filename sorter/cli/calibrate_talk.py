"""A talk at the terminal, or through a pipe: an answer a line. Whoever waits for one can be woken."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING

import typer

from sorter.calibrate import TalkEnded
from sorter.cli.console import is_json_wanted, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType
    from typing import Self

_READ_BYTES = 4096


class TerminalTalk:
    """A ``Talk`` on standard input and output; under ``--json`` on stderr. Use it as a context manager.

    ``end`` may be called from any thread, and from a signal handler: whoever waits for an answer gets TalkEnded, and so
    does everybody who asks after that.
    """

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno() if sys.stdin is not None and not sys.stdin.closed else -1
        self._pending = b""
        self._why = "" if self._descriptor >= 0 else "there is nobody to ask: standard input is closed"
        self._wake_read, self._wake_write = -1, -1

    def __enter__(self) -> Self:
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._wake_read)
        os.close(self._wake_write)

    def end(self, why: str) -> None:
        """Let nobody answer any more."""
        self._why = self._why or why
        os.write(self._wake_write, b"\0")

    def say(self, text: str) -> None:
        """See ``Talk``."""
        if is_json_wanted():
            typer.echo(text, err=True)
        else:
            say(text)

    def ask(self, question: str, default: str | None = None) -> str:
        """See ``Talk``."""
        shown = f"{question} [{default}] " if default else f"{question} "
        while True:
            answer = self._line(shown)
            if answer or default is not None:
                return answer or default or ""

    def choose(self, question: str, choices: Mapping[str, str]) -> str:
        """See ``Talk``. The first letters of a name are enough, in either case, as far as they are one's alone."""
        width = max(map(len, choices))
        self.say("\n".join([question, *(f"  {name:<{width}}  {meaning}" for name, meaning in choices.items())]))
        while True:
            answer = self.ask(">")
            meant = _meant(answer, choices)
            if len(meant) == 1:
                return meant[0]
            said = f"may be {' or '.join(meant)}" if meant else f"is none of {', '.join(choices)}"
            self.say(f"{answer!r} {said}.")

    def _line(self, prompt: str) -> str:
        """The next line that somebody enters. Raises TalkEnded."""
        self._raise_ended()
        try:
            typer.echo(prompt, nl=False, err=is_json_wanted())
        except BrokenPipeError:
            self._why = "nobody reads the questions any more"
            self._raise_ended()
        try:
            self._wait_for_line()
        finally:
            if not os.isatty(self._descriptor) or self._why:
                self.say("")  # nobody has pressed Enter
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode(errors="replace").strip()

    def _wait_for_line(self) -> None:
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._descriptor, self._wake_read], [], [])
            self._raise_ended()
            if self._descriptor not in ready:
                continue
            read = os.read(self._descriptor, _READ_BYTES)
            if not read and not self._pending:
                self._why = "nobody answers: the input has ended"
                self._raise_ended()
            self._pending += read or b"\n"

    def _raise_ended(self) -> None:
        if self._why:
            raise TalkEnded(self._why)


def _meant(answer: str, choices: Iterable[str]) -> list[str]:
    """The names that an answer may mean: as it is written, else in another case, else as its first letters."""
    same = [name for name in choices if name == answer]
    alike = [name for name in choices if name.lower() == answer.lower()]
    begun = [name for name in choices if name.lower().startswith(answer.lower())]
    return same or alike or begun
