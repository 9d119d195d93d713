"""What can go wrong on the way from a folder of pictures to a model.

TrainingRefused (SorterError, ValueError)   there is nothing sensible to train on, or not so
├── LossRefused                             targets and loss do not fit
├── WeightsRefused                          a backbone's weights are missing or of another network
├── RunRefused                              a run's folder cannot be used or resumed
└── ExportRefused                           the int8 network would not be what the card says
TrainingStopped (SorterError)               somebody asked to stop; it can go on
SearchStopped (SorterError)                 somebody asked to stop looking for a rate; nothing is kept
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from pathlib import Path


class TrainingRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """Nothing was trained, or what was trained until then stands in the run's folder."""


class LossRefused(TrainingRefused):
    """The targets of the pictures and the loss of the recipe do not fit."""


class WeightsRefused(TrainingRefused):
    """A backbone's weights are missing, damaged or of another network."""


class RunRefused(TrainingRefused):
    """A run's folder cannot be used: it is not one, is taken, or was made from something else."""


class ExportRefused(TrainingRefused):
    """No model folder was written."""


class TrainingStopped(SorterError):  # noqa: N818  (the name says it)
    """Training was stopped on request, and everything until then is saved."""

    def __init__(self, network: str, epoch: int, step: int) -> None:
        self.network, self.epoch, self.step = network, epoch, step
        super().__init__(
            f"stopped in network {network}, epoch {epoch}, after {step} steps; all of it is saved",
            remedy="Go on with: sorter train --resume RUN",
        )

    def of_run(self, folder: Path) -> TrainingStopped:
        """The same with the run's own folder in its remedy."""
        named = TrainingStopped(self.network, self.epoch, self.step)
        named.remedy = f"Go on with: sorter train --resume {folder}"
        return named


class SearchStopped(SorterError):  # noqa: N818  (the name says it)
    """Looking for a learning rate was stopped on request."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"stopped after {steps} steps; nothing was written", remedy="Begin it anew.")
