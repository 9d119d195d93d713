"""What an emulated board is made of: the firmware's flavour, its axes, its buffers and its times."""

from __future__ import annotations

import enum
from dataclasses import dataclass

AXES = "XYZE"


class Flavour(enum.Enum):
    """Which Marlin speaks; the value is the name on the command line."""

    MARLIN_2_0_9 = "2.0.9"
    BUGFIX_2_1 = "bugfix-2.1"


@dataclass(frozen=True)
class AxisSettings:
    """One axis as it is compiled in. A unit is a millimetre or, on a rotary axis, a degree.

    `home_switch_at_steps` is where the minimum switch closes, in true motor steps from where the axis stood when the
    emulator was made: it is pressed there and everywhere below. None: there is no switch, and G28 finds nothing.
    An axis without ends may have an index instead, with a turn of `index_turn_steps`: the switch is pressed there and
    at every whole turn from there, each time over the `index_width_steps` below.
    """

    steps_per_unit: float
    max_speed_units_per_s: float
    max_acceleration_units_per_s2: float
    length_units: float = 200.0
    homing_speed_units_per_s: float = 50.0
    homing_bump_units: float = 5.0
    homing_bump_divisor: float = 2.0
    home_switch_at_steps: int | None = None
    index_turn_steps: float | None = None
    index_width_steps: float = 0.0

    def __post_init__(self) -> None:
        for name in ("steps_per_unit", "max_speed_units_per_s", "max_acceleration_units_per_s2", "length_units"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        if self.homing_speed_units_per_s <= 0 or self.homing_bump_units < 0 or self.homing_bump_divisor < 1:
            raise ValueError("homing needs a speed above 0, a bump of at least 0 and a divisor of at least 1")
        if self.index_turn_steps is not None and not 1 <= self.index_width_steps < self.index_turn_steps:
            raise ValueError(f"an index is pressed over 1 step or more, and less than a turn: {self.index_width_steps}")


@dataclass(frozen=True)
class BoardSettings:
    """A stock Marlin on a RAMPS 1.4 (ATmega2560, 250,000 baud), unless told otherwise.

    Times are seconds of the board's own clock. `work_per_line_s` is from taking a line off the queue until its plain
    `ok` has left the UART: 5.5 ms on the ATmega2560, during which the receive buffer is looked at once.
    `servo_deg_per_s` is how fast a servo's shaft follows, `servo_starts_deg` where each shaft is at first (0, if there
    are fewer of them than servos); the firmware knows nothing of either. `protected_pins` are those that M42 refuses.
    """

    flavour: Flavour = Flavour.MARLIN_2_0_9
    emergency_parser: bool = True
    advanced_ok: bool = False
    resets_on_open: bool = True

    x: AxisSettings = AxisSettings(80.0, 300.0, 3000.0, home_switch_at_steps=-800)
    y: AxisSettings = AxisSettings(80.0, 300.0, 3000.0, home_switch_at_steps=-800)
    z: AxisSettings = AxisSettings(
        400.0,
        5.0,
        100.0,
        homing_speed_units_per_s=4.0,
        homing_bump_units=2.0,
        homing_bump_divisor=4.0,
        home_switch_at_steps=-4000,
    )
    e: AxisSettings = AxisSettings(500.0, 25.0, 10000.0)
    print_acceleration_units_per_s2: float = 3000.0
    retract_acceleration_units_per_s2: float = 3000.0
    travel_acceleration_units_per_s2: float = 3000.0
    junction_deviation_units: float = 0.013
    default_speed_units_per_s: float = 25.0
    max_extrusion_units: float = 200.0

    endstops: tuple[str, ...] = ("x_min", "y_min", "z_min")
    servos: int = 1
    servo_deg_per_s: float = 500.0
    servo_starts_deg: tuple[float, ...] = ()
    fans: int = 1
    protected_pins: frozenset[int] = frozenset(
        {0, 1, 3, 2, 8, 9, 10, 13, 14, 15, 18, 19, 24, 26, 28, 30, 34, 36, 38, 46, 48, 54, 55, 56, 60, 61, 62}
    )

    baud: int = 250_000
    rx_ring_bytes: int = 128
    max_line_bytes: int = 96
    command_queue_lines: int = 4
    planner_blocks: int = 16
    min_steps_per_move: int = 6

    boot_s: float = 1.0
    work_per_line_s: float = 0.0055
    first_move_delay_s: float = 0.1
    busy_interval_s: float = 2.0
    idle_release_s: float = 120.0
    servo_wait_s: float = 0.3
    kill_run_on_s: float = 0.7
    quick_stop_min_s: float = 1.0
    quick_stop_max_s: float = 1.5
    quick_stop_max_steps: int = 24

    def __post_init__(self) -> None:
        if self.baud <= 0 or self.rx_ring_bytes < 2 or self.command_queue_lines < 1 or self.planner_blocks < 2:
            raise ValueError("a board needs a baud rate and room in its buffers")
        for name in ("boot_s", "work_per_line_s", "first_move_delay_s", "idle_release_s", "kill_run_on_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be below 0, but is {getattr(self, name)}")
        for name in self.endstops:
            if name[:2] not in {"x_", "y_", "z_"} or name[2:] not in {"min", "max"}:
                raise ValueError(f"endstop {name!r} is none: they are called x_min, x_max, y_min, ... z_max")

    @property
    def axes(self) -> tuple[AxisSettings, ...]:
        """The four axes in the order X, Y, Z, E."""
        return (self.x, self.y, self.z, self.e)

    @property
    def byte_s(self) -> float:
        """Seconds that one byte (10 bits) takes on the wire: 40 microseconds at 250,000 baud."""
        return 10.0 / self.baud

    @property
    def usable_blocks(self) -> int:
        """Moves that the planner holds: one block of its ring always stays empty."""
        return self.planner_blocks - 1
