"""``[board]``, ``[paths]`` and ``[web]`` of rig.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from sorter.config.fields import FilePath, matching
from sorter.toml import TomlModel

_BAUD_RATES = (57_600, 115_200, 250_000, 500_000, 1_000_000)


def _checked_baud_rate(rate: int) -> int:
    if rate not in _BAUD_RATES:
        raise ValueError(f"must be one of {', '.join(map(str, _BAUD_RATES))}")
    return rate


class BoardConfig(TomlModel):
    """``[board]``: the Marlin board and how it is reached."""

    port: Annotated[
        str, matching(r"auto|/[^\x00]+", 'must be "auto" or a device such as "/dev/serial/by-id/usb-..."')
    ] = Field(default="auto", description='a device such as "/dev/serial/by-id/usb-...", or "auto" to look for a board')
    baud_rate: Annotated[int, AfterValidator(_checked_baud_rate)] = Field(
        default=250_000,
        description="bits per second, as BAUDRATE in Marlin's Configuration.h",
        json_schema_extra={"enum": list(_BAUD_RATES)},
    )


class PathsConfig(TomlModel):
    """``[paths]``: where the rig keeps what it writes."""

    state: FilePath = Field(
        default=Path("state"), description="ledger, pictures and models of this rig; relative to rig.toml's folder"
    )


class WebConfig(TomlModel):
    """``[web]``: where the status page listens."""

    host: Annotated[
        str,
        matching(r"[A-Za-z0-9.:-]{1,253}", 'must be an address or a host\'s name, such as "127.0.0.1" or "0.0.0.0"'),
    ] = Field(default="127.0.0.1", description="address that the page listens on; 127.0.0.1 is this machine alone")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(default=8080, description="TCP port of the page")
