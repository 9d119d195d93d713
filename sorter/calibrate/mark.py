"""By which angle has the table turned between two pictures? Pure.

Whatever lies on the table or is drawn on it turns with it: a sticker, a pen stroke, a scratch. Each picture is compared
with the smooth, bare table that is inferred from it, so that the light, which does not turn, drops out; what stays in
the same place of the picture whatever the table does (its rim, the arm, glare) is known from a few pictures at
different angles, and drops out too. What is left is laid out along circles around the axis, and two such layouts are
shifted against each other until they agree best (normalised correlation, masked: parts of a circle may be out of the
picture).

An axis that is guessed wrongly does no harm if the table came back to where it was, by a whole turn: then there is
nothing to be laid out differently. The nearer the two pictures are to that, the less depends on the view.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sorter.calibrate.errors import NotMeasured
from sorter.vision.table import fit_table, is_found, log_rgb, to_work, without_rim, work_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sorter.calibrate.view import TableView
    from sorter.types import Frame

    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]

_PLACES = 1440  # along a circle: 0.25 deg each
_RINGS = 80
_INNERMOST, _OUTERMOST = 0.12, 0.75  # radii of rings, in parts of the picture's shorter side
_MOST = 0.4  # of a difference (natural logarithm): black is no more of a mark than dark grey
_SMOOTH_PX = 1.2
_LEAST_OVERLAP = 0.25  # of what two layouts have in common where they have most
_LEAST_LIKENESS = 0.12
_LEAST_SIGNIFICANCE = 6.0  # the peak against the scatter of the rest of the curve
_MOST_RIVAL = 0.8  # of the peak, at another angle
_PEAK_DEG = 12.0  # half the width of a mark's peak
_ALIKE_PX = 25.0  # pixels of the smoothed picture whose noise is one
_SHIFTS_DEG = np.arange(_PLACES) * (360.0 / _PLACES)


@dataclass(frozen=True, eq=False)
class TablePicture:
    """What of a frame may turn with the table.

    Args:
        difference: h×w float32 at work resolution, from the bare table, natural logarithm, averaged over the channels.
        is_seen: h×w, True on the table.
        scale: a pixel of it is so many of the frame.
    """

    difference: Floats
    is_seen: Bools
    scale: int


@dataclass(frozen=True)
class Turn:
    """How far the table turned.

    Args:
        angle_deg: counter-clockwise from above, -180 to 180.
        deviation_deg: one standard deviation, of the picture's noise alone.
        likeness: of the two pictures then, 0 to 1.
    """

    angle_deg: float
    deviation_deg: float
    likeness: float


def table_picture(frames: Sequence[Frame]) -> TablePicture:
    """What differs from the bare table in frames of one place, which are averaged.

    Raises:
        NotMeasured: no table can be made out.
    """
    logs = np.stack([log_rgb(to_work(frame.rgb)) for frame in frames]).mean(axis=0)
    table, difference = fit_table(logs)
    if not is_found(table):
        raise NotMeasured(
            "no table can be made out in the picture",
            remedy="Check the light, and with `sorter camera snap` that the camera looks at the table.",
        )
    grey = np.clip(difference, -_MOST, _MOST).mean(axis=2)
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), _SMOOTH_PX), dtype=np.float32)
    return TablePicture(smooth, without_rim(table.extent), work_scale(*frames[0].rgb.shape[:2]))


def fixed_part(pictures: Sequence[TablePicture]) -> Floats:
    """What stays in its place of the picture while the table turns: h×w, to be taken off other pictures.

    It has noise of its own. Two pictures that had the same one taken off would be alike in that, and seem to be turned
    less than they are: take one off the first, and one of other pictures off the second.

    Args:
        pictures: three or more, at angles so far apart that nothing small is twice in one place, and apart from those
            of the pictures that are to be compared.
    """
    if len(pictures) < 3:
        raise ValueError(f"what stays in its place shows in three pictures or more, got {len(pictures)}")
    return np.median([each.difference for each in pictures], axis=0).astype(np.float32)


def without(picture: TablePicture, fixed: Floats) -> TablePicture:
    """A picture without what stays in its place."""
    return replace(picture, difference=picture.difference - fixed)


def turned_by(before: TablePicture, after: TablePicture, view: TableView, *, within_deg: float = 180.0) -> Turn:
    """The angle by which the table of ``after`` is turned against that of ``before``.

    Args:
        before, after: of one camera, alike in size.
        view: how the camera sees the table, in pixels of the frame.
        within_deg: so far either way it is looked for, at most 180.

    Raises:
        NotMeasured: nothing that turns is seen, or it fits at several angles.
    """
    if before.difference.shape != after.difference.shape:
        raise ValueError(f"pictures of {before.difference.shape} and {after.difference.shape} are not of one camera")
    first, second = _laid_out(before, view), _laid_out(after, view)
    likeness = _likeness(first, second)
    is_near = np.abs(_short_way(_SHIFTS_DEG)) <= within_deg
    best = int(np.argmax(np.where(is_near, likeness, -np.inf)))
    peak = float(likeness[best])
    is_elsewhere = np.abs(_short_way(_SHIFTS_DEG - _SHIFTS_DEG[best])) > _PEAK_DEG
    scatter = float(np.median(np.abs(likeness[is_elsewhere]))) / 0.6745
    if peak < max(_LEAST_LIKENESS, _LEAST_SIGNIFICANCE * scatter):
        raise NotMeasured(
            "nothing is seen that turns with the table",
            remedy="Put a sticker or a thick stroke of a pen on the table, halfway to its rim, and try again.",
        )
    rival = int(np.argmax(np.where(is_near & is_elsewhere, likeness, -np.inf)))
    if (is_near & is_elsewhere)[rival] and likeness[rival] > _MOST_RIVAL * peak:
        raise NotMeasured(
            f"the table looks the same turned by {_short_way(_SHIFTS_DEG[best]):.0f} and by "
            f"{_short_way(_SHIFTS_DEG[rival]):.0f} deg",
            remedy="Make the table's marks differ: one mark is better than several that are alike.",
        )
    angle_deg = float(_short_way(_SHIFTS_DEG[best] + _vertex(likeness, best) * (360.0 / _PLACES)))
    return Turn(angle_deg, _deviation_deg(first, second, best), min(1.0, peak))


@dataclass(frozen=True, eq=False)
class _Layout:
    """A picture along circles around the axis: rings×places, weighted by the rings' lengths."""

    values: Floats  # 0 where nothing is seen
    is_seen: Floats  # 1 or 0
    px_a_sample: float  # of the picture, on average


