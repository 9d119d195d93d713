"""Deliver: eject and confirm, until the part has left the table or somebody has taken it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.cycle.confirm import left_table
from sorter.cycle.eject import Ejection
from sorter.cycle.incidents import Choice, IncidentKind
from sorter.cycle.look import apart_deg
from sorter.cycle.steps import ask
from sorter.types import Outcome, OutcomeKind

if TYPE_CHECKING:
    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps
    from sorter.types import BinId, Decision

_NEXT_PUSH_DEG = 90.0  # the arm meets a part that stayed from another side
_BEAM_BROKEN_MESSAGE = (
    "The beam in the chute is broken, and nothing was pushed yet. Look whether a part hangs in the chute, and whether "
    "the beam is clean, then choose: cleared."
)


def deliver(station: Station, decision: Decision, name: BinId, visits: int) -> Steps[Outcome]:
    """Push until the part has left the table; a part that stays is somebody's business.

    Args:
        station: what to work with.
        decision: what the part is.
        name: the bin, where the chute stands.
        visits: of an operator, when the part was seen on the table last.
    """
    ejection = Ejection(station, name)
    choice: Choice | None = None
    station.watch.allow("eject", station.machine.push_s)
    while True:
        for number in range(station.config.ejector.pushes):
            if number:
                with station.watch.stage("eject"):
                    _turn_on(station)
            yield from _free_chute(station, is_first_push=not number)
            if station.visits != visits:  # he may have taken it
                with station.watch.stage("confirm"):
                    was_taken = yield from left_table(station)
                if was_taken and choice is Choice.PUSH_AGAIN and ejection.was_seen:
                    return _outcome(station, decision, name, was_seen=True)  # what seemed to stay was something else
                if was_taken:
                    return Outcome(OutcomeKind.STUCK, None, station.watch.stage_s())
                visits = station.visits
            with station.watch.stage("eject"):
                ejection.push()
            with station.watch.stage("confirm"):
                has_left = yield from left_table(station)
                if has_left:
                    ejection.wait_for_fall()
            if has_left:
                return _outcome(station, decision, name, was_seen=ejection.was_seen)
        choice = yield from ask(station.watch, IncidentKind.PART_STUCK, _stuck_message(station), holds_part=True)
        if choice is Choice.TAKEN:
            return Outcome(OutcomeKind.STUCK, None, station.watch.stage_s())


def _free_chute(station: Station, *, is_first_push: bool) -> Steps[None]:
    """No part is pushed into a chute in which something hangs, nor one that may not have turned.

    After another push the beam may still be broken by what that one has moved.
    """
    while True:
        with station.watch.stage("eject"):
            is_blocked = station.is_chute_blocked() and is_first_push
        if not is_blocked:
            return
        yield from ask(station.watch, IncidentKind.JAM, _BEAM_BROKEN_MESSAGE, holds_part=True)


def _turn_on(station: Station) -> None:
    """Let the arm meet a part that stayed from another side."""
    goal_deg = station.machine.table_deg + _NEXT_PUSH_DEG
    nearest_deg = min(station.config.look.angles_deg, key=lambda angle_deg: apart_deg(angle_deg, goal_deg))
    with station.watch.outside():
        station.machine.turn(table_deg=nearest_deg)


def _outcome(station: Station, decision: Decision, name: BinId, *, was_seen: bool | None) -> Outcome:
    """What became of a part that is not on the table any more."""
    with station.watch.stage("record"):
        is_lost = was_seen is False
        if is_lost:
            station.lost_parts += 1
            station.incidents.open(IncidentKind.PART_LOST, _lost_message(decision, name))
        else:
            station.lost_parts = 0
            station.bins.put(name, decision)
    if is_lost:
        return Outcome(OutcomeKind.LOST, None, station.watch.stage_s())
    return Outcome(OutcomeKind.CONFIRMED, name, station.watch.stage_s())


def _stuck_message(station: Station) -> str:
    pushes = station.config.ejector.pushes
    return (
        f"The part still lies on the table after {pushes} {'push' if pushes == 1 else 'pushes'}. Take it off and "
        "choose: taken. Or choose: push again."
    )


def _lost_message(decision: Decision, name: BinId) -> str:
    what = decision.class_name or f"A part ({decision.reject_reason})"
    return (
        f"{what} left the table for {name}, and the beam in the chute did not see it: look beside the chute, and "
        "whether the beam is clean."
    )
