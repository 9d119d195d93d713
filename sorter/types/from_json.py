"""A JSON text into a checked value, with the first mistake in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Value = TypeVar("Value")


def read_json(reader: TypeAdapter[Value], text: str | bytes) -> Value:
    """What ``reader`` makes of the text.

    Raises:
        ValueError: it is no JSON, or not what ``reader`` takes; says where and what.
    """
    try:
        return reader.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(": ".join([*([where] if where else []), first["msg"]])) from error
