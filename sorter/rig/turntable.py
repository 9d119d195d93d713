"""Which coordinate an axis without ends is sent to, so that its angle stays true for ever. Pure.

Marlin keeps a coordinate as a float32 and rounds it to whole steps; G92 only shifts what it calls it. A coordinate that
grows with every turn becomes coarser and coarser. But an angle has many coordinates, a turn apart, and the one that is
sent is chosen here: always within 1.5 turns of 0. There a float32 is finer than 0.0001 deg, nothing adds up, and an
axis whose steps per degree are not quite right is wrong by what 1.5 turns make of it, and never by more.
"""

from __future__ import annotations

TURN_DEG = 360.0
REACH_DEG = 540.0  # 1.5 turns: each angle has three coordinates within, or four
SAME_DEG = 0.01  # angles nearer than this are the same; sums of floats miss each other by less

_TIE_PLACES = 6


def turned_deg(angle_deg: float) -> float:
    """The same angle from 0 to below 360."""
    angle_deg %= TURN_DEG
    return 0.0 if angle_deg >= TURN_DEG else angle_deg  # Python's -1e-20 % 360.0 is 360.0


def apart_deg(one_deg: float, other_deg: float) -> float:
    """How far two angles are apart by the shorter way, 0 to 180."""
    way_deg = turned_deg(one_deg - other_deg)
    return min(way_deg, TURN_DEG - way_deg)


def nearest_coordinate(wanted: float, standing: float) -> float:
    """The coordinate of an angle that is the shortest way off, of those within ``REACH_DEG`` of 0.

    Args:
        wanted: any coordinate of the angle, in degrees.
        standing: where the axis stands; may be beyond the reach, after a jog.

    Two ways that are equally long: the one that leads towards 0.
    """
    first = turned_deg(wanted)
    choices = [first + turns * TURN_DEG for turns in (-2, -1, 0, 1)]
    within = [choice for choice in choices if abs(choice) <= REACH_DEG]
    return min(within, key=lambda choice: (round(abs(choice - standing), _TIE_PLACES), abs(choice)))
