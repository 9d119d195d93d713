"""How full the bins are: somebody is told in time, once for each bin, and no more when it was emptied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.cycle.incidents import Choice, IncidentKind
from sorter.cycle.routing import without_room

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sorter.cycle.bins import Bins
    from sorter.cycle.open_incidents import OpenIncidents
    from sorter.types import BinId, BinStatus, IncidentId, SortPlan

WARN_AT = 0.8
"""Of a bin's capacity."""


@dataclass
class _Warned:
    """What was said of a bin: ``is_full`` or nearly so, and the incident, as long as nobody has noted it."""

    is_full: bool
    incident: IncidentId | None


class FillWatch:
    """See the module; for one thread."""

    def __init__(self, bins: Bins, incidents: OpenIncidents) -> None:
        self._bins = bins
        self._incidents = incidents
        self._warned: dict[BinId, _Warned] = {}

    def look(self, plan: SortPlan) -> None:
        """Warn of each bin that is nearly full or full, but not of those for whose sake the rig pauses."""
        asked_for = without_room(plan, self._bins.free)
        for status in self._bins.status():
            if status.part_count < WARN_AT * status.capacity:
                self._take_back(status.bin)
            elif status.bin not in asked_for:
                self._warn(status)

    def ask_for(self, bins: Iterable[BinId]) -> None:
        """The rig pauses until these are emptied: that takes the place of any warning."""
        for name in bins:
            self._take_back(name)

    def answered(self, incident: IncidentId) -> Sequence[BinId]:
        """An operator has dealt with an incident; returns the bins that it warned of."""
        found = [name for name, warned in self._warned.items() if warned.incident == incident]
        for name in found:
            self._warned[name].incident = None
        return found

    def _warn(self, status: BinStatus) -> None:
        is_full = status.part_count >= status.capacity
        known = self._warned.get(status.bin)
        if known is not None and known.is_full == is_full:
            return
        message = _message(status, is_full=is_full)
        if known is not None and known.incident is not None:
            known.is_full = is_full
            self._incidents.update(known.incident, message)
            return
        incident = self._incidents.open(IncidentKind.BIN_FULL, message, (Choice.EMPTIED, Choice.NOTED))
        self._warned[status.bin] = _Warned(is_full, incident)

    def _take_back(self, name: BinId) -> None:
        warned = self._warned.pop(name, None)
        if warned is not None and warned.incident is not None:
            self._incidents.close(warned.incident)


def _message(status: BinStatus, *, is_full: bool) -> str:
    how = "is full, and its parts go elsewhere" if is_full else "is nearly full"
    return (
        f"Bin {status.label} {how}: {status.part_count} of {status.capacity}. Empty it and choose: emptied. The rig "
        "goes on meanwhile; to have this off the list choose: noted."
    )
