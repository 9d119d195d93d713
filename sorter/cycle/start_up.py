"""Start-up: from a rig that knows nothing to one that may sort.

Motion is homed, the chute stands at the reject bin, the ejector has swept the table once, somebody or the picture has
confirmed that nothing lies on it, and the empty table is known from every angle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.cycle.incidents import Choice, IncidentKind
from sorter.cycle.settle import NO_TABLE_MESSAGE
from sorter.cycle.steps import ask
from sorter.rig import RigError
from sorter.rig.axes import CHUTE
from sorter.types import LocationKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.cycle.station import Station
    from sorter.cycle.steps import Steps
    from sorter.types import Frame

    Pictures = list[tuple[float, Sequence[Frame]]]

_MOST_HOMINGS = 20  # of the chute; each brings it nearer to its switch by as much as a look goes
_FRAMES = 3  # from each angle: one flicker or fly among them does no harm


def start_up(station: Station) -> Steps[None]:
    """See the module.

    Raises:
        sorter.errors.SorterError, firmware_bridge.errors.BoardError: the rig cannot be made ready.
    """
    station.is_table_empty = False
    station.false_drops = station.lost_parts = 0
    station.machine.home()
    see_chute_home(station)
    station.slipped.clear()
    station.parts_since_look = 0
    station.empty.forget()
    yield None
    _sweep(station)
    yield from learn_anew(station, is_said_to_be_empty=False)


def see_chute_home(station: Station) -> None:
    """Look whether homing has found the end of the chute's switch, and home again if it has not.

    A chute that stands far beyond its switch presses it wherever homing looks, and takes the place where it stands for
    its home. Each look goes on until the switch opens, or so far that the next homing begins nearer to it.

    Raises:
        RigError: it does not come home, however often it is homed.
        firmware_bridge.errors.BoardError: as whatever is sent.
    """
    for _ in range(_MOST_HOMINGS):
        if station.config.chute is None:
            return
        if not station.machine.slip_deg(CHUTE, station.config.check.chute_tolerance_deg):
            return
        station.machine.home_axis(CHUTE)
    raise RigError(
        f"the chute was homed {_MOST_HOMINGS} times, and its switch is not where homing says",
        remedy="Look whether the chute's switch hangs or its motor slips, then connect anew and home the rig.",
    )


def learn_anew(station: Station, *, is_said_to_be_empty: bool) -> Steps[None]:
    """Learn what the empty table looks like, from every angle.

    Args:
        station: what to work with.
        is_said_to_be_empty: an operator has just said so; else he is asked, or the pictures are, as the config says.
    """
    by_operator = station.config.look.empty_table == "operator"
    while True:
        asks = by_operator and not is_said_to_be_empty
        if asks and (yield from _ask_whether_empty(station, "")) is Choice.SWEEP_AGAIN:
            _sweep(station)
            continue
        pictures = yield from _pictures(station)
        if not by_operator and (shown := _shown(pictures, station)):
            if (yield from _ask_whether_empty(station, shown)) is Choice.SWEEP_AGAIN:
                _sweep(station)
                continue
            pictures = yield from _pictures(station)  # without the hand that has just been there
        if _learnt(station, pictures):
            station.is_table_empty = True
            return
        yield from ask(station.watch, IncidentKind.NO_TABLE, NO_TABLE_MESSAGE)
        is_said_to_be_empty = False


def _sweep(station: Station) -> None:
    """Whatever may lie on the table goes into the reject bin."""
    chute_deg = station.chute_deg(station.plan.reject)
    if chute_deg is not None:
        station.machine.turn(chute_deg=chute_deg)
    station.machine.stand()
    station.check_motor_power()
    station.machine.push(chute_deg)


def _ask_whether_empty(station: Station, shown: str) -> Steps[Choice]:
    message = f"{shown}Look whether the table is empty. If it is, choose: empty. Else: sweep again."
    return (yield from ask(station.watch, IncidentKind.CONFIRM_TABLE_EMPTY, message))


def _pictures(station: Station) -> Steps[Pictures]:
    """Frames from every angle; the table ends at the last of them."""
    pictures: Pictures = []
    for angle_deg in station.config.look.angles_deg:
        station.machine.turn(table_deg=angle_deg)
        station.machine.stand()
        station.sleep_until(station.clock.monotonic_s() + station.config.look.shake_s)
        pictures.append((angle_deg, [station.eyes.frame() for _ in range(_FRAMES)]))
        yield None
    station.check_motor_power()
    return pictures


def _shown(pictures: Pictures, station: Station) -> str:
    """What is on them beside the table, for a person; empty if there is nothing."""
    kinds = [station.eyes.seen_alone(frames[-1]) for _, frames in pictures]
    others = sorted({str(kind) for kind in kinds if kind is not LocationKind.EMPTY})
    return f"The pictures show something on the table ({', '.join(others)}). " if others else ""


def _learnt(station: Station, pictures: Pictures) -> bool:
    try:
        station.empty.learn(pictures)
    except ValueError:
        return False
    return True
