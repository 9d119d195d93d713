"""Has the light on the table changed? Told from the table itself, which has the same colour as ever.

``locate`` puts up with a light that changes, up to a point; the colours of parts do not, and neither does what a
network was trained on. So it is worth knowing before everything is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.vision.table import polynomial

if TYPE_CHECKING:
    from sorter.types import Table

MOST_BRIGHTER, MOST_OTHER_TINT = 0.2, 0.06
"""Natural logarithms of a picture's grey levels; a camera's own noise is at 0.0003. As a camera encodes light, a fifth
more or less of grey is about half as much again, or a third less, of light."""


@dataclass(frozen=True)
class LightChange:
    """How the light differs from what it was, in natural logarithms of grey levels.

    Args:
        brightness: of all channels together; above 0 is brighter.
        tint: red, green and blue beside that; together 0.
    """

    brightness: float
    tint: tuple[float, float, float]

    @property
    def is_much(self) -> bool:
        """Whether somebody should know."""
        return abs(self.brightness) > MOST_BRIGHTER or max(map(abs, self.tint)) > MOST_OTHER_TINT

    def __str__(self) -> str:
        """For a person, such as ``22 % darker, 9 % more blue``."""
        said = []
        if abs(self.brightness) > MOST_BRIGHTER / 2:
            said.append(f"{_percent(self.brightness)} % {'brighter' if self.brightness > 0.0 else 'darker'}")
        said += [
            f"{_percent(each)} % {'more' if each > 0.0 else 'less'} {name}"
            for name, each in zip(("red", "green", "blue"), self.tint, strict=True)
            if abs(each) > MOST_OTHER_TINT / 2
        ]
        return ", ".join(said) or "as it was"


def light_change(now: Table, learnt: Table) -> LightChange:
    """How the light on the table differs from what was learnt, on average over where the table was then."""
    height, width = learnt.extent.shape
    places = polynomial(height, width)[learnt.extent].mean(axis=0)
    change = places @ (now.coefficients - learnt.coefficients)
    brightness = float(change.mean())
    red, green, blue = (float(each) - brightness for each in change)
    return LightChange(brightness, (red, green, blue))


def _percent(logarithm: float) -> int:
    return round(100.0 * float(np.expm1(abs(logarithm))) if logarithm > 0.0 else -100.0 * float(np.expm1(logarithm)))
