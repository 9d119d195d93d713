"""What turns: table and chute, in one combined move where both do; and whether all of it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.rig.axes import TURNTABLE, turntable_axis
from sorter.rig.chute import chute_of
from sorter.rig.interlocks import Fall
from sorter.rig.motion import Goal, Motor, move, move_s
from sorter.rig.servo import M280_S
from sorter.rig.slip import slip_by_switch

if TYPE_CHECKING:
    from firmware_bridge.board import Board
    from sorter.config import RigConfig
    from sorter.types import AxisStatus, Clock


class Turning:
    """Table and chute, from the interlocks down: whether the ejector is out of the way is not asked here.

    Args:
        config: the rig's file.
        board: what drives them.
        clock: where time comes from.
    """

    def __init__(self, config: RigConfig, board: Board, clock: Clock) -> None:
        self.turntable = Motor(turntable_axis(config.turntable), board)
        self.chute = chute_of(config, board, clock)
        self.fall = Fall(clock)
        self._board = board
        self._is_still = False  # nothing was sent that moves since motion was seen to be over

    @property
    def is_homed(self) -> bool:
        """Whether both know where they are."""
        return self.turntable.is_homed and self.chute.is_homed

    @property
    def statuses(self) -> tuple[AxisStatus, ...]:
        """Turntable, then the chute if there is one."""
        return (self.turntable.status, *self.chute.statuses)

    def forget(self) -> None:
        """Where they stand is not certain any more."""
        self._is_still = False
        self.turntable.forget()
        self.chute.forget()

    def home_turntable(self) -> None:
        """Home it, or declare it to stand at 0."""
        self._is_still = False
        self.turntable.home()

    def home_chute(self) -> None:
        """Home it once the last part has fallen."""
        self.chute.forget()
        self.fall.wait()
        self._is_still = False
        self.chute.home()

    def slip_deg(self, name: str, tolerance_deg: float) -> float | None:
        """See ``Machine.slip_deg``."""
        motor = self.turntable if name == TURNTABLE else self.chute.motor
        if motor is None or not motor.has_switch:
            return None
        if motor is not self.turntable:
            self.fall.wait()
        self.stand()
        self._is_still = False
        return slip_by_switch(motor, self._board, motor.seek, tolerance_deg)

    def doubt(self, name: str) -> None:
        """See ``Machine.doubt``."""
        (self.turntable if name == TURNTABLE else self.chute).forget()

    def turn(self, table_deg: float | None, chute_deg: float | None) -> float:
        """See ``Machine.turn``."""
        return self._go(*self._goals(table_deg, chute_deg))

    def turn_s(self, table_deg: float | None, chute_deg: float | None) -> float:
        """See ``Machine.plan_turn_s``."""
        goals, chute_deg = self._goals(table_deg, chute_deg)
        seconds = move_s(self._board, goals)
        if chute_deg is None or not self.chute.is_apart:
            return seconds
        return max(self.chute.turn_s(chute_deg), M280_S + seconds)

    def jog_turntable(self, distance_deg: float) -> float:
        """See ``Machine.jog``."""
        return self._go(self.turntable.jog_goals(distance_deg), None)

    def jog_chute(self, distance_deg: float) -> float:
        """See ``Machine.jog``."""
        goals = self.chute.jog_goals(distance_deg)
        is_moving = bool(goals) or self.chute.is_apart
        return self._go(goals, (self.chute.angle_deg or 0.0) + distance_deg if is_moving else None)

    def begin_motion(self) -> None:
        """Something else is about to be moved."""
        self._is_still = False

    def end_motion(self) -> None:
        """Wait until the board's motion is over, and check where it planned to; once is enough."""
        if not self._is_still:
            self._board.wait()
            self._is_still = True

    def stand(self) -> None:
        """See ``Machine.stand``."""
        self.end_motion()
        self.chute.settle()

    def _goals(self, table_deg: float | None, chute_deg: float | None) -> tuple[dict[Motor, Goal], float | None]:
        """What the combined move has to do, and where the chute is to go: None if it stands there."""
        goals = {} if table_deg is None else self.turntable.goals(table_deg)
        if chute_deg is None or self.chute.stands_at(chute_deg):
            return goals, None
        return goals | self.chute.goals(chute_deg), chute_deg

    def _go(self, goals: dict[Motor, Goal], chute_deg: float | None) -> float:
        servo_s = 0.0
        if chute_deg is not None:
            self.fall.wait()
            if self.chute.is_apart:
                self.end_motion()
            servo_s = self.chute.turn(chute_deg)
        if goals:
            self._is_still = False
        return max(servo_s, move(self._board, goals))
