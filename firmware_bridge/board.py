"""What a caller does with a board: move, wait, home, servo, stop; in the units of the axes that he declared.

Nothing is believed away: an axis knows where it is only after homing or ``set_position``, and forgets it after a reset,
a quick stop, a release, an error of the link, or a move whose end nobody saw. What must not be sent is refused before a
byte is written.

This module does not know what the axes turn, and keeps no loop: see the rig's own modules.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from firmware_bridge import reports
from firmware_bridge.axes import Axis, path_acceleration, planned, shares_that_start_at_once
from firmware_bridge.errors import BoardError, EmergencyStopped, LinkClosed, LinkError, PortError, Refused, Unhomed
from firmware_bridge.gcode import command
from firmware_bridge.link import Link, Ticket
from firmware_bridge.ports import find_board

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from firmware_bridge.limits import SessionLimits
    from firmware_bridge.reports import BoardInfo

_SERVO_S = 0.3  # M280 keeps Marlin for SERVO_DELAY; that is not the servo's arrival
_TOLERANCE_STEPS = 1.0
_FANS = 8
_ASKED_TIMES = 3


class _Call:
    """One call of a board's method: the link, the stops that it has seen, and the positions, as the call began.

    What a stop, a reset or another connection makes of these later does not reach the call: its lines are refused then,
    and what it would note of positions is lost with them.
    """

    def __init__(self, link: Link, positions: dict[str, float]) -> None:
        self.link = link
        self.stops = link.stops
        self.positions = positions

    def request(self, text: str, *, blocks_s: float = 0.0, motion_s: float = 0.0) -> list[str]:
        """Send a command and wait until it is accepted; returns what the board said.

        Raises:
            BoardError: the board refused it.
            QuickStopped: a stop came between.
            LinkError: the link is over.
        """
        said = self.link.request(text, blocks_s=blocks_s, motion_s=motion_s, stops=self.stops)
        return _accepted(text, said)

    def request_moves(self, texts: Sequence[str], motion_s: float) -> None:
        """Send absolute moves, which may be in flight together, and wait until all are accepted; raises as ``request``.

        Args:
            texts: in order.
            motion_s: how long they take together.
        """
        tickets = [Ticket(text, is_repeatable=True) for text in texts]
        tickets[0].motion_s = motion_s  # the whole of it is waited for since the first line
        self.link.submit(tickets, stops=self.stops)
        for ticket in tickets:
            _accepted(ticket.text, self.link.wait(ticket))

    def ask(self, text: str, is_answer: Callable[[str], bool]) -> list[str]:
        """As ``request``, and once more if the answer was lost on its way."""
        said: list[str] = []
        for _ in range(_ASKED_TIMES):
            said = self.request(text)
            if any(map(is_answer, said)):
                break
        return said

    def reported_position(self) -> dict[str, float]:
        """Where the board has planned its axes to be, by letter; empty if it does not say."""
        return reports.positions(self.ask("M114", reports.is_position))


def _accepted(text: str, said: list[str]) -> list[str]:
    for line in said:
        if line.startswith(("Error:", "echo:Unknown command")):
            raise BoardError(f"the board refused {text}: {line}", remedy="Check the firmware's settings.")
    return said


class Board:
    """A Marlin board.

    Args:
        axes: what its motors turn.
        port: a device, or ``auto``.
        baud_rate: bits per second.
        limits: see ``SessionLimits``.
        log_file: see ``Link``.
        on_note: see ``Link``.

    Use it as a context manager, or ``connect`` and ``close`` it.
    """

    def __init__(
        self,
        axes: Sequence[Axis] = (),
        *,
        port: str = "auto",
        baud_rate: int = 250_000,
        limits: SessionLimits | None = None,
        log_file: Path | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        self.axes = {axis.name: axis for axis in axes}
        if len(self.axes) != len(axes) or len({axis.letter for axis in axes}) != len(axes):
            raise Refused("two axes have the same name or letter: " + ", ".join(f"{a.name} ({a.letter})" for a in axes))
        self._port, self._baud_rate = port, baud_rate
        self._limits, self._log_file, self._on_note = limits, log_file, on_note
        self._link: Link | None = None
        self._opening: Link | None = None  # not yet for callers, but for the emergency stop
        self._is_stopped = False  # latched by an emergency stop, released by reset alone
        self._info: BoardInfo | None = None
        self._positions: dict[str, float] = {}  # where each axis was last sent; only those that know where they are
        self._is_standing = False  # nothing was sent to move since all motion was over
        self._lock = threading.Lock()  # one caller at a time; stopping takes no part in it
        self._stop_lock = threading.Lock()

    def __enter__(self) -> Board:
        """Connect."""
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    # --- the link -----------------------------------------------------------------------------------------------

    @property
    def link(self) -> Link:
        """The present link. Raises a LinkError if there is none, or after an emergency stop."""
        if self._is_stopped:
            raise EmergencyStopped("an emergency stop was asked for")
        if self._link is None:
            raise LinkClosed("the board is not connected")
        return self._link

    @property
    def error(self) -> LinkError | None:
        """Why the link is over; None while it works."""
        try:
            return self.link.error
        except LinkError as error:
            return error

    @property
    def info(self) -> BoardInfo:
        """What the board said of itself at connect."""
        if self._info is None:
            raise LinkClosed("the board is not connected")
        return self._info

    def connect(self) -> BoardInfo:
        """Open the port, which resets the board; agree on line numbers; send the axes' settings. All axes are unhomed.

        Raises:
            PortError: the port cannot be found or opened.
            LinkError: the board does not answer as it must.
            EmergencyStopped: a stop was asked for; ``reset`` is the way out.
        """
        self.close()
        self._raise_stopped()
        device = find_board(self._port)
        link = Link(device, self._baud_rate, limits=self._limits, log_file=self._log_file, on_note=self._on_note)
        self._opening = link
        try:
            if self._is_stopped:  # while it was opened
                link.emergency_stop()
            was_announced = link.wait_until_ready()
            call = _Call(link, {})
            self._info = reports.board_info(call.ask("M115", reports.is_firmware), was_announced=was_announced)
            for text in self._settings():
                call.request(text)
            self._raise_stopped()
        except BoardError:
            link.close()
            raise
        finally:
            self._opening = None
        self._positions = {}
        self._link = link
        if self._is_stopped:  # between the last look and now
            link.emergency_stop()
        return self._info

    def reconnect(self, timeout_s: float, *, pause_s: float = 1.0) -> BoardInfo:
        """Connect again, under whatever name the board comes back, trying until it works or the time is up.

        Raises:
            EmergencyStopped: a stop was or is asked for; no reconnect undoes that.
            BoardError: what the last try met.
        """
        until_s = time.monotonic() + timeout_s
        while True:
            try:
                return self.connect()
            except EmergencyStopped:
                raise
            except (PortError, LinkError):
                if time.monotonic() + pause_s > until_s:
                    raise
            time.sleep(pause_s)

    def reset(self) -> BoardInfo:
        """Reset the board and connect anew: the explicit way out of an emergency stop or a halt."""
        self._is_stopped = False
        return self.connect()

    def close(self) -> None:
        """Close the port; more than once is harmless. What moves goes on to its end."""
        self._forget()
        link, self._link = self._link, None
        if link is not None:
            link.close()

    # --- motion -------------------------------------------------------------------------------------------------

    def is_homed(self, axis: str) -> bool:
        """Whether the axis knows where it is."""
        return self.error is None and self._axis(axis).name in self._positions

    def commanded(self, axis: str) -> float:
        """Where the axis was last sent, in its unit. Raises Unhomed if it does not know where it is."""
        name = self._axis(axis).name
        if not self.is_homed(name):
            raise Unhomed(f"{name} does not know where it is")
        return self._positions[name]

    def move(self, targets: Mapping[str, float], *, speed_share: float = 1.0) -> float:
        """Move one or several axes to absolute positions, all in one combined move; returns its seconds.

        Returns when the board has taken the move, which is before it ends; ``wait`` waits for that. An axis that
        already stands there is left alone; if that is true of all, nothing is sent. From standstill, as ``wait`` left
        it, a move is sent in three pieces of one straight line, so that Marlin begins with it at once.

        Raises:
            Refused: unknown or unhomed axis, no number, beyond a limit, or too short; nothing was sent.
            LinkError: the link is over.
        """
        call = self._call()
        with self._lock:
            return self._move(call, targets, speed_share)

    def _move(self, call: _Call, targets: Mapping[str, float], speed_share: float) -> float:
        if call.link.error is not None:
            raise call.link.error
        distances: dict[Axis, float] = {}
        for name, target in targets.items():
            axis = self._axis(name)
            start = call.positions.get(axis.name)
            if start is None:
                raise Unhomed(f"{axis.name} does not know where it is")
            axis.check_target(start, target)
            if target != start:
                distances[axis] = target - start
        if not distances:
            return 0.0
        plan = planned(distances, speed_share)
        # F in units per minute, rounded down to what a line holds but never to zero.
        feed = max(0.01, math.floor(plan.speed * 60.0 * 100.0) / 100.0)
        shares = shares_that_start_at_once(distances, plan) if self._is_standing else (1.0,)
        self._is_standing = False
        ends = {axis: call.positions.pop(axis.name) + distance for axis, distance in distances.items()}  # now unhomed
        texts = []
        for share in shares:
            places: dict[str, float | None] = {
                axis.letter: targets[axis.name] if share == 1.0 else ends[axis] - (1.0 - share) * distance
                for axis, distance in distances.items()
            }
            texts.append(command("G1", **places, F=feed))
        call.request_moves(texts, plan.duration_s)
        call.positions.update({axis.name: targets[axis.name] for axis in distances})
        return plan.duration_s

    def wait(self) -> None:
        """Wait until all motion is over, and check that the board has planned to where the axes were sent.

        The position that the board reports proves both: it comes after M400 is done.

        Raises:
            BoardError: the board reports another position; the axis is unhomed.
            LinkError: the link is over.
        """
        call = self._call()
        with self._lock:
            call.request("M400")
            self._is_standing = True
            if not self._strays(call.positions, call.reported_position()):
                return
            reported = call.reported_position()  # once more: a digit may have been hit on its way
            for name, commanded in self._strays(call.positions, reported).items():
                axis = self.axes[name]
                call.positions.pop(name, None)
                raise BoardError(
                    f"{name} ({axis.letter}) was sent to {commanded:g} {axis.unit}, "
                    f"the board says {reported.get(axis.letter)}",
                    remedy="Home the axis; if it happens again, check soft endstops (M211) and firmware limits.",
                )

    def _strays(self, positions: Mapping[str, float], reported: Mapping[str, float]) -> dict[str, float]:
        """The axes that are not planned to be where they were sent, with where that was."""
        strays = {}
        for name, commanded in list(positions.items()):
            axis = self.axes[name]
            tolerance = max(_TOLERANCE_STEPS / axis.steps_per_unit, 0.006)  # M114 rounds to two places
            if abs(reported.get(axis.letter, math.inf) - commanded) > tolerance:
                strays[name] = commanded
        return strays

    def position(self) -> dict[str, float]:
        """Where the board has planned every declared axis to be, in its unit; while moving that is the end."""
        call = self._call()
        with self._lock:
            reported = call.reported_position()
        return {axis.name: reported[axis.letter] for axis in self.axes.values() if axis.letter in reported}

    def home(self, axis: str) -> None:
        """Home one axis by its own letter, and wait until it is done.

        Raises:
            Refused: it has no switch.
            BoardHalted: the switch was not found; Marlin halts then.
            LinkError: the link is over.
        """
        call = self._call()
        with self._lock:
            what = self._axis(axis)
            if what.home_position is None:
                raise Refused(f"{what.name} ({what.letter}) has no switch to home to")
            call.positions.pop(what.name, None)
            call.request(f"G28 {what.letter}", blocks_s=what.home_travel_s)
            call.request("M400")
            if what.letter not in call.reported_position():
                raise BoardError(f"{what.name} ({what.letter}): the board does not say where it is after homing")
            self._declare(call, what, what.home_position)

    def set_position(self, axis: str, position: float) -> None:
        """Declare that the axis stands at ``position`` now (G92); from now on it knows where it is.

        Raises:
            Refused: no number, or beyond the limits.
        """
        call = self._call()
        with self._lock:
            what = self._axis(axis)
            what.check_target(position, position)
            call.request("M400")
            self._declare(call, what, position)

    @staticmethod
    def _declare(call: _Call, axis: Axis, position: float) -> None:
        places: dict[str, float | None] = {axis.letter: position}
        call.request(command("G92", **places))
        call.positions[axis.name] = position

    # --- outputs and inputs -------------------------------------------------------------------------------------

    def servo(self, index: int, angle_deg: float, *, travel_s: float = 0.0) -> None:
        """Turn a servo (M280) after all motion is over, and give it ``travel_s`` to arrive.

        Raises:
            Refused: not 0 to 180 degrees, or no index.
            BoardError: the firmware has no such servo.
        """
        if not (math.isfinite(angle_deg) and 0.0 <= angle_deg <= 180.0) or index < 0:
            raise Refused(f"servo {index}: {angle_deg} deg is not within 0 to 180 deg")
        call = self._call()
        with self._lock:
            if not self._is_standing:
                call.request("M400")
                self._is_standing = True
            call.request(command("M280", P=index, S=angle_deg), blocks_s=_SERVO_S)
        if travel_s > 0.0:
            time.sleep(travel_s)

    def fan(self, index: int, level: int) -> None:
        """Drive a fan output (D9 and its like): 0 is off (M107), 1 to 255 is pulse width (M106); acts at once."""
        if not 0 <= index < _FANS or not 0 <= level <= 255:
            raise Refused(f"fan {index}: {level} is not within 0 to 255")
        call = self._call()
        with self._lock:
            call.request(command("M106", P=index, S=level) if level else command("M107", P=index))

    def output(self, pin: int, level: int) -> None:
        """Drive a pin (M42), 0 to 255; acts at once.

        Raises:
            Refused: no pin or level.
            BoardError: the firmware protects the pin.
        """
        if pin < 0 or not 0 <= level <= 255:
            raise Refused(f"pin {pin}: {level} is not within 0 to 255")
        call = self._call()
        with self._lock:
            call.request(command("M42", P=pin, S=level))

    def endstops(self) -> dict[str, bool]:
        """Every switch that the firmware knows (M119): whether it is triggered."""
        call = self._call()
        with self._lock:
            return reports.endstops(call.ask("M119", lambda line: bool(reports.endstops([line]))))

    def enable(self, axis: str) -> None:
        """Hold the axis (M17)."""
        call = self._call()
        with self._lock:
            call.request(f"M17 {self._axis(axis).letter}")

    def disable(self, axis: str) -> None:
        """Release the axis (M18) once all motion is over; it is unhomed then."""
        call = self._call()
        with self._lock:
            what = self._axis(axis)
            call.positions.pop(what.name, None)
            call.request(f"M18 {what.letter}")

    # --- stopping -----------------------------------------------------------------------------------------------

    def quick_stop(self) -> None:
        """Stop all motion within a few steps and keep the link; every axis is unhomed.

        Sends nothing more, then M410, awaits every ack, M410 again for what was queued behind the planner, and M400.
        Calls that are under way, and calls that wait for their turn, raise QuickStopped.
        """
        self._forget()
        with self._stop_lock:
            link = self.link
            link.wait(link.quick_stop())
            link.forget_motion()
            link.request("M410", blocks_s=1.5)
            link.request("M400")
            self._forget()

    def emergency_stop(self) -> bool:
        """Stop everything now; see ``Link.emergency_stop``. Every axis is unhomed; ``reset`` is the only way out.

        Takes no lock; any thread may call it, at any time, also while the board is being connected.

        Returns:
            whether M112 was written at once.
        """
        self._is_stopped = True
        links = [link for link in (self._link, self._opening) if link is not None]
        were_written = [link.emergency_stop() for link in links]
        self._forget()
        return any(were_written)

    # --- inside -------------------------------------------------------------------------------------------------

    def _call(self) -> _Call:
        return _Call(self.link, self._positions)

    def _raise_stopped(self) -> None:
        if self._is_stopped:
            raise EmergencyStopped("an emergency stop was asked for")

    def _axis(self, name: str) -> Axis:
        if name not in self.axes:
            raise Refused(f"there is no axis {name!r}; there are {', '.join(self.axes) or 'none'}")
        return self.axes[name]

    def _forget(self) -> None:
        self._positions = {}
        self._is_standing = False

    def _settings(self) -> list[str]:
        """What must not be left to the firmware's own settings."""
        settings = ["G21", "G90", "M220 S100", "M84 S0", "M211 S0"]
        if self.axes:

            def words(value: Callable[[Axis], float]) -> dict[str, float | None]:
                return {axis.letter: value(axis) for axis in self.axes.values()}

            acceleration = path_acceleration(self.axes.values())
            settings += [
                command("M92", **words(lambda axis: axis.steps_per_unit)),
                command("M203", **words(lambda axis: axis.max_speed)),
                command("M201", **words(lambda axis: axis.acceleration)),
                command("M204", P=acceleration, T=acceleration),
            ]
        return settings
