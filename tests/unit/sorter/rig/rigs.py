"""A whole rig's motion on an emulated board, and what its board was told."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from firmware_bridge.emulator.pty_server import EmulatedBoard
from firmware_bridge.emulator.settings import AxisSettings, BoardSettings
from firmware_bridge.limits import SessionLimits
from sorter.clock import RealClock
from sorter.config import (
    BinConfig,
    BoardConfig,
    EjectorConfig,
    MotorChuteConfig,
    RigConfig,
    SensorConfig,
    SensorsConfig,
    ServoChuteConfig,
    SortConfig,
    StepperFeederConfig,
    VibratoryFeederConfig,
)
from sorter.rig import Machine, board_from

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEED = 30.0
LIMITS = SessionLimits(margin_s=0.6, busy_s=1.0, query_s=0.3, start_s=1.0, banner_s=0.1)
_ROTARY = AxisSettings(8.889, 500.0, 5000.0, length_units=400.0, home_switch_at_steps=-100)
SETTINGS = BoardSettings(
    boot_s=1.0,
    x=_ROTARY,
    y=_ROTARY,
    z=replace(_ROTARY, home_switch_at_steps=None),
    endstops=("x_min", "y_min", "z_min", "x_max", "y_max", "z_max"),
    servos=2,
    fans=1,
)

EJECTOR = EjectorConfig(travel_s=0.4, dwell_s=0.1, fall_s=0.6)
CHUTE = MotorChuteConfig(kind="motor", speed_deg_per_s=180.0, acceleration_deg_per_s2=900.0)
SERVO_CHUTE = ServoChuteConfig(kind="servo", travel_s=0.9)
SHAKER = VibratoryFeederConfig(kind="vibratory", level=150)
BELT = StepperFeederConfig(kind="stepper")
SENSORS = SensorsConfig(
    dropped=SensorConfig(endstop="z_max"),
    in_chute=SensorConfig(endstop="x_max", is_active_when="open"),
    motor_power=SensorConfig(endstop="y_max", is_active_when="open"),
)
BINS = (BinConfig(id="reject", chute_deg=40.0), BinConfig(id="bricks", chute_deg=90.0))
SORT = SortConfig(reject="reject")


@dataclass
class Rig:
    """A machine, the board that it drives, and what was noted."""

    emulated: EmulatedBoard
    machine: Machine
    clock: RealClock
    notes: list[str] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        """What the board has been told to do since ``forget_told``, less questions and the link's own lines."""
        texts = [each.text for each in self.emulated.executed()]
        return [text for text in texts if not text.startswith(("M110", "M114", "M115", "M118"))]

    @property
    def moves(self) -> list[str]:
        """Of these, what moves something."""
        return [text for text in self.told if text.startswith(("G1", "G28", "M280"))]

    def forget_told(self) -> None:
        self.emulated.clear_executed()

    @property
    def sent_lines(self) -> int:
        """So many lines have gone to the board on this link."""
        return self.machine.board.link.counters.lines


def config_of(link: Path, **tables: Any) -> RigConfig:
    """A rig with a motor's chute, unless told otherwise."""
    given = {"chute": CHUTE, "ejector": EJECTOR, "bins": BINS, "sort": SORT, **tables}
    return RigConfig(board=BoardConfig(port=str(link)), **given)


def ends_of_moves(texts: list[str]) -> list[str]:
    """Of each row of G1 lines only the last, less its F: a move from standstill goes out in pieces."""
    following = [*texts[1:], ""]
    return [
        text.partition(" F")[0]
        for text, after in zip(texts, following, strict=True)
        if not (text.startswith("G1") and after.startswith("G1"))
    ]


@contextmanager
def connected_rig(
    folder: Path, *, settings: BoardSettings = SETTINGS, speed: float = SPEED, **tables: Any
) -> Iterator[Rig]:
    """A rig that is connected and knows nothing yet."""
    link = folder / "board"
    config = config_of(link, **tables)
    notes: list[str] = []
    with EmulatedBoard(settings, seed=1, speed=speed, link=link) as emulated:
        emulated_has_power(emulated, config)
        clock = RealClock(speed)
        board = board_from(config, limits=LIMITS, on_note=notes.append)
        machine = Machine(config, clock, on_note=notes.append, board=board)
        try:
            machine.connect()
            yield Rig(emulated, machine, clock, notes)
        finally:
            machine.close()


@contextmanager
def homed_rig(folder: Path, **options: Any) -> Iterator[Rig]:
    """A rig that is homed; what its board was told on the way is forgotten."""
    with connected_rig(folder, **options) as rig:
        rig.machine.home()
        rig.forget_told()
        yield rig


def emulated_has_power(emulated: EmulatedBoard, config: RigConfig) -> None:
    """The sensors that are open while all is well are held open, and the others too: nothing is in a beam."""
    for name, sensor in config.sensors.all.items():
        is_active = name == "motor_power"
        emulated.set_endstop(sensor.endstop, is_active == (sensor.is_active_when == "triggered"))
