"""Confirm: whether the part has left the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.cycle.eyes import exposure_s
from sorter.cycle.incidents import IncidentKind
from sorter.cycle.settle import NO_TABLE_MESSAGE
from sorter.cycle.steps import ask
from sorter.types import LocationKind

if TYPE_CHECKING:
    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps

_LOOKS = 3  # before what is seen counts as a part that stays
_APART_S = 0.1  # what slides off the rim at last is gone by then


def left_table(station: Station) -> Steps[bool]:
    """Whether the picture shows an empty table; then it is held against what was learnt at this angle."""
    table_deg = station.machine.table_deg
    looks = 0
    while True:
        asked_s = station.clock.monotonic_s()
        frame = station.eyes.frame()
        if not looks:
            station.watch.allow("confirm", exposure_s(frame))
        location = station.eyes.locate(frame, table_deg)
        if location.kind is LocationKind.EMPTY:
            station.is_table_empty = True
            station.empty.note(frame, location, table_deg)
            return True
        station.is_table_empty = False
        looks += 1
        if looks >= _LOOKS:
            if location.table is not None:
                return False
            yield from ask(station.watch, IncidentKind.NO_TABLE, NO_TABLE_MESSAGE, holds_part=True)
            looks = 0
        station.sleep_until(asked_s + _APART_S)
