"""The tree of errors of the cycle. Each says what is wrong, and what to do next.

CommandRefused (sorter.errors)
└── NoSuchTransition        what was asked for does not fit the state
CycleError
└── LoopStuck (TimeoutError)  the loop's thread does not end
"""

from __future__ import annotations

from sorter.errors import CommandRefused, SorterError


class NoSuchTransition(CommandRefused):
    """The table of states has no way from here by this event; nothing was done."""


class CycleError(SorterError):
    """Something about the loop that an operator can act on."""


class LoopStuck(CycleError, TimeoutError):  # noqa: N818  (the name says what happened)
    """The loop's thread does not end; what it waits for is not known."""
