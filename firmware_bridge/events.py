"""How far a session is, and what it tells its caller, in order. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_bridge.lines import Line


@dataclass(frozen=True, slots=True)
class Accepted:
    """The board took the line; for M400 and the like that means it is done."""

    line: Line


@dataclass(frozen=True, slots=True)
class Dropped:
    """The line was given up: it was never sent, or nobody may know whether it ran."""

    line: Line


@dataclass(frozen=True, slots=True)
class Ready:
    """Host and board have agreed on line numbers; ``was_announced`` if the board had said ``start``."""

    was_announced: bool


@dataclass(frozen=True, slots=True)
class NeedsReset:
    """The board did not say ``start``: pulse its DTR line."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that whoever watches the link should read."""

    text: str


Event = Accepted | Dropped | Ready | NeedsReset | Note


class Phase(enum.Enum):
    """How far the session is."""

    STARTING = "waiting for start"
    BANNER = "waiting for the end of the banner"
    NUMBERING = "agreeing on line numbers"
    READY = "ready"
    FAILED = "failed"
