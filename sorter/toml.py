"""Read a TOML file into a frozen model, once, at the door; say of every mistake on which line it stands.

Used for the rig's config and for every other TOML file that a person writes.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
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
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, [_syntax_problem(text, error)]) from error
    except RecursionError as error:
        raise ConfigError(path, [Problem(None, "", "is nested too deeply; write fewer brackets")]) from error
    dates = [key_path for key_path, value in _values(data) if isinstance(value, dt.date | dt.time)]
    if dates:
        lines = key_lines(text)
        remedy = "is a date or time, and none is known here; put text into quotes"
        raise ConfigError(path, [Problem(_line(key_path, lines), _dotted(key_path), remedy) for key_path in dates])
    try:
        # By way of JSON, in which pydantic's strict mode takes an array for a tuple and a string for a path or enum.
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        lines = key_lines(text)
        problems = [_problem(details, data, lines, model) for details in error.errors(include_url=False)]
        raise ConfigError(path, problems) from error


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) on which each key of a valid TOML text is first named; list positions count from 0.

    Statements end where the text so far is a valid document of its own, so what a statement adds stands on its first
    line. tomllib knows no positions; this asks nothing of it but to parse.
    """
    found: dict[KeyPath, int] = {}
    lines = [line + "\n" for line in text.split("\n")]
    first, so_far = 1, ""
    for number, line in enumerate(lines, start=1):
        so_far += line
        blank_statement = line.strip() == "" or line.lstrip().startswith("#")
        if first == number and blank_statement:
            first = number + 1
            continue
        try:
            data = tomllib.loads(so_far)
        except tomllib.TOMLDecodeError:
            continue
        for key_path, _ in _values(data):
            found.setdefault(key_path, first)
        first = number + 1
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(path, [Problem(None, "", f"cannot be read: {error.strerror or error}")]) from error
    if len(content) > _MAX_BYTES:
        raise ConfigError(path, [Problem(None, "", f"is longer than {_MAX_BYTES} bytes; is it the right file?")])
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
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


def _problem(details: ErrorDetails, data: Any, lines: dict[KeyPath, int], model: type[TomlModel]) -> Problem:
    key_path = _within(data, details["loc"])
    key, line = _dotted(key_path), _line(key_path, lines)
    match details["type"]:
        case "extra_forbidden":
            return Problem(line, key, f"is not a key that is known here{_suggestion(key_path, model)}")
        case "missing":
            return Problem(line, key, "is missing; add it")
        case _:
            text = details["msg"].removeprefix("Value error, ")
            text = text[:1].lower() + text[1:]
            value = details["input"]
            shown = "" if isinstance(value, dict | list) else f", got {_toml_value(value)}"
            return Problem(line, key, text + shown)


def _dotted(key_path: KeyPath) -> str:
    return ".".join(str(step) for step in key_path)


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
        elif position == len(loc) - 1 and isinstance(data, dict):
            steps.append(step)  # a key that is missing
    return tuple(steps)


def _suggestion(key_path: KeyPath, model: type[TomlModel]) -> str:
    table = _model_at(key_path[:-1], model)
    names = list(table.model_fields) if table is not None else []
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
