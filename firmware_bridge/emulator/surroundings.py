"""What stands around an emulated board: it follows motors, servos and fans, and presses switches.

It lives in the board's own time. Whatever it does happens at an exact instant between two things that the firmware
does, so that it does not matter in how many steps time is advanced, nor how late the caller is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firmware_bridge.emulator.board import Board
    from firmware_bridge.emulator.planner import Steps

STRAIGHT_S = 0.01
"""A motor is shown at least so often while it runs: at 1440 deg/s² a straight line between is 0.02 deg off at most."""


class Outward(NamedTuple):
    """What can be seen of a board from outside at one instant of its own clock.

    `motors` are true steps of X, Y, Z, E; `shafts_deg` where the servos' shafts are, `are_driven` which of them have
    been told anything since the last reset; `fans` are levels from 0 to 255, which hold until the next instant shown.
    """

    time_s: float
    motors: Steps
    shafts_deg: tuple[float, ...]
    are_driven: tuple[bool, ...]
    fans: tuple[int, ...]


class Surroundings(Protocol):
    """What follows a board."""

    def next_s(self) -> float | None:
        """When the next thing happens by itself if the board goes on as last shown; None: not before it changes."""

    def follow(self, outward: Outward) -> Mapping[str, bool]:
        """Go on to an instant, which is never earlier than the one before; return the switches that are held, by name.

        What moves has moved in straight lines since the instant before. Two instants may be the same: then something
        has changed at once. All that is due at the instant must have happened on return. The same mapping, unchanged,
        says that no switch has changed.
        """


class Inside(Protocol):
    """What surroundings may do to a board: in a call of theirs, or while it is held. A motor is named by its letter."""

    def arm(self, fault: str) -> None:
        """Let the next opportunity of a fault of the menu happen; once, also if it is armed already.

        Raises:
            UnknownFaultError: it is not on the menu.
        """

    def lose_steps(self, letter: str, steps: int, on_lost: Callable[[int], None]) -> None:
        """Let a motor lose up to `steps` steps, evenly, in its next move; the count knows nothing of it.

        Searching a switch is no such move. `on_lost` is called as the move begins, with how many it loses, signed as
        the move is.
        """

    def slip(self, letter: str, steps: int) -> None:
        """Turn a motor by hand: the count knows nothing of it."""

    def cut_power(self, *, is_cut: bool) -> None:
        """Take the motors' supply away, so that they stand while the count goes on, or give it back."""


class Follower:
    """Takes surroundings along with a board."""

    def __init__(self, board: Board, surroundings: Surroundings) -> None:
        self._board = board
        self._surroundings = surroundings
        self._shown: Outward | None = None
        self._held: Mapping[str, bool] = {}

    def next_s(self) -> float | None:
        """When the surroundings do something by themselves."""
        return self._surroundings.next_s()

    def follow(self, until_s: float) -> bool:
        """Let time pass up to `until_s`, or to where a switch changes; return whether one did."""
        board = self._board
        if board.outward() != self._shown and self._show():
            return True  # by what an event has just changed
        while board.now_s < until_s:
            due_s = self._surroundings.next_s()
            stop_s = until_s if due_s is None else min(until_s, due_s)
            board.now_s = max(board.now_s, min(stop_s, board.straight_until_s()))
            if self._show():
                return True
        return False

    def _show(self) -> bool:
        self._shown = self._board.outward()
        held = self._surroundings.follow(self._shown)
        if held is self._held:
            return False
        self._held = held
        return self._board.endstops.hold(held)
