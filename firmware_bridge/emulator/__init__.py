"""An emulated board: a Marlin on a RAMPS 1.4, with real motion times and a menu of faults, in virtual time or on a pty.

It shares no code with the host side, so that each is a check of the other.
"""

from firmware_bridge.emulator.faults import MENU, FaultPlan, UnknownFaultError
from firmware_bridge.emulator.firmware import Firmware
from firmware_bridge.emulator.pty_server import EmulatedBoard
from firmware_bridge.emulator.settings import AxisSettings, BoardSettings, Flavour
from firmware_bridge.emulator.surroundings import Inside, Outward, Surroundings
from firmware_bridge.emulator.truth import AxisTruth, Counters, Executed, ServoTruth, Truth

__all__ = [
    "MENU",
    "AxisSettings",
    "AxisTruth",
    "BoardSettings",
    "Counters",
    "EmulatedBoard",
    "Executed",
    "FaultPlan",
    "Firmware",
    "Flavour",
    "Inside",
    "Outward",
    "ServoTruth",
    "Surroundings",
    "Truth",
    "UnknownFaultError",
]
