"""Which pictures are of one revolution, where nobody wrote it down: inferred from how alike they are.

The views of a revolution form a ring: each has two neighbours a few degrees off, which look more like it than anything
else. So pictures of a class are linked that are each among the other's two nearest; these links hardly ever join two
revolutions, but leave rings broken. Loose ends are then joined, nearest first, as long as the gap fits the spacing
around it; a ring that is closed takes no more. What remains small goes to its nearest group, and groups with a doubtful
picture between them are joined: a revolution that is torn apart leaks, two that are joined only make a split coarser.
So a group holds one revolution or several that look alike, such as two poses of one brick.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sorter.dataset.likeness import squared_distances, stacked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sorter.dataset.features import Features
    from sorter.dataset.records import Dataset

    FloatArray = NDArray[np.float32]

_WIDEST_GAP = 1.5  # between loose ends, in units of the spacing around them
_SMALL = 20  # pictures of a group that is looked at again, or a quarter of the class
_FURTHEST = 3.0  # from a small group to the one that takes it in, in units of its spacing
_CLEAR = 1.25  # so much further must a picture of another group be than the second neighbour in its own
_MOST_PICTURES = 6000  # different ones of a class: their distances need 150 MB


@dataclass(frozen=True)
class Inferred:
    """The group of each path; and the share of pictures (0 to 1) that left no doubt, before doubts were joined."""

    groups: Mapping[str, str]
    confidence: float


def with_inferred_groups(dataset: Dataset, features: Sequence[Features]) -> Dataset:
    """The dataset with revolutions inferred, if nobody says which picture belongs to which; else as it is.

    Bricks are not inferred: two poses of a brick look no more alike than two bricks of one colour.
    """
    if dataset.groups_from != "unknown":
        return dataset
    inferred = infer_revolutions(features, {each.path: each.class_name for each in dataset.pictures})
    if not inferred.groups:
        return dataset
    pictures = tuple(replace(each, revolution=inferred.groups.get(each.path)) for each in dataset.pictures)
    return replace(dataset, pictures=pictures, groups_from="inferred", confidence=inferred.confidence)


def infer_revolutions(features: Sequence[Features], class_of: Mapping[str, str]) -> Inferred:
    """Group the pictures of each class into revolutions; pictures that cannot be read are in none.

    A class of more than 6,000 different pictures is left out: photographed in such numbers, it has an index.
    """
    copies: dict[str, dict[str, list[Features]]] = defaultdict(lambda: defaultdict(list))
    for each in features:
        if each.thumbnail is not None:
            copies[class_of[each.path]][each.sha256].append(each)
    groups: dict[str, str] = {}
    clear, total = 0.0, 0
    for name, by_sha256 in sorted(copies.items()):
        once = [own[0] for own in by_sha256.values()]
        if len(once) > _MOST_PICTURES:
            continue
        labels, clear_count = _rings(stacked(once))
        clear, total = clear + clear_count, total + len(once)
        numbers: dict[int, int] = {}
        for one, label in sorted(zip(once, labels.tolist(), strict=True), key=lambda pair: pair[0].path):
            number = numbers.setdefault(label, len(numbers) + 1)
            for each in by_sha256[one.sha256]:
                groups[each.path] = f"{name}-inferred-{number:02d}"
    return Inferred(groups, clear / max(1, total))


class _Joined:
    """Sets of numbers that are joined two at a time."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def first(self, one: int) -> int:
        while self._parent[one] != one:
            self._parent[one] = self._parent[self._parent[one]]
            one = self._parent[one]
        return one

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.first(one), self.first(other)))
        self._parent[high] = low


def _rings(rows: FloatArray) -> tuple[NDArray[np.int64], int]:
    """A label for each row, and how many rows are clearly in their group."""
    count = len(rows)
    if count < 4:
        return np.zeros(count, np.int64), 0
    distances = np.sqrt(squared_distances(rows, rows))
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :2]
    is_near = np.zeros((count, count), np.bool_)
    is_near[np.arange(count)[:, None], order] = True
    is_linked = is_near & is_near.T
    joined = _Joined(count)
    for one, other in np.argwhere(is_linked):
        joined.join(int(one), int(other))
    spacing = np.maximum(distances[np.arange(count), order[:, 1]], 1e-3)
    _close(distances, spacing, is_linked.sum(axis=1), joined)
    labels = np.array([joined.first(each) for each in range(count)], np.int64)
    labels = _with_small_ones_taken_in(distances, spacing, labels)
    return _with_doubts_joined(distances, labels)


def _close(distances: FloatArray, spacing: FloatArray, links: NDArray[np.int64], joined: _Joined) -> None:
    """Join loose ends, nearest first in units of the spacing around them; each end once."""
    loose = np.flatnonzero(links < 2)
    gaps = distances[np.ix_(loose, loose)] / np.sqrt(spacing[loose][:, None] * spacing[loose][None])
    rows, columns = np.triu_indices(len(loose), 1)
    links = links.copy()
    for place in np.argsort(gaps[rows, columns], kind="stable"):
        one, other = int(loose[rows[place]]), int(loose[columns[place]])
        if gaps[rows[place], columns[place]] > _WIDEST_GAP:
            return
        if links[one] < 2 and links[other] < 2:
            links[[one, other]] += 1
            joined.join(one, other)


def _with_small_ones_taken_in(
    distances: FloatArray, spacing: FloatArray, labels: NDArray[np.int64]
) -> NDArray[np.int64]:
    labels = labels.copy()
    for _ in range(len(labels)):
        names, sizes = np.unique(labels, return_counts=True)
        if len(names) == 1:
            break
        best: tuple[float, int, int] = (_FURTHEST, -1, -1)
        for name in names[sizes < min(_SMALL, len(labels) / 4)]:
            own = labels == name
            gap = distances[np.ix_(own, ~own)].min(axis=0)
            ratio = float(gap.min() / np.median(spacing[own]))
            best = min(best, (ratio, int(name), int(labels[~own][gap.argmin()])))
        if best[1] < 0:
            break
        labels[labels == best[1]] = best[2]
    return labels


def _with_doubts_joined(distances: FloatArray, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Groups are joined if a picture of one is nearly as near to the other; and how many pictures leave no doubt."""
    is_own = labels[:, None] == labels[None]
    second = np.partition(np.where(is_own, distances, np.inf), 1, axis=1)[:, 1]
    other = np.where(is_own, np.inf, distances)
    nearest = other.argmin(axis=1)
    is_doubtful = other[np.arange(len(labels)), nearest] <= _CLEAR * second
    joined = _Joined(len(labels))
    for one in np.flatnonzero(is_doubtful & ~is_own.all(axis=1)):
        joined.join(int(labels[one]), int(labels[nearest[one]]))
    names = np.array([joined.first(int(each)) for each in labels], np.int64)
    return names, int(np.count_nonzero(~is_doubtful))
