"""``[turntable]`` and ``[chute]`` of rig.toml: what turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sorter.config.fields import Degrees, Positive, Seconds, ServoDegrees, ServoIndex
from sorter.toml import Mistake, TomlModel

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_STEPS = 6
"""Marlin makes no move of fewer."""
_GEARING = ("full_steps_per_turn", "microsteps", "gear_ratio")
STEPS_KEYS = ("measured_steps_per_deg", *_GEARING)
"""What says how many steps a degree is."""


class MotorConfig(TomlModel):
    """A stepper motor on one of Marlin's axes, and what it turns."""

    letter: Literal["X", "Y", "Z"] = Field(description="Marlin's axis: the socket on the board")
    full_steps_per_turn: Annotated[int, Field(ge=20, le=1000)] = Field(
        default=200, description="of the motor; a NEMA17 has 200 (1.8 deg) or 400"
    )
    microsteps: Literal[1, 2, 4, 8, 16, 32, 64, 128, 256] = Field(
        default=16, description="as the jumpers below the driver say"
    )
    gear_ratio: Positive = Field(default=1.0, description="turns of the motor for one turn of what it drives")
    measured_steps_per_deg: Positive | None = Field(
        default=None,
        description="microsteps for one degree, instead of the three above, where it was measured: see "
        "`sorter calibrate`",
        examples=[8.8889],
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

    @property
    def least_move_deg(self) -> float:
        """The shortest move that the board makes."""
        return LEAST_STEPS / self.steps_per_deg

    def mistakes(self) -> Iterable[Mistake]:
        """It has one gearing."""
        if self.measured_steps_per_deg is not None:
            for name in _GEARING:
                if name in self.model_fields_set:
                    text = f"must be left out: measured_steps_per_deg takes its place, got {getattr(self, name)}"
                    yield Mistake((name,), text, against=(("measured_steps_per_deg",),))


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

    def mistakes(self) -> Iterable[Mistake]:
        """It has limits that hold, or none."""
        yield from super().mistakes()
        limits = ("minimum_deg", "maximum_deg")
        if self.homing == "index":
            for name in limits:
                if name in self.model_fields_set:
                    text = f'must be left out with homing = "index", which has no ends, got {getattr(self, name)}'
                    yield Mistake((name,), text, against=(("homing",),))
            return
        if self.minimum_deg is None or self.maximum_deg is None:
            name = "minimum_deg" if self.minimum_deg is None else "maximum_deg"
            yield Mistake((name,), 'must be a number with homing = "endstop"', against=(("homing",),))
            return
        key = self.stated(*reversed(limits))
        against = tuple((name,) for name in limits if name != key)
        if self.minimum_deg >= self.maximum_deg:
            text = f"minimum_deg {self.minimum_deg:g} must be below maximum_deg {self.maximum_deg:g}"
            yield Mistake((key,), text, against=against)
        elif not self.minimum_deg <= self.home_deg <= self.maximum_deg:
            key = self.stated("home_deg", *limits)
            yield Mistake(
                (key,),
                f"home_deg {self.home_deg:g} must be from minimum_deg {self.minimum_deg:g} to maximum_deg "
                f"{self.maximum_deg:g}",
                against=tuple((name,) for name in ("home_deg", *limits) if name != key),
            )

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

    def mistakes(self) -> Iterable[Mistake]:
        """It has limits that hold."""
        if self.minimum_deg >= self.maximum_deg:
            key = self.stated("maximum_deg", "minimum_deg")
            text = f"minimum_deg {self.minimum_deg:g} must be below maximum_deg {self.maximum_deg:g}"
            other = "minimum_deg" if key == "maximum_deg" else "maximum_deg"
            yield Mistake((key,), text, against=((other,),))

    @property
    def limits_deg(self) -> tuple[float, float]:
        """Lowest and highest angle."""
        return self.minimum_deg, self.maximum_deg


ChuteConfig = Annotated[MotorChuteConfig | ServoChuteConfig, Field(discriminator="kind")]
