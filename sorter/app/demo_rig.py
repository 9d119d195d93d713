"""The demo's rig: a ``rig.toml`` as a builder would write it, and the settings of the twin that is its hardware.

A bin for each class of the model, then the reject bin and the one for parts that are fed again, at even angles of a
motor chute; a vibratory feeder; beams where parts drop and in the chute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import tomlkit

from sorter.app.errors import DemoRefused
from sorter.classify.card import OTHER
from sorter.config import MotorChuteConfig, VibratoryFeederConfig
from sorter.cycle.station import IN_CHUTE
from sorter.types.twin import TwinBin, TwinCamera, TwinFeeder, TwinMotor, TwinParts, TwinSensor, TwinSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sorter.config import MotorConfig, RigConfig, SensorConfig

RIG_FILE, TWIN_FILE, TRUTH_FILE = "rig.toml", "twin.json", "truth.jsonl"
REJECT, RECIRCULATE = "reject", "recirculate"
MOST_SPEED = 50.0

_BOARD_LINK, _CAMERA_SOCKET, HANDS_SOCKET, _STATE = "board", "camera.sock", "hands.sock", "state"
_LONGEST_SOCKET = 100  # bytes; the kernel takes 107
_SIDE_PX = 300  # of the twin's camera's frames
_MOST_BINS = 60
_WIDEST_WINDOW_DEG = 8.0

# What the host must have of its own time, however fast the twin lives: for a frame, with restarts of the camera, for a
# part that bounces, for one try of the feeder, to see a beam's pulse, to stop the feeder before a second part drops.
_FRAME_S, _FRAMES_S, _SETTLE_S, _GIVE_UP_S, _BEAM_S, _LATE_S = 1.5, 6.0, 1.5, 1.0, 0.1, 0.02

_PULSE_S, _LONGEST_PULSE_S = 0.3, 1.5  # of a beam; the next part comes later
_CHUTE_BEAM_S, _LONGEST_CHUTE_PULSE_S = 0.2, 3.0  # the same in the chute, where the next part comes later still
_CHECK_EVERY_PARTS = 20  # where motors lose steps, so that few parts go astray until it is found
_USUAL_PART_S = 0.4  # of the feeder's shaking
_FALL_S = 0.15  # from a part's drop until the feeder has stopped, with a host that loses no time
_SURE_SHARE = 0.4  # of the time for a part in which surely no other comes


@dataclass(frozen=True)
class DemoOptions:
    """What a demo is asked for; see ``sorter demo``.

    Args:
        parts: so many are in the hopper.
        seed: what chance begins with.
        speed: seconds that the rig lives in one of the host.
        unknown_share: of parts of no known class.
        photos: folder of photographs to show instead of sprites.
        views: so many of each part; None leaves it to the rig.
        faults: the twin's bad days: the chance of each, for each part.
    """

    parts: int
    seed: int = 0
    speed: float = 1.0
    unknown_share: float = 0.0
    photos: Path | None = None
    views: int | None = None
    faults: Mapping[str, float] = field(default_factory=dict)


def known_classes(labels: Sequence[str]) -> tuple[str, ...]:
    """The classes that get a bin: all but the one for what is none of them.

    Raises:
        DemoRefused: there are more than the chute has places for.
    """
    classes = tuple(label for label in labels if label != OTHER)
    if len(classes) > _MOST_BINS - 2:
        raise DemoRefused(
            f"the model knows {len(classes)} classes; the demo's chute has places for {_MOST_BINS - 2}",
            remedy="Take a model of fewer classes.",
        )
    return classes


def rig_toml(folder: Path, model: Path, classes: Sequence[str], options: DemoOptions) -> str:
    """The text of the demo's rig.toml, to lie in ``folder``.

    Args:
        folder: of the demo.
        model: a shipped model's name, or a model's folder.
        classes: that get a bin.
        options: what was asked for.

    Raises:
        DemoRefused: the folder's path is too long for a Unix socket in it.
    """
    if len(str(folder / _CAMERA_SOCKET).encode()) > _LONGEST_SOCKET:
        raise DemoRefused(
            f"{folder} is too long a path for a socket in it", remedy="Name a shorter --keep, or a shorter TMPDIR."
        )
    least, most = (options.views, options.views) if options.views is not None else (2, 8)
    speed = options.speed
    ids = [*classes, REJECT, RECIRCULATE]
    step_deg = 360.0 / len(ids)
    data: dict[str, Any] = {
        "board": {"port": str(folder / _BOARD_LINK)},
        "camera": {
            "source": "socket",
            "path": _CAMERA_SOCKET,
            "width_px": _SIDE_PX,
            "height_px": _SIDE_PX,
            "frame_timeout_s": _between(3.0, _FRAME_S * speed, 30.0),
            "deadline_s": _between(25.0, _FRAMES_S * speed, 120.0),
        },
        "turntable": {"letter": "Y"},
        "chute": {"kind": "motor", "letter": "X", "home_deg": 0.0, "minimum_deg": 0.0, "maximum_deg": 359.0},
        "ejector": {"servo": 0},
        "feeder": {"kind": "vibratory", "fan": 0, "give_up_s": _between(8.0, _GIVE_UP_S * speed, 600.0)},
        "sensors": {"dropped": {"endstop": "z_min"}, "in_chute": {"endstop": "y_min"}} | _more_sensors(options),
        "look": {
            "model": str(model),
            "angles": max(8, most),
            "least_views": least,
            "most_views": most,
            "settle_timeout_s": _between(4.0, _SETTLE_S * speed, 60.0),
            "empty_table": "picture",
        },
        "check": {
            "every_parts": _CHECK_EVERY_PARTS if _loses_steps(options) else 200,
            "light": options.photos is None,  # each revolution was photographed in its own
        },
        "paths": {"state": _STATE},
        "sort": {
            "name": "a bin for each class",
            "reject": REJECT,
            "recirculate": RECIRCULATE,
            "rules": [{"bin": name, "classes": [name]} for name in classes],
        },
        "bins": [
            {"id": name, "chute_deg": round(place * step_deg, 2), "capacity": max(20, options.parts)}
            for place, name in enumerate(ids)
        ],
    }
    document = tomlkit.document()
    document.add(tomlkit.comment("Written by `sorter demo`: a rig whose hardware is the twin of twin.json."))
    document.update(data)
    return tomlkit.dumps(document)


def twin_settings(folder: Path, config: RigConfig, classes: Sequence[str], options: DemoOptions) -> TwinSettings:
    """The twin that is the hardware of this config, as it was read from the demo's rig.toml in ``folder``."""
    chute, feeder = config.chute, config.feeder
    assert isinstance(chute, MotorChuteConfig)  # as rig_toml wrote it
    assert isinstance(feeder, VibratoryFeederConfig)
    assert config.sort is not None
    assert config.camera.path is not None
    return TwinSettings(
        port_link=config.board.port,
        socket=str(config.camera.path),
        truth=str(folder / TRUTH_FILE),
        turntable=_motor(config.turntable, None),
        chute=_motor(chute, chute.home_deg),
        feeder=TwinFeeder("vibratory", fan=feeder.fan, seconds_a_part=_seconds_a_part(options.speed)),
        bins=tuple(TwinBin(each.id, each.chute_deg) for each in config.bins),
        recirculate=config.sort.recirculate,
        parts=TwinParts(
            options.parts,
            tuple(classes),
            unknown_share=options.unknown_share,
            photos=None if options.photos is None else str(options.photos.absolute()),
        ),
        sensors={name: _sensor(name, sensor, options.speed) for name, sensor in config.sensors.all.items()},
        camera=TwinCamera(config.camera.width_px, config.camera.height_px),
        ejector_servo=config.ejector.servo,
        park_deg=config.ejector.park_deg,
        push_deg=config.ejector.push_deg,
        chute_window_deg=min(_WIDEST_WINDOW_DEG, 0.4 * 360.0 / len(config.bins)),
        seed=options.seed,
        speed=options.speed,
        beam_s=_between(_PULSE_S, _BEAM_S * options.speed, _LONGEST_PULSE_S),
        faults=dict(options.faults),
        hands=str(folder / HANDS_SOCKET),
    )


