"""The rig's motion in the words of parts: turntable, chute, ejector, feeder and sensors on top of a Marlin board."""

from sorter.rig.axes import board_from
from sorter.rig.board_trouble import BoardTrouble, board_trouble
from sorter.rig.errors import Interlocked, MotorPowerCut, NotFitted, NotHomed, OutOfReach, RigError, TableNotEmpty
from sorter.rig.machine import Machine

__all__ = [
    "BoardTrouble",
    "Interlocked",
    "Machine",
    "MotorPowerCut",
    "NotFitted",
    "NotHomed",
    "OutOfReach",
    "RigError",
    "TableNotEmpty",
    "board_from",
    "board_trouble",
]
