"""What is true of an emulated board, whatever it says on the wire: for tests and for the simulated rig."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Executed:
    """A line that the firmware began to execute.

    `text` is without number and checksum; `boot` counts the resets before it; `started_s` is the board's own clock.
    """

    text: str
    line_number: int | None
    started_s: float
    boot: int


@dataclass
class Counters:
    """Since the last reset. Bytes dropped are those that arrived and were neither read nor flushed after an error."""

    bytes_dropped: int = 0
    bytes_flushed: int = 0
    resends_asked: int = 0
    checksum_errors: int = 0
    number_errors: int = 0
    lines_executed: int = 0
    unnumbered_lines_executed: int = 0
    repeated_lines_executed: int = 0
    duplicates_swallowed: int = 0


@dataclass(frozen=True)
class ServoTruth:
    """A servo: what it was told, when (board's clock), and where its shaft is now. Told nothing, it is limp."""

    commanded_deg: float | None
    pulse_us: int | None
    commanded_s: float | None
    shaft_deg: float


@dataclass(frozen=True)
class AxisTruth:
    """An axis: true motor steps since the emulator was made (a reset does not change them), and its driver."""

    steps: int
    is_enabled: bool
    is_homed: bool


@dataclass(frozen=True)
class Truth:
    """The board at one instant, `time_s` of its own clock.

    `is_halted` is a kill that was said, `is_tripped` one that was not; `resets` are those since the emulator was made.
    `pins` are the outputs that M42 has set (0..255), `fans` the fan speeds (0..255).
    """

    time_s: float
    axes: Mapping[str, AxisTruth]
    is_moving: bool
    planned_moves: int
    servos: tuple[ServoTruth, ...]
    pins: Mapping[int, int]
    fans: tuple[int, ...]
    endstops: Mapping[str, bool]
    is_port_open: bool
    is_booting: bool
    is_halted: bool
    is_tripped: bool
    resets: int
    last_line_number: int
    counters: Counters = field(default_factory=Counters)

    @property
    def steps(self) -> dict[str, int]:
        """True motor steps by axis letter."""
        return {letter: axis.steps for letter, axis in self.axes.items()}
