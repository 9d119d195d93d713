"""Does the table stand where it is believed to? Its own marks tell: specks, scratches, the grain of its surface.

What turns with the table is what pictures from different angles do not have in common. So of each picture of the empty
table the fine detail is kept (neither light nor shadow has any), and what all angles share is taken off: dust on the
lens, the lamp's reflection, the arm. What is left at an angle is compared, by correlation, with what was learnt there.

How much that says is learnt as well: pictures that were taken one after the other are compared, and the table must be
more like itself than noise is. Where it is not (a table without any grain, a blurred picture), nothing is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.vision.table import fit_table, is_found, log_rgb, mean_channel, to_work, without_rim

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sorter.types import Frame
    from sorter.vision.table import BoolArray, FloatArray

_FINE_PX, _COARSE_PX = 1.0, 6.0  # standard deviations between which detail lies, at work resolution
_MOST = 0.1  # of a detail (natural logarithm): one black speck must not outweigh all the grain
_LEAST_LIKENESS = 0.3  # between two pictures of the same: less is noise more than it is table
_LEAST_ANGLES = 3  # so many are needed to know what they share
_LEAST_FRAMES = 2
_SAME_DEG = 0.5


@dataclass(frozen=True, eq=False)
class Marks:
    """What of the empty table turns with it.

    Args:
        by_angle: h×w detail at each angle (deg) of the table, less what all angles share.
        likeness: of two pictures of each angle, 0 to 1; what a picture from there is measured by.
        shared: h×w, what all angles share.
        is_table: h×w, where there is table at every angle.
        frame_shape: H and W of the frames they are for.
    """

    by_angle: Mapping[float, FloatArray]
    likeness: Mapping[float, float]
    shared: FloatArray
    is_table: BoolArray
    frame_shape: tuple[int, int]

    def fit(self, frame: Frame, table_deg: float) -> float | None:
        """How well a picture of the empty table fits what was learnt at an angle: 1 is as well as it did then.

        A table that stands elsewhere gives less: docs/cycle.md has how much. None if nothing was learnt at this angle,
        or only from frames of another size.
        """
        apart = {known_deg: abs((known_deg - table_deg + 180.0) % 360.0 - 180.0) for known_deg in self.by_angle}
        nearest_deg = min(apart, key=lambda known_deg: apart[known_deg])
        if apart[nearest_deg] > _SAME_DEG or frame.rgb.shape[:2] != self.frame_shape:
            return None
        seen = _detail(frame) - self.shared
        return _correlation(seen, self.by_angle[nearest_deg], self.is_table) / self.likeness[nearest_deg]


def learn_marks(pictures: Sequence[tuple[float, Sequence[Frame]]]) -> Marks | None:
    """What turns with the table, from frames of the empty table at each angle (deg).

    Returns:
        None if that cannot be told: too few angles or frames, no table, or too few marks to know it by.

    Raises:
        ValueError: the frames are of several sizes.
    """
    shapes = {frame.rgb.shape[:2] for _, frames in pictures for frame in frames}
    if len(shapes) > 1:
        raise ValueError(f"marks are learnt from frames of one size, got {sorted(shapes)}")
    if len(pictures) < _LEAST_ANGLES or any(len(frames) < _LEAST_FRAMES for _, frames in pictures):
        return None
    details = {angle_deg: [_detail(frame) for frame in frames] for angle_deg, frames in pictures}
    is_table = np.logical_and.reduce([_extent(frames) for _, frames in pictures])
    if not is_table.any():
        return None
    means = {angle_deg: _mean(each) for angle_deg, each in details.items()}
    shared = _mean(list(means.values()))
    # What a later picture will be compared with is learnt without the last frame here, which stands for that picture.
    likeness = {
        angle_deg: _correlation(each[-1] - shared, _mean(each[:-1]) - shared, is_table)
        for angle_deg, each in details.items()
    }
    if min(likeness.values()) < _LEAST_LIKENESS:
        return None
    by_angle = {angle_deg: mean - shared for angle_deg, mean in means.items()}
    return Marks(by_angle, likeness, shared, is_table, shapes.pop())


def _detail(frame: Frame) -> FloatArray:
    logs = mean_channel(log_rgb(to_work(frame.rgb)))
    fine, coarse = (cv2.GaussianBlur(logs, (0, 0), sigma_px) for sigma_px in (_FINE_PX, _COARSE_PX))
    return np.asarray(np.clip(fine - coarse, -_MOST, _MOST), dtype=np.float32)


def _extent(frames: Sequence[Frame]) -> BoolArray:
    """Where the table is, well inside its rim, which is detail and does not turn evenly."""
    table, _ = fit_table(log_rgb(to_work(frames[-1].rgb)))
    return without_rim(table.extent) if is_found(table) else np.zeros_like(table.extent)


def _mean(details: Sequence[FloatArray]) -> FloatArray:
    return np.asarray(np.mean(details, axis=0), dtype=np.float32)


def _correlation(one: FloatArray, other: FloatArray, within: BoolArray) -> float:
    """-1 to 1; 0 if one of them has no detail."""
    first, second = one[within].astype(np.float64), other[within].astype(np.float64)
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale > 0.0 else 0.0
