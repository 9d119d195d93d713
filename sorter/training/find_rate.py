"""Find a learning rate: raise it from step to step and watch the loss (Smith 2017, "LR range test")."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.training.batches import Batches
from sorter.training.errors import SearchStopped
from sorter.training.framework import framework
from sorter.training.labels import check_targets, fitting_loss, labels_of, targets_of
from sorter.training.networks import build
from sorter.training.start import read_examples
from sorter.training.steps import Stepper

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator
    from pathlib import Path

    from sorter.training.batches import Batch
    from sorter.training.fit import Observer
    from sorter.training.recipe import Recipe

_SMOOTHING = 0.9  # of the loss, step by step, corrected for where it begins
_TAKEN_OFF = 2.0  # times the lowest loss


@dataclass(frozen=True)
class RateSearch:
    """What the loss did.

    Args:
        rates: of the steps that were taken, rising.
        losses: of each step's batch.
        smoothed: the same, as a moving average.
        steepest: rate at which the smoothed loss fell fastest.
        limit: rate at which it took off, or the last one tried.
        has_taken_off: False if it never did.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    steepest: float
    limit: float
    has_taken_off: bool

    @property
    def advice(self) -> str:
        """What to write into the recipe."""
        if not self.rates:
            return "The loss was no number from the first step on: try a lower --lowest."
        if not self.has_taken_off:
            return f"The loss never took off: try --highest above {self.limit:g}, or take up to a third of it."
        return (
            f"For cosine or constant take about {self.steepest:.1e}; for one_cycle and cyclical a highest rate of up "
            f"to {self.limit / 3:.1e}."
        )

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "advice": self.advice}


def find_rate(
    data: Path,
    recipe: Recipe,
    observer: Observer,
    stop: threading.Event,
    *,
    weights: str | None = None,
    steps: int = 100,
    lowest: float = 1e-6,
    highest: float = 1.0,
    cache: Path | None = None,
) -> RateSearch:
    """Train a new network for so many steps, each at a rate that is higher by the same factor.

    All layers are in training as in the recipe's last phase. Nothing is written.

    Raises:
        DatasetRefused, TrainingRefused: as for a run.
        SearchStopped: ``stop`` was set.
    """
    keras, _ = framework()
    examples = read_examples(data, recipe, cache, observer)
    labels = labels_of(examples.pictures)
    loss_kind = fitting_loss(examples.pictures, recipe.loss)
    targets = targets_of(examples.pictures, labels, loss_kind)
    check_targets(targets, loss_kind, len(labels))
    keras.utils.set_random_seed(recipe.seed)
    model = build(recipe, len(labels), weights=weights)
    stepper = Stepper(model, recipe, recipe.phases[-1], loss_kind)
    batches = _endless(Batches(examples, targets, recipe, (recipe.seed, 0)))
    rates, losses, smoothed = [], [], []
    average = 0.0
    advance = observer.on_begin("steps", steps)
    try:
        for step in range(steps):
            if stop.is_set():
                raise SearchStopped(step)
            rate = lowest * (highest / lowest) ** (step / (steps - 1))
            batch = next(batches)
            loss, _ = stepper.step(batch.rgb, batch.targets, rate)
            if not math.isfinite(loss):
                break
            average = _SMOOTHING * average + (1.0 - _SMOOTHING) * loss
            rates.append(rate)
            losses.append(loss)
            smoothed.append(average / (1.0 - _SMOOTHING ** (step + 1)))
            advance(1)
            if smoothed[-1] > _TAKEN_OFF * min(smoothed) and step > steps // 10:
                break
    finally:
        batches.close()
    return judged(rates, losses, smoothed, is_cut=len(rates) < steps)


def judged(rates: list[float], losses: list[float], smoothed: list[float], *, is_cut: bool) -> RateSearch:
    """Where the smoothed loss fell fastest over the logarithm of the rate, and where it took off."""
    if len(rates) < 3:
        steepest = rates[0] if rates else 0.0
    else:
        lowest_at = int(np.argmin(smoothed))
        slope = np.gradient(np.array(smoothed), np.log(np.array(rates)))
        steepest = rates[int(np.argmin(slope[: max(lowest_at + 1, 2)]))]
    limit = rates[-1] if rates else 0.0
    return RateSearch(tuple(rates), tuple(losses), tuple(smoothed), steepest, limit, is_cut)


def table(found: RateSearch) -> str:
    """The search as CSV."""
    rows = zip(found.rates, found.losses, found.smoothed, strict=True)
    return "rate,loss,smoothed\n" + "".join(f"{rate:.6g},{loss:.6g},{mean:.6g}\n" for rate, loss, mean in rows)


def _endless(batches: Batches) -> Generator[Batch, None, None]:
    epoch = 0
    while True:
        yield from batches.epoch(epoch)
        epoch += 1
