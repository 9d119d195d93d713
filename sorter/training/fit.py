"""Train one network through its phases, from the beginning or from where it stands."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from sorter.training import checkpoint
from sorter.training.checkpoint import Progress, Row
from sorter.training.errors import TrainingRefused, TrainingStopped
from sorter.training.framework import framework
from sorter.training.schedules import rate_at
from sorter.training.steps import Stepper

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sorter.training.batches import Batches
    from sorter.training.labels import Loss
    from sorter.training.recipe import PhaseRecipe, Recipe
    from sorter.training.sources import PictureRows


class Observer(Protocol):
    """Who wants to know how it goes; called by the thread that trains."""

    def on_begin(self, what: str, count: int) -> Callable[[int], None]:
        """So many of something are worked on; returns what is called with how many more are done."""

    def on_step(self, network: str, epoch: int, step: int, steps: int, loss: float) -> None:
        """A step of an epoch (both from 1) is done."""

    def on_epoch(self, network: str, row: Row, epochs: int) -> None:
        """An epoch of so many is done."""

    def on_notice(self, text: str) -> None:
        """Something that a person has to know."""


@dataclass(frozen=True, eq=False)
class Job:
    """A network to be trained.

    Args:
        name: such as ``inner-1`` or ``final``.
        folder: for its checkpoints, its table and its TensorBoard logs; it exists.
        model: new, from ``networks.build``; trained in place.
        recipe: how.
        loss: that fits the targets.
        batches: what it sees.
        validation: held-out pictures n×size×size×3 and their targets, or None.
        epochs: after which it ends; the recipe's, or fewer.
    """

    name: str
    folder: Path
    model: Any
    recipe: Recipe
    loss: Loss
    batches: Batches
    validation: tuple[PictureRows, NDArray[np.generic]] | None
    epochs: int


def fit(job: Job, observer: Observer, stop: threading.Event) -> Progress:
    """Train until it is finished; its model then has the weights to be used.

    Those are of the last epoch, or of the best one where the recipe has patience.

    Raises:
        TrainingStopped: ``stop`` was set; everything is saved, and a next call goes on at the same step.
        TrainingRefused: the loss is no number any more.
        RunRefused: what was saved before is damaged.
    """
    return _Fit(job, observer, stop).run()


class _Fit:
    def __init__(self, job: Job, observer: Observer, stop: threading.Event) -> None:
        self._job, self._observer, self._stop = job, observer, stop
        self._progress = Progress()
        self._logs = framework().tf.summary.create_file_writer(str(job.folder / "logs"))

    def run(self) -> Progress:
        saved = checkpoint.load(self._job.folder)
        state: dict[str, NDArray[np.generic]] | None = None
        if saved is not None:
            self._progress, state = saved
        for number, phase, first in self._phases_left():
            stepper = Stepper(self._job.model, self._job.recipe, phase, self._job.loss)
            if state is not None:
                self._restore(stepper, state, is_of_this_phase=self._progress.epoch > first or self._progress.step > 0)
                state = None
            if not self._progress.is_finished:
                self._train_phase(stepper, phase, number, first)
            if self._progress.is_finished:
                self._take_weights(stepper)
                break
            stepper.settle()
        self._logs.close()
        return self._progress

    def _phases_left(self) -> Iterator[tuple[int, PhaseRecipe, int]]:
        """From the one that the network is in: number, recipe and first epoch (all from 0)."""
        first = 0
        for number, phase in enumerate(self._job.recipe.phases):
            is_here = self._progress.epoch < first + phase.epochs
            if is_here or (self._progress.is_finished and self._progress.epoch == first + phase.epochs):
                yield number, phase, first
            first += phase.epochs

    def _restore(self, stepper: Stepper, state: dict[str, NDArray[np.generic]], *, is_of_this_phase: bool) -> None:
        """A state from the very end of the phase before has another optimiser: only its weights go on."""
        try:
            if is_of_this_phase:
                stepper.restore(state)
            else:
                stepper.restore_weights(state)
        except (KeyError, ValueError) as error:
            raise checkpoint.damaged(self._job.folder / checkpoint.LAST, error) from error

    def _train_phase(self, stepper: Stepper, phase: PhaseRecipe, number: int, first: int) -> None:
        last = min(first + phase.epochs, self._job.epochs)
        while self._progress.epoch < last:
            rate = self._train_epoch(stepper, phase, first)
            is_best = self._end_epoch(stepper, number, rate)
            is_last = self._progress.epoch >= self._job.epochs or self._is_out_of_patience()
            if is_last:
                self._progress = replace(self._progress, is_finished=True)
            if is_best:
                checkpoint.save_best(self._job.folder, stepper.kept_weights(), self._progress.epoch)
            checkpoint.save(self._job.folder, self._progress, stepper.state())
            self._log(self._progress.rows[-1])
            self._observer.on_epoch(self._job.name, self._progress.rows[-1], self._job.epochs)
            if is_last:
                return

    def _train_epoch(self, stepper: Stepper, phase: PhaseRecipe, first: int) -> float:
        steps = self._job.batches.steps
        rate = 0.0
        started = time.monotonic()
        for batch in self._job.batches.epoch(self._progress.epoch, self._progress.step):
            if self._stop.is_set():
                checkpoint.save(self._job.folder, self._progress, stepper.state())
                raise TrainingStopped(self._job.name, self._progress.epoch + 1, self._progress.step)
            done = (self._progress.epoch - first) * steps + self._progress.step
            rate = rate_at(phase.schedule, phase.rate, done, phase.epochs * steps)
            loss, right = stepper.step(batch.rgb, batch.targets, rate)
            if not math.isfinite(loss):
                raise TrainingRefused(
                    f"network {self._job.name}: the loss is {loss} at step {self._progress.step + 1} of epoch "
                    f"{self._progress.epoch + 1}",
                    remedy="Lower the rate of its phase (sorter find-rate shows which ones it bears) and train anew.",
                )
            now = time.monotonic()
            self._progress = self._progress.with_batch(loss, right, len(batch.rgb), now - started)
            started = now
            self._observer.on_step(self._job.name, self._progress.epoch + 1, self._progress.step, steps, loss)
        return rate

    def _end_epoch(self, stepper: Stepper, phase_number: int, rate: float) -> bool:
        """Count the epoch; True if it is the best so far. Without held-out pictures the latest is."""
        at = self._progress
        validated = (None, None) if self._job.validation is None else stepper.validate(*self._job.validation)
        row = Row(
            epoch=at.epoch + 1,
            phase=phase_number + 1,
            rate=rate,
            loss=at.loss_sum / max(at.seen, 1),
            accuracy=at.right_sum / max(at.seen, 1),
            validation_loss=validated[0],
            validation_accuracy=validated[1],
            seconds=at.seconds,
        )
        best = at.rows[at.best_epoch - 1].validation_loss if at.best_epoch else None
        is_best = row.validation_loss is None or best is None or row.validation_loss < best
        self._progress = at.with_epoch(row, is_best=is_best)
        return is_best

    def _is_out_of_patience(self) -> bool:
        patience = self._job.recipe.patience
        if patience is None or self._job.validation is None:
            return False
        return self._progress.epoch - self._progress.best_epoch >= patience

    def _take_weights(self, stepper: Stepper) -> None:
        """Those of the last epoch, averaged; with patience those of the best."""
        best = checkpoint.read(self._job.folder / checkpoint.BEST)
        if self._job.recipe.patience is None or best is None:
            stepper.settle()
        else:
            stepper.restore_weights(best[1])

    def _log(self, row: Row) -> None:
        tf = framework().tf
        with self._logs.as_default():
            for name in ("rate", "loss", "accuracy", "validation_loss", "validation_accuracy"):
                value = getattr(row, name)
                if value is not None:
                    tf.summary.scalar(name, value, step=row.epoch)
        self._logs.flush()
