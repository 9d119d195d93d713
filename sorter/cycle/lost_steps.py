"""Lost steps: found, not believed away.

A motor that slips does not say so, and homing hides it. So now and then, before a part is fed, the axes are looked at:
the chute and an indexed table by their switches (``sorter.rig.slip``), an endless table by its own marks in the
picture. What the marks of one picture cannot say, the table tells by turning: it is turned a little to and fro until
they fit, so nothing has to be known of where the camera stands.

What is found out makes every part suspect that was sorted since the last good look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.cycle.empty_table import LEAST_FIT
from sorter.cycle.incidents import Choice, IncidentKind
from sorter.cycle.look import stand_at_an_angle
from sorter.cycle.start_up import learn_anew
from sorter.cycle.steps import ask
from sorter.rig.axes import CHUTE, TURNTABLE
from sorter.types import LocationKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps
    from sorter.types import Frame

_REACH_DEG = 20
_LEAST_BEST_FIT = 0.5  # that the marks must reach somewhere, or they are not those that were learnt
_FINER_DEG = 0.5


@dataclass(frozen=True)
class Slipped:
    """An axis that does not stand where it should.

    Args:
        axis: its name.
        message: by how much, and how many parts that concerns, for a person.
    """

    axis: str
    message: str


def look_for_lost_steps(station: Station) -> Steps[None]:
    """Mend what is known to have slipped; and look, if a look is due or a picture gave cause to.

    Raises:
        sorter.errors.SorterError, firmware_bridge.errors.BoardError: an axis cannot be looked at, or not be homed.
    """
    yield from _mended(station)
    if not _is_due(station):
        return
    station.check_motor_power()
    stand_at_an_angle(station)
    if (frame := _empty_frame(station)) is None:
        return  # what lies there is sorted first
    slips = dict(_by_switch(station))
    if TURNTABLE not in slips and (slip_deg := (yield from _by_marks(station, frame))) is not None:
        slips[TURNTABLE] = slip_deg
    if any(slips.values()):
        _found(station, slips)
        yield from _mended(station)
        return
    if slips:
        station.recorder.check_passed()
    station.parts_since_look, station.empty.is_angle_suspect = 0, False


def look_before_homing(station: Station, *axes: str) -> None:
    """Homing would hide lost steps: look at axes by their switches first, if they are believed to be somewhere."""
    machine = station.machine
    if not (station.parts_since_look and machine.is_homed and machine.is_parked):
        return
    station.check_motor_power()
    slips = {axis: slip_deg for axis, slip_deg in _by_switch(station) if axis in axes}
    if any(slips.values()):
        for slipped in _flagged(station, slips):
            station.incidents.open(IncidentKind.STEPS_LOST, f"{slipped.message} It is being homed.", (Choice.NOTED,))
    elif CHUTE in slips:
        station.recorder.check_passed()
        station.parts_since_look = 0


def _is_due(station: Station) -> bool:
    every = station.config.check.every_parts
    return station.empty.is_angle_suspect or bool(every and station.parts_since_look >= every)


def _empty_frame(station: Station) -> Frame | None:
    frame = station.eyes.frame()
    kind = station.eyes.locate(frame, station.machine.table_deg).kind
    return frame if kind is LocationKind.EMPTY else None


def _by_switch(station: Station) -> Iterator[tuple[str, float]]:
    """Each axis with a switch, and by how much it slipped."""
    check = station.config.check
    tolerances = {TURNTABLE: check.table_tolerance_deg}
    if station.config.chute is not None:
        tolerances[CHUTE] = check.chute_tolerance_deg
    for axis, tolerance_deg in tolerances.items():
        with station.watch.outside():
            slip_deg = station.machine.slip_deg(axis, tolerance_deg)
        if slip_deg is not None:
            yield axis, slip_deg


def _by_marks(station: Station, frame: Frame) -> Steps[float | None]:
    """By how much the table slipped, by its marks: 0 within the tolerance, infinity if they fit nowhere near.

    None if the table has no marks to tell it by.
    """
    table_deg = station.machine.table_deg
    fit = station.empty.fit(frame, table_deg)
    if fit is None or fit >= LEAST_FIT:
        return None if fit is None else 0.0
    fits = {0.0: fit}
    for offset_deg in (float(sign * each) for each in range(1, _REACH_DEG + 1) for sign in (1, -1)):
        fits[offset_deg] = _fit_at(station, table_deg, offset_deg)
        yield None
        if fits[offset_deg] >= LEAST_FIT:
            break
    while True:  # uphill, from the first place that is good enough
        best_deg = max(fits, key=lambda each: fits[each])
        beside_deg = [each for each in (best_deg - _FINER_DEG, best_deg + _FINER_DEG) if each not in fits]
        if not beside_deg:
            break
        for offset_deg in beside_deg:
            fits[offset_deg] = _fit_at(station, table_deg, offset_deg)
    with station.watch.outside():
        station.machine.turn(table_deg=table_deg)
        station.machine.stand()
    if fits[best_deg] < _LEAST_BEST_FIT:
        return math.inf
    if abs(best_deg) < station.config.check.table_tolerance_deg:
        station.empty.expect(fits[0.0])
        return 0.0
    return -best_deg


def _fit_at(station: Station, table_deg: float, offset_deg: float) -> float:
    with station.watch.outside():
        station.machine.turn(table_deg=(table_deg + offset_deg) % 360.0)
        station.machine.stand()
    station.sleep_until(station.clock.monotonic_s() + station.config.look.shake_s)
    fit = station.empty.fit(station.eyes.frame(), table_deg)
    return 0.0 if fit is None else fit


def _found(station: Station, slips: dict[str, float]) -> None:
    for slipped in _flagged(station, slips):
        station.machine.doubt(slipped.axis)
        station.slipped.append(slipped)


def _flagged(station: Station, slips: dict[str, float]) -> list[Slipped]:
    """Flag the parts since the last good look; returns what slipped."""
    said = {axis: _said(axis, slip_deg) for axis, slip_deg in slips.items() if slip_deg}
    parts = station.recorder.suspect("; ".join(said.values()))
    station.parts_since_look, station.empty.is_angle_suspect = 0, False
    flagged = f"{parts} {'part is' if parts == 1 else 'parts are'} flagged that came since the last good look."
    return [Slipped(axis, f"{text}. {flagged}") for axis, text in said.items()]


def _said(axis: str, slip_deg: float) -> str:
    if math.isfinite(slip_deg):
        return f"The {axis} stands about {slip_deg:+.1f} deg from where it should"
    if axis == TURNTABLE:
        return (
            f"The {axis} does not stand where it should, nor within {_REACH_DEG} deg of it; or the camera was moved, "
            "or the table looks different"
        )
    return f"The {axis} does not stand where it should: its switch was not found within {_REACH_DEG} deg"


def _mended(station: Station) -> Steps[None]:
    """Home what slipped, when an operator says so, and look once more."""
    if not station.slipped and station.empty.is_known:
        return
    is_said_to_be_empty = False
    while station.slipped:
        slipped = station.slipped[0]
        message = f"{slipped.message} Look what holds it, take everything off the table, then choose: home again."
        yield from ask(station.watch, IncidentKind.STEPS_LOST, message, choices=(Choice.HOME_AGAIN,))
        is_said_to_be_empty = True
        with station.watch.outside():
            station.machine.home_axis(slipped.axis)
        if slipped.axis == TURNTABLE and station.config.turntable.homing == "none":
            station.empty.forget()
        station.slipped.remove(slipped)
    if not station.empty.is_known:
        yield from learn_anew(station, is_said_to_be_empty=is_said_to_be_empty)
    slips = dict(_by_switch(station))
    if any(slips.values()):  # it slips again and again
        _found(station, slips)
        yield from _mended(station)
    else:
        station.recorder.check_passed()
