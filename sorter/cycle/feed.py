"""Feed: bring one part onto the table.

The feeder runs nowhere else, never beyond the moment in which a beam or a picture says that a part dropped, and never
while a part is known to lie on the table.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.config import StepperFeederConfig, VibratoryFeederConfig
from sorter.cycle.incidents import IncidentKind
from sorter.cycle.steps import ask
from sorter.types import LocationKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps
    from sorter.types import Frame

DROPPED = "dropped"  # the beam above the table, in [sensors]
FALSE_DROPS = 3  # times in a row that the beam may be wrong before somebody is called

_BEAM_EVERY_S = 0.02
_PICTURE_EVERY_S = 0.05
_HAND_EVERY_S = 0.2  # people are not faster
_ON_ITS_WAY_S = 0.3  # from the end of a pulse until what it let go lies on the table


@dataclass(frozen=True)
class Drop:
    """A part dropped. ``frame`` is the picture that shows it, with the table as it stands; None: the beam saw it."""

    frame: Frame | None


def feed(station: Station) -> Steps[Drop | None]:
    """Bring a part onto the table, or find one that lies there; None if no further part is wanted any more."""
    feeder = station.config.feeder
    station.check_motor_power()
    empty_tries = 0
    while station.wants_parts():
        if not station.is_table_empty:
            if drop := _lying(station):
                return drop
            station.is_table_empty = True
        if empty_tries >= feeder.empty_after:
            yield from ask(station.watch, IncidentKind.HOPPER_EMPTY, _empty_message(station))
            empty_tries = 0
        elif drop := (yield from _one_try(station)):
            return drop
        else:
            empty_tries += 1
    return None


def _one_try(station: Station) -> Steps[Drop | None]:
    """One try of at most ``give_up_s``; None if nothing came, or no part is wanted any more."""
    feeder = station.config.feeder
    station.is_table_empty = False
    until_s = station.clock.monotonic_s() + feeder.give_up_s
    if isinstance(feeder, StepperFeederConfig):
        return (yield from _stepped(station, until_s))
    if isinstance(feeder, VibratoryFeederConfig) and feeder.pulse_s is not None:
        return (yield from _pulsed(station, until_s, feeder.pulse_s))
    with _running(station):
        return (yield from _wait_for_drop(station, until_s))


@contextmanager
def _running(station: Station) -> Iterator[None]:
    """The feeder runs within, and stands afterwards whatever happens."""
    try:
        with station.watch.outside():
            station.machine.start_feeder()
        yield
    finally:
        # If the board is lost, this says so once more: the link drops the board's outputs by resetting it.
        with station.watch.outside():
            station.machine.stop_feeder()


def _wait_for_drop(station: Station, until_s: float) -> Steps[Drop | None]:
    while True:
        asked_s = station.clock.monotonic_s()
        if drop := _dropped(station):
            return drop
        yield None
        if not station.wants_parts() or station.clock.monotonic_s() >= until_s:
            return None
        station.sleep_until(min(asked_s + _pace_s(station), until_s))


def _pulsed(station: Station, until_s: float, pulse_s: float) -> Steps[Drop | None]:
    """Shake, look, shake again."""
    while station.wants_parts() and station.clock.monotonic_s() < until_s:
        with _running(station):
            drop = yield from _wait_for_drop(station, station.clock.monotonic_s() + pulse_s)
        if drop := drop or (yield from _arrived(station)):
            return drop
    return None


def _stepped(station: Station, until_s: float) -> Steps[Drop | None]:
    """Go a step, look, go another."""
    while station.wants_parts() and station.clock.monotonic_s() < until_s:
        with station.watch.outside():
            planned_s = station.machine.advance_feeder()
        ends_s = station.clock.monotonic_s() + planned_s
        drop = None
        if _has_beam(station):  # it may be broken while the feeder still moves
            drop = yield from _wait_for_drop(station, ends_s)
        with station.watch.outside():
            station.machine.stand()
        if drop := drop or (yield from _arrived(station)):
            return drop
    return None


def _arrived(station: Station) -> Steps[Drop | None]:
    """What the feeder has let go may still be on its way; and what no beam saw may lie on the table."""
    over_s = station.clock.monotonic_s() + _ON_ITS_WAY_S
    if _has_beam(station) and (drop := (yield from _wait_for_drop(station, over_s))):
        return drop
    station.sleep_until(over_s)
    return _lying(station)


def _dropped(station: Station) -> Drop | None:
    if _has_beam(station):
        return Drop(None) if station.is_broken(DROPPED) else None
    return _lying(station)


def _lying(station: Station) -> Drop | None:
    """Whether the picture shows anything but an empty table; a hand is something, too."""
    frame = station.eyes.frame()
    kind = station.eyes.locate(frame, station.machine.table_deg).kind
    return None if kind is LocationKind.EMPTY else Drop(frame)


def _has_beam(station: Station) -> bool:
    """What a hand puts down, the picture shows: the beam may be beside the hand's way."""
    return station.config.feeder.kind != "manual" and station.has_sensor(DROPPED)


def _pace_s(station: Station) -> float:
    if station.config.feeder.kind == "manual":
        return _HAND_EVERY_S
    return _BEAM_EVERY_S if _has_beam(station) else _PICTURE_EVERY_S


def _empty_message(station: Station) -> str:
    feeder = station.config.feeder
    tries = f"No part came in {feeder.empty_after} tries of {feeder.give_up_s:g} s"
    if feeder.kind == "manual":
        return f"{tries}. Put a part on the table, then choose: refilled. Or stop the run."
    return f"{tries}. Fill the hopper, look whether parts hang in it, then choose: refilled. Or stop the run."
