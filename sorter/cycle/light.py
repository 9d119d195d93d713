"""Before the next part: is the light on the table as it was when the table was learnt?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.cycle.incidents import Choice, IncidentKind
from sorter.cycle.start_up import learn_anew
from sorter.cycle.steps import ask
from sorter.types import LocationKind

if TYPE_CHECKING:
    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps
    from sorter.vision import LightChange


def look_at_the_light(station: Station) -> Steps[None]:
    """If a picture has shown another light, look once more, and ask somebody if it is still so."""
    empty = station.empty
    while empty.is_light_suspect:
        frame = station.eyes.frame()
        location = station.eyes.locate(frame, station.machine.table_deg)
        if location.kind is not LocationKind.EMPTY:
            return  # what lies there is sorted first
        change = empty.light(location, station.machine.table_deg)
        if change is None or not change.is_much:
            empty.is_light_suspect = False
            return
        if (yield from ask(station.watch, IncidentKind.LIGHT_CHANGED, _message(change))) is Choice.LEARN_ANEW:
            yield from learn_anew(station, is_said_to_be_empty=True)


def _message(change: LightChange) -> str:
    return (
        f"The table is {change} than when it was learnt. Look at the lamp, at the lens and at what shines in from "
        "beside, then choose: look again. If it is to stay so, take everything off the table and choose: learn anew."
    )
