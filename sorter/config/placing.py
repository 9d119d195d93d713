"""Where in a TOML text a key is to be written that is not there yet: beside the others of its table.

A program that only appends to a table writes behind the comments that belong to the next one.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from sorter.toml import dotted, key_lines, statements

if TYPE_CHECKING:
    from sorter.toml import KeyPath

_OPENS_TABLE = re.compile(r"\s*#?\s*\[")


@dataclass(frozen=True)
class _Section:
    """A table of the text: the lines (from 1) of its header (0: it has none) and of the end of its last value."""

    path: KeyPath
    header: int
    last: int


def placed(text: str, key_path: KeyPath, value: Any) -> str | None:
    """The text with a new key: in place of a comment that holds it, else behind the last key of its table.

    A table that only a comment opens (``#[chute]``) is opened there; the next item of an array of tables follows the
    last one. None if there is no such place. The caller has to see whether it is the right one: comments are free text.

    Args:
        text: valid TOML with ``\\n`` at the ends of its lines.
        key_path: of a key that is not there.
        value: as Python has it.
    """
    *above, name = key_path
    rows = text.split("\n")
    if isinstance(name, int) or isinstance(value, dict):
        return None
    section = next((each for each in _sections(text) if each.path == tuple(above)), None)
    if section is None:
        header_row = _open_table(rows, tuple(above), text)
        if header_row is None:
            return None
        section = _Section(tuple(above), header_row + 1, header_row + 1)
    for row in range(section.header, len(rows)):
        if _OPENS_TABLE.match(rows[row]):
            break
        stated = _stated(rows[row], name, value)
        if stated is not None:
            rows[row] = stated
            return "\n".join(rows)
    rows.insert(section.last, f"{dotted((name,))} = {tomlkit.item(value).as_string()}")
    return "\n".join(rows)


def commented_out(text: str, key_path: KeyPath) -> str | None:
    """The text with a key made a comment; None if the key has no line of its own."""
    line = key_lines(text)[key_path]
    for first, statement in statements(text):
        is_its_own = not statement.lstrip().startswith("[") and list(tomllib.loads(statement)) == [key_path[-1]]
        if first == line and is_its_own:
            rows = text.split("\n")
            for row in range(first - 1, first - 1 + statement.count("\n")):
                rows[row] = f"#{rows[row]}"
            return "\n".join(rows)
    return None


def _open_table(rows: list[str], path: KeyPath, text: str) -> int | None:
    """Open a table where a comment does, or behind the item before it; returns the row of its header."""
    if not path:
        return None
    names = dotted(tuple(step for step in path if isinstance(step, str)))
    if isinstance(path[-1], int):
        before = (*path[:-1], path[-1] - 1)
        ends = [each.last for each in _sections(text) if each.path[: len(before)] == before]
        if not ends:
            return None
        rows[ends[-1] : ends[-1]] = ["", f"[[{names}]]"]
        return ends[-1] + 1
    for row, content in enumerate(rows):
        if content.replace(" ", "") == f"#[{names}]":
            rows[row] = f"[{names}]"
            return row
    return None


def _stated(row: str, name: str, value: Any) -> str | None:
    """A row that holds a key as a comment, with the key stated and what stands behind it kept; None if it is none."""
    content = row.lstrip()
    if not content.startswith("#"):
        return None
    try:
        statement = tomlkit.parse(content[1:].lstrip())
    except TOMLKitError:
        return None
    if list(statement) != [name]:
        return None
    statement[name] = value
    return row[: len(row) - len(content)] + tomlkit.dumps(statement)


def _sections(text: str) -> list[_Section]:
    opened: dict[int, KeyPath] = {}
    for path, line in key_lines(text).items():
        opened[line] = max(opened.get(line, ()), path, key=len)
    found = [_Section((), 0, 0)]
    for first, statement in statements(text):
        last = first + statement.count("\n") - 1
        if statement.lstrip().startswith("["):
            found.append(_Section(opened.get(first, ()), first, last))
        else:
            found[-1] = replace(found[-1], last=last)
    return found
