"""Angles of the rig and positions of the board: direction, place of the switch, limits.

The board counts in degrees as well, but it homes to its minimum and knows nothing of which way a motor is wired:

    board = sign · (angle − origin)

``sign`` is −1 for a motor that is reversed. ``origin`` is 0 for an axis with ends, so that the wire's log shows its
angles; for one that turns without end it is the angle at its switch, so that Marlin's own coordinate, which homing sets
to 0 and nothing else does, is the one that is kept small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.axes import Axis
from firmware_bridge.board import Board
from sorter.config import MotorChuteConfig, StepperFeederConfig
from sorter.rig.slip import REACH_DEG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firmware_bridge.limits import SessionLimits
    from sorter.config import MotorConfig, RigConfig, TurntableConfig

TURNTABLE, CHUTE, FEEDER = "turntable", "chute", "feeder"


@dataclass(frozen=True)
class RigAxis:
    """An axis as the rig knows it, and as the board does.

    Args:
        board_axis: what the board is told.
        sign: 1, or −1 for a motor that is reversed.
        origin_deg: the angle at the board's position 0.
        home_deg: the angle at the switch; None if it has none.
        limits_deg: lowest and highest angle; None if it turns without end.
    """

    board_axis: Axis
    sign: float
    origin_deg: float
    home_deg: float | None
    limits_deg: tuple[float, float] | None

    @property
    def name(self) -> str:
        """The same for rig and board."""
        return self.board_axis.name

    @property
    def ends(self) -> tuple[float, float] | None:
        """The board's coordinates at the limits, lowest first; None if it turns without end."""
        if self.limits_deg is None:
            return None
        low, high = sorted(self.sign * (limit - self.origin_deg) for limit in self.limits_deg)
        return low, high


def turntable_axis(config: TurntableConfig) -> RigAxis:
    """``[turntable]``: without end, and with a switch only where there is an index."""
    return _axis(TURNTABLE, config, config.index_deg if config.homing == "index" else None, None)


def chute_axis(config: MotorChuteConfig) -> RigAxis:
    """``[chute]`` with a motor: with ends, or without and with an index."""
    return _axis(CHUTE, config, config.home_deg, config.limits_deg)


def feeder_axis(config: StepperFeederConfig) -> RigAxis:
    """``[feeder]`` with a motor: without end and without a switch."""
    return _axis(FEEDER, config, None, None)


def board_from(
    config: RigConfig,
    *,
    on_note: Callable[[str], None] | None = None,
    log_file: Path | None = None,
    limits: SessionLimits | None = None,
) -> Board:
    """The board of this rig, not yet connected.

    Args:
        config: the rig's file.
        on_note: called in the link's thread with sentences that whoever watches should read.
        log_file: everything that crosses the wire is written there too.
        limits: how long the link waits; None for those of a real board.
    """
    axes = [turntable_axis(config.turntable)]
    if isinstance(config.chute, MotorChuteConfig):
        axes.append(chute_axis(config.chute))
    if isinstance(config.feeder, StepperFeederConfig):
        axes.append(feeder_axis(config.feeder))
    return Board(
        [axis.board_axis for axis in axes],
        port=config.board.port,
        baud_rate=config.board.baud_rate,
        limits=limits,
        log_file=log_file,
        on_note=on_note,
    )


def _axis(name: str, config: MotorConfig, home_deg: float | None, limits_deg: tuple[float, float] | None) -> RigAxis:
    sign = -1.0 if config.is_reversed else 1.0
    origin_deg = home_deg if limits_deg is None and home_deg is not None else 0.0
    ends = sorted(sign * (limit - origin_deg) for limit in limits_deg or ())
    # The rig's own limits are kept by ``Motor``; beyond them an axis goes only to find its switch again.
    minimum, maximum = (ends[0] - REACH_DEG, ends[1] + REACH_DEG) if ends else (None, None)
    board_axis = Axis(
        name,
        config.letter,
        "deg",
        steps_per_unit=config.steps_per_deg,
        max_speed=config.speed_deg_per_s,
        acceleration=config.acceleration_deg_per_s2,
        minimum=minimum,
        maximum=maximum,
        home_position=None if home_deg is None else sign * (home_deg - origin_deg),
        home_travel_s=config.homing_timeout_s,
    )
    return RigAxis(board_axis, sign, origin_deg, home_deg, limits_deg)
