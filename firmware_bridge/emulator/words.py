"""Commands out of accepted lines: letter, code and parameter words, read the way Marlin's parser reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER = re.compile(r"N[-0-9]\d* *")
_CODE = re.compile(r"([GMT]) *(\d+) *")
_WORD = re.compile(r"([A-Z]) *([-+]?(?:\d+\.?\d*|\.\d+))?[-+.0-9]*")


@dataclass(frozen=True)
class Command:
    """A line as the firmware understands it.

    `text` is the line without its number and checksum; `name` is `G1`, or empty for what is no command at all.
    `words` has each parameter's last value, None where the letter stands without a number; `arguments` is the raw text.
    """

    text: str
    name: str
    words: Mapping[str, float | None]
    arguments: str

    def value(self, letter: str) -> float | None:
        """Return the number behind `letter`; None: the letter or its number is missing."""
        return self.words.get(letter)

    def whole(self, letter: str, default: int) -> int:
        """Return the number behind `letter` cut to an integer, or `default`."""
        value = self.words.get(letter)
        return default if value is None else int(value)

    def has(self, letter: str) -> bool:
        """Whether `letter` stands there, with or without a number."""
        return letter in self.words


def without_number(line: str) -> str:
    """Cut the line number and the checksum off: what `echo:Unknown command` repeats."""
    text = line.lstrip(" ")
    number = _NUMBER.match(text)
    if number:
        text = text[number.end() :]
    body, star, _ = text.partition("*")
    return body.rstrip(" ") if star else body


def parse(line: str) -> Command:
    """Read one line. Values have no exponent (`X1e1` is X1) and stop at a comma; lower-case letters mean nothing."""
    text = without_number(line)
    code = _CODE.match(text)
    if not code:
        return Command(text, "", {}, "")
    arguments = text[code.end() :]
    words = {letter: float(number) if number else None for letter, number in _WORD.findall(arguments)}
    return Command(text, f"{code.group(1)}{int(code.group(2))}", words, arguments)
