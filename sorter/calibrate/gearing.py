"""How far the table really turns for a degree that it is told, from pictures of it. Pure, but for who turns and looks.

    ratio = degrees that the table turned / degrees that it was told

The table is turned by a little first, which tells the ratio roughly and cannot be mistaken for another; then by what
should be whole turns. Of these, what is measured is only by how much they miss, and that is divided by all of the way:
a hundredth of a degree after five turns is five millionths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.mark import fixed_part, turned_by, without

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from sorter.calibrate.mark import TablePicture, Turn
    from sorter.calibrate.view import TableView
    from sorter.config import MotorConfig

    Floats = NDArray[np.float32]

SURVEY_DEG = (31.0, 47.0, 59.0, 37.0, 67.0, 43.0, 71.0, 53.0, 29.0, 61.0, 41.0, 73.0)
"""Turns between the pictures that tell what stays in its place; no two of the places are near each other."""

SMALL_DEG = (4.0, 15.0, 60.0)
"""Turns that tell the ratio roughly; two that follow each other must agree."""

_SEEN_DEG = 0.6  # a smaller turn is not sure to be one
_AGREE = 0.25  # of a turn, or so many degrees
_AGREE_DEG = 1.5
_NEAR_DEG = 60.0  # a whole turn may miss by so much
_NEARLY_DEG = 2.0
_EXACT_DEG = 0.4  # so near to whole turns, nothing is laid out differently in the two pictures
_VIEW_SHARE = 0.15  # of a miss may be wrong by the view
_MOST_TRIES = 8
_WALK_DEG = 12.0
_MOST_STEPS = 60
_LAST_TURNS = 4
_IMPLAUSIBLE = 0.2
_LEAST_DEVIATION = 3e-5


@dataclass(frozen=True)
class Gearing:
    """What was measured.

    Args:
        ratio: see the module; above 0.
        deviation: one standard deviation of it.
        is_clockwise: growing angles turn the table clockwise, seen from above.
        turned_deg: all of the way that it was measured over.
    """

    ratio: float
    deviation: float
    is_clockwise: bool
    turned_deg: float

    @property
    def is_right(self) -> bool:
        """The gearing is as it was told, as far as can be measured, or to a twentieth of a percent."""
        return abs(self.ratio - 1.0) <= max(5e-4, 3.0 * self.deviation)

    @property
    def is_implausible(self) -> bool:
        """So far off that something else may be wrong."""
        return abs(self.ratio - 1.0) > _IMPLAUSIBLE

    def true_steps_per_deg(self, told_steps_per_deg: float) -> float:
        """Steps that really make a degree, where ``told_steps_per_deg`` were said to."""
        return told_steps_per_deg / self.ratio


def measure_gearing(
    turn: Callable[[float], None], look: Callable[[], TablePicture], view: TableView, steps_per_deg: float
) -> Gearing:
    """Turn the empty table, look at it, and tell its gearing.

    Args:
        turn: turns it by degrees, more than a turn if need be, and waits until it stands.
        look: a picture of it.
        view: how the camera sees it, as far as that is known.
        steps_per_deg: that it is told to have: it cannot stand between two steps.

    Raises:
        NotMeasured: nothing that turns is seen, or it does not turn as it is told.
    """
    measuring = _Measuring(turn, look, view, steps_per_deg)
    ratio = measuring.rough_ratio()
    try:
        return measuring.gearing(ratio)
    except NotMeasured as first:  # perhaps the view is so wrong that the rough ratio is, too
        try:
            return measuring.gearing(measuring.walked_ratio(ratio))
        except NotMeasured:
            raise first from None


class _Measuring:
    """Turns and pictures; from each picture that is compared with another a half of the survey is taken off."""

    def __init__(
        self, turn: Callable[[float], None], look: Callable[[], TablePicture], view: TableView, steps_per_deg: float
    ) -> None:
        self._turn, self._look, self._view = turn, look, view
        self._step_deg = 1.0 / steps_per_deg
        self._fixed = self._survey()

    def _survey(self) -> tuple[Floats, Floats]:
        pictures = []
        for angle_deg in SURVEY_DEG:
            self._turn(angle_deg)
            pictures.append(self._look())
        return fixed_part(pictures[::2]), fixed_part(pictures[1::2])

    def _before(self) -> TablePicture:
        return without(self._look(), self._fixed[0])

    def _turned_since(self, before: TablePicture, within_deg: float = 180.0) -> Turn:
        return turned_by(before, without(self._look(), self._fixed[1]), self._view, within_deg=within_deg)

    def rough_ratio(self) -> float:
        """With its sign: below 0, growing angles turn the table clockwise."""
        ratio: float | None = None
        for told_deg in SMALL_DEG:
            before = self._before()
            self._turn(told_deg)
            try:
                seen_deg = self._turned_since(before).angle_deg
            except NotMeasured:
                ratio = None
                continue
            if ratio is not None:
                foreseen_deg = ratio * told_deg
                rest_deg = (seen_deg - foreseen_deg + 180.0) % 360.0 - 180.0
                if abs(rest_deg) <= max(_AGREE_DEG, _AGREE * abs(foreseen_deg)):
                    return (foreseen_deg + rest_deg) / told_deg
            ratio = seen_deg / told_deg if abs(seen_deg) >= _SEEN_DEG else None
        raise NotMeasured(
            "the table was told to turn by 4, 15 and 60 deg, and the pictures do not show that",
            remedy="If it did turn, put a sticker or a thick stroke of a pen on it, halfway to its rim. If it did not, "
            "or much too far, run `sorter calibrate motors`: that finds out why.",
        )

    def walked_ratio(self, ratio: float) -> float:
        """From small turns all the way round: what a wrong view makes of them is too much here and too little there."""
        told_deg = _WALK_DEG / abs(ratio)
        seen_deg = all_told_deg = 0.0
        for _ in range(_MOST_STEPS):
            before = self._before()
            self._turn(told_deg)
            turned_deg = self._turned_since(before, _NEAR_DEG).angle_deg
            missing = (360.0 - abs(seen_deg)) / max(abs(turned_deg), 1e-3)
            if missing <= 1.0:
                return math.copysign(360.0 / (all_told_deg + missing * told_deg), ratio)
            seen_deg, all_told_deg = seen_deg + turned_deg, all_told_deg + told_deg
        raise NotMeasured(
            "the table's mark does not come round, however far the table turns",
            remedy="See that the mark is on the table, and that the table's middle is near that of the picture.",
        )

    def gearing(self, ratio: float) -> Gearing:
        """By whole turns, to begin with as ``ratio`` says: one, then several, until they miss by next to nothing."""
        turns = 1
        for _ in range(_MOST_TRIES):
            start, told_deg = self._before(), 360.0 * turns / abs(ratio)
            for _ in range(turns):
                self._turn(told_deg / turns)
            try:
                missed = self._turned_since(start, _NEAR_DEG)
            except NotMeasured as error:  # the mark is there, so it is somewhere else
                raise _does_not_come_back() from error
            turned_deg = math.copysign(360.0, ratio) * turns + missed.angle_deg
            ratio = turned_deg / told_deg
            if turns > 1 and abs(missed.angle_deg) < _EXACT_DEG:
                return Gearing(abs(ratio), self._deviation(missed, told_deg, ratio), ratio < 0.0, abs(turned_deg))
            if abs(missed.angle_deg) < _NEARLY_DEG:
                turns = _LAST_TURNS
        raise _does_not_come_back()

    def _deviation(self, missed: Turn, told_deg: float, ratio: float) -> float:
        """One standard deviation of a ratio: the pictures, the steps, and what a wrong view makes of the miss."""
        rounding_deg = 0.5 * self._step_deg * abs(ratio) / math.sqrt(3.0)
        of_view_deg = _VIEW_SHARE * abs(missed.angle_deg)
        deviation_deg = math.hypot(missed.deviation_deg, rounding_deg, of_view_deg)
        return max(deviation_deg / told_deg, _LEAST_DEVIATION)


def _does_not_come_back() -> NotMeasured:
    return NotMeasured(
        "the table does not come back to where it was, however its whole turn is reckoned",
        remedy="See that nothing slips: the grub screw of the pulley, the belt, the table on its shaft.",
    )


@dataclass(frozen=True)
class Explanation:
    """A setting of a motor that explains how it turns.

    Args:
        key: of the motor's table in rig.toml.
        value: what it would have to be.
        ratio: that it would explain.
        words: the same, for a person.
    """

    key: str
    value: float
    ratio: float
    words: str


def explanations(motor: MotorConfig, ratio: float, tolerance: float) -> list[Explanation]:
    """Other microsteps or another motor that explain why it turns ``ratio`` as far as it was told; the nearest first.

    Args:
        motor: as it is told; a measured gearing has nothing to explain.
        ratio: see the module.
        tolerance: of the ratio, such as 0.1 for one that was estimated.
    """
    if motor.measured_steps_per_deg is not None:
        return []
    found = []
    for microsteps in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        if microsteps != motor.microsteps:
            words = f"the driver's jumpers are set to 1/{microsteps}, not to 1/{motor.microsteps}"
            found.append(Explanation("microsteps", microsteps, motor.microsteps / microsteps, words))
    for full_steps in (200, 400):
        if full_steps != motor.full_steps_per_turn:
            words = f"the motor has {full_steps} steps a turn, not {motor.full_steps_per_turn}"
            found.append(Explanation("full_steps_per_turn", full_steps, motor.full_steps_per_turn / full_steps, words))
    near = [each for each in found if abs(ratio / each.ratio - 1.0) <= tolerance]
    return sorted(near, key=lambda each: abs(ratio / each.ratio - 1.0))
