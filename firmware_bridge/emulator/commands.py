"""Every command the firmware knows, by name: host, motion, homing and outputs put together to one table.

A handler gets the processor and the command. One that blocks is a generator; its `ok` comes when it ends.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from firmware_bridge.emulator.commands_host import HOST_COMMANDS
from firmware_bridge.emulator.commands_motion import MOTION_COMMANDS
from firmware_bridge.emulator.commands_outputs import OUTPUT_COMMANDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware_bridge.emulator.handler import Handler

HANDLERS: Mapping[str, Handler] = MappingProxyType({**HOST_COMMANDS, **MOTION_COMMANDS, **OUTPUT_COMMANDS})
