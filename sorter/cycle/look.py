"""Look: views of the part from several angles of the table, until it is clear what it is.

The first view is taken where the table stands. Three things happen at once as far as possible: the table turns to the
next angle, the worker recognises the views that there are, and the chute turns in the table's own move towards the bin
that the part will probably go to. A view that is certain to be needed is not waited for with recognition; but before
the last certain move the first view has to be recognised, so that the chute knows where to go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.classify import most_helpful_angle
from sorter.cycle.eyes import exposure_s
from sorter.cycle.recognition import Begun, Views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps
    from sorter.types import BinId, Frame, Location, View

_SAME_DEG = 0.5  # as ``next_angle`` has it


@dataclass(frozen=True)
class Look:
    """What was seen.

    Args:
        views: of the part, in the order in which they were taken.
        chute_s: for each bin the least that the chute alone takes to turn there from where it stood before.
    """

    views: tuple[View, ...]
    chute_s: Mapping[BinId, float]


def begin_view(station: Station, frame: Frame, location: Location | None = None) -> Begun:
    """Begin to recognise a frame with the table as it stands; ``location`` if that is known already."""
    return station.recognition.look(station.recogniser, frame, station.machine.table_deg, location)


def look(station: Station, first: Begun) -> Steps[Look]:
    """Take views; ``first`` is the first one, with the table as it stands."""
    chute_s = _chute_s(station)
    views = Views(station.recognition, station.recogniser)
    views.add(first)
    while (angle_deg := _next_angle(station, views)) is not None:
        yield None
        frame = _turn_and_shoot(station, views, angle_deg)
        views.shoot(frame, angle_deg)
        _lead_chute(station, views)
    return Look(views.all(), chute_s)


def stand_at_an_angle(station: Station) -> None:
    """Turn the table to the nearest angle from which views are taken, if it stands at none of them."""
    table_deg = station.machine.table_deg
    nearest_deg = min(station.config.look.angles_deg, key=lambda angle_deg: apart_deg(angle_deg, table_deg))
    with station.watch.outside():
        station.machine.turn(table_deg=nearest_deg)
        station.machine.stand()


def _next_angle(station: Station, views: Views) -> float | None:
    """From where to look next; waits for recognition only if that decides whether to look on."""
    config = station.config.look
    if len(views) >= config.most_views:
        return None
    if len(views) >= config.least_views:
        return views.next_angle(config.angles_deg)
    left = [
        angle_deg
        for angle_deg in config.angles_deg
        if all(apart_deg(angle_deg, seen_deg) > _SAME_DEG for seen_deg in views.angles_deg)
    ]
    return most_helpful_angle(views.angles_deg, left, station.recogniser.rules.correlation) if left else None


def _turn_and_shoot(station: Station, views: Views, angle_deg: float) -> Frame:
    config, machine = station.config.look, station.machine
    is_last_certain = len(views) == config.least_views - 1
    seen = views.first() if is_last_certain else views.so_far()
    chute_deg = station.likely_chute_deg(views.decide(seen)) if seen else None
    station.watch.allow("look", machine.plan_turn_s(table_deg=angle_deg) + config.shake_s)
    with station.watch.outside():
        machine.turn(table_deg=angle_deg, chute_deg=chute_deg)
        machine.stand()
    station.sleep_until(station.clock.monotonic_s() + config.shake_s)
    frame = station.eyes.frame()
    station.watch.allow("look", exposure_s(frame))
    return frame


def _lead_chute(station: Station, views: Views) -> None:
    """Perhaps that was the last view: let the chute turn to where it will be needed while recognition runs."""
    if len(views) < station.config.look.least_views:
        return
    seen = views.so_far()
    chute_deg = station.likely_chute_deg(views.decide(seen)) if seen else None
    if chute_deg is not None:
        with station.watch.outside():
            station.machine.turn(chute_deg=chute_deg)


def _chute_s(station: Station) -> Mapping[BinId, float]:
    if station.config.chute is None:
        return dict.fromkeys(station.bins.names, 0.0)
    return {name: station.machine.plan_turn_s(chute_deg=station.bins.chute_deg(name)) for name in station.bins.names}


def apart_deg(one_deg: float, other_deg: float) -> float:
    """How far two angles are apart by the shorter way, 0 to 180."""
    return abs((one_deg - other_deg + 180.0) % 360.0 - 180.0)
