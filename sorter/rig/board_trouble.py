"""What happened to the board, in the few words that somebody who stands before the rig needs."""

from __future__ import annotations

import enum

from firmware_bridge.errors import BoardError, BoardHalted, BoardReset, LinkError, PortError


class BoardTrouble(enum.Enum):
    """What to do next differs between these."""

    RESET = "it started anew by itself"
    HALTED = "it halted itself"
    LINK = "it cannot be reached any more"
    OTHER = "it answers, but not as it must"


def board_trouble(error: Exception) -> BoardTrouble | None:
    """Which of them an error is; None if it did not come from the board."""
    if isinstance(error, BoardReset):
        return BoardTrouble.RESET
    if isinstance(error, BoardHalted):
        return BoardTrouble.HALTED
    if isinstance(error, LinkError | PortError):
        return BoardTrouble.LINK
    return BoardTrouble.OTHER if isinstance(error, BoardError) else None
