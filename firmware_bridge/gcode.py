"""Build G-code lines and frame them with number and checksum. Pure.

The frame is Marlin's ``N<number> <command>*<checksum>``, the checksum all bytes before the asterisk XORed
(https://reprap.org/wiki/G-code#.2A:_Checksum). Marlin cuts lines at 96 bytes (MAX_CMD_SIZE), reads a ``;`` as the
start of a comment even inside a numbered line, takes NUL as the end, and knows capitals only. It searches a whole
numbered line for ``M110``, so that even the text of an M117 that holds it sets the line number (``queue.cpp``).
"""

from __future__ import annotations

import math
import re
from functools import reduce
from operator import xor

from firmware_bridge.errors import Refused

MAX_LINE_BYTES = 95  # MAX_CMD_SIZE less its terminator

_FRAME_ROOM = len("N2147483647 *255")
_TEXT = re.compile(r"[GMT]\d+(\.\d+)?( [ -)+-:<-~]*)?", re.ASCII)  # printable ASCII without * and ;
_COMMENT = re.compile(r"\([^)]*\)|;.*")
_ABSOLUTE_ONLY = frozenset({"G0", "G1"})
# What can run twice, and out of turn with its neighbours, without harm: outputs and rates. Not G90, G21, M92 or M211:
# out of turn these would change what a neighbouring move means.
_STATES = frozenset({"M106", "M107", "M201", "M203", "M204", "M205", "M220", "M221"})


def number_text(value: float) -> str:
    """A number as Marlin reads it: plain decimals, at most five places, no exponent.

    Raises:
        Refused: it is NaN or infinite, or too large to be written exactly enough.
    """
    if not math.isfinite(value) or abs(value) >= 1e9:
        raise Refused(f"{value} is no number that a board can be sent")
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def command(code: str, **words: float | None) -> str:
    """``command("G1", X=1.5, F=600)`` is ``G1 X1.5 F600``; a word of None is a letter alone, as in ``G28 X``."""
    parts = (letter if value is None else f"{letter}{number_text(value)}" for letter, value in words.items())
    return " ".join((code, *parts))


def checked(text: str) -> str:
    """``text`` if it is one command that arrives at Marlin as it stands.

    Raises:
        Refused: line breaks, comments, checksums, anything but printable ASCII, lower-case codes, M110, or too long.
    """
    if not _TEXT.fullmatch(text):
        raise Refused(
            f"{text!r} is no single G-code command",
            remedy="Nothing was sent; write one command such as 'G1 X10 F600': ASCII, no line break, no ; and no *.",
        )
    if "M110" in text:
        raise Refused(
            f"{text!r} would set the line number, which is the link's own",
            remedy="Nothing was sent; leave M110 out: Marlin obeys it even inside another command's text.",
        )
    if len(text) + _FRAME_ROOM > MAX_LINE_BYTES:
        raise Refused(
            f"{text[:40]!r}... has {len(text)} characters, {MAX_LINE_BYTES - _FRAME_ROOM} fit",
            remedy="Nothing was sent; Marlin cuts longer lines silently.",
        )
    return text


def checksum(content: bytes) -> int:
    """All bytes XORed, 0 to 255."""
    return reduce(xor, content, 0)


def framed(number: int, text: str) -> bytes:
    """The line as it goes over the wire: numbered, with checksum and newline."""
    content = f"N{number} {text}".encode("ascii")
    return b"%s*%d\n" % (content, checksum(content))


def code_of(text: str) -> str:
    """The command's letter and number, such as ``G1``."""
    return text.partition(" ")[0]


def is_repeatable(text: str, *, is_absolute: bool) -> bool:
    """Whether running ``text`` twice ends where running it once does.

    Args:
        text: one command.
        is_absolute: coordinates are absolute (G90) when it runs.
    """
    code = code_of(text)
    return code in _STATES or (is_absolute and code in _ABSOLUTE_ONLY)


def without_comment(line: str) -> str:
    """A line of a G-code file without its comments and surrounding space; empty if nothing else is in it."""
    return _COMMENT.sub("", line).strip()
