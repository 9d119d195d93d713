"""``[look]`` of rig.toml: how a part is looked at, and when the rig is sure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sorter.config.fields import FilePath
from sorter.toml import Mistake, TomlModel

if TYPE_CHECKING:
    from collections.abc import Iterable


class LookConfig(TomlModel):
    """``[look]``: views, settling, model and thresholds."""

    model: FilePath = Field(
        default=Path("turntable10"),
        description="the name of a shipped model, or a model's folder, relative to rig.toml's folder",
    )
    misroute_rate: Annotated[float, Field(gt=0.0, le=0.5)] = Field(
        default=0.005, description="share of wrongly sorted parts that is put up with; decides what is rejected"
    )
    angles: Annotated[int, Field(ge=1, le=72)] = Field(
        default=8, description="so many places of the table, evenly over a turn, to look from"
    )
    least_views: Annotated[int, Field(ge=1, le=72)] = Field(default=2, description="of each part, however sure")
    most_views: Annotated[int, Field(ge=1, le=72)] = Field(default=8, description="of a part that is not clear")
    still_frames: Annotated[int, Field(ge=1, le=10)] = Field(
        default=1, description="so many frames in a row without motion: the part lies still"
    )
    settle_timeout_s: Annotated[float, Field(ge=0.2, le=60.0)] = Field(
        default=4.0, description="a part that has not come to rest by then is looked at as it is"
    )
    shake_s: Annotated[float, Field(ge=0.0, le=5.0)] = Field(
        default=0.0, description="pause after the table stands, for a camera on a frame that shakes"
    )
    empty_table: Literal["operator", "picture"] = Field(
        default="operator", description="who confirms at start-up that the table is empty"
    )

    def mistakes(self) -> Iterable[Mistake]:
        """The numbers of views fit each other."""
        for low, high in (("least_views", "most_views"), ("most_views", "angles")):
            less, more = getattr(self, low), getattr(self, high)
            if less > more:
                key = self.stated(low, high)
                other = high if key == low else low
                text = f"{low} {less} must not be above {high} {more}; lower the one or raise the other"
                yield Mistake((key,), text, against=((other,),))

    @property
    def angles_deg(self) -> tuple[float, ...]:
        """Angles of the table to look from, ascending from 0."""
        return tuple(360.0 * place / self.angles for place in range(self.angles))
