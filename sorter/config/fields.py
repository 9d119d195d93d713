"""Kinds of values that several tables of rig.toml have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field


def _checked_path(path: Path) -> Path:
    text = str(path)
    if text in ("", ".") or "\0" in text or text.startswith("~"):
        raise ValueError("must name a folder or file, in full or relative to this file's folder; ~ is not replaced")
    if not path.is_absolute() and ".." in path.parts:
        raise ValueError("must not leave this file's folder by ..; write the path in full, from /, if that is meant")
    return path


def matching(pattern: str, must: str) -> AfterValidator:
    """Refuse text that does not match ``pattern`` as a whole; ``must`` says in words what it must be."""
    whole = re.compile(pattern)

    def checked(text: str) -> str:
        if not whole.fullmatch(text):
            raise ValueError(must)
        return text

    return AfterValidator(checked)


FilePath = Annotated[Path, AfterValidator(_checked_path)]
Degrees = Annotated[float, Field(ge=-100_000.0, le=100_000.0)]
Positive = Annotated[float, Field(gt=0.0, le=100_000.0)]
ServoDegrees = Annotated[float, Field(ge=0.0, le=180.0)]
ServoIndex = Annotated[int, Field(ge=0, le=3)]
Seconds = Annotated[float, Field(ge=0.0, le=600.0)]
Name = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9 _.+-]{0,39}",
        "must be 1 to 40 letters, digits, spaces or _ . + - and begin with a letter or digit",
    ),
]
