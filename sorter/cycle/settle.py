"""Settle: wait until what dropped lies still; the last picture of it is the first view, so none is taken twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.cycle.eyes import exposure_s
from sorter.cycle.incidents import IncidentKind
from sorter.cycle.look import begin_view
from sorter.cycle.steps import ask
from sorter.types import LocationKind

if TYPE_CHECKING:
    from sorter.cycle.feed import Drop
    from sorter.cycle.recognition import Begun
    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps

NO_TABLE_MESSAGE = (
    "The picture shows no table: take your hand away, check the lamp and that nobody moved the camera, then choose: "
    "look again."
)

_APART_S = 0.05  # two pictures; what is slower than they can tell lies still
_ARRIVES_WITHIN_S = 1.0  # after the beam: a part that is not seen by then was none


def settle(station: Station, drop: Drop) -> Steps[Begun | None]:
    """The first view of what lies still on the table, its recognition begun; None if nothing lies there.

    A part that has not come to rest by ``settle_timeout_s`` is taken as it is.

    Args:
        station: what to work with.
        drop: what ``feed`` saw.
    """
    look = station.config.look
    table_deg = station.machine.table_deg
    began_s = station.clock.monotonic_s()
    previous, still_frames = drop.frame or station.eyes.frame(), 0
    station.sleep_until(min(previous.captured_at_s, station.clock.monotonic_s()) + _APART_S)
    while True:
        lap = station.watch.lap()
        frame = station.eyes.frame()
        location = station.eyes.locate(frame, table_deg, previous)
        passed_s = station.clock.monotonic_s() - began_s
        has_table = location.table is not None
        is_coming = location.kind is LocationKind.EMPTY and passed_s < min(_ARRIVES_WITHIN_S, look.settle_timeout_s)
        is_still = has_table and not is_coming and location.kind is not LocationKind.MOVING
        still_frames = still_frames + 1 if is_still else 0
        if still_frames >= look.still_frames:
            break
        if passed_s >= look.settle_timeout_s:
            if has_table:
                break
            yield from ask(station.watch, IncidentKind.NO_TABLE, NO_TABLE_MESSAGE)
            lap = station.watch.lap()
            began_s = lap.began_s
            frame = station.eyes.frame()
        previous = frame
        yield None
        station.sleep_until(lap.began_s + _APART_S)
        station.watch.would_have_waited(lap, lap.began_s + _APART_S)
    station.watch.allow("settle", (look.still_frames + 1) * exposure_s(frame))
    if location.kind is LocationKind.MOVING:  # the time is up: what is there, moving or not?
        location = station.eyes.locate(frame, table_deg)
    return None if location.kind is LocationKind.EMPTY else begin_view(station, frame, location)
