"""``[check]`` of rig.toml: how lost steps and another light are looked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sorter.toml import TomlModel


class CheckConfig(TomlModel):
    """``[check]``: how often, and how closely, it is looked whether all is as it was made ready."""

    every_parts: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=200, description="so many parts from one look to the next; 0 looks only when a picture gives cause to"
    )
    chute_tolerance_deg: Annotated[float, Field(ge=0.2, le=10.0)] = Field(
        default=1.0, description="so far a motor's chute may stand from where it should, by its switch"
    )
    table_tolerance_deg: Annotated[float, Field(ge=0.2, le=10.0)] = Field(
        default=2.0, description="the same of the turntable: by its index switch, or by its own marks in the picture"
    )
    light: bool = Field(
        default=True,
        description="stop feeding when the light on the empty table is another one than when the table was learnt",
    )
