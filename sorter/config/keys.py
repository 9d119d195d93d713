"""Every table and key of rig.toml with meaning, unit, bounds and default, told from the models themselves."""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticUndefined

from sorter.config.rig import RigConfig
from sorter.toml import TomlModel, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

_UNITS = {
    "_deg_per_s2": "deg/s²",
    "_deg_per_s": "deg/s",
    "_steps_per_deg": "steps/deg",
    "mm_per_px": "mm/px",
    "frames_per_s": "frames/s",
    "_per_turn": "steps",
    "_deg": "deg",
    "_ms": "ms",
    "_s": "s",
    "_px": "px",
    "_k": "K",
}


@dataclass(frozen=True)
class Key:
    """One key of a table.

    Args:
        name: as it is written.
        values: what may be written, in words: kind, unit, bounds.
        default: what holds without it, as TOML; None if nothing does, or if it must be there.
        is_required: it must be there.
        meaning: what it says.
        example: a value for it, as TOML: the default where there is one.
    """

    name: str
    values: str
    default: str | None
    is_required: bool
    meaning: str
    example: str


@dataclass(frozen=True)
class Table:
    """One table: its header, the ``kind`` for which it has these keys, what it is about, and its keys."""

    header: str
    kind: str | None
    meaning: str
    keys: tuple[Key, ...]


def tables() -> tuple[Table, ...]:
    """Every table of rig.toml, in the order of the models; one with several kinds once for each."""
    return tuple(_tables(RigConfig, ()))


def _tables(model: type[TomlModel], above: tuple[str, ...]) -> Iterator[Table]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        dotted = ".".join(path)
        inner = list(_models_in(field.annotation))
        is_array = typing.get_origin(field.annotation) is tuple
        header = f"[[{dotted}]]" if is_array else f"[{dotted}]"
        for each in inner:
            kind = typing.get_args(each.model_fields["kind"].annotation)[0] if len(inner) > 1 else None
            is_one_of_several = is_array or kind is not None
            meaning = None if is_one_of_several else field.description
            yield Table(header, kind, meaning or _first_paragraph(each), _keys_of(each))
            yield from _tables(each, path)
        if not inner and typing.get_origin(field.annotation) is dict:
            (example, value), *_ = (field.examples or [{}])[0].items()
            key = Key(example, "list of texts", None, False, "a name of your own, and its design numbers", _toml(value))
            yield Table(header, None, field.description or "", (key,))


def _keys_of(model: type[TomlModel]) -> tuple[Key, ...]:
    schemas = model.model_json_schema(mode="validation")["properties"]
    plain = {name: field for name, field in model.model_fields.items() if not list(_models_in(field.annotation))}
    names = sorted(plain, key=lambda name: name != "kind")  # which says what the others may be
    return tuple(_key(name, plain[name], schemas[name]) for name in names)


def _key(name: str, field: FieldInfo, schema: dict[str, Any]) -> Key:
    default = None if field.default in (PydanticUndefined, None) else _toml(field.default)
    example = _toml((field.examples or [schema.get("const")])[0]) if field.examples or default is None else default
    return Key(name, _values(name, schema), default, field.is_required(), field.description or "", example)


def _values(name: str, schema: dict[str, Any]) -> str:
    possible = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    unit = next((unit for suffix, unit in _UNITS.items() if f"_{name}".endswith(suffix)), "")
    return _kind({**possible[0], **({"enum": schema["enum"]} if "enum" in schema else {})}, unit)


def _kind(schema: dict[str, Any], unit: str = "") -> str:
    kind = schema.get("type")
    if "const" in schema or "enum" in schema:
        return in_words([_toml(value) for value in schema.get("enum", [schema.get("const")])])
    if kind in ("integer", "number"):
        return f"{'whole number' if kind == 'integer' else 'number'}{_bounds(schema, unit)}"
    if kind == "array":
        inner, count = schema.get("items") or schema["prefixItems"][0], len(schema.get("prefixItems", ()))
        several = _kind(inner).replace("number", "numbers").replace("text", "texts")
        return f"list of {count} {several}" if count else f"list of {several}"
    return "true or false" if kind == "boolean" else "path" if schema.get("format") == "path" else "text"


def _bounds(schema: dict[str, Any], unit: str) -> str:
    bounds = {"minimum": "", "exclusiveMinimum": "above ", "maximum": "", "exclusiveMaximum": "below "}
    stated = [f"{word}{schema[name]:,.12g}" for name, word in bounds.items() if name in schema]
    text = f", {' to '.join(stated)}" if stated else ""
    text += f" {unit}" if unit else ""
    return f"{text}, a multiple of {schema['multipleOf']}" if "multipleOf" in schema else text


def _toml(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False, default=str)


def _first_paragraph(model: type[TomlModel]) -> str:
    """What a model's docstring says of its table, without the table's name before it."""
    text = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    head, colon, rest = text.partition(": ")
    return (rest if colon and head.startswith("``[") else text).replace("``", "").rstrip(".")


def _models_in(annotation: Any) -> Iterator[type[TomlModel]]:
    if isinstance(annotation, type) and issubclass(annotation, TomlModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
