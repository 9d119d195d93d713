"""Read a TOML file, once, at the door."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sorter.errors import ConfigError, Problem
from sorter.toml.faults import faults_in
from sorter.toml.lines import dotted, key_lines, values_of
from sorter.toml.model import Mistake, ModelT
from sorter.toml.sound import SoundPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sorter.toml.lines import KeyPath

_MAX_BYTES = 1_000_000


def read_toml(
    path: Path, model: type[ModelT], *, checks: Callable[[ModelT], Iterable[Mistake]] | None = None
) -> ModelT:
    """Read and check ``path``; ``checks`` says what does not go together over the whole file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or does not fit ``model``; with all its problems, each with line
            and key.
    """
    return check_toml(path, toml_text(path), model, checks=checks)


def check_toml(
    path: Path,
    text: str,
    model: type[ModelT],
    *,
    checks: Callable[[ModelT], Iterable[Mistake]] | None = None,
    lines: Mapping[KeyPath, int] | None = None,
) -> ModelT:
    """As ``read_toml``, for a text that stands in ``path`` or is to; ``lines`` (its own) says where each key stands.

    Raises:
        ConfigError: as ``read_toml``.
    """
    try:
        return _checked(path, text, model, checks, lines)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, [_syntax_problem(text, error)]) from error
    except RecursionError as error:
        raise ConfigError(path, [Problem(None, "", "is nested too deeply; write fewer brackets")]) from error


def problems_in(path: Path, mistakes: Iterable[Mistake]) -> list[Problem]:
    """Mistakes that were found after ``path`` was read, with the lines on which they stand in it.

    Raises:
        ConfigError: it cannot be read any more.
    """
    mistakes = tuple(mistakes)
    return _located(mistakes, key_lines(toml_text(path)) if mistakes else {})


def _checked(
    path: Path,
    text: str,
    model: type[ModelT],
    checks: Callable[[ModelT], Iterable[Mistake]] | None,
    lines: Mapping[KeyPath, int] | None,
) -> ModelT:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:  # such as an integer of thousands of digits
        raise ConfigError(path, [Problem(None, "", f"holds a value that no program can use: {error}")]) from error
    read, found = _read(data, model, checks)
    if read is not None and not found:
        return read
    raise ConfigError(path, _located(found, key_lines(text) if lines is None else lines))


def _read(
    data: Any, model: type[ModelT], checks: Callable[[ModelT], Iterable[Mistake]] | None
) -> tuple[ModelT | None, list[Mistake]]:
    """What the file says, and every mistake in it.

    What is wrong by itself is left out, and the rest is looked at once more, so that all is found at once; but nothing
    is said that rests on what was left out.
    """
    sound = SoundPart(data)
    found = [
        Mistake(key_path, "is a date or time, and none is known here; put text into quotes")
        for key_path, value in values_of(data)
        if isinstance(value, dt.date | dt.time)
    ]
    for mistake in found:
        sound.leave_out(mistake.key)
    while not sound.is_empty:
        part = sound.data
        try:
            # By way of JSON, in which pydantic's strict mode takes an array for a tuple, a string for a path or enum.
            read = model.model_validate_json(json.dumps(part))
        except ValidationError as error:
            if error.errors()[0]["type"] == "json_invalid":  # JSON has a lower limit of nesting than TOML
                raise RecursionError from error
            faults = [each for details in error.errors(include_url=False) for each in faults_in(details, part, model)]
        else:
            more = [each.moved(sound.original) for each in (checks(read) if checks else ())]
            return read, found + [each for each in more if not sound.doubts(each)]
        faults = [replace(each, mistake=each.mistake.moved(sound.original)) for each in faults]
        found += [each.mistake for each in faults if not sound.doubts(each.mistake, is_of_whole=each.is_of_whole)]
        for each in faults:
            sound.leave_out(each.mistake.key, meant=each.meant)
    return None, found


def _located(mistakes: Iterable[Mistake], lines: Mapping[KeyPath, int]) -> list[Problem]:
    """The same as problems, each once."""
    problems: dict[Problem, None] = {}
    for each in mistakes:
        line = _line(each, lines)
        others = sorted({lines[key_path] for key_path in each.against if key_path in lines} - {line})
        shown = [*map(str, others[:3]), *(["others"] if len(others) > 3 else [])]
        and_last = " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)
        see = f" (see line{'s' if shown[1:] else ''} {and_last})" if shown else ""
        problems[Problem(line, dotted(each.key), each.text + see)] = None
    return list(problems)


def _line(mistake: Mistake, lines: Mapping[KeyPath, int]) -> int:
    """The line of a key, or of the nearest table around it, or of what it is against; else the first."""
    around = (mistake.key[:end] for end in range(len(mistake.key), 0, -1))
    return next((lines[key_path] for key_path in (*around, *mistake.against) if key_path in lines), 1)


def toml_text(path: Path) -> str:
    """The text of ``path``, with line ends as ``\\n`` and without a byte-order mark.

    Raises:
        ConfigError: it is no regular file, cannot be read, is no UTF-8, or is too long.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)  # a pipe or terminal must not hang it
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unreadable(path, "it is no regular file", "Name a TOML file")
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _unreadable(path, reason, _what_is_meant(path, error)) from error
    if len(content) > _MAX_BYTES:
        problem = Problem(None, "", f"is longer than {_MAX_BYTES} bytes; is it the right file?")
        raise ConfigError(path, [problem], remedy="Name the right file; nothing was started.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, [Problem(line, "", "is not UTF-8 text; save the file as UTF-8")]) from error


def _unreadable(path: Path, reason: str, meant: str) -> ConfigError:
    problem = Problem(None, "", f"cannot be read: {reason}")
    return ConfigError(path, [problem], remedy=f"{meant}; nothing was started.")


def _what_is_meant(path: Path, error: OSError | ValueError) -> str:
    """What to do about a file that cannot be read; in place of a folder, a TOML file that it holds."""
    match error:
        case PermissionError():
            return "See that you may read it"
        case IsADirectoryError():
            held = sorted(path.glob("*.toml"))  # nothing, if that is not to be read either
            return f"Name a file in that folder, such as {held[0] if held else path / 'rig.toml'}"
    return "Name a file that is there"


def _syntax_problem(text: str, error: tomllib.TOMLDecodeError) -> Problem:
    # "… (at line 3, column 7)" or "… (at end of document)": the message is all that tomllib of Python 3.11 gives.
    message, _, where = str(error).rpartition(" (at ")
    number = where.removeprefix("line ").split(",")[0]
    line = int(number) if number.isdigit() else max(1, text.rstrip("\n").count("\n") + 1)
    return Problem(line, "", f"is no valid TOML: {message or error}")
