"""What the twin is told when it is started, and what it writes down of what really happened.

The twin is a process of its own: ``python -m sorter.twin SETTINGS.json``, with a ``TwinSettings`` in the file. When it
is ready it prints one line, ``{"port": ..., "socket": ...}``, with ``hands`` beside if it has any, and serves until
SIGTERM, SIGINT, or the end of its standard input. To whoever drives it, it is a serial device and a camera.

Frames come through the Unix socket. The client writes ``frame\\n`` and reads one line of JSON,
``{"width_px": W, "height_px": H, "exposure_s": E, "sequence": N}``, then W×H×3 bytes of RGB, rows first; or
``{"error": "..."}`` alone. The exposure begins when the request arrives and is over when the answer comes.

What really happened is written to the file ``truth``, a JSON object a line, each with ``event`` and ``at_s`` (seconds
of the host's monotonic clock, which all processes of a machine share) and:

    dropped     part, design, class (null: unknown to the network), brick (null: none), pose, is_again
    landed      part; it lies still on the table
    pushed      part; the arm has struck it
    fell        part, place: a bin's id, "beside", or "hand": somebody took it; it lies there
    collision   text; something moved while the arm was over the table
    empty       the hopper has no more parts, and each has fallen: nothing can come any more, until it is filled
    fault       name, part: in whose handling it happened (null: nobody's), and details; it happens
    hand        do, and what of: parts, bins, fault, count; hands have done it

``sorter.types.faults`` names the faults of ``faults``; ``sorter.types.hands`` says what goes through the socket
``hands``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from sorter.types.from_json import read_json

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_Positive = Annotated[float, Field(gt=0.0, le=100_000.0)]
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Seconds = Annotated[float, Field(ge=0.0, le=600.0)]
_Servo = Annotated[int, Field(ge=0, le=3)]
_Angle = Annotated[float, Field(ge=0.0, le=180.0)]

BESIDE = "beside"
"""Where parts fall that miss every bin."""
HAND = "hand"
"""Where parts lie that somebody has taken off the table or out of the chute."""


@dataclass(frozen=True)
class TwinMotor:
    """A stepper, and what it turns.

    Args:
        letter: Marlin's axis.
        steps_per_deg: microsteps for a degree of what it turns.
        is_reversed: positive degrees are negative steps.
        home_deg: where what it turns stands when the axis' minimum switch closes; None: there is no switch.
        is_endless: its switch is an index that is passed once a turn, as the turntable's always is; without, the switch
            is at the end of its travel, closed there and beyond.
    """

    letter: Literal["X", "Y", "Z"]
    steps_per_deg: _Positive
    is_reversed: bool = False
    home_deg: float | None = None
    is_endless: bool = False

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class TwinFeeder:
    """A feeder; see ``[feeder]`` of rig.toml.

    Args:
        kind: what it is.
        fan: vibratory: which output shakes it.
        motor: stepper: what turns it.
        double_share: share of parts that take another one with them.
        seconds_a_part: how long it shakes, on average, until a part drops; manual: how long the hand takes.
        degrees_a_part: stepper: how far it turns, on average, until a part drops.
    """

    kind: Literal["manual", "vibratory", "stepper"]
    fan: Annotated[int, Field(ge=0, le=7)] = 0
    motor: TwinMotor | None = None
    double_share: _Share = 0.005
    seconds_a_part: _Positive = 0.4
    degrees_a_part: _Positive = 45.0

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class TwinSensor:
    """A sensor at an endstop input.

    Args:
        endstop: the input.
        is_triggered_when_active: as ``is_active_when`` of rig.toml.
        pulse_s: how long a part keeps it active; None: ``beam_s`` of the settings.
    """

    endstop: str
    is_triggered_when_active: bool = True
    pulse_s: _Seconds | None = None

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class TwinBin:
    """A bin: its id and the chute's angle (deg) for it."""

    id: str
    chute_deg: float

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class TwinParts:
    """What is in the hopper.

    Args:
        count: so many parts.
        classes: of those that the network knows; sprites of other designs, and with ``photos`` other classes, are the
            unknown ones.
        unknown_share: share of parts of no known class.
        photos: a folder of photographs in one of the dataset's layouts: each part is one revolution of it; None takes
            sprites.
    """

    count: Annotated[int, Field(ge=0, le=10_000_000)]
    classes: tuple[str, ...]
    unknown_share: _Share = 0.0
    photos: str | None = None

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class TwinCamera:
    """The camera: size of its frames, and how long it exposes one."""

    width_px: Annotated[int, Field(ge=64, le=2048)] = 300
    height_px: Annotated[int, Field(ge=64, le=2048)] = 300
    exposure_s: Annotated[float, Field(gt=0.0, le=1.0)] = 0.008

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class TwinSettings:
    """A whole twin.

    Args:
        port_link: the symbolic link that stands for the serial device.
        socket: where the camera listens.
        truth: the file for what really happened; it is begun anew.
        seed: what chance begins with.
        speed: seconds that the twin lives in one second.
        turntable: its motor.
        chute: its motor, or the index of its servo, or None: all falls into the only bin.
        ejector_servo, park_deg, push_deg: its arm.
        feeder: how parts come.
        sensors: by the names of ``[sensors]`` in rig.toml.
        bins: where parts may fall.
        recirculate: what falls into this bin goes back into the hopper.
        parts: what is in the hopper.
        camera: what looks on.
        chute_window_deg: so far from a bin's angle the chute still hits it.
        fall_to_chute_s, fall_s: from the arm's stroke until a part enters the chute, and until it lies in a bin.
        beam_s: how long a sensor's pulse is, where it has none of its own.
        faults: of bad days, by name: the chance per part.
        hands: where hands listen; None: there are none.
    """

    port_link: str
    socket: str
    truth: str
    turntable: TwinMotor
    feeder: TwinFeeder
    bins: Annotated[tuple[TwinBin, ...], Field(min_length=1)]
    parts: TwinParts
    chute: TwinMotor | _Servo | None = None
    ejector_servo: _Servo = 0
    park_deg: _Angle = 20.0
    push_deg: _Angle = 130.0
    sensors: dict[str, TwinSensor] | None = None
    recirculate: str | None = None
    camera: TwinCamera = TwinCamera()
    seed: int = 0
    speed: Annotated[float, Field(gt=0.0, le=1000.0)] = 1.0
    chute_window_deg: _Positive = 8.0
    fall_to_chute_s: _Seconds = 0.1
    fall_s: _Seconds = 0.25
    beam_s: _Seconds = 0.3
    faults: dict[str, _Share] = field(default_factory=dict)
    hands: str | None = None

    __pydantic_config__ = _STRICT

    def to_json(self) -> str:
        """The text of a settings file."""
        return _READER.dump_json(self, indent=1).decode() + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> TwinSettings:
        """Read the text of a settings file.

        Raises:
            ValueError: it is no JSON, or not what is described here; says where and what.
        """
        return read_json(_READER, text)


_READER: TypeAdapter[TwinSettings] = TypeAdapter(TwinSettings)
