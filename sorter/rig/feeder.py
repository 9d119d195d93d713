"""How parts come onto the table: by hand, shaken, or carried by a stepper, behind one promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from firmware_bridge.gcode import command
from sorter.config import StepperFeederConfig, VibratoryFeederConfig
from sorter.rig.axes import feeder_axis
from sorter.rig.errors import NotFitted
from sorter.rig.motion import FARTHEST_DEG, Motor, move

if TYPE_CHECKING:
    from firmware_bridge.board import Board
    from sorter.config import FeederConfig

LEAST_STEPS_PER_DEG = 0.00001  # the smallest number that a line holds


class Feeder(Protocol):
    """A feeder, from the interlocks down."""

    def forget(self) -> None:
        """The board may have been reset."""

    def start(self) -> None:
        """Let parts come until ``stop``. Raises NotFitted if this kind only advances."""

    def stop(self) -> None:
        """Let no more parts come; more than once is harmless."""

    def advance(self) -> float:
        """Go one step on; returns its planned seconds. Raises NotFitted if this kind knows no steps."""


class ManualFeeder:
    """Somebody's hand."""

    def forget(self) -> None:
        """Nothing to forget."""

    def start(self) -> None:
        """Nothing to start: somebody puts a part on the table when he likes."""

    def stop(self) -> None:
        """Nothing to stop."""

    def advance(self) -> float:
        """See ``Feeder``."""
        raise NotFitted("the feeder cannot advance: parts are put on the table by hand")


class VibratoryFeeder:
    """A motor or magnet that shakes, at a fan output: it acts when the line is read, not behind queued moves."""

    def __init__(self, config: VibratoryFeederConfig, board: Board) -> None:
        self._config = config
        self._board = board

    def forget(self) -> None:
        """Nothing to forget: whether it shakes is told to the board, never asked."""

    def start(self) -> None:
        """Shake."""
        self._board.fan(self._config.fan, self._config.level)

    def stop(self) -> None:
        """Stand still."""
        self._board.fan(self._config.fan, 0)

    def advance(self) -> float:
        """See ``Feeder``."""
        raise NotFitted("the feeder cannot advance: it shakes, and knows no steps")


class StepperFeeder:
    """A belt or wheel. It only ever turns one way, so what Marlin counts has to be set back now and then."""

    def __init__(self, config: StepperFeederConfig, board: Board) -> None:
        self._config = config
        self._board = board
        self._motor = Motor(feeder_axis(config), board)

    def forget(self) -> None:
        """See ``Feeder``."""
        self._motor.forget()

    def start(self) -> None:
        """See ``Feeder``."""
        raise NotFitted("the feeder cannot be started: it goes step by step, advance it")

    def stop(self) -> None:
        """Nothing to stop: each step ends by itself."""

    def advance(self) -> float:
        """See ``Feeder``."""
        if not self._motor.is_homed:
            self._declare()
        elif abs(self._board.commanded(self._motor.name)) > FARTHEST_DEG - self._config.step_deg:
            self._count_anew()
        return move(self._board, self._motor.jog_goals(self._config.step_deg))

    def _declare(self) -> None:
        """Take the present place for where it is, whatever was interrupted before."""
        self._send_steps(self._motor.axis.board_axis.steps_per_unit)
        self._motor.home()
        if abs(self._board.commanded(self._motor.name)) > FARTHEST_DEG - self._config.step_deg:
            self._count_anew()

    def _count_anew(self) -> None:
        """Make Marlin's own coordinate 0 where the feeder stands, without a step.

        On X, Y and Z neither G92 nor anything else but homing does that, and a float32 that only grows gets too coarse.
        But M92 leaves the coordinate as it is and counts it in the new steps at once (``planner.refresh_positioning``).
        With so few of them that the way back to 0 is less than half a step, that way is taken without moving.
        """
        axis = self._motor.axis.board_axis
        self._motor.forget()
        self._send_steps(LEAST_STEPS_PER_DEG)
        self._request(command("G1", **{axis.letter: 0.0}))
        self._send_steps(axis.steps_per_unit)
        self._motor.home()

    def _send_steps(self, steps_per_deg: float) -> None:
        self._request("M400")
        self._request(command("M92", **{self._config.letter: steps_per_deg}))

    def _request(self, text: str) -> None:
        self._board.link.request(text)


def feeder_of(config: FeederConfig, board: Board) -> Feeder:
    """The rig's feeder."""
    if isinstance(config, StepperFeederConfig):
        return StepperFeeder(config, board)
    if isinstance(config, VibratoryFeederConfig):
        return VibratoryFeeder(config, board)
    return ManualFeeder()
