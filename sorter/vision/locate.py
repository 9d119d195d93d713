"""Where on the table is the part, and is there exactly one?

A part differs from the table by its colour or by sharp edges; a shadow and the coloured fringes of mixed light differ
by neither: they are dim and soft. So the frame is compared with the empty table (learnt, or inferred from the frame
itself), what differs much or has an edge is kept, holes are filled, and what hangs together is one thing.

All numbers below are at work resolution (about 300 px on the shorter side) in natural-logarithm units: 0.1 is 10 %.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.types import Box, Location, LocationKind, Table
from sorter.vision.table import (
    fit_drift,
    fit_table,
    is_found,
    largest_channel,
    log_rgb,
    mean_channel,
    surface,
    to_work,
    without_rim,
    work_scale,
)

if TYPE_CHECKING:
    from sorter.types import Frame
    from sorter.vision.background import Background
    from sorter.vision.table import BoolArray, ByteArray, FloatArray

_EDGE_PER_PX = 0.03  # a shadow's rim stays below, a part's outline above; sensor noise is at 0.004
_FAINT_EDGE_PER_PX = 0.021  # closes the outline of a face that has nearly the table's colour
_CERTAIN_EDGE_PER_PX = 0.06  # a thing has such an edge somewhere; a glow of light has none
_CERTAIN_EDGE_PX = 6  # so many pixels of it
_DARKER, _BRIGHTER, _OTHER_TINT = 0.55, 0.10, 0.30  # differs so much from the table: not table whatever its edges
_FACE = 0.06  # mean difference of a patch between outlines that is no table
_LEAST_AREA = 60 / 300**2  # of the frame; smaller is dust
_BRIDGE_PX = 5  # pieces no further apart than this are one part: the middle of a white part can look like table
_MOVED = 0.15  # between two frames; more is motion
_NOISE = 8.0  # of 255; where it is nearly black, noise alone changes the logarithm by more than motion must
_LEAST_SIDE_PX = 32
_UNFOUND_SHARE = 0.2  # of the table that a background must explain, or the light has changed too much for it


def locate(frame: Frame, background: Background | None = None, *, previous: Frame | None = None) -> Location:
    """Find what lies on the table.

    Args:
        frame: of any size; below 32 px a side no table is made out. ``sorter.vision.table`` has the resolution that it
            is worked on.
        background: the empty table from this angle; None infers it from the frame.
        previous: a frame taken shortly before at the same angle; if something moved between the two, kind is MOVING.

    Returns:
        SEVERAL if there are two things or more, else EDGE if the one reaches out of the picture or over the table's
        rim, else ONE; EMPTY if there is none. Where no table can be made out (a hand, a lamp that went out) it is
        EDGE with one box over the whole frame, never EMPTY. Boxes are in px of the frame, largest first;
        ``is_against_background`` is False if a background was given but light has changed too much for it.

    Raises:
        ValueError: ``background`` or ``previous`` is of another size than ``frame``.
    """
    shape = frame.rgb.shape[:2]
    if previous is not None and previous.rgb.shape[:2] != shape:
        raise ValueError(f"the previous frame is of another size: {previous.rgb.shape[:2]}, this one has {shape}")
    if min(shape) < _LEAST_SIDE_PX:
        return _without_table(shape, is_against_background=False)
    logs = log_rgb(to_work(frame.rgb))
    table, difference, is_against_background = _compare(frame, logs, background)
    if not is_found(table):
        return _without_table(shape, is_against_background=is_against_background)
    inside = without_rim(table.extent)
    things = _things(difference, inside)
    mask = _upscaled(np.logical_or.reduce([each for each, _ in things], axis=0, initial=False), shape, logs.shape)
    boxes = tuple(box for _, box in things)
    scaled = tuple(_scaled(box, work_scale(*shape), shape) for box in boxes)
    if previous is not None and _has_moved(logs, previous, inside):
        return Location(LocationKind.MOVING, scaled, mask, table, is_against_background)
    kind = LocationKind.ONE
    if len(things) != 1:
        kind = LocationKind.SEVERAL if things else LocationKind.EMPTY
    elif _reaches_out(things[0][0], inside):
        kind = LocationKind.EDGE
    return Location(kind, scaled, mask, table, is_against_background)


def _without_table(shape: tuple[int, int], *, is_against_background: bool) -> Location:
    whole = Box(0, 0, shape[1], shape[0])
    return Location(LocationKind.EDGE, (whole,), np.ones(shape, np.bool_), None, is_against_background)


def _compare(frame: Frame, logs: FloatArray, background: Background | None) -> tuple[Table, FloatArray, bool]:
    """The table, how the frame differs from it, and whether ``background`` was of use."""
    if background is not None:
        background.check_fits(frame)
        difference = logs - background.log_rgb
        drift, share = fit_drift(difference, background.table.extent)
        if share >= _UNFOUND_SHARE:
            table = Table(background.table.coefficients + drift, background.table.extent, share)
            return table, difference - surface(drift, *logs.shape[:2]), True
    return *fit_table(logs), False


def _things(difference: FloatArray, inside: BoolArray) -> list[tuple[BoolArray, Box]]:
    """Mask and box of each thing on the table, largest first."""
    gradient = _gradient(difference)
    differs = _differs_much(difference)
    faces = _plain_faces((gradient > _FAINT_EDGE_PER_PX) | differs, difference, inside)
    candidates = _filled((gradient > _EDGE_PER_PX) | differs | faces, inside)
    bridged = cv2.dilate(candidates, np.ones((_BRIDGE_PX, _BRIDGE_PX), np.uint8))
    count, labels = cv2.connectedComponents(bridged)
    things = []
    for label in range(1, count):
        mask = (labels == label) & (candidates > 0)
        is_certain = np.count_nonzero(gradient[mask] > _CERTAIN_EDGE_PER_PX) >= _CERTAIN_EDGE_PX
        if is_certain and np.count_nonzero(mask) >= _LEAST_AREA * mask.size:
            things.append((mask, Box(*cv2.boundingRect(mask.astype(np.uint8)))))
    return sorted(things, key=lambda thing: -int(np.count_nonzero(thing[0])))


def _gradient(difference: FloatArray) -> FloatArray:
    """Steepest change a px of any channel, h×w."""
    across = cv2.Sobel(difference, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(difference, cv2.CV_32F, 0, 1, scale=1 / 8)
    return largest_channel(np.asarray(cv2.magnitude(across, down), dtype=np.float32).reshape(difference.shape))


def _differs_much(difference: FloatArray) -> BoolArray:
    brightness = mean_channel(difference)
    tint = largest_channel(np.abs(difference - brightness[..., None]))
    differs = (brightness < -_DARKER) | (brightness > _BRIGHTER) | (tint > _OTHER_TINT)
    return cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0


def _filled(is_part: BoolArray, inside: BoolArray) -> ByteArray:
    """Outlines closed and filled, whiskers and specks dropped; h×w uint8, 0 or 1."""
    closed = _bytes(cv2.morphologyEx((is_part & inside).astype(np.uint8), cv2.MORPH_CLOSE, _disc(5)))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(closed)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    slim = cv2.erode(filled, np.ones((3, 3), np.uint8))  # an edge is two pixels wide, one of them outside the part
    return _bytes(cv2.morphologyEx(slim, cv2.MORPH_OPEN, _disc(7)))


def _plain_faces(is_outline: BoolArray, difference: FloatArray, inside: BoolArray) -> BoolArray:
    """What outlines and the border of the picture cut off from the table, if its colour is not the table's."""
    closed = _bytes(cv2.morphologyEx(is_outline.astype(np.uint8), cv2.MORPH_CLOSE, _disc(5)))
    bare = ((closed == 0) & inside).astype(np.uint8)
    count, labels = cv2.connectedComponents(bare, connectivity=4)
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    sums = [np.bincount(labels.ravel(), channel.ravel(), minlength=count) for channel in np.moveaxis(difference, 2, 0)]
    is_face = (np.abs(np.array(sums)) / sizes).max(axis=0) > _FACE
    is_face[0] = False  # the outlines themselves
    return np.asarray(is_face[labels])


