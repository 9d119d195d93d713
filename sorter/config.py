"""``rig.toml``: all that is particular to one rig, checked once at the door and frozen from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sorter.toml import TomlModel, read_toml


class BoardConfig(TomlModel):
    """``[board]``: the Marlin board and how it is reached."""

    port: Annotated[str, StringConstraints(pattern=r"^(auto|/.+)$")] = Field(
        default="auto", description='a device such as "/dev/serial/by-id/usb-...", or "auto" to look for a board'
    )
    baud_rate: Literal[250_000, 115_200, 500_000, 57_600] = Field(
        default=250_000, description="bits per second, as BAUDRATE in Marlin's Configuration.h"
    )


class PathsConfig(TomlModel):
    """``[paths]``: where the rig keeps what it writes."""

    state: Path = Field(default=Path("state"), description="ledger, pictures and models of this rig")


class RigConfig(TomlModel):
    """The whole file. A table that is left out has its defaults."""

    board: BoardConfig = BoardConfig()
    paths: PathsConfig = PathsConfig()


def read_rig_config(path: Path) -> RigConfig:
    """Read ``rig.toml``.

    Raises:
        sorter.errors.ConfigError: with every problem of the file, each with line and key.
    """
    return read_toml(path, RigConfig)
