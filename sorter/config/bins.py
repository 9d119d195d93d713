"""``[[bins]]``, ``[sort]`` and ``[categories]`` of rig.toml: where parts go."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sorter.config.fields import Degrees, Name
from sorter.toml import TomlModel
from sorter.types import BinId, SortPlan, SortRule


class BinConfig(TomlModel):
    """``[[bins]]``: a bin, one table for each."""

    id: Name = Field(description="what rules, page and ledger call it", examples=["bricks"])
    chute_deg: Degrees = Field(description="where the chute stands for it; without a chute 0", examples=[30.0])
    capacity: Annotated[int, Field(ge=1, le=1_000_000)] = Field(default=200, description="so many parts fill it")
    label: str = Field(default="", max_length=80, description="for people; empty shows the id", examples=["Red bricks"])


class RuleConfig(TomlModel):
    """``[[sort.rules]]``: what goes into a bin, one table for each rule; all that is named must hold."""

    bin: Name = Field(description="id of the bin that it goes into", examples=["bricks"])
    classes: tuple[Name, ...] = Field(
        default=(), description="design numbers; none means any", examples=[["3001", "3002"]]
    )
    categories: tuple[Name, ...] = Field(
        default=(), description="names from [categories]; none means any", examples=[["plates"]]
    )
    colours: tuple[Name, ...] = Field(
        default=(), description="LEGO colours such as Red; none means any", examples=[["Red", "Dark Red"]]
    )
    least_probability: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        default=0.0, description="of the class that was decided"
    )


class SortConfig(TomlModel):
    """``[sort]``: the sort plan that the rig starts with; the first rule that fits wins."""

    name: Name = Field(default="standard", description="what the operator calls the plan")
    reject: Name = Field(
        description="bin for parts that the rig is not sure of or that no rule fits", examples=["reject"]
    )
    overflow: Name | None = Field(default=None, description="bin instead of a full one", examples=["overflow"])
    recirculate: Name | None = Field(
        default=None, description="bin for several parts at once; else they are rejected", examples=["again"]
    )
    rules: tuple[RuleConfig, ...] = Field(default=(), description="in order")

    def plan(self) -> SortPlan:
        """The same as a ``SortPlan``."""
        rules = tuple(
            SortRule(BinId(rule.bin), rule.classes, rule.categories, rule.colours, rule.least_probability)
            for rule in self.rules
        )
        return SortPlan(
            self.name,
            rules,
            reject=BinId(self.reject),
            overflow=None if self.overflow is None else BinId(self.overflow),
            recirculate=None if self.recirculate is None else BinId(self.recirculate),
        )
