"""Switches and light barriers at spare endstop inputs, asked for with M119."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.rig.errors import NotFitted

if TYPE_CHECKING:
    from firmware_bridge.board import Board
    from sorter.config import SensorsConfig

_ASKED_TIMES = 3


class Sensors:
    """Those that the rig has, by the names of ``[sensors]``.

    Args:
        config: ``[sensors]``.
        board: whose inputs they are at.
    """

    def __init__(self, config: SensorsConfig, board: Board) -> None:
        self._sensors = config.all
        self._board = board

    @property
    def names(self) -> tuple[str, ...]:
        """Those that there are."""
        return tuple(self._sensors)

    def read(self) -> dict[str, bool]:
        """Each sensor's name, and whether it is active: all in one M119, none if there is nothing to ask for.

        Raises:
            NotFitted: the firmware reports no such input.
            BoardError: as ``Board.endstops``.
        """
        if not self._sensors:
            return {}
        inputs: dict[str, bool] = {}
        for _ in range(_ASKED_TIMES):  # a line of the answer may be hit on its way: it has no checksum
            inputs = self._board.endstops()
            if all(sensor.endstop in inputs for sensor in self._sensors.values()):
                break
        for name, sensor in self._sensors.items():
            if sensor.endstop not in inputs:
                raise NotFitted(
                    f"the sensor {name} is at {sensor.endstop}, and the board reports only "
                    f"{', '.join(inputs) or 'nothing'}",
                    remedy=f"Change sensors.{name}.endstop in rig.toml, or enable the input in Marlin's "
                    "Configuration.h; `sorter board endstops` shows what the board reports.",
                )
        return {
            name: inputs[sensor.endstop] == (sensor.is_active_when == "triggered")
            for name, sensor in self._sensors.items()
        }
