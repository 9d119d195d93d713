"""Before a part is fed: room for it and for its row, a free way, a light that is known, axes that stand right.

What is asked for here belongs to no part's time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.cycle.incidents import Choice, IncidentKind
from sorter.cycle.light import look_at_the_light
from sorter.cycle.lost_steps import look_for_lost_steps
from sorter.cycle.routing import without_room
from sorter.cycle.steps import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps
    from sorter.types import BinId

LOST_PARTS = 3  # in a row that may miss the beam in the chute before somebody is called


def ready_for_a_part(station: Station) -> Steps[None]:
    """Wait until nothing stands in the way of the next part.

    Raises:
        sorter.errors.SorterError, firmware_bridge.errors.BoardError: the rig cannot go on.
    """
    while (shortage := station.recorder.shortage()) is not None:
        message = f"{shortage} Make room, then choose: freed."
        yield from ask(station.watch, IncidentKind.DISK_FULL, message, choices=(Choice.FREED,))
    if station.lost_parts >= LOST_PARTS:
        yield from ask(station.watch, IncidentKind.JAM, _jam_message(station))
        station.lost_parts = 0
    while full := without_room(station.plan, station.bins.free):
        yield from emptied(station, full, lambda: not without_room(station.plan, station.bins.free), holds_part=False)
    yield from look_for_lost_steps(station)
    yield from look_at_the_light(station)


def emptied(station: Station, full: Sequence[BinId], is_over: Callable[[], bool], *, holds_part: bool) -> Steps[None]:
    """Wait until somebody has emptied these bins; ``is_over`` says that enough was emptied by command."""
    named = ", ".join(full)
    message = f"Full: {named}. Empty {'it' if len(full) == 1 else 'them'}, then choose: emptied."
    choice = yield from ask(
        station.watch,
        IncidentKind.BIN_FULL,
        message,
        holds_part=holds_part,
        choices=(Choice.EMPTIED,),
        is_over=is_over,
        bins=tuple(full),
    )
    if choice is Choice.EMPTIED:
        station.recorder.empty_bins(full)
        station.bins.empty(full)


def _jam_message(station: Station) -> str:
    return (
        f"{station.lost_parts} parts in a row left the table and were not seen in the chute. Look whether the chute is "
        "blocked and its beam clean, then choose: cleared."
    )