def _disc(size_px: int) -> ByteArray:
    return _bytes(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size_px, size_px)))


def _bytes(picture: object) -> ByteArray:
    return np.asarray(picture, dtype=np.uint8)


def _reaches_out(thing: BoolArray, inside: BoolArray) -> bool:
    padded = np.pad(inside, 1, constant_values=False)
    outside = cv2.dilate((~padded).astype(np.uint8), np.ones((5, 5), np.uint8))[1:-1, 1:-1] > 0
    return bool(np.count_nonzero(thing & outside) >= 3)


def _has_moved(logs: FloatArray, previous: Frame, inside: BoolArray) -> bool:
    change = logs - log_rgb(to_work(previous.rgb))
    change -= np.median(change[inside], axis=0)  # of the light as a whole
    counts = np.abs(np.exp(logs) * -np.expm1(-change))  # how far the brightness itself is from what it was
    moved = (largest_channel(np.where(counts > _NOISE, np.abs(change), 0.0)) > _MOVED) & inside
    opened = cv2.morphologyEx(moved.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return bool(np.count_nonzero(opened) >= _LEAST_AREA * opened.size)


def _upscaled(mask: BoolArray, shape: tuple[int, int], work_shape: tuple[int, ...]) -> BoolArray:
    scale = work_scale(*shape)
    if scale == 1 and mask.shape == shape:
        return mask
    full = np.zeros(shape, np.uint8)
    if mask.shape == work_shape[:2]:  # else there is nothing
        height, width = mask.shape[0] * scale, mask.shape[1] * scale
        full[:height, :width] = cv2.resize(mask.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return full.view(np.bool_)


def _scaled(box: Box, scale: int, shape: tuple[int, int]) -> Box:
    """In px of the frame; what touches the last whole block touches the frame's border."""
    right, bottom = box.left_px + box.width_px, box.top_px + box.height_px
    right_px = shape[1] if right == shape[1] // scale else right * scale
    bottom_px = shape[0] if bottom == shape[0] // scale else bottom * scale
    left_px, top_px = box.left_px * scale, box.top_px * scale
    return Box(left_px, top_px, right_px - left_px, bottom_px - top_px)
