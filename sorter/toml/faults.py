"""What pydantic finds wrong with a document, in the words and keys of the file."""

from __future__ import annotations

import difflib
import json
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sorter.toml.lines import KeyPath, dotted
from sorter.toml.model import Mistake, MistakesError, TomlModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

_KIND = "kind"
"""The key that says which of several models a table has."""


@dataclass(frozen=True)
class Fault:
    """A mistake that pydantic found; whether it is about all of a table; which key a misspelt one was meant to be."""

    mistake: Mistake
    is_of_whole: bool = False
    meant: str | None = None


def faults_in(details: ErrorDetails, data: Any, model: type[TomlModel]) -> Iterator[Fault]:
    """Where a mistake stands and what it is."""
    is_missing, context = details["type"] == "missing", details.get("ctx", {})
    key_path = _within(data, details["loc"], model, is_missing=is_missing)
    cause = context.get("error")
    if isinstance(cause, MistakesError):
        for each in cause.mistakes:
            yield Fault(each.moved(lambda inner: (*key_path, *inner)))
        return
    value, is_of_whole, meant = details["input"], False, None
    match details["type"]:
        case "extra_forbidden":
            hint, meant = _hint(key_path, data, model)
            text = f"is not a key that is known here{hint}"
        case "missing":
            text = "is missing; add it"
        case "union_tag_not_found" | "union_tag_invalid":
            models, _ = _models_at(key_path, data, model)
            choices = in_words([f'"{tag}"' for each in models for tag in _kinds(each)])
            known = {name for each in models for name in _keys(each)}
            misspelt = difflib.get_close_matches(_KIND, [name for name in value if name not in known], n=1)
            key_path = (*key_path, _KIND)
            if _KIND in value:
                text = f"must be {choices}, got {_toml_value(value[_KIND])}"
            else:
                text = f"is missing; add {choices}" + (f', perhaps in place of "{misspelt[0]}"' if misspelt else "")
        case "model_type" | "model_attributes_type" | "dict_type":
            text = f"must be a table, such as [{dotted(key_path)}] or {{ key = value }}"
        case kind:
            is_of_whole = kind in ("value_error", "assertion_error") and isinstance(value, dict | list)
            text = details["msg"].removeprefix("Value error, ")
            text = text[:1].lower() + text[1:]
            text += "" if isinstance(value, dict | list) else f", got {_toml_value(value)}"
    yield Fault(Mistake(key_path, text), is_of_whole, meant)


def _toml_value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _within(data: Any, loc: tuple[str | int, ...], model: type[TomlModel], *, is_missing: bool) -> KeyPath:
    """Pydantic's location without the steps that are no keys of the file, such as the tag of a union."""
    steps: list[str | int] = []
    models = [model]
    for position, step in enumerate(loc):
        if len(models) > 1 and isinstance(data, dict) and step == data.get(_KIND):
            models = [each for each in models if step in _kinds(each)]  # a tag, which may also be the name of a key
            continue
        is_key = isinstance(data, dict) and step in data
        is_item = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if is_key or is_item:
            steps.append(step)
            data = data[step]
            models = models if is_item else _models_of(models, step)
        elif is_missing and position == len(loc) - 1:
            steps.append(step)
    return tuple(steps)


def _hint(key_path: KeyPath, data: Any, model: type[TomlModel]) -> tuple[str, str | None]:
    """What to write in place of a key that nobody knows, in words and as the key that was perhaps meant."""
    *above, name = key_path
    models, kind = _models_at(above, data, model)
    here = [each for each in models if kind is None or kind in _kinds(each)]
    known = _keys(here[0]) if len(here) == 1 else []
    elsewhere = [f'{_KIND} = "{tag}"' for each in models if name in _keys(each) for tag in _kinds(each)]
    if elsewhere:
        return f"; it goes with {in_words(elsewhere)}", None
    close = difflib.get_close_matches(str(name), known, n=1)
    if close:
        return f'; did you mean "{close[0]}"?', close[0]
    return f"; known are {', '.join(known)}" if known else "", None


def _models_at(above: Sequence[str | int], data: Any, model: type[TomlModel]) -> tuple[list[type[TomlModel]], Any]:
    """The models that the table at ``above`` may have, and its ``kind`` if that says which."""
    models, kind = [model], None
    for step in above:
        data = data[step]
        if isinstance(step, int):
            continue
        models = _models_of(models, step)
        kind = data.get(_KIND) if len(models) > 1 and isinstance(data, dict) else None
    return models, kind


def _models_of(models: Sequence[type[TomlModel]], key: str | int) -> list[type[TomlModel]]:
    """The models that the table under ``key`` may have."""
    fields = [each.model_fields[str(key)] for each in models if key in each.model_fields]
    return [inner for field in fields for inner in _models_in(field.annotation)]


def _keys(model: type[TomlModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _kinds(model: type[TomlModel]) -> tuple[Any, ...]:
    return typing.get_args(model.model_fields[_KIND].annotation) if _KIND in model.model_fields else ()


def _models_in(annotation: Any) -> Iterator[type[TomlModel]]:
    if isinstance(annotation, type):
        if issubclass(annotation, TomlModel):
            yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)


def in_words(alternatives: Sequence[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    return " or ".join([", ".join(alternatives[:-1]), alternatives[-1]] if alternatives[1:] else alternatives)
