"""One part's way through the rig: feed, settle, look, decide, route, eject, confirm, record."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sorter.cycle.before_part import emptied, ready_for_a_part
from sorter.cycle.deliver import deliver
from sorter.cycle.feed import FALSE_DROPS, feed
from sorter.cycle.incidents import IncidentKind
from sorter.cycle.look import begin_view, look, stand_at_an_angle
from sorter.cycle.routing import NoRoom
from sorter.cycle.settle import NO_TABLE_MESSAGE, settle
from sorter.cycle.steps import ask
from sorter.types import LocationKind, Outcome, OutcomeKind

if TYPE_CHECKING:
    from sorter.cycle.feed import Drop
    from sorter.cycle.look import Look
    from sorter.cycle.part import PartLog
    from sorter.cycle.recognition import Begun
    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps
    from sorter.types import BinId, Decision


def one_part(station: Station, log: PartLog) -> Steps[bool]:
    """See the module; returns whether there was a part.

    Raises:
        sorter.errors.SorterError, firmware_bridge.errors.BoardError: the rig cannot go on; the part's row stays open.
    """
    yield from ready_for_a_part(station)
    watch = station.watch
    watch.begin()
    with watch.stage("feed"):
        stand_at_an_angle(station)
        drop = yield from feed(station)
    if drop is None:
        return False
    watch.allow("feed", watch.taken_s("feed"))  # a part comes when it comes
    with watch.stage("settle"):
        first = yield from settle(station, drop)
    if first is None:
        yield from _nothing_arrived(station, drop)
        return False
    with watch.stage("record"):
        station.false_drops = 0
        log.open()
    decision, seen = yield from _recognised(station, first)
    visits = station.visits
    if _has_vanished(station, seen):
        outcome = _vanished(station)
    else:
        with watch.stage("route"):
            name = yield from _routed(station, log, decision, seen)
        outcome = yield from deliver(station, decision, name, visits)
    with watch.after_the_end("record"):
        log.finish(outcome)
        station.parts_since_look += 1
    return True


def _nothing_arrived(station: Station, drop: Drop) -> Steps[None]:
    """Dust in the beam, or a hand in the picture: no part, so it has no row."""
    station.is_table_empty = True
    if drop.frame is not None:
        return
    station.false_drops += 1
    if station.false_drops >= FALSE_DROPS:
        message = (
            f"The beam above the table saw something drop {station.false_drops} times in a row, and the table stayed "
            "empty. Clean the beam, and look whether parts fall beside the table, then choose: feed again."
        )
        yield from ask(station.watch, IncidentKind.NOTHING_ARRIVES, message)
        station.false_drops = 0


def _recognised(station: Station, first: Begun) -> Steps[tuple[Decision, Look]]:
    """Look and decide. What moves next is the arm: not while the last picture may show a hand."""
    while True:
        with station.watch.stage("look"):
            seen = yield from look(station, first)
        if seen.views[-1].location.table is not None:
            break
        yield from ask(station.watch, IncidentKind.NO_TABLE, NO_TABLE_MESSAGE, holds_part=True)
        with station.watch.stage("look"):
            first = begin_view(station, station.eyes.frame())
    with station.watch.stage("decide"):
        return station.recogniser.decide(seen.views), seen


def _has_vanished(station: Station, seen: Look) -> bool:
    """Whether the part was gone while it was looked at.

    The last view shows nothing, and neither does another look from where something was seen first; a transparent part
    may be invisible from one side only.
    """
    if seen.views[-1].location.kind is not LocationKind.EMPTY:
        return False
    with station.watch.stage("look"):
        with station.watch.outside():
            station.machine.turn(table_deg=seen.views[0].angle_deg)
            station.machine.stand()
        location = station.eyes.locate(station.eyes.frame(), station.machine.table_deg)
    return location.kind is LocationKind.EMPTY


def _vanished(station: Station) -> Outcome:
    station.is_table_empty = True
    station.incidents.open(
        IncidentKind.PART_LOST, "A part was gone while it was looked at: look whether something lies beside the table."
    )
    return Outcome(OutcomeKind.LOST, None, station.watch.stage_s())


def _routed(station: Station, log: PartLog, decision: Decision, seen: Look) -> Steps[BinId]:
    """The bin; the chute stands there, and what is intended is written down."""
    while isinstance(found := station.route(decision), NoRoom):
        has_room = partial(_has_room, station, decision)
        yield from emptied(station, found.bins, has_room, holds_part=True)
    chute_deg = station.chute_deg(found.bin)
    station.watch.allow("route", seen.chute_s[found.bin] - station.watch.bound_s("look"))
    if chute_deg is not None:
        with station.watch.outside():
            station.machine.turn(chute_deg=chute_deg)
    log.intend(decision, found.bin, seen.views, chute_deg)  # while the chute turns
    with station.watch.outside():
        station.machine.stand()
    return found.bin


def _has_room(station: Station, decision: Decision) -> bool:
    return not isinstance(station.route(decision), NoRoom)
