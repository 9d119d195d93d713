"""What directs parts into bins: a stepper, a servo, or nothing, behind one promise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from sorter.config import MotorChuteConfig
from sorter.rig.axes import CHUTE, chute_axis
from sorter.rig.errors import NotFitted, NotHomed, OutOfReach
from sorter.rig.motion import Goal, Motor
from sorter.rig.servo import M280_S, Servo
from sorter.rig.turntable import SAME_DEG
from sorter.types import AxisStatus

if TYPE_CHECKING:
    from firmware_bridge.board import Board
    from sorter.config import ChuteConfig, RigConfig, ServoChuteConfig
    from sorter.types import Clock


class Chute(Protocol):
    """A chute, from the interlocks down: whether it may turn now is not asked here.

    Raises:
        NotHomed: what is asked of an angle while none is known.
        OutOfReach: an angle beyond the limits.
        NotFitted: an angle, where there is no chute.
    """

    @property
    def is_apart(self) -> bool:
        """Whether it turns by itself, and not in the combined move."""

    @property
    def motor(self) -> Motor | None:
        """What turns it in the combined move; None if nothing does."""

    @property
    def is_homed(self) -> bool:
        """Whether its angle is known, or there is none to be known."""

    @property
    def angle_deg(self) -> float | None:
        """Where it was last sent; None if there is no chute."""

    @property
    def statuses(self) -> tuple[AxisStatus, ...]:
        """One, or none if there is no chute."""

    def forget(self) -> None:
        """Where it stands is not certain any more."""

    def home(self) -> None:
        """Find out where it stands, and wait for the end."""

    def stands_at(self, angle_deg: float) -> bool:
        """Whether it was last sent there."""

    def goals(self, angle_deg: float) -> dict[Motor, Goal]:
        """Its share of a combined move."""

    def jog_goals(self, distance_deg: float) -> dict[Motor, Goal]:
        """Its share of a move by a distance."""

    def turn(self, angle_deg: float) -> float:
        """Turn one that is apart, while nothing else moves; returns the seconds that it goes on for."""

    def turn_s(self, angle_deg: float) -> float:
        """The least seconds from the beginning of ``turn`` until it is there; nothing is sent."""

    def settle(self) -> None:
        """Sleep until what ``turn`` began is over."""


class MotorChute:
    """A stepper on one of Marlin's axes."""

    is_apart = False

    def __init__(self, motor: Motor) -> None:
        self.motor = motor

    @property
    def is_homed(self) -> bool:
        """Whether it was homed to its switch."""
        return self.motor.is_homed

    @property
    def angle_deg(self) -> float:
        """See ``Chute``."""
        return self.motor.angle_deg

    @property
    def statuses(self) -> tuple[AxisStatus, ...]:
        """See ``Chute``."""
        return (self.motor.status,)

    def forget(self) -> None:
        """See ``Chute``."""
        self.motor.forget()

    def home(self) -> None:
        """Home by its own letter."""
        self.motor.home()

    def stands_at(self, angle_deg: float) -> bool:
        """See ``Chute``."""
        return self.motor.stands_at(angle_deg)

    def goals(self, angle_deg: float) -> dict[Motor, Goal]:
        """See ``Chute``."""
        return self.motor.goals(angle_deg)

    def jog_goals(self, distance_deg: float) -> dict[Motor, Goal]:
        """See ``Chute``."""
        return self.motor.jog_goals(distance_deg)

    def turn(self, angle_deg: float) -> float:  # noqa: ARG002  (the combined move does it all)
        """Nothing: it turns in the combined move."""
        return 0.0

    def turn_s(self, angle_deg: float) -> float:  # noqa: ARG002
        """Nothing, as ``turn``."""
        return 0.0

    def settle(self) -> None:
        """Nothing, as ``turn``."""