def _laid_out(picture: TablePicture, view: TableView) -> _Layout:
    height, width = picture.difference.shape
    shorter_px = min(height, width) * picture.scale
    radii = np.linspace(_INNERMOST, _OUTERMOST, _RINGS) * shorter_px
    angles = np.radians(_SHIFTS_DEG)
    circles = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    places = view.project(radii[:, None, None] * circles) / picture.scale - 0.5
    at = np.nan_to_num(places, nan=-10.0).astype(np.float32)
    at = np.clip(at, -10.0, 32_000.0)
    values = cv2.remap(picture.difference, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=0.0)
    seen = cv2.remap(picture.is_seen.astype(np.float32), at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=0.0)
    is_seen = (seen > 0.99).astype(np.float32)
    weights = np.sqrt(radii / radii[-1]).astype(np.float32)[:, None]
    px = float(picture.is_seen.sum()) / max(1.0, float(is_seen.sum()))
    return _Layout(np.asarray(values, np.float32) * is_seen * weights, is_seen, min(1.0, px))


def _likeness(first: _Layout, second: _Layout) -> NDArray[np.float64]:
    """Of the two layouts, the second shifted by each place: -1 to 1, 0 where they hardly overlap."""

    def shifted(one: Floats, other: Floats) -> NDArray[np.float64]:
        spectrum = np.conj(np.fft.rfft(one, axis=1)) * np.fft.rfft(other, axis=1)
        return np.asarray(np.fft.irfft(spectrum.sum(axis=0), n=_PLACES))

    overlap = shifted(first.is_seen, second.is_seen)
    energy = shifted(first.values**2, second.is_seen) * shifted(first.is_seen, second.values**2)
    product = shifted(first.values, second.values)
    is_enough = (overlap >= _LEAST_OVERLAP * max(float(overlap.max()), 1.0)) & (energy > 1e-12)
    return np.where(is_enough, product / np.sqrt(np.maximum(energy, 1e-12)), 0.0)


def _vertex(curve: NDArray[np.float64], best: int) -> float:
    """Where between its neighbours the curve's peak is, -0.5 to 0.5 places from the best one."""
    before, at, after = curve[best - 1], curve[best], curve[(best + 1) % len(curve)]
    bend = before - 2.0 * at + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0.0 else 0.0


def _deviation_deg(first: _Layout, second: _Layout, best: int) -> float:
    """What the noise that is left makes of the angle: the bound of Cramér and Rao, for samples that are not alone."""
    moved = np.roll(second.values, -best, axis=1)
    both = first.is_seen * np.roll(second.is_seen, -best, axis=1)
    left = (moved - first.values) * both
    slopes = (np.roll(first.values, -1, axis=1) - np.roll(first.values, 1, axis=1)) / 2.0 * both
    count, steepness = float(both.sum()), float(np.square(slopes).sum())
    if count < 1.0 or steepness <= 0.0:
        return 180.0
    noise = math.sqrt(float(np.square(left).sum()) / count)
    alike = _ALIKE_PX / first.px_a_sample  # so many samples are worth one
    return noise * math.sqrt(max(1.0, alike) / steepness) * (360.0 / _PLACES)


def _short_way(angle_deg: Any) -> Any:
    """-180 to 180."""
    return (angle_deg + 180.0) % 360.0 - 180.0
