"""Keys of a TOML text, and the lines on which they stand."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAY_CLOSE = re.compile(r"""[\]}]|\"\"\"|'''""")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

KeyPath = tuple[str | int, ...]


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) on which each key of a valid TOML text is first named; list positions count from 0.

    tomllib knows no positions. But each statement is a document of its own: what it adds, below the table that was
    opened last, stands on its first line.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for first, statement in statements(text):
        added = list(values_of(tomllib.loads(statement)))
        if statement.lstrip().startswith("["):
            table = _opened_table(added, found)
            for end in range(1, len(table) + 1):
                found.setdefault(table[:end], first)
        else:
            for key_path, _ in added:
                found.setdefault((*table, *key_path), first)
    return found


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement of a valid TOML text with the number of its first line; comments and blank lines left out."""
    first, statement = 1, ""
    for number, line in enumerate(text.split("\n"), start=1):
        if not statement and (not line.strip() or line.lstrip().startswith("#")):
            first = number + 1
            continue
        is_first, statement = not statement, f"{statement}{line}\n"
        if is_first or _MAY_CLOSE.search(line):
            try:
                tomllib.loads(statement)
            except tomllib.TOMLDecodeError:
                continue
            yield first, statement
            first, statement = number + 1, ""


def _opened_table(added: list[tuple[KeyPath, Any]], known: dict[KeyPath, int]) -> KeyPath:
    """The full path of the table that a header opens, with list positions: those of the last tables so far."""
    *_, (header, _) = added
    table: KeyPath = ()
    names = [step for step in header if not isinstance(step, int)]
    for place, name in enumerate(names, start=1):
        table = (*table, name)
        count = 0
        while (*table, count) in known:
            count += 1
        is_new_element = place == len(names) and isinstance(header[-1], int)
        if is_new_element or count:
            table = (*table, count if is_new_element else count - 1)
    return table


def values_of(value: Any, above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every key of a document with its value, outer ones first."""
    if above:
        yield above, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from values_of(inner, (*above, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from values_of(inner, (*above, position))


def dotted(key_path: KeyPath) -> str:
    """A path as it is written: such as ``bins.2.chute_deg``."""
    return ".".join(
        str(step) if isinstance(step, int) or _BARE_KEY.fullmatch(step) else json.dumps(step) for step in key_path
    )