class ServoChute:
    """A servo. It needs no switch: it goes where it is sent, and after its full travelling time it is there."""

    is_apart = True
    motor = None

    def __init__(self, config: ServoChuteConfig, rest_deg: float, board: Board, clock: Clock) -> None:
        self.is_homed = False
        self._config = config
        self._rest_deg = rest_deg
        self._clock = clock
        self._servo = Servo(config.servo, board, clock)
        self._from_deg = self._to_deg = rest_deg
        self._arrives_s = -math.inf

    @property
    def angle_deg(self) -> float:
        """See ``Chute``."""
        if not self.is_homed:
            raise NotHomed("the chute does not know where it is")
        return self._to_deg

    @property
    def statuses(self) -> tuple[AxisStatus, ...]:
        """See ``Chute``."""
        return (AxisStatus(CHUTE, self._to_deg, self.is_homed),)

    def forget(self) -> None:
        """See ``Chute``."""
        self.is_homed = False

    def home(self) -> None:
        """Send it to where it rests, and give it the time for its longest way."""
        self.is_homed = False
        self._send(self._rest_deg, self._config.travel_s)
        self.settle()
        self.is_homed = True

    def stands_at(self, angle_deg: float) -> bool:
        """See ``Chute``."""
        lowest_deg, highest_deg = self._config.limits_deg
        if not lowest_deg <= angle_deg <= highest_deg:
            raise OutOfReach(
                f"the chute cannot turn to {angle_deg:g} deg: it turns from {lowest_deg:g} to {highest_deg:g} deg"
            )
        return abs(angle_deg - self.angle_deg) < SAME_DEG

    def goals(self, angle_deg: float) -> dict[Motor, Goal]:
        """None: Marlin's moves do not turn servos."""
        self.stands_at(angle_deg)  # raises as promised
        return {}

    def jog_goals(self, distance_deg: float) -> dict[Motor, Goal]:
        """None, as ``goals``."""
        return self.goals(self.angle_deg + distance_deg)

    def turn(self, angle_deg: float) -> float:
        """See ``Chute``."""
        if self.stands_at(angle_deg):
            return 0.0
        travel_s = self._travel_s(angle_deg)
        self.is_homed = False  # until it was taken
        self._send(angle_deg, travel_s)
        self.is_homed = True
        return max(0.0, self._arrives_s - self._clock.monotonic_s())

    def turn_s(self, angle_deg: float) -> float:
        """See ``Chute``; Marlin keeps M280 for ``M280_S``."""
        return 0.0 if self.stands_at(angle_deg) else max(M280_S, self._travel_s(angle_deg))

    def settle(self) -> None:
        """See ``Chute``."""
        self._servo.sleep_until(self._arrives_s)

    def _travel_s(self, angle_deg: float) -> float:
        """In proportion to the way; of a servo that has not arrived yet, to the longest that it may have."""
        ways_deg = [abs(angle_deg - self._to_deg)]
        if self._clock.monotonic_s() < self._arrives_s:
            ways_deg.append(abs(angle_deg - self._from_deg))
        lowest_deg, highest_deg = self._config.limits_deg
        return self._config.travel_s * min(1.0, max(ways_deg) / (highest_deg - lowest_deg))

    def _send(self, angle_deg: float, travel_s: float) -> None:
        self._arrives_s = self._servo.turn(angle_deg) + travel_s
        self._from_deg, self._to_deg = self._to_deg, angle_deg


class NoChute:
    """A rig of one bin."""

    is_apart = False
    motor = None
    is_homed = True
    angle_deg = None
    statuses: tuple[AxisStatus, ...] = ()

    def forget(self) -> None:
        """Nothing to forget."""

    def home(self) -> None:
        """Nothing to home."""

    def stands_at(self, angle_deg: float) -> bool:
        """See ``Chute``."""
        raise NotFitted(f"the chute cannot turn to {angle_deg:g} deg: this rig has none")

    def goals(self, angle_deg: float) -> dict[Motor, Goal]:
        """See ``Chute``."""
        self.stands_at(angle_deg)
        return {}

    def jog_goals(self, distance_deg: float) -> dict[Motor, Goal]:
        """See ``Chute``."""
        raise NotFitted(f"the chute cannot turn by {distance_deg:g} deg: this rig has none")

    def turn(self, angle_deg: float) -> float:
        """See ``Chute``."""
        self.stands_at(angle_deg)
        return 0.0

    def turn_s(self, angle_deg: float) -> float:
        """See ``Chute``."""
        return self.turn(angle_deg)

    def settle(self) -> None:
        """Nothing to wait for."""


def chute_of(config: RigConfig, board: Board, clock: Clock) -> Chute:
    """The rig's chute. A servo rests at the reject bin, or at its lowest angle in a rig that sorts nothing yet."""
    chute: ChuteConfig | None = config.chute
    if chute is None:
        return NoChute()
    if isinstance(chute, MotorChuteConfig):
        return MotorChute(Motor(chute_axis(chute), board))
    reject = config.sort.reject if config.sort is not None else None
    rest_deg = next((each.chute_deg for each in config.bins if each.id == reject), chute.minimum_deg)
    return ServoChute(chute, rest_deg, board, clock)
