"""Where a network stands in its training, in one file, so that it can go on after anything, kill -9 included."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sorter.training.arrays import read_arrays, write_arrays
from sorter.training.errors import RunRefused
from sorter.whole import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.generic]]

LAST, BEST, SUMMARY = "last.npz", "best.npz", "summary.csv"
FINISHED = "finished.npz"
"""Weights of a network that is trained to its end and ready for int8."""


@dataclass(frozen=True)
class Row:
    """One epoch, as ``summary.csv`` tells it.

    Args:
        epoch: from 1, over all phases.
        phase: from 1.
        rate: learning rate of its last step.
        loss: mean over its pictures, as they were changed.
        accuracy: of the same (0 to 1).
        validation_loss, validation_accuracy: on the held-out pictures as they are; None where none are held out.
        seconds: that it took.
    """

    epoch: int
    phase: int
    rate: float
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Progress:
    """How far a network has come.

    Args:
        epoch: whole epochs that are done.
        step: steps of the present epoch that are done.
        loss_sum, right_sum, seen: over the pictures of the present epoch.
        seconds: that were spent on the present epoch.
        rows: one for each whole epoch.
        best_epoch: with the lowest validation loss, 0 before there is one.
        is_finished: nothing is left to do.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    right_sum: float = 0.0
    seen: int = 0
    seconds: float = 0.0
    rows: tuple[Row, ...] = field(default=())
    best_epoch: int = 0
    is_finished: bool = False

    def with_batch(self, loss: float, right: float, count: int, seconds: float) -> Progress:
        """One step further."""
        return replace(
            self,
            step=self.step + 1,
            loss_sum=self.loss_sum + loss * count,
            right_sum=self.right_sum + right,
            seen=self.seen + count,
            seconds=self.seconds + seconds,
        )

    def with_epoch(self, row: Row, *, is_best: bool) -> Progress:
        """The epoch is done."""
        best = row.epoch if is_best else self.best_epoch
        return Progress(epoch=row.epoch, rows=(*self.rows, row), best_epoch=best)


def save(folder: Path, progress: Progress, state: Arrays) -> None:
    """Keep where a network stands, and its table of epochs; each file whole.

    Raises:
        RunRefused: there is no room for them, or they must not be written; what was kept before is as it was.
    """
    try:
        write_arrays(folder / LAST, state, json.dumps(asdict(progress)))
        write_whole(folder / SUMMARY, _table(progress.rows))
    except OSError as error:
        raise _unwritten(folder, error) from error


def save_best(folder: Path, weights: Arrays, epoch: int) -> None:
    """Keep the weights of the best epoch so far.

    Raises:
        RunRefused: as ``save``.
    """
    write(folder / BEST, weights, json.dumps({"epoch": epoch}))


def write(file: Path, arrays: Arrays, about: str) -> None:
    """Write a file of arrays and a text, whole.

    Raises:
        RunRefused: as ``save``.
    """
    try:
        write_arrays(file, arrays, about)
    except OSError as error:
        raise _unwritten(file.parent, error) from error


def load(folder: Path) -> tuple[Progress, Arrays] | None:
    """Where a network stands; None if it was never saved.

    Raises:
        RunRefused: the file is damaged or of another version.
    """
    about, arrays = read(folder / LAST) or (None, {})
    if about is None:
        return None
    try:
        rows = tuple(Row(**each) for each in about.pop("rows"))
        return Progress(**about, rows=rows), arrays
    except (KeyError, TypeError) as error:
        raise damaged(folder / LAST, error) from error


def read(file: Path) -> tuple[dict[str, Any], Arrays] | None:
    """What a file says and holds; None if there is none.

    Raises:
        RunRefused: it is damaged.
    """
    try:
        return read_arrays(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise damaged(file, error) from error


def damaged(file: Path, error: Exception) -> RunRefused:
    """The error to raise for a file that cannot be used."""
    return RunRefused(
        f"{file} cannot be read: {error}",
        remedy="Take its folder away to train this network anew with --resume, or start a run of its own.",
    )


def _unwritten(folder: Path, error: OSError) -> RunRefused:
    return RunRefused(
        f"{folder} cannot be written to: {error.strerror}; what was saved there before is as it was",
        remedy="Make room, or see to its rights; then go on with: sorter train --resume RUN",
    )


def _table(rows: tuple[Row, ...]) -> str:
    text = io.StringIO()
    names = list(Row.__dataclass_fields__)
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    for row in rows:
        values = (getattr(row, name) for name in names)
        table.writerow(["" if each is None else f"{each:.6g}" if isinstance(each, float) else each for each in values])
    return text.getvalue()