def _more_sensors(options: DemoOptions) -> dict[str, Any]:
    """The contact of the motors' switch, where their supply can be cut; asking for it takes a moment at each push."""
    return {"motor_power": {"endstop": "x_max"}} if options.faults.get("power-cut") else {}


def _loses_steps(options: DemoOptions) -> bool:
    return any(rate and name.startswith("lost-steps") for name, rate in options.faults.items())


def _seconds_a_part(speed: float) -> float:
    """The faster the twin lives, the slower it feeds: a host that is late to stop the feeder would get two at once."""
    return max(_USUAL_PART_S, (_FALL_S + _LATE_S * speed) / _SURE_SHARE)


def _between(least: float, value: float, most: float) -> float:
    return min(most, max(least, value))


def _motor(motor: MotorConfig, home_deg: float | None) -> TwinMotor:
    return TwinMotor(motor.letter, motor.steps_per_deg, is_reversed=motor.is_reversed, home_deg=home_deg)


def _sensor(name: str, sensor: SensorConfig, speed: float) -> TwinSensor:
    pulse_s = _between(_PULSE_S, _CHUTE_BEAM_S * speed, _LONGEST_CHUTE_PULSE_S) if name == IN_CHUTE else None
    return TwinSensor(sensor.endstop, is_triggered_when_active=sensor.is_active_when == "triggered", pulse_s=pulse_s)
