"""A part's way from the table into a bin: off the rim, through the chute, and where it lies at last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.types.twin import BESIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.twin.landing import Pose2d
    from sorter.twin.scene import Part
    from sorter.types.twin import TwinBin

STANDING_DEG_PER_S = 5.0
"""A part that is struck on a table that turns faster than this does not fall into the chute."""

_SLIDE_MM = 90.0  # until it has left the picture


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
