"""``[ejector]``, ``[feeder]`` and ``[sensors]`` of rig.toml: what moves parts, and what sees them pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sorter.config.axes import LEAST_STEPS, STEPS_KEYS, MotorConfig
from sorter.config.fields import Seconds, ServoDegrees, ServoIndex
from sorter.toml import Mistake, TomlModel

if TYPE_CHECKING:
    from collections.abc import Iterable

Endstop = Literal["x_min", "x_max", "y_min", "y_max", "z_min", "z_max"]
_LEAST_PUSH_DEG = 10.0


class EjectorConfig(TomlModel):
    """``[ejector]``: the servo arm that pushes the part off the table into the chute."""

    servo: ServoIndex = Field(default=0, description="P of M280: the servo's socket on the board")
    park_deg: ServoDegrees = Field(default=20.0, description="clear of the table, the camera's view and the parts")
    push_deg: ServoDegrees = Field(default=130.0, description="all the way over the table's rim")
    travel_s: Annotated[float, Field(ge=0.05, le=10.0)] = Field(
        default=0.3, description="how long the arm takes from one to the other"
    )
    dwell_s: Seconds = Field(default=0.05, description="how long the arm stays pushed")
    fall_s: Seconds = Field(
        default=0.35, description="from the arm's arrival until the part lies in its bin; the chute stands still for it"
    )
    azimuth_deg: Annotated[float, Field(ge=0.0, lt=360.0)] = Field(
        default=0.0, description="the table's angle at which a part that lies off the middle is before the arm"
    )
    pushes: Annotated[int, Field(ge=1, le=10)] = Field(
        default=2, description="so often a part that stays is pushed before somebody is called"
    )

    def mistakes(self) -> Iterable[Mistake]:
        """The arm goes somewhere."""
        if abs(self.park_deg - self.push_deg) < _LEAST_PUSH_DEG:
            key, other = ("push_deg", "park_deg") if "push_deg" in self.model_fields_set else ("park_deg", "push_deg")
            text = f"push_deg {self.push_deg:g} must be {_LEAST_PUSH_DEG:g} deg or more from park_deg {self.park_deg:g}"
            yield Mistake((key,), text, against=((other,),))


class _FeederConfig(TomlModel):
    give_up_s: Annotated[float, Field(ge=0.5, le=600.0)] = Field(
        default=8.0, description="so long is waited for one part before that try counts as empty"
    )
    empty_after: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="so many empty tries in a row: the hopper is called empty"
    )


class ManualFeederConfig(_FeederConfig):
    """``[feeder]`` with ``kind = "manual"``: somebody puts parts on the table."""

    kind: Literal["manual"] = Field(description='"manual", "stepper" or "vibratory"')
    give_up_s: Annotated[float, Field(ge=0.5, le=600.0)] = Field(
        default=60.0, description="so long is waited for one part before that try counts as empty"
    )


class VibratoryFeederConfig(_FeederConfig):
    """``[feeder]`` with ``kind = "vibratory"``: a motor or magnet that shakes, on a fan output such as D9."""

    kind: Literal["vibratory"] = Field(description='"manual", "stepper" or "vibratory"')
    fan: Annotated[int, Field(ge=0, le=7)] = Field(default=0, description="P of M106; D9 of a RAMPS is mostly 0")
    level: Annotated[int, Field(ge=1, le=255)] = Field(default=160, description="S of M106: how hard it shakes")
    pulse_s: Annotated[float, Field(gt=0.0, le=60.0)] | None = Field(
        default=None,
        description="shake so long, then look; without it the feeder shakes until a part is seen",
        examples=[0.5],
    )

    def mistakes(self) -> Iterable[Mistake]:
        """A pulse ends before the try does."""
        if self.pulse_s is not None and self.pulse_s > self.give_up_s:
            text = f"must not be longer than give_up_s {self.give_up_s:g}, got {self.pulse_s:g}"
            yield Mistake(("pulse_s",), text, against=(("give_up_s",),))


class StepperFeederConfig(_FeederConfig, MotorConfig):
    """``[feeder]`` with ``kind = "stepper"``: a belt or wheel on one of Marlin's axes."""

    kind: Literal["stepper"] = Field(description='"manual", "stepper" or "vibratory"')
    letter: Literal["X", "Y", "Z"] = Field(default="Z", description="Marlin's axis: the socket on the board")
    step_deg: Annotated[float, Field(gt=0.0, le=3600.0)] = Field(
        default=30.0, description="how far it goes before the next look"
    )

    def mistakes(self) -> Iterable[Mistake]:
        """Its step is one that the board makes."""
        yield from super().mistakes()
        if self.step_deg < self.least_move_deg:
            text = f"must be {self.least_move_deg:g} or more, {LEAST_STEPS} steps of the motor, got {self.step_deg:g}"
            yield Mistake(("step_deg",), text, rests_on=tuple((name,) for name in STEPS_KEYS))


FeederConfig = Annotated[ManualFeederConfig | VibratoryFeederConfig | StepperFeederConfig, Field(discriminator="kind")]


class SensorConfig(TomlModel):
    """A switch or light barrier at a spare endstop input."""

    endstop: Endstop = Field(description="the board's input, as M119 names it", examples=["z_max"])
    is_active_when: Literal["triggered", "open"] = Field(
        default="triggered", description="what M119 says while the beam is broken, or while the supply is on"
    )


class SensorsConfig(TomlModel):
    """``[sensors]``: each may be left out.

    A beam's pulse must be long enough to be asked for (M119): 0.2 s or more, by a pulse stretcher if need be.
    """

    dropped: SensorConfig | None = Field(default=None, description="beam that a part breaks as it drops on the table")
    in_chute: SensorConfig | None = Field(default=None, description="beam that a part breaks in the chute")
    motor_power: SensorConfig | None = Field(
        default=None, description="active while the motors have power: second contact of the emergency switch"
    )

    @property
    def all(self) -> dict[str, SensorConfig]:
        """Those that there are, by name."""
        named = {"dropped": self.dropped, "in_chute": self.in_chute, "motor_power": self.motor_power}
        return {name: sensor for name, sensor in named.items() if sensor is not None}
