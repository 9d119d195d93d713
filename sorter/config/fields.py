"""Kinds of values that several tables of rig.toml have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints


def _checked_path(path: Path) -> Path:
    text = str(path)
    if text in ("", ".") or "\0" in text or text.startswith("~"):
        raise ValueError("must name a folder or file, in full or relative to this file's folder; ~ is not replaced")
    return path


FilePath = Annotated[Path, AfterValidator(_checked_path)]
Degrees = Annotated[float, Field(ge=-100_000.0, le=100_000.0)]
ServoDegrees = Annotated[float, Field(ge=0.0, le=180.0)]
ServoIndex = Annotated[int, Field(ge=0, le=3)]
Seconds = Annotated[float, Field(ge=0.0, le=600.0)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.+-]{0,39}$")]
