"""Pictures of whole tables, of one part or several, as a network is trained on them: squares, boxes, what is visible.

A network for tables says of each class whether a part of it is there, and one thing more, SEVERAL: whether there is
more than one part, which classes alone cannot tell where two parts are of one class.

How much of each is visible stands in one row a picture: of a class the largest visible fraction of its parts, of
SEVERAL the second largest of all parts. From ``least_visible`` on it counts as there, at 0 as not there. What lies
between, a corner behind another part, is undecided: it is neither trained on nor scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.training.augment import augmented_and_moved
from sorter.training.errors import TrainingRefused
from sorter.training.examples import LeftOut, without_copies
from sorter.training.table_cache import Wanted, fit_of, scaled_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.dataset import Picture
    from sorter.dataset.labels import PictureLabels
    from sorter.training.recipe import AugmentationRecipe, Recipe
    from sorter.training.table_labels import TableLabels

    ByteArray = NDArray[np.uint8]
    FloatArray = NDArray[np.float32]

SEVERAL = "several"
"""Label of the last output: more than one part is visible."""
UNDECIDED = -1.0
"""Target of what is neither there nor not there."""

_REPRESENTATIVE = 300  # pictures, from which int8 takes the ranges of all activations
_NOTHING = 0.02  # of a box that is left in the picture: less shows nothing of its part


@dataclass(frozen=True, eq=False)
class PartsShown:
    """The k parts of one picture.

    Args:
        classes: k int64, places of their classes in the order of the labels; -1 for a class that is none of them.
        boxes_px: k×4 float32, left, top, width, height in px of the square.
        visible: k float32, over 0 up to 1.
    """

    classes: NDArray[np.int64]
    boxes_px: FloatArray
    visible: FloatArray

    def moved(self, matrix: NDArray[np.float64], size_px: int) -> PartsShown:
        """The same after the square was moved by a 2×3 matrix; a part that leaves it in part is less visible.

        Its visible fraction goes with the area of its box that is left, and boxes become those around the moved ones.
        """
        if not len(self.classes):
            return self
        frame = np.array([[0, 0], [size_px, 0], [size_px, size_px], [0, size_px]], np.float32)
        boxes, visible = np.zeros_like(self.boxes_px), self.visible.copy()
        for row, (left, top, width, height) in enumerate(self.boxes_px.tolist()):
            corners = np.array(
                [[left, top], [left + width, top], [left + width, top + height], [left, top + height]], np.float64
            )
            corners = (corners @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
            area = max(abs(float(cv2.contourArea(corners))), 1e-6)
            share = min(1.0, float(cv2.intersectConvexConvex(cv2.convexHull(corners), frame)[0]) / area)
            visible[row] *= share if share >= _NOTHING else 0.0
            low, high = np.clip(corners.min(axis=0), 0, size_px), np.clip(corners.max(axis=0), 0, size_px)
            boxes[row] = [*low, *(high - low)]
        return PartsShown(self.classes, boxes, visible)


def visibility(parts: PartsShown, label_count: int) -> FloatArray:
    """How much of each class and of SEVERAL (the last) is visible, ``label_count`` float32 from 0 to 1."""
    row = np.zeros(label_count, np.float32)
    is_known = parts.classes >= 0
    np.maximum.at(row, parts.classes[is_known], parts.visible[is_known])
    row[-1] = np.sort(parts.visible)[-2] if len(parts.visible) > 1 else 0.0
    return row


def table_targets(visible: FloatArray, least_visible: float) -> FloatArray:
    """1 where something is there, 0 where it is not, UNDECIDED between; of the shape of ``visible``."""
    return np.where(visible >= least_visible, 1.0, np.where(visible > 0.0, UNDECIDED, 0.0)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Rows:
    """Some pictures of many, m×size×size×3 uint8, which stay on disk until they are asked for.

    Args:
        pictures: all of them, perhaps mapped.
        places: m, which.
    """

    pictures: ByteArray
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, which: slice | NDArray[np.int64]) -> ByteArray:
        return np.asarray(self.pictures[self.places[which]])

    def one(self, row: int) -> ByteArray:
        """A single picture, size×size×3."""
        return np.asarray(self.pictures[self.places[row]])


@dataclass(frozen=True, eq=False)
class Tables:
    """n pictures of whole tables.

    Args:
        labels: classes in order, then SEVERAL.
        pictures: n, as in the dataset.
        rgb: n×size×size×3 uint8.
        parts: n, what they show.
        least_visible: of a part, or it does not count as there.
        labels_sha256: of the file that says what they show.
        left_out: pictures that could not be used.
    """

    labels: tuple[str, ...]
    pictures: tuple[Picture, ...]
    rgb: Rows
    parts: tuple[PartsShown, ...]
    least_visible: float
    labels_sha256: str
    left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def visible(self) -> FloatArray:
        """How much of each class and of SEVERAL is visible, n×c float32."""
        count = len(self.labels)
        return np.array([visibility(each, count) for each in self.parts], np.float32).reshape(-1, count)

    @property
    def targets(self) -> FloatArray:
        """n×c float32 of 0, 1 and UNDECIDED."""
        return table_targets(self.visible, self.least_visible)

    def taken(self, rows: Sequence[int] | NDArray[np.int64]) -> Tables:
        """Those of the given rows."""
        chosen = np.asarray(rows, dtype=np.int64)
        return Tables(
            self.labels,
            tuple(self.pictures[row] for row in chosen),
            Rows(self.rgb.pictures, self.rgb.places[chosen]),
            tuple(self.parts[row] for row in chosen),
            self.least_visible,
            self.labels_sha256,
        )

    def of(self, paths: Iterable[str]) -> Tables:
        """Those whose pictures have these paths; paths that were left out are not there."""
        wanted = set(paths)
        return self.taken([row for row, each in enumerate(self.pictures) if each.path in wanted])

    def changed(
        self, row: int, recipe: AugmentationRecipe, rng: np.random.Generator
    ) -> tuple[ByteArray, NDArray[np.generic] | None]:
        """A changed copy of one picture, and its targets: what was moved out of it is not there any more."""
        rgb = self.rgb.one(row)
        size_px = rgb.shape[0]
        changed, matrix = augmented_and_moved(rgb, np.zeros((size_px, size_px), np.uint8), recipe, rng)
        row_of_it = visibility(self.parts[row].moved(matrix, size_px), len(self.labels))
        return changed, table_targets(row_of_it, self.least_visible)

    def representative(self) -> ByteArray:
        """Some pictures that stand for all, evenly taken."""
        count = min(_REPRESENTATIVE, len(self))
        return self.rgb[np.unique(np.linspace(0, len(self) - 1, count).round().astype(np.int64))]


def read_tables(
    root: Path,
    pictures: Sequence[Picture],
    labels: TableLabels,
    recipe: Recipe,
    cache: Path | None,
    *,
    among: Sequence[Picture] | None = None,
    workers: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> Tables:
    """Pictures of tables in squares of the recipe's size; what cannot be used is left out with its reason.

    Args:
        root: the dataset's folder.
        pictures: of the dataset.
        labels: of its ``labels.json``.
        recipe: for size, grey and what counts as visible.
        cache: folder that keeps the squares, mapped into memory; None holds them in memory.
        among: all pictures of the dataset, of which one file is made for whoever takes some of them; None for the same.
        workers: threads.
        on_progress: called with how many more pictures are done.

    Raises:
        TrainingRefused: no picture can be used, a class has the name of SEVERAL, or ``cache`` cannot be written to.
    """
    classes = labels.classes(pictures)
    if SEVERAL in classes:
        raise TrainingRefused(
            f"{root} has a class named {SEVERAL!r}, which is what a network for tables says of more than one part",
            remedy="Give the class another name.",
        )
    known = pictures if among is None or cache is None else among
    crop = recipe.crop
    wanted = Wanted(root, tuple(known), labels, crop.size_px, table_grey(crop.table_grey))
    scaled = scaled_pictures(wanted, cache, workers=workers, on_progress=on_progress)
    place_of: dict[str, int] = {}
    reason_of: dict[str, str] = {}
    for each, reason in zip(known, scaled.reasons, strict=True):
        if reason is None:
            place_of[each.path] = len(place_of)
        else:
            reason_of[each.path] = reason
    unique, left_out = without_copies(pictures)
    left_out += [LeftOut(each.path, reason_of[each.path]) for each in unique if each.path in reason_of]
    shown = tuple(each for each in unique if each.path in place_of)
    if not shown:
        first = f", such as {left_out[0].path}: {left_out[0].reason}" if left_out else ""
        raise TrainingRefused(
            f"{root}: none of {len(pictures)} pictures can be used{first}", remedy="Look at the pictures."
        )
    number = {name: place for place, name in enumerate(classes)}
    return Tables(
        labels=(*classes, SEVERAL),
        pictures=shown,
        rgb=Rows(scaled.rgb, np.array([place_of[each.path] for each in shown], np.int64)),
        parts=tuple(parts_shown(labels.by_path[each.path], number, crop.size_px) for each in shown),
        least_visible=recipe.least_visible,
        labels_sha256=labels.sha256,
        left_out=tuple(left_out),
    )


def table_grey(grey: int | None) -> int:
    """What fills a square beside a picture that is no square: the recipe's grey, or a middle one."""
    return 128 if grey is None else grey


