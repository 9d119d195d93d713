"""Change values in rig.toml by program, and leave all else in it as somebody wrote it: comments, order, blank lines."""

from __future__ import annotations

import difflib
import errno
import itertools
import numbers
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from sorter.config.errors import EditRefused
from sorter.config.placing import commented_out, placed
from sorter.config.rig import check_rig_text
from sorter.errors import ConfigError, Problem
from sorter.toml import KeyPath, dotted, key_lines, toml_text
from sorter.whole import whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.config.rig import RigConfig

_BOM = b"\xef\xbb\xbf"


def set_values(path: Path, values: Mapping[KeyPath, object]) -> RigConfig:
    """Change keys of ``path``; the file is checked as it will be, and written whole.

    A table, a key or the next item of a list that is not there is added. None takes a key out: its line stays behind as
    a comment.

    Args:
        path: a rig.toml; a link is followed, and the file behind it keeps its owner and mode.
        values: by key, list positions from 0: such as
            ``{("chute", "home_deg"): 12.5, ("bins", 3, "chute_deg"): 40.0}``.

    Returns:
        what the file says now; as ``read_rig_config``.

    Raises:
        EditRefused: the file would not be fit for use, or cannot be changed or written; it is as it was.
        ConfigError: the file cannot be read.
    """
    toml_text(path)  # refuses what is no file, no text or too long
    target = path.resolve()
    raw = target.read_bytes()
    text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    after = _changed(path, text, {key_path: _plain(value) for key_path, value in values.items()})
    try:
        config = check_rig_text(path, after, lines=key_lines(text))
    except ConfigError as error:
        raise EditRefused(path, error.problems) from error
    if after != text:
        _write(path, target, raw, _as_before(raw, text, after))
    return config


def _as_before(raw: bytes, text: str, after: str) -> bytes:
    """The new text as bytes, with the file's own byte-order mark and line ends."""
    ends = ["\r\n" if row.endswith(b"\r") else "\n" for row in raw.split(b"\n")]
    usual = "\r\n" if "\r\n" in ends else "\n"
    rows, old_rows = after.split("\n"), text.split("\n")
    written = [usual] * len(rows)
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(
        None, old_rows, rows, autojunk=False
    ).get_opcodes():
        if tag == "equal" or (tag == "replace" and end - start == new_end - new_start):
            written[new_start:new_end] = ends[start:end]
    content = "".join(row + end for row, end in zip(rows[:-1], written[:-1], strict=True)) + rows[-1]
    return (_BOM if raw.startswith(_BOM) else b"") + content.encode()


def _changed(path: Path, text: str, values: Mapping[KeyPath, Any]) -> str:
    try:
        wanted = tomllib.loads(text)
        tomlkit.parse(text)
    except (tomllib.TOMLDecodeError, TOMLKitError, RecursionError) as error:
        check_rig_text(path, text)  # says where it is no TOML
        raise EditRefused(path, [Problem(None, "", f"cannot be changed by a program: {error}")]) from error
    # What is there first, then what is new, then what goes: a place is looked for in the text as it will be.
    there = {key_path: _stands(wanted, key_path) for key_path in values}
    for key_path in sorted(values, key=lambda key_path: (values[key_path] is None, not there[key_path])):
        value = values[key_path]
        if value is not None:
            _put(path, wanted, key_path, value)
            neat = None if there[key_path] else placed(text, key_path, value)
        elif there[key_path]:
            _remove(wanted, key_path)
            neat = commented_out(text, key_path)
        else:
            continue
        text = neat if neat is not None and _says(neat, wanted) else _rewritten(path, text, key_path, value)
        if not _says(text, wanted):
            what = "is written in a way that no program can change; change it by hand"
            raise EditRefused(path, [Problem(None, dotted(key_path), what)])
    return text


def _rewritten(path: Path, text: str, key_path: KeyPath, value: Any) -> str:
    """The text as tomlkit changes it."""
    document = tomlkit.parse(text)
    if value is None:
        _remove(document, key_path)
    else:
        _put(path, document, key_path, value)
    return tomlkit.dumps(document)


def _says(text: str, wanted: Any) -> bool:
    try:
        return bool(tomllib.loads(text) == wanted)
    except tomllib.TOMLDecodeError:
        return False


def _put(path: Path, document: Any, key_path: KeyPath, value: Any) -> None:
    """Set a value in plain data or in a tomlkit document, and make what is missing on the way."""
    table = document
    for step, following in itertools.pairwise(key_path):
        if not _has(path, table, step, key_path):
            _set(table, step, _empty(following, is_plain=type(document) is dict))
        table = table[step]
    last = key_path[-1]
    if not _has(path, table, last, key_path) or table[last] != value or type(_plain(table[last])) is not type(value):
        _set(table, last, value)


def _has(path: Path, table: Any, step: str | int, key_path: KeyPath) -> bool:
    """Whether ``table`` holds ``step``; refused where it cannot."""
    if isinstance(table, dict) and isinstance(step, str):
        return step in table
    if not isinstance(table, list) or not isinstance(step, int):
        raise EditRefused(path, [Problem(None, dotted(key_path), "is not the place of a value in this file")])
    if step not in range(len(table) + 1):
        what = f"is too far on: there are {len(table)} before it, and the next is {len(table)}"
        raise EditRefused(path, [Problem(None, dotted(key_path), what)])
    return step < len(table)


def _set(table: Any, step: str | int, value: Any) -> None:
    if isinstance(table, list) and step == len(table):
        table.append(value)
    else:
        table[step] = value


def _empty(following: str | int, *, is_plain: bool) -> Any:
    if isinstance(following, int):
        return [] if is_plain else tomlkit.aot()
    return {} if is_plain else tomlkit.table()


def _stands(data: Any, key_path: KeyPath) -> bool:
    for step in key_path:
        is_there = step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))
        if not is_there:
            return False
        data = data[step]
    return True


def _remove(data: Any, key_path: KeyPath) -> None:
    for step in key_path[:-1]:
        data = data[step]
    del data[key_path[-1]]


def _plain(value: object) -> Any:
    """The same as a value that TOML has: numbers of other libraries, paths and tuples are none."""
    match value:
        case None | bool():
            return value
        case str() | Path():
            return str(value)
        case numbers.Integral():
            return int(value)
        case numbers.Real():
            return float(value)
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict():
            return {str(key): _plain(each) for key, each in value.items()}
    raise TypeError(f"rig.toml holds texts, numbers, true or false, lists and tables, not {type(value).__name__}")


def _write(path: Path, target: Path, raw: bytes, content: bytes) -> None:
    """Write ``content`` in place of ``raw``, whole."""

    def check() -> None:
        if target.read_bytes() != raw:
            what = "was changed by somebody else at the same time"
            raise EditRefused(path, [Problem(None, "", what)], remedy="Try again, with what it says now.")

    try:
        if not os.access(target, os.W_OK):  # a rename would not ask
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with whole_file(target, is_as_before=True, check=check) as file:
            file.write(content)
    except OSError as error:
        raise EditRefused(
            path,
            [Problem(None, "", f"cannot be written: {error.strerror}")],
            remedy=f"See that {target} and its folder may be written to, and try again.",
        ) from error
