"""What is typed while a picture is kept up to date: letter by letter on a terminal, line by line from anything else."""

from __future__ import annotations

import os
import select
import sys
import termios
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_READ_BYTES = 4096
_LFLAG, _CC = 3, 6  # places in what tcgetattr gives
_ERASE = ("\x7f", "\b")
_END_OF_INPUT, _KILL_LINE, _ESCAPE = "\x04", "\x15", "\x1b"


class StdinKeyboard:
    """Standard input, without ever waiting for it. Use it as a context manager.

    On a terminal that this program has in the foreground, echo and line editing are off for as long as the block lasts:
    the letters are shown by whoever shows the rest. Ctrl-C stays what it is.
    """

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno() if sys.stdin is not None and not sys.stdin.closed else -1
        self._before: list[Any] | None = None
        self._pending = b""
        self.typed = ""
        self.has_ended = self._descriptor < 0

    @property
    def is_terminal(self) -> bool:
        """Letters are shown by the program."""
        return self._before is not None

    def __enter__(self) -> Self:
        if self.has_ended or not os.isatty(self._descriptor):
            return self
        if self._is_in_background():  # reading would stop the program
            self.has_ended = True
            return self
        self._before = termios.tcgetattr(self._descriptor)
        quiet = termios.tcgetattr(self._descriptor)
        quiet[_LFLAG] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, quiet)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._before is not None:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
            self._before = None

    def lines(self) -> list[str]:
        """See ``Keyboard``."""
        while not self.has_ended and select.select([self._descriptor], [], [], 0.0)[0]:
            read = os.read(self._descriptor, _READ_BYTES)
            if not read:
                self.has_ended = True
                break
            self._pending += read
        return self._edited() if self.is_terminal else self._cut()

    def _is_in_background(self) -> bool:
        try:
            return os.tcgetpgrp(self._descriptor) != os.getpgrp()
        except OSError:  # it is not this session's terminal, so there is no foreground
            return False

    def _cut(self) -> list[str]:
        """Whole lines; the last one need not have an end."""
        *whole, rest = self._pending.split(b"\n")
        self._pending = rest
        if self.has_ended and rest:
            whole.append(rest)
            self._pending = b""
        return [line.decode(errors="replace") for line in whole]

    def _edited(self) -> list[str]:
        """Letters put together, as a terminal would have done it."""
        lines = []
        text, self._pending = self._pending.decode(errors="ignore"), b""
        if text.startswith(_ESCAPE):  # an arrow or function key: all of it came at once
            return []
        for letter in text:
            if letter in "\r\n":
                lines.append(self.typed)
                self.typed = ""
            elif letter in _ERASE:
                self.typed = self.typed[:-1]
            elif letter == _KILL_LINE:
                self.typed = ""
            elif letter == _END_OF_INPUT:
                lines.append("quit")
            elif letter.isprintable():
                self.typed += letter
        return lines
