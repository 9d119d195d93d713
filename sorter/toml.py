"""Read a TOML file into a frozen model, once, at the door; say of every mistake on which line it stands.

Used for the rig's config and for every other TOML file that a person writes.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import os
import re
import stat
import tomllib
import typing
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sorter.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

_MAX_BYTES = 1_000_000

_MAY_CLOSE = re.compile(r"""[\]}]|\"\"\"|'''""")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

KeyPath = tuple[str | int, ...]


class TomlModel(BaseModel):
    """A table in a TOML file: frozen, no conversions, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


ModelT = TypeVar("ModelT", bound=TomlModel)


def read_toml(path: Path, model: type[ModelT]) -> ModelT:
    """Read and check ``path``.

    Raises:
        ConfigError: it cannot be read, is no TOML, or does not fit ``model``; with all its problems, each with line
            and key.
    """
    text = _text(path)
    try:
        return _checked(path, text, model)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, [_syntax_problem(text, error)]) from error
    except RecursionError as error:
        raise ConfigError(path, [Problem(None, "", "is nested too deeply; write fewer brackets")]) from error


def _checked(path: Path, text: str, model: type[ModelT]) -> ModelT:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:  # such as an integer of thousands of digits
        raise ConfigError(path, [Problem(None, "", f"holds a value that no program can use: {error}")]) from error
    problems = [
        (key_path, "is a date or time, and none is known here; put text into quotes")
        for key_path, value in _values(data)
        if isinstance(value, dt.date | dt.time)
    ]
    try:
        # By way of JSON, in which pydantic's strict mode takes an array for a tuple and a string for a path or enum.
        read = model.model_validate_json(json.dumps(data, default=str))
        if not problems:
            return read
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":  # JSON has a lower limit of nesting than TOML
            raise RecursionError from error
        problems += [_problem(details, data, model) for details in error.errors(include_url=False)]
    lines = key_lines(text)
    found = {Problem(_line(key_path, lines), _dotted(key_path), what): None for key_path, what in problems}
    raise ConfigError(path, list(found))


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) on which each key of a valid TOML text is first named; list positions count from 0.

    tomllib knows no positions. But each statement is a document of its own: what it adds, below the table that was
    opened last, stands on its first line.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for first, statement in _statements(text):
        added = list(_values(tomllib.loads(statement)))
        if statement.lstrip().startswith("["):
            table = _opened_table(added, found)
            for end in range(1, len(table) + 1):
                found.setdefault(table[:end], first)
        else:
            for key_path, _ in added:
                found.setdefault((*table, *key_path), first)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
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


def _text(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)  # a pipe or terminal must not hang it
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError(path, [Problem(None, "", "cannot be read: it is no regular file")])
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ConfigError(path, [Problem(None, "", f"cannot be read: {reason}")]) from error
    if len(content) > _MAX_BYTES:
        raise ConfigError(path, [Problem(None, "", f"is longer than {_MAX_BYTES} bytes; is it the right file?")])
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, [Problem(line, "", "is not UTF-8 text; save the file as UTF-8")]) from error


def _syntax_problem(text: str, error: tomllib.TOMLDecodeError) -> Problem:
    # "… (at line 3, column 7)" or "… (at end of document)": the message is all that tomllib of Python 3.11 gives.
    message, _, where = str(error).rpartition(" (at ")
    number = where.removeprefix("line ").split(",")[0]
    line = int(number) if number.isdigit() else max(1, text.rstrip("\n").count("\n") + 1)
    return Problem(line, "", f"is no valid TOML: {message or error}")


def _values(value: Any, above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every key of a document with its value, outer ones first."""
    if above:
        yield above, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, (*above, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _values(inner, (*above, position))


def _problem(details: ErrorDetails, data: Any, model: type[TomlModel]) -> tuple[KeyPath, str]:
    """Where a mistake stands and what it is."""
    key_path = _within(data, details["loc"])
    match details["type"]:
        case "extra_forbidden":
            return key_path, f"is not a key that is known here{_suggestion(key_path, model)}"
        case "missing":
            return key_path, "is missing; add it"
        case "model_type" | "model_attributes_type" | "dict_type":
            return key_path, f"must be a table, such as [{_dotted(key_path)}] or {{ key = value }}"
        case _:
            text = details["msg"].removeprefix("Value error, ")
            text = text[:1].lower() + text[1:]
            value = details["input"]
            shown = "" if isinstance(value, dict | list) else f", got {_toml_value(value)}"
            return key_path, text + shown


def _dotted(key_path: KeyPath) -> str:
    return ".".join(
        str(step) if isinstance(step, int) or _BARE_KEY.fullmatch(step) else json.dumps(step) for step in key_path
    )


def _line(key_path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """The line of a key, or of the nearest table around it; what nothing is around stands on the first."""
    around = (key_path[:end] for end in range(len(key_path), 0, -1))
    return next((lines[outer] for outer in around if outer in lines), 1)


def _toml_value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _within(data: Any, loc: tuple[str | int, ...]) -> KeyPath:
    """Pydantic's location without the steps that are no keys of the file, such as the tag of a union."""
    steps: list[str | int] = []
    for position, step in enumerate(loc):
        is_key = isinstance(data, dict) and step in data
        is_item = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if is_key or is_item:
            steps.append(step)
            data = data[step]
        elif position == len(loc) - 1 and (isinstance(data, dict) or isinstance(step, int)):
            steps.append(step)  # a key or an item that is missing
    return tuple(steps)


def _suggestion(key_path: KeyPath, model: type[TomlModel]) -> str:
    table = _model_at(key_path[:-1], model)
    fields = table.model_fields.items() if table is not None else ()
    names = [field.alias or name for name, field in fields]
    close = difflib.get_close_matches(str(key_path[-1]), names, n=1)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known are {', '.join(names)}" if names else ""


def _model_at(key_path: KeyPath, model: type[TomlModel]) -> type[TomlModel] | None:
    """The model of the table at ``key_path``; None where several are possible."""
    for step in key_path:
        if isinstance(step, int):
            continue
        if step not in model.model_fields:
            return None
        found = list(_models_in(model.model_fields[step].annotation))
        if len(found) != 1:
            return None
        model = found[0]
    return model


def _models_in(annotation: Any) -> Iterator[type[TomlModel]]:
    if isinstance(annotation, type):
        if issubclass(annotation, TomlModel):
            yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
