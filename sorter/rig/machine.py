"""The rig's motion: turntable, chute, ejector, feeder and sensors put together, behind interlocks.

What stands here is in the order of a day: connect, home, turn, push, feed, stop. What each device does is in the
modules beside this one; when it may do it, in ``interlocks``. docs/rig.md tells the same for people.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from firmware_bridge.errors import BoardError, Refused, Unhomed
from sorter.rig.axes import CHUTE, TURNTABLE, board_from
from sorter.rig.ejector import Ejector
from sorter.rig.errors import MotorPowerCut, NotFitted
from sorter.rig.feeder import feeder_of
from sorter.rig.interlocks import require_parked, require_push
from sorter.rig.sensors import Sensors
from sorter.rig.turning import Turning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from firmware_bridge.board import Board
    from firmware_bridge.reports import BoardInfo
    from sorter.config import RigConfig
    from sorter.types import AxisStatus, Clock

_MOTOR_POWER = "motor_power"


class Machine:
    """A rig that moves.

    One thread calls it. ``emergency_stop``, ``error``, ``axes`` and the claims (``is_...``) may be called from any.
    Nobody else moves its board.

    Args:
        config: the rig's file.
        clock: where time comes from; as fast as the board lives.
        on_note: called with sentences that whoever watches should read; by the link's thread too.
        log_file: everything that crosses the wire is written there.
        board: None builds it from the config; one that is given has the axes of ``board_from``.

    Every method that moves something raises, beside what it says of itself:
        Interlocked, NotHomed, OutOfReach, NotFitted: nothing was sent, and all is as it was.
        firmware_bridge.errors.BoardError: the board is not what it was. Every axis is unhomed, nobody knows where the
            ejector is, and nothing moves until ``home``; after a LinkError, ``connect`` or ``reset`` come first. Its
            child Refused is no such thing: nothing was sent.
    """

    def __init__(
        self,
        config: RigConfig,
        clock: Clock,
        *,
        on_note: Callable[[str], None] | None = None,
        log_file: Path | None = None,
        board: Board | None = None,
    ) -> None:
        self.config = config
        self.board = board or board_from(config, on_note=on_note, log_file=log_file)
        self._clock = clock
        self._on_note = on_note or (lambda _text: None)
        self._turning = Turning(config, self.board, clock)
        self._ejector = Ejector(config.ejector, self.board, clock)
        self._feeder = feeder_of(config.feeder, self.board)
        self._sensors = Sensors(config.sensors, self.board)

    # --- the link -----------------------------------------------------------------------------------------------

    def connect(self) -> BoardInfo:
        """Open the port, which resets the board, and switch the feeder off. Nothing else is known after that.

        Raises:
            firmware_bridge.errors.BoardError: as ``Board.connect``.
        """
        return self._begin(self.board.connect)

    def reset(self) -> BoardInfo:
        """Reset the board and connect anew: the way out of an emergency stop; raises as ``connect``."""
        return self._begin(self.board.reset)

    def close(self) -> None:
        """Switch the feeder off, take the ejector back if it was left out, as far as that is possible; close the port.

        More than once is harmless.
        """
        try:
            if self.is_connected:
                self.stop_feeder()
                if self._ejector.is_left_out:
                    self.park()
        except BoardError as error:
            self._on_note(f"the rig could not be left as it should be: {error.message}")
        finally:
            self._forget()
            self.board.close()

    def emergency_stop(self) -> bool:
        """Stop everything now; see ``Link.emergency_stop``. Takes no lock; ``reset`` is the only way out.

        Returns:
            whether M112 was written at once.
        """
        was_written = self.board.emergency_stop()
        self._forget()
        return was_written

    def quick_stop(self) -> None:
        """Stop all motion within a few steps, and switch the feeder off; the link stays. Nothing is known after that.

        Raises:
            firmware_bridge.errors.BoardError: as ``Board.quick_stop``.
        """
        self._forget()
        self.board.quick_stop()
        self._feeder.stop()

    @property
    def error(self) -> BoardError | None:
        """Why the board cannot be reached; None while it can."""
        return self.board.error

    @property
    def is_connected(self) -> bool:
        """Whether the board can be reached."""
        return self.board.error is None

    @property
    def is_homed(self) -> bool:
        """Whether turntable and chute know where they are."""
        return self._turning.is_homed and self.is_connected

    @property
    def is_parked(self) -> bool:
        """Whether the ejector is known to be out of the way."""
        return self._ejector.is_parked and self.is_connected

    def axes(self) -> tuple[AxisStatus, ...]:
        """Turntable, then the chute if there is one."""
        statuses = self._turning.statuses
        if self.is_connected:
            return statuses
        return tuple(type(each)(each.name, each.position_deg, is_homed=False) for each in statuses)

    # --- homing -------------------------------------------------------------------------------------------------

    def home(self) -> None:
        """Begin motion: feeder off, ejector parked, chute homed, turntable homed or declared to stand at 0.

        A servo's chute is sent to the reject bin.

        Raises:
            MotorPowerCut: the motors have no power.
            firmware_bridge.errors.BoardHalted: a switch was not found; Marlin halts then.
        """
        self._raise_error()
        with self._losing():
            self._forget()
            self._feeder.stop()
            self._make_ready_to_home()
            self._turning.home_chute()
            self._turning.home_turntable()

    def home_axis(self, name: str) -> None:
        """Home one axis, ``turntable`` or ``chute``; parks the ejector first if need be. Raises as ``home``."""
        is_chute = self._is_chute(name)
        self._raise_error()
        with self._losing():
            self._make_ready_to_home()
            if is_chute:
                self._turning.home_chute()
            else:
                self._turning.home_turntable()

    def slip_deg(self, axis: str, tolerance_deg: float) -> float | None:
        """Look by its switch whether ``axis`` still stands where it should; see ``slip``. Moves the axis, and waits.

        Returns:
            By how much (deg) it truly stands beyond where it is believed to, 0 within the tolerance, infinity if its
            switch was not found; None if it has no switch that could tell. Nothing is made of that here.

        Raises:
            NotFitted: there is no such axis, or the board does not report its switch.
        """
        self._is_chute(axis)
        self._raise_error()
        require_parked(self._ejector, f"the {axis} cannot turn")
        with self._losing():
            return self._turning.slip_deg(axis, tolerance_deg)

    def doubt(self, axis: str) -> None:
        """Where ``axis`` stands is not certain any more: it does not turn before it is homed. Sends nothing."""
        self._is_chute(axis)
        self._turning.doubt(axis)

    def jog(self, axis: str, distance_deg: float) -> float:
        """Turn one axis by a distance, however many turns that is; returns planned seconds, and waits for no end."""
        is_chute = self._is_chute(axis)
        self._raise_error()
        require_parked(self._ejector, f"the {axis} cannot turn")
        with self._losing():
            return self._turning.jog_chute(distance_deg) if is_chute else self._turning.jog_turntable(distance_deg)

    # --- motion in the cycle ------------------------------------------------------------------------------------

    @property
    def table_deg(self) -> float:
        """Where the table was last sent, 0 to below 360. Raises NotHomed."""
        return self._turning.turntable.angle_deg

    @property
    def chute_deg(self) -> float | None:
        """Where the chute was last sent; None if the rig has none. Raises NotHomed."""
        return self._turning.chute.angle_deg

    @property
    def chute_free_at_s(self) -> float:
        """Until then (s of the clock) the chute stands still for the part that was pushed last."""
        return self._turning.fall.over_at_s

    def turn(self, table_deg: float | None = None, chute_deg: float | None = None) -> float:
        """Turn table and chute to angles, both in one combined move by the shorter way; None leaves one as it is.

        Waits until the last part has fallen if the chute is to turn, and not for the end of the move: ``stand`` does.
        Angles less than 0.01 deg away are no move. A servo's chute begins first, when earlier motion is over.

        Returns:
            The seconds until that should be over.
        """
        self._raise_error()
        require_parked(self._ejector, "nothing can turn")
        with self._losing():
            return self._turning.turn(table_deg, chute_deg)

    def plan_turn_s(self, table_deg: float | None = None, chute_deg: float | None = None) -> float:
        """The least that ``turn`` and ``stand`` would take now: the motors' acceleration and speed. Sends nothing."""
        self._raise_error()
        with self._losing():
            return self._turning.turn_s(table_deg, chute_deg)

    def stand(self) -> None:
        """Wait until all motion is over, and check that the board has planned to where the axes were sent (M114)."""
        self._raise_error()
        with self._losing():
            self._turning.stand()

    def push(self, chute_deg: float | None, *, while_out: Callable[[], None] | None = None) -> None:
        """Push the part off the table: arm out, dwell, arm parked.

        Args:
            chute_deg: the bin's angle, where the chute has to be; None in a rig without a chute.
            while_out: called when the arm is out; it is taken back when that returns, and not before the dwell is over.
                A beam's pulse is over before the arm is back: who watches one does it here, with ``sensor``.

        Raises:
            Interlocked: the ejector is not parked, an axis is not homed, or the chute was sent elsewhere.
        """
        self._raise_error()
        ejector, turning, fall_s = self._ejector, self._turning, self.config.ejector.fall_s
        require_push(ejector, turning.turntable, turning.chute, chute_deg)
        with self._losing():
            turning.stand()
            turning.fall.over_at_s = self._clock.monotonic_s() + ejector.push_s + fall_s  # if it fails in the middle
            arrived_s = ejector.push()
            turning.fall.over_at_s = arrived_s + fall_s
            if while_out is not None:
                while_out()
            ejector.dwell(arrived_s)
            ejector.park(is_place_known=True)

    @property
    def push_s(self) -> float:
        """The least that ``push`` takes once motion is over."""
        return self._ejector.push_s

    def park(self) -> None:
        """Take the ejector out of the way, from wherever it is, once all motion is over."""
        self._raise_error()
        with self._losing():
            self._turning.end_motion()
            self._ejector.park(is_place_known=False)

    # --- feeder and sensors -------------------------------------------------------------------------------------

    def start_feeder(self) -> None:
        """Let parts come. Raises NotFitted if the feeder goes in steps; nothing happens if it is somebody's hand."""
        self._raise_error()
        require_parked(self._ejector, "the feeder cannot start")
        with self._losing():
            self._feeder.start()

    def stop_feeder(self) -> None:
        """Let no more parts come."""
        self._raise_error()
        with self._losing():
            self._feeder.stop()

    def advance_feeder(self) -> float:
        """Move a feeder with a stepper one step on, behind what moves already; returns its planned seconds.

        Raises:
            NotFitted: the feeder knows no steps.
        """
        self._raise_error()
        require_parked(self._ejector, "the feeder cannot advance")
        with self._losing():
            self._turning.begin_motion()
            return self._feeder.advance()

    def sensor(self, name: str) -> bool | None:
        """Whether a sensor is active, by its name in ``[sensors]``; None if the rig has no such sensor."""
        return self.sensors().get(name) if name in self._sensors.names else None

    def sensors(self) -> dict[str, bool]:
        """Whether each sensor of the rig is active: one M119, or nothing if there is none.

        Raises:
            NotFitted: the board reports no such input.
        """
        self._raise_error()
        with self._losing():
            return self._sensors.read()

    def check_motor_power(self) -> None:
        """Look whether the motors have power, if the rig has a sensor for that.

        Raises:
            MotorPowerCut: they have none. All motion was ended, the feeder is off, and every axis is unhomed.
        """
        if self.sensor(_MOTOR_POWER) is False:
            self.quick_stop()  # else what is queued would go on when the power comes back
            raise MotorPowerCut("the motors have no power: the switch in their supply is open")

    # --- inside -------------------------------------------------------------------------------------------------

    def _begin(self, connect: Callable[[], BoardInfo]) -> BoardInfo:
        self._forget()
        info = connect()
        with self._losing():
            self._feeder.stop()
        return info

    def _make_ready_to_home(self) -> None:
        self.check_motor_power()
        if not self.is_parked:
            self.park()

    def _is_chute(self, name: str) -> bool:
        """Whether it is the chute; else it is the turntable."""
        has = [TURNTABLE] if self.config.chute is None else [TURNTABLE, CHUTE]
        if name not in has:
            raise NotFitted(f"this rig has no axis {name!r}", remedy=f"Nothing was sent; its axes: {', '.join(has)}.")
        return name == CHUTE

    def _raise_error(self) -> None:
        error = self.board.error
        if error is not None:
            self._forget()
            raise error

    def _forget(self) -> None:
        """Nothing is certain any more."""
        for device in (self._turning, self._ejector, self._feeder):
            device.forget()

    @contextlib.contextmanager
    def _losing(self) -> Iterator[None]:
        """What the board does wrong leaves nothing that is certain."""
        try:
            yield
        except BoardError as error:
            if isinstance(error, Unhomed) or not isinstance(error, Refused):
                self._forget()
            raise
