"""What the firmware said, as small types. Pure.

Bytes become lines, lines become replies. One line can hold several: an ``ok`` may be glued to a report or to another
``ok`` (MarlinFirmware/Marlin#9111, #9179, #16196). Free text after ``echo:`` or ``Error:`` is never searched for
acknowledgements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_LINE_BYTES = 1024  # Marlin's longest, the answer to M115, has about 300


@dataclass(frozen=True)
class Ok:
    """A line was taken; the numbers are ADVANCED_OK's line, free planner and free command slots, None without it."""

    line_number: int | None = None
    free_planner_slots: int | None = None
    free_command_slots: int | None = None


@dataclass(frozen=True)
class Resend:
    """The board wants everything from ``line_number`` on again; None if the number cannot be read."""

    line_number: int | None


@dataclass(frozen=True)
class Started:
    """The board has just booted."""


@dataclass(frozen=True)
class Busy:
    """A sign of life while a command blocks; ``reason`` such as ``processing`` or ``paused for user``."""

    reason: str


@dataclass(frozen=True)
class Wait:
    """The board has nothing to do (some firmwares say ``wait`` when idle)."""


@dataclass(frozen=True)
class Complaint:
    """``Error:`` with its text; ``last_line`` is the last line number that the board took, where it says so."""

    text: str
    last_line: int | None = None


@dataclass(frozen=True)
class Halted:
    """Marlin killed itself: from now on it is deaf."""

    text: str


@dataclass(frozen=True)
class Report:
    """Any other line: an answer, an echo, a banner; or noise: then ``is_text`` is false."""

    text: str
    is_text: bool = True


Reply = Ok | Resend | Started | Busy | Wait | Complaint | Halted | Report

_PLAIN_OK = Ok()
_OK = re.compile(r"(?<![!-/:-~])(?:ok)+(?![!-~])")  # after a digit, space or noise, never in a word
_ADVANCED = re.compile(r"(?: N(\d{1,10}))? P(\d{1,10}) B(\d{1,10})(?=ok|[^!-~]|$)")
_NUMBERS = re.compile(r"[A-Z@]\d?:\s*-?[\d.]+(?:\s*/-?[\d.]+)?\s*$")  # how a report of numbers ends
_PRINTED = re.compile(r"[!-~]")
_ANSWER = re.compile(r"[A-Z@]\d?:")
_RESEND = re.compile(r"(?:Resend:|(?:^|[^ -~])rs )\s*(-?\d*)(.*)")
_START = re.compile(r"(?:^|[^A-Za-z_ :/.\"'(-])start$")
_BUSY = re.compile(r"echo:\s*busy:\s*(.*)")
_LAST_LINE = re.compile(r"Last Line:\s*(-?\d{1,10})(?!\d)")
_HALT = re.compile(r"Printer halted|kill\(\) called|M112 Shutdown")
_FREE_TEXT = re.compile(r"echo:|Error:|//|!!|FIRMWARE_NAME:|Cap:")


class LineReader:
    """Collects bytes into lines; of a line that is too long the rest is dropped, so that noise cannot fill the memory.

    What is dropped is never taken for the beginning of a line, and how the bytes are chunked makes no difference.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes, without line ends; empty ones are left out."""
        lines = []
        *ends, rest = data.replace(b"\r", b"\n").split(b"\n")
        for end in ends:
            self._collect(end)
            if self._rest:
                lines.append(self._rest)
            self._rest = b""
        self._collect(rest)
        return lines

    def clear(self) -> None:
        """Forget an unfinished line."""
        self._rest = b""

    def _collect(self, data: bytes) -> None:
        self._rest += data[: _MAX_LINE_BYTES - len(self._rest)]


def parse(line: bytes) -> list[Reply]:
    """Everything that one line says, in its order; never empty."""
    if line == b"ok":
        return [_PLAIN_OK]
    text = line.decode("ascii", errors="replace").strip()
    free = _FREE_TEXT.search(text)
    if free is None:
        return _signal(text) or _with_oks(text)
    # Before the free text there may be an ok whose newline was lost; in it there is none.
    before = _with_oks(text[: free.start()])
    if any(isinstance(reply, Ok) for reply in before):
        text = text[free.start() :]
    else:
        before = []
    return before + (_signal(text) or [_report(text)])


def _report(text: str) -> Report:
    return Report(text, text.isascii() and text.isprintable())


def _signal(text: str) -> list[Reply] | None:  # noqa: PLR0911  (one return a kind of line)
    """What is neither an acknowledgement nor a report; what stands in quotes is somebody's own words."""
    unquoted = text.partition('"')[0]
    if found := _RESEND.search(unquoted):
        digits, rest = found.groups()
        is_whole = 0 < len(digits.lstrip("-")) < 11 and (not rest or rest[0].isspace() or rest == "ok")
        return [Resend(int(digits) if is_whole else None), *([_PLAIN_OK] if rest.strip() == "ok" else [])]
    if found := _BUSY.search(unquoted):
        return [Busy(found[1])]
    is_free = _FREE_TEXT.search(text) is not None
    if not is_free and _START.search(text):
        return [Started()]
    if text == "wait":
        return [Wait()]
    if "Error:" in unquoted or text.startswith("!!"):
        text = text[text.find("Error:") + len("Error:") :] if "Error:" in unquoted else text
        if _HALT.search(text):
            return [Halted(text)]
        last_line = _LAST_LINE.search(text)
        return [Complaint(text, int(last_line[1]) if last_line else None)]
    # Without its prefix, which noise may have spoilt, only the words that nothing else says are believed.
    if _HALT.search(unquoted) if is_free else "kill() called" in unquoted:
        return [Halted(text)]
    return None


def _with_oks(text: str) -> list[Reply]:
    replies: list[Reply] = []
    position = 0
    for found in _OK.finditer(text):
        before = text[position : found.start()].strip()
        if _PRINTED.search(before) and not _NUMBERS.search(before):
            continue  # free text that has the word in it
        if before:
            replies.append(_report(before))
        position = found.end()
        replies.extend([_PLAIN_OK] * ((found.end() - found.start()) // 2))
        if numbers := _ADVANCED.match(text, position):
            line_number, planner, commands = numbers.groups()
            replies[-1] = Ok(int(line_number) if line_number else None, int(planner), int(commands))
            position = numbers.end()
    if rest := text[position:].strip():
        # "ok T:25.00 ..." is one answer: its acknowledgement comes last, after what it answers.
        late = [replies.pop()] if position and isinstance(replies[-1], Ok) and _ANSWER.match(rest) else []
        replies += [_report(rest), *late]
    return replies or [_report(text)]
