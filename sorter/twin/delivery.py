"""A part's way from the table into a bin: off the rim, through the chute, and where it lies at last."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sorter.twin.bad_days import BIN_OVERFLOW, JAM
from sorter.twin.beams import IN_CHUTE
from sorter.types.twin import BESIDE, HAND

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sorter.twin.agenda import Agenda
    from sorter.twin.bad_days import BadDays
    from sorter.twin.beams import Beams
    from sorter.twin.landing import Pose2d
    from sorter.twin.scene import Part
    from sorter.twin.supply import Supply
    from sorter.twin.truth_file import Truth
    from sorter.types.twin import TwinBin, TwinSettings

STANDING_DEG_PER_S = 5.0
"""A part that is struck on a table that turns faster than this does not fall into the chute."""

_SLIDE_MM = 90.0  # until it has left the picture
_ROOM_IN_CHUTE = 4  # parts that hang in it; what comes behind them falls beside


@dataclass(eq=False)
class Leaving:
    """A part that has left the table.

    Args:
        part: which.
        pose: where it was, seen from outside.
        left_s: when it left.
        is_for_chute: it slides into the chute; else it falls beside.
        bin_id: which bin the chute was at when the part came into it.
    """

    part: Part
    pose: Pose2d
    left_s: float
    is_for_chute: bool
    bin_id: str | None = None

    def seen_at(self, time_s: float, gone_after_s: float) -> Pose2d | None:
        """Where it is seen, as it slides away to the right; None: no more."""
        since_s = time_s - self.left_s
        if since_s >= gone_after_s:
            return None
        return self.pose._replace(x_mm=self.pose.x_mm + _SLIDE_MM * since_s / gone_after_s)

    def place(self, bin_id: str | None) -> str:
        """Where it lies, when the chute is at ``bin_id`` as it leaves the chute: it must have stayed at its bin."""
        is_in_bin = self.is_for_chute and self.bin_id is not None and self.bin_id == bin_id
        return self.bin_id if is_in_bin and self.bin_id is not None else BESIDE


class Chute:
    """Which bin the chute is at.

    Args:
        bins: where parts may fall.
        window_deg: so far from a bin's angle it still hits the bin; None: there is no chute, and but one bin.
    """

    def __init__(self, bins: Sequence[TwinBin], window_deg: float | None) -> None:
        self._bins = bins
        self._window_deg = window_deg

    def bin_at(self, chute_deg: float) -> str | None:
        """The bin that is hit at an angle, the nearest of several; None: the chute is at none."""
        if self._window_deg is None:
            return self._bins[0].id
        away_deg = {each.id: abs((chute_deg - each.chute_deg + 180.0) % 360.0 - 180.0) for each in self._bins}
        nearest = min(away_deg, key=lambda bin_id: away_deg[bin_id])
        return nearest if away_deg[nearest] <= self._window_deg else None


class Delivery:
    """Everything past the table's rim: parts on their way, those that hang in the chute, and the bins.

    Args:
        settings: of the twin.
        agenda: what is due.
        truth: is told what happens.
        supply: gets back what falls into the recirculating bin.
        beams: of which one is in the chute.
        bad_days: what goes wrong.
        on_fallen: called when parts have come to lie somewhere.
    """

    def __init__(
        self,
        settings: TwinSettings,
        agenda: Agenda,
        truth: Truth,
        *,
        supply: Supply,
        beams: Beams,
        bad_days: BadDays,
        on_fallen: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._agenda = agenda
        self._truth = truth
        self._supply = supply
        self._beams = beams
        self._bad_days = bad_days
        self._on_fallen = on_fallen
        self._chute = Chute(settings.bins, None if settings.chute is None else settings.chute_window_deg)
        self._full: set[str] = set()
        self.leaving: list[Leaving] = []
        self.hanging: list[Leaving] = []
        self.fallen: dict[str, int] = {}

    def leave(self, part: Part, pose: Pose2d, *, is_for_chute: bool) -> None:
        """A part leaves the table, or what is above it."""
        leaving = Leaving(part, pose, self._agenda.now.time_s, is_for_chute=is_for_chute)
        self.leaving.append(leaving)
        if is_for_chute:
            self._agenda.after(self._settings.fall_to_chute_s, partial(self._enter_chute, leaving))
        self._agenda.after(self._settings.fall_s, partial(self._lie, leaving))

    def lay_aside(self, parts: Iterable[Part]) -> None:
        """Somebody has taken parts, and lays them aside."""
        for part in parts:
            self._put(part, HAND)
        self._on_fallen()

    def clear_chute(self) -> tuple[Part, ...]:
        """Take out what hangs in the chute; it is still to be taken."""
        hanging, self.hanging = self.hanging, []
        self._beams.hold(IN_CHUTE, None)
        return tuple(each.part for each in hanging)

    def empty(self, bins: Collection[str]) -> None:
        """Empty bins: they have room again. What was in them counts as fallen there all the same."""
        self._full.difference_update(bins)

    def _enter_chute(self, leaving: Leaving) -> None:
        leaving.bin_id = self._chute.bin_at(self._agenda.now.chute_deg)
        is_blocked = bool(self.hanging)
        if not is_blocked and self._bad_days.strikes(JAM, leaving.part) is not None:
            self._bad_days.note(JAM, leaving.part.number)
            is_blocked = True
        if not is_blocked:
            over_s = self._beams.broken(IN_CHUTE, self._agenda.now.time_s)
            if over_s is not None:
                self._agenda.add(over_s, lambda: self._beams.look(self._agenda.now.time_s))
        elif len(self.hanging) < _ROOM_IN_CHUTE:
            self.leaving.remove(leaving)
            self.hanging.append(leaving)
            self._beams.hold(IN_CHUTE, is_active=True)
        else:
            leaving.bin_id = None  # over the chute's edge

    def _lie(self, leaving: Leaving) -> None:
        if not any(each is leaving for each in self.leaving):
            return  # it hangs in the chute, or did
        place = leaving.place(self._chute.bin_at(self._agenda.now.chute_deg))
        self.leaving.remove(leaving)
        if place not in (BESIDE, self._settings.recirculate):
            if place not in self._full and self._bad_days.strikes(BIN_OVERFLOW, leaving.part) is not None:
                self._bad_days.note(BIN_OVERFLOW, leaving.part.number, bin=place)
                self._full.add(place)
            if place in self._full:
                place = BESIDE
        self._put(leaving.part, place)
        self._on_fallen()

    def _put(self, part: Part, place: str) -> None:
        self._truth.write("fell", self._agenda.now.time_s, part=part.number, place=place)
        self._bad_days.gone(part)
        if place == self._settings.recirculate:
            self._supply.put_back(part)
        else:
            self.fallen[place] = self.fallen.get(place, 0) + 1
