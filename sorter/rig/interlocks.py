"""What must be true before something moves; everything here is looked at before a byte is sent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sorter.rig.errors import Interlocked

if TYPE_CHECKING:
    from sorter.rig.chute import Chute
    from sorter.rig.ejector import Ejector
    from sorter.rig.motion import Motor
    from sorter.types import Clock


def require_parked(ejector: Ejector, what: str) -> None:
    """Refuse ``what`` while the arm is, or may be, over the table.

    Raises:
        Interlocked: it is not known to be parked.
    """
    if not ejector.is_parked:
        raise Interlocked(
            f"{what}: the ejector is not known to be parked",
            remedy="Nothing was sent; see that nothing holds the arm, then home the rig, which parks it.",
        )


def require_push(ejector: Ejector, turntable: Motor, chute: Chute, chute_deg: float | None) -> None:
    """Refuse a push that would not send the part where it is meant to go.

    Args:
        ejector, turntable, chute: what takes part.
        chute_deg: where the chute is meant to be; None in a rig without one.

    Raises:
        Interlocked: the arm is not parked, an axis is not homed, or the chute was sent elsewhere.
        NotFitted, OutOfReach: the chute cannot be there at all.
    """
    require_parked(ejector, "the ejector cannot push")
    for name, is_homed in ((turntable.name, turntable.is_homed), ("chute", chute.is_homed)):
        if not is_homed:
            raise Interlocked(f"the ejector cannot push: the {name} does not know where it is")
    stands_deg = chute.angle_deg
    is_right = stands_deg is None if chute_deg is None else chute.stands_at(chute_deg)
    if not is_right:
        wanted = "nobody says where it is to be" if chute_deg is None else f"it is to be at {chute_deg:g} deg"
        raise Interlocked(
            f"the ejector cannot push: the chute was sent to {stands_deg:g} deg, and {wanted}",
            remedy="Nothing was sent; turn the chute to the bin first.",
        )


class Fall:
    """Until when a part may still be on its way through the chute, which must stand still for it.

    Args:
        clock: where time comes from.
    """

    def __init__(self, clock: Clock) -> None:
        self.over_at_s = -math.inf
        self._clock = clock

    def wait(self) -> None:
        """Sleep until it is over."""
        self._clock.sleep(max(0.0, self.over_at_s - self._clock.monotonic_s()))