def parts_shown(labelled: PictureLabels, number: dict[str, int], size_px: int) -> PartsShown:
    """The parts of a picture that was put into a square; ``number`` is the place of each known class."""
    fit = fit_of(labelled.width_px, labelled.height_px, size_px)
    return PartsShown(
        classes=np.array([number.get(each.class_name, -1) for each in labelled.parts], np.int64),
        boxes_px=np.array([fit.box(each.box_px) for each in labelled.parts], np.float32).reshape(-1, 4),
        visible=np.array([each.visible for each in labelled.parts], np.float32),
    )


def check_tables(data: Path, recipe: Recipe, tables: Tables) -> None:
    """Refuse a folder of too few pictures of a class, of several parts or of none or one.

    Raises:
        TrainingRefused: with what there is.
    """
    targets = tables.targets
    there = {name: int((targets[:, place] == 1.0).sum()) for place, name in enumerate(tables.labels)}
    absent = {name: int((targets[:, place] == 0.0).sum()) for place, name in enumerate(tables.labels)}
    least = recipe.least_pictures
    few = [f"{name} ({count})" for name, count in there.items() if count < least]
    few += [f"tables without {name} ({count})" for name, count in absent.items() if count < least]
    if few:
        raise TrainingRefused(
            f"{data}: too few usable pictures of {', '.join(few)}; the recipe asks for {least} of each",
            remedy="Render more pictures, of one part and of several, or lower least_pictures in the recipe.",
        )
