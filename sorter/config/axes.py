"""``[turntable]`` and ``[chute]`` of rig.toml: what turns."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sorter.config.fields import Degrees, Seconds, ServoDegrees, ServoIndex
from sorter.toml import TomlModel

_Positive = Annotated[float, Field(gt=0.0, le=100_000.0)]
_GEARING = ("full_steps_per_turn", "microsteps", "gear_ratio")


class MotorConfig(TomlModel):
    """A stepper motor on one of Marlin's axes, and what it turns."""

    letter: Literal["X", "Y", "Z"] = Field(description="Marlin's axis: the socket on the board")
    full_steps_per_turn: Annotated[int, Field(ge=20, le=1000)] = Field(
        default=200, description="of the motor; a NEMA17 has 200 (1.8 deg) or 400"
    )
    microsteps: Literal[1, 2, 4, 8, 16, 32, 64, 128, 256] = Field(
        default=16, description="as the jumpers below the driver say"
    )
    gear_ratio: _Positive = Field(default=1.0, description="turns of the motor for one turn of what it drives")
    measured_steps_per_deg: _Positive | None = Field(
        default=None, description="instead of the three above, where it was measured: see `sorter calibrate`"
    )
    is_reversed: bool = Field(default=False, description="positive degrees turn the motor the other way")
    speed_deg_per_s: Annotated[float, Field(ge=1.0, le=2000.0)] = Field(default=360.0, description="highest speed")
    acceleration_deg_per_s2: Annotated[float, Field(ge=1.0, le=50_000.0)] = Field(
        default=1440.0, description="highest acceleration"
    )
    homing_timeout_s: Annotated[float, Field(ge=1.0, le=300.0)] = Field(
        default=60.0, description="how long homing may take"
    )

    @property
    def steps_per_deg(self) -> float:
        """Microsteps for one degree of what the motor drives."""
        if self.measured_steps_per_deg is not None:
            return self.measured_steps_per_deg
        return self.full_steps_per_turn * self.microsteps * self.gear_ratio / 360.0

    @model_validator(mode="after")
    def _has_one_gearing(self) -> Self:
        if self.measured_steps_per_deg is not None:
            both = [name for name in _GEARING if name in self.model_fields_set]
            if both:
                raise ValueError(f"measured_steps_per_deg takes the place of {', '.join(both)}: leave those out")
        return self


class TurntableConfig(MotorConfig):
    """``[turntable]``: the table that parts lie on; it turns without end."""

    letter: Literal["X", "Y", "Z"] = Field(default="Y", description="Marlin's axis: the socket on the board")
    homing: Literal["none", "index"] = Field(
        default="none", description='"index": a switch at the axis\' minimum endstop that the table passes once a turn'
    )
    index_deg: Degrees = Field(default=0.0, description="where the table stands at its index switch")


class MotorChuteConfig(MotorConfig):
    """``[chute]`` with ``kind = "motor"``: a stepper turns the chute to the bins."""

    kind: Literal["motor"] = Field(description='"motor" or "servo"')
    letter: Literal["X", "Y", "Z"] = Field(default="X", description="Marlin's axis: the socket on the board")
    homing: Literal["endstop", "index"] = Field(
        default="endstop", description="a switch at the end of its travel, or one that it passes once a turn"
    )
    home_deg: Degrees = Field(default=0.0, description="where the chute stands at its switch")
    minimum_deg: Degrees | None = Field(default=0.0, description="lowest angle; index: leave it out")
    maximum_deg: Degrees | None = Field(default=350.0, description="highest angle; index: leave it out")

    @model_validator(mode="after")
    def _has_limits_that_hold(self) -> Self:
        given = {"minimum_deg", "maximum_deg"} & self.model_fields_set
        if self.homing == "index":
            if given:
                raise ValueError(f'{", ".join(sorted(given))} must be left out with homing = "index": it has no ends')
            return self
        if self.minimum_deg is None or self.maximum_deg is None or self.minimum_deg >= self.maximum_deg:
            raise ValueError(f"minimum_deg {self.minimum_deg} must be below maximum_deg {self.maximum_deg}")
        if not self.minimum_deg <= self.home_deg <= self.maximum_deg:
            raise ValueError(
                f"home_deg {self.home_deg:g} must be from minimum_deg {self.minimum_deg:g} to maximum_deg "
                f"{self.maximum_deg:g}"
            )
        return self

    @property
    def limits_deg(self) -> tuple[float, float] | None:
        """Lowest and highest angle; None if it turns without end."""
        if self.homing == "index" or self.minimum_deg is None or self.maximum_deg is None:
            return None
        return self.minimum_deg, self.maximum_deg


class ServoChuteConfig(TomlModel):
    """``[chute]`` with ``kind = "servo"``: a servo turns a short chute, or a flap with two places."""

    kind: Literal["servo"] = Field(description='"motor" or "servo"')
    servo: ServoIndex = Field(default=1, description="P of M280; Marlin needs NUM_SERVOS above it")
    travel_s: Seconds = Field(default=0.5, description="how long it takes from one end to the other")
    minimum_deg: ServoDegrees = Field(default=0.0, description="lowest angle")
    maximum_deg: ServoDegrees = Field(default=180.0, description="highest angle")

    @model_validator(mode="after")
    def _has_limits_that_hold(self) -> Self:
        if self.minimum_deg >= self.maximum_deg:
            raise ValueError(f"minimum_deg {self.minimum_deg:g} must be below maximum_deg {self.maximum_deg:g}")
        return self

    @property
    def limits_deg(self) -> tuple[float, float]:
        """Lowest and highest angle."""
        return self.minimum_deg, self.maximum_deg


ChuteConfig = Annotated[MotorChuteConfig | ServoChuteConfig, Field(discriminator="kind")]
