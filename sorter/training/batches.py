"""Batches of changed pictures, the same for the same seed however often training is interrupted.

What a batch holds depends on the seed, the epoch and its place in it, and on nothing else: so a run that goes on at
step 200 of epoch 3 sees what the uninterrupted one would have seen.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sorter.training.augment import augmented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sorter.training.examples import Examples
    from sorter.training.recipe import Recipe

    ByteArray = NDArray[np.uint8]

_AHEAD = 8  # batches that are made while the network works


class Batch(NamedTuple):
    """Pictures b×size×size×3 uint8 and their targets, b or b×c."""

    rgb: ByteArray
    targets: NDArray[np.generic]


class Batches:
    """Batches for one network.

    Args:
        examples: n crops with masks.
        targets: n, or n×c.
        recipe: for batch size, augmentation, balance and share of rendered pictures.
        seed: numbers from which all chance comes.
        rendered: further crops that are mixed in, with their targets.
        workers: threads that change pictures.
    """

    def __init__(
        self,
        examples: Examples,
        targets: NDArray[np.generic],
        recipe: Recipe,
        seed: tuple[int, ...],
        *,
        rendered: tuple[Examples, NDArray[np.generic]] | None = None,
        workers: int = 2,
    ) -> None:
        self._recipe = recipe
        self._seed = seed
        self._workers = workers
        self._real_count = len(examples)
        self._rgb, self._masks, self._targets = [examples.rgb], [examples.masks], targets
        self._rendered_count = 0
        if rendered is not None and recipe.rendered_share > 0:
            self._rgb.append(rendered[0].rgb)
            self._masks.append(rendered[0].masks)
            self._targets = np.concatenate([targets, rendered[1]])
            share = recipe.rendered_share
            self._rendered_count = round(self._real_count * share / (1.0 - share))
        self._weights = _weights(targets, recipe.balance)
        self.steps = -(-(self._real_count + self._rendered_count) // recipe.batch_size)
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
        if self._rendered_count:
            count = len(self._rgb[1])
            drawn = [rng.permutation(count) for _ in range(-(-self._rendered_count // count))]
            rows = rng.permutation(np.concatenate([rows, *(each + self._real_count for each in drawn)])[: self._size])
        return rows.astype(np.int64)

    @property
    def _size(self) -> int:
        return self._real_count + self._rendered_count

    def _batch(self, epoch: int, order: NDArray[np.int64], places: range) -> Batch:
        made = []
        for place in places:
            row = int(order[place])
            source, within = (0, row) if row < self._real_count else (1, row - self._real_count)
            rng = np.random.default_rng([*self._seed, epoch, place])
            made.append(
                augmented(self._rgb[source][within], self._masks[source][within], self._recipe.augmentation, rng)
            )
        return Batch(np.array(made), self._targets[order[places.start : places.stop]])


def _weights(targets: NDArray[np.generic], balance: float) -> NDArray[np.float64] | None:
    """How often each picture is drawn, adding up to 1; None to take each once."""
    if not balance or targets.ndim != 1:
        return None
    _, owner, counts = np.unique(targets, return_inverse=True, return_counts=True)
    weights = counts[owner].astype(np.float64) ** -balance
    return np.asarray(weights / weights.sum())
