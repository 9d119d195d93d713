"""Has a part slid on the table, and how fast may the table be accelerated? Pure.

The table is turned to and fro and comes back to where it was; a part that did not slide is then where it was, too. What
is compared is the part's outline in two pictures, before and after. Two pictures between which nothing moved tell how
much the outline changes by noise alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.calibrate.errors import NotMeasured
from sorter.types import LocationKind
from sorter.vision import locate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sorter.types import Frame
    from sorter.types.pictures import MaskArray

_LEAST_SHIFT = 0.02  # of the part's own size across; less is no slip
_LEAST_SHIFT_PX = 1.5
_NOISE = 4.0  # times what two pictures of a part at rest differ by
_LEAST_CHANGE = 0.06  # of the outline's area, as when a long part turned by 2 deg
FIRST = 300.0
FASTER = 1.3
MOST = 20_000.0
KEPT = 0.7
"""Share of the highest acceleration without a slip that the rig is to use."""


@dataclass(frozen=True)
class Slip:
    """How a part's outline differs between two pictures.

    Args:
        shift_px: of its middle.
        change: share of its area that is not in both, 0 to 1.
        size_px: how large it is across.
    """

    shift_px: float
    change: float
    size_px: float

    def is_slip(self, noise: Slip) -> bool:
        """Whether the part has slid, where ``noise`` is what a part at rest shows."""
        least_px = max(_LEAST_SHIFT_PX, _LEAST_SHIFT * self.size_px, _NOISE * noise.shift_px)
        return self.shift_px > least_px or self.change > max(_LEAST_CHANGE, _NOISE * noise.change)


def slip_between(before: Frame, after: Frame) -> Slip:
    """How the one part on the table moved.

    Raises:
        NotMeasured: there is not one part in the first picture.
    """
    first, second = _outline(before), _outline(after)
    if first is None:
        raise NotMeasured(
            "there is not one part on the table, wholly in the picture",
            remedy="Lay one part on the table, about halfway between its middle and its rim.",
        )
    size_px = math.sqrt(float(np.count_nonzero(first)))
    if second is None:  # it slid so far that it is not seen any more
        return Slip(math.inf, 1.0, size_px)
    both = float(np.count_nonzero(first & second))
    either = float(np.count_nonzero(first | second))
    shift = _middle(second) - _middle(first)
    return Slip(float(np.hypot(*shift)), 1.0 - both / either, size_px)


def _outline(frame: Frame) -> MaskArray | None:
    location = locate(frame)
    return location.mask if location.kind is LocationKind.ONE else None


def _middle(mask: MaskArray) -> NDArray[np.float64]:
    down, across = np.nonzero(mask)
    return np.array([across.mean(), down.mean()])


@dataclass(frozen=True)
class Grip:
    """What the table may be accelerated by (deg/s²).

    Args:
        held: the highest at which the part did not slide.
        slid: the lowest at which it did; None if it never did.
    """

    held: float
    slid: float | None

    @property
    def to_use(self) -> float:
        """What the rig is to use, to two digits."""
        kept = KEPT * self.held
        digits = 10.0 ** (math.floor(math.log10(kept)) - 1)
        return math.floor(kept / digits) * digits


def find_grip(shake: Callable[[float], bool], *, first: float = FIRST, most: float = MOST) -> Grip:
    """Raise the acceleration until the part slides.

    Args:
        shake: turns the table to and fro at an acceleration; whether the part slid.
        first: what to begin with, deg/s².
        most: what to end with if nothing slides.

    Raises:
        NotMeasured: it slides at the first already.
    """
    held: float | None = None
    wanted = first
    while wanted <= most * (1.0 + 1e-9):
        if shake(wanted):
            if held is None:
                raise NotMeasured(
                    f"the part slides at {wanted:g} deg/s² already, the lowest that is tried",
                    remedy="Take a part that lies flat, clean the table, or give it a surface with more grip.",
                )
            return Grip(held, wanted)
        held = wanted
        wanted = min(wanted * FASTER, most) if wanted < most else math.inf
    assert held is not None
    return Grip(held, None)
