"""What the table looks like when it is empty: one background for each angle at which views are taken.

Learnt from frames that somebody (an operator, a sensor) has confirmed to be empty, renewed whenever the table is seen
empty again, so that slow changes of the light never add up. Marks, scratches and screws on the table are in it; the
table that is inferred from a single picture (``sorter.vision.table``) knows none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.vision.table import fit_table, is_found, log_rgb, to_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sorter.types import Frame, Table
    from sorter.vision.table import FloatArray

_RENEWAL = 0.2  # share of a new empty frame in the renewed background


@dataclass(frozen=True, eq=False)
class Background:
    """The empty table from one angle.

    Args:
        log_rgb: h×w×3 float32 at work resolution, natural logarithm of its colour, with all marks.
        table: the same, smooth, and its extent.
        frame_shape: H and W of the frames it is for.
    """

    log_rgb: FloatArray
    table: Table
    frame_shape: tuple[int, int]

    def check_fits(self, frame: Frame) -> None:
        """Raise ValueError if the frame is of another size."""
        if frame.rgb.shape[:2] != self.frame_shape:
            raise ValueError(
                f"the background was learnt from frames of {self.frame_shape[1]}×{self.frame_shape[0]} px, "
                f"this frame has {frame.rgb.shape[1]}×{frame.rgb.shape[0]} px: learn it again"
            )

    def renewed(self, frame: Frame) -> Background:
        """This background moved a fifth of the way towards ``frame``, which must show the empty table.

        Raises ValueError as ``learn_background`` does; the old one is as it was.
        """
        self.check_fits(frame)
        return _background(self.log_rgb + _RENEWAL * (log_rgb(to_work(frame.rgb)) - self.log_rgb), self.frame_shape)


def learn_background(frames: Sequence[Frame]) -> Background:
    """The empty table from frames taken at one angle: their median, so that one flicker or fly does no harm.

    Raises:
        ValueError: no frames, frames of several sizes, or no table in them.
    """
    if not frames:
        raise ValueError("a background is learnt from one frame or more, got none")
    shapes = {frame.rgb.shape[:2] for frame in frames}
    if len(shapes) > 1:
        raise ValueError(f"a background is learnt from frames of one size, got {sorted(shapes)}")
    logs = np.median([log_rgb(to_work(frame.rgb)) for frame in frames], axis=0).astype(np.float32)
    return _background(logs, shapes.pop())


def _background(logs: FloatArray, frame_shape: tuple[int, int]) -> Background:
    table, _ = fit_table(logs)
    if not is_found(table):
        raise ValueError("no table in these frames: check the light, and that the camera looks at the table")
    return Background(logs, table, frame_shape)


class Backgrounds:
    """Backgrounds by turntable angle (deg), the nearest of which serves a view."""

    def __init__(self, tolerance_deg: float = 1.0) -> None:
        self.tolerance_deg = tolerance_deg
        self._by_angle: dict[float, Background] = {}

    @property
    def angles_deg(self) -> tuple[float, ...]:
        """Angles with a background, ascending, each 0 to 360."""
        return tuple(sorted(self._by_angle))

    def learn(self, angle_deg: float, frames: Iterable[Frame]) -> None:
        """Learn the empty table at ``angle_deg``; raises ValueError as ``learn_background`` does."""
        known = self._nearest(angle_deg)
        self._by_angle[angle_deg % 360.0 if known is None else known] = learn_background(list(frames))

    def renew(self, angle_deg: float, frame: Frame) -> None:
        """Take ``frame``, which shows the empty table, into the background at ``angle_deg``, or begin one."""
        known = self._nearest(angle_deg)
        if known is None:
            self.learn(angle_deg, [frame])
        else:
            self._by_angle[known] = self._by_angle[known].renewed(frame)

    def at(self, angle_deg: float) -> Background | None:
        """The background within ``tolerance_deg`` of this angle, or None: then the table is inferred."""
        known = self._nearest(angle_deg)
        return None if known is None else self._by_angle[known]

    def forget(self) -> None:
        """Drop all: the camera or the light was moved."""
        self._by_angle.clear()

    def _nearest(self, angle_deg: float) -> float | None:
        if not np.isfinite(angle_deg):
            raise ValueError(f"an angle is a finite number of degrees, got {angle_deg}")
        near = [(abs((known - angle_deg + 180.0) % 360.0 - 180.0), known) for known in self._by_angle]
        distance_deg, known = min(near, default=(np.inf, 0.0))
        return known if distance_deg <= self.tolerance_deg else None
