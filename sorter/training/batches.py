"""Batches of changed pictures, the same for the same seed however often training is interrupted.

What a batch holds depends on the seed, the epoch and its place in it, and on nothing else: so a run that goes on at
step 200 of epoch 3 sees what the uninterrupted one would have seen.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sorter.training.recipe import Recipe
    from sorter.training.sources import Source

    ByteArray = NDArray[np.uint8]

_AHEAD = 8  # batches that are made while the network works


class Batch(NamedTuple):
    """Pictures b×size×size×3 uint8 and their targets, b or b×c."""

    rgb: ByteArray
    targets: NDArray[np.generic]


class Batches:
    """Batches for one network.

    Args:
        examples: n crops with masks, or whole tables.
        targets: n, or n×c.
        recipe: for batch size, augmentation, balance and share of rendered pictures.
        seed: numbers from which all chance comes.
        rendered: further crops that are mixed in, with their targets.
        is_other: which of those show parts of no class: they have a share of their own; None if none does.
        workers: threads that change pictures.
    """

    def __init__(
        self,
        examples: Source,
        targets: NDArray[np.generic],
        recipe: Recipe,
        seed: tuple[int, ...],
        *,
        rendered: tuple[Source, NDArray[np.generic]] | None = None,
        is_other: NDArray[np.bool_] | None = None,
        workers: int = 2,
    ) -> None:
        self._recipe = recipe
        self._seed = seed
        self._workers = workers
        self._real_count = len(examples)
        self._sources, self._targets = [examples], targets
        self._mixed_in: list[tuple[NDArray[np.int64], int]] = []
        """Rows of each kind of rendered pictures, and how many of them an epoch takes."""
        if rendered is not None:
            self._sources.append(rendered[0])
            self._targets = np.concatenate([targets, rendered[1]])
            apart = np.zeros(len(rendered[0]), np.bool_) if is_other is None else is_other
            self._mixed_in = _mixed_in(self._real_count, apart, recipe.rendered_share, recipe.other_share)
        self._weights = _weights(targets, recipe.balance)
        self._size = self._real_count + sum(count for _, count in self._mixed_in)
        self.steps = -(-self._size // recipe.batch_size)
        """Batches an epoch; the last may be smaller."""

    def epoch(self, number: int, first_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch (from 0) from a step on, made ahead by threads."""
        order = self._order(number)
        size = self._recipe.batch_size
        places = [range(start, min(start + size, len(order))) for start in range(first_step * size, len(order), size)]
        with ThreadPoolExecutor(max_workers=self._workers, thread_name_prefix="batches") as pool:
            waiting = deque(pool.submit(self._batch, number, order, each) for each in places[:_AHEAD])
            try:
                for place in range(len(places)):
                    batch = waiting.popleft().result()
                    if place + _AHEAD < len(places):
                        waiting.append(pool.submit(self._batch, number, order, places[place + _AHEAD]))
                    yield batch
            finally:
                pool.shutdown(cancel_futures=True)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([*self._seed, epoch])
        if self._weights is None:
            rows = rng.permutation(self._real_count)
        else:
            rows = rng.choice(self._real_count, self._real_count, p=self._weights)
        for kind, count in self._mixed_in:
            drawn = [rng.permutation(kind) for _ in range(-(-count // len(kind)))]
            rows = np.concatenate([rows, np.concatenate(drawn)[:count]])
        if self._mixed_in:
            rows = rng.permutation(rows)
        return rows.astype(np.int64)

    def _batch(self, epoch: int, order: NDArray[np.int64], places: range) -> Batch:
        made, targets = [], []
        for place in places:
            row = int(order[place])
            source, within = (0, row) if row < self._real_count else (1, row - self._real_count)
            rng = np.random.default_rng([*self._seed, epoch, place])
            rgb, changed_targets = self._sources[source].changed(within, self._recipe.augmentation, rng)
            made.append(rgb)
            targets.append(self._targets[row] if changed_targets is None else changed_targets)
        return Batch(np.array(made), np.array(targets, dtype=self._targets.dtype))


def _mixed_in(
    real_count: int, is_other: NDArray[np.bool_], share: float, other_share: float
) -> list[tuple[NDArray[np.int64], int]]:
    """Rows of rendered pictures after the real ones, and how many an epoch takes, of each kind that there is."""
    kinds = [(~is_other, share), (is_other, other_share)]
    there = [(np.flatnonzero(each) + real_count, part) for each, part in kinds if each.any() and part > 0]
    real_share = 1.0 - sum(part for _, part in there)
    counted = [(rows, round(real_count * part / real_share)) for rows, part in there]
    return [(rows, count) for rows, count in counted if count]


def _weights(targets: NDArray[np.generic], balance: float) -> NDArray[np.float64] | None:
    """How often each picture is drawn, adding up to 1; None to take each once."""
    if not balance or targets.ndim != 1:
        return None
    _, owner, counts = np.unique(targets, return_inverse=True, return_counts=True)
    weights = counts[owner].astype(np.float64) ** -balance
    return np.asarray(weights / weights.sum())
