"""``rig.toml``: all that is particular to one rig, checked once at the door and frozen from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from sorter.toml import TomlModel, read_toml

_BAUD_RATES = (57_600, 115_200, 250_000, 500_000, 1_000_000)


def _checked_path(path: Path) -> Path:
    text = str(path)
    if text in ("", ".") or "\0" in text or text.startswith("~"):
        raise ValueError("must name a folder or file, in full or relative to this file's folder; ~ is not replaced")
    return path


def _checked_baud_rate(rate: int) -> int:
    if rate not in _BAUD_RATES:
        raise ValueError(f"must be one of {', '.join(map(str, _BAUD_RATES))}")
    return rate


FilePath = Annotated[Path, AfterValidator(_checked_path)]


class BoardConfig(TomlModel):
    """``[board]``: the Marlin board and how it is reached."""

    port: Annotated[str, StringConstraints(pattern=r"^(auto|/[^\x00]+)$")] = Field(
        default="auto", description='a device such as "/dev/serial/by-id/usb-...", or "auto" to look for a board'
    )
    baud_rate: Annotated[int, AfterValidator(_checked_baud_rate)] = Field(
        default=250_000, description="bits per second, as BAUDRATE in Marlin's Configuration.h"
    )


class PathsConfig(TomlModel):
    """``[paths]``: where the rig keeps what it writes."""

    state: FilePath = Field(
        default=Path("state"), description="ledger, pictures and models of this rig; relative to rig.toml's folder"
    )


class RigConfig(TomlModel):
    """The whole file. A table that is left out has its defaults."""

    board: BoardConfig = BoardConfig()
    paths: PathsConfig = PathsConfig()


def read_rig_config(path: Path) -> RigConfig:
    """Read ``rig.toml``; paths in it become absolute, relative ones from its own folder.

    Raises:
        sorter.errors.ConfigError: with every problem of the file, each with line and key.
    """
    config = read_toml(path, RigConfig)
    paths = config.paths.model_copy(update={"state": path.absolute().parent / config.paths.state})
    return config.model_copy(update={"paths": paths})
