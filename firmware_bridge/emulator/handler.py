"""The promise between the processor and the commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_bridge.emulator.processor import Processor, Work
    from firmware_bridge.emulator.words import Command

Handler = Callable[["Processor", "Command"], "Work | None"]
