"""What several views of one revolution say together: sets of views spread over the turn, fused as the rig fuses them.

Every view of a revolution begins one set, so a revolution of n pictures gives n sets of one view as of eight, and there
is no chance in it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.training.fusion import Layout, log_posteriors, log_softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.classify import Correlation
    from sorter.training.scores import Scores

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

VIEW_COUNTS = (1, 2, 4, 8)


@dataclass(frozen=True, eq=False)
class FusedViews:
    """m sets of views, each with its posterior.

    Args:
        rows: m×count, which pictures of the scores; the first one begins the set.
        targets: m, as in the scores.
        bricks: m.
        posteriors: m×c.
        strangeness: m, weighted mean of the views'.
        revolutions: how many there are sets of.
    """

    rows: IntArray
    targets: IntArray
    bricks: tuple[str, ...]
    posteriors: FloatArray
    strangeness: FloatArray
    revolutions: int

    @property
    def said(self) -> IntArray:
        """The likeliest class of each set, m indices."""
        return np.asarray(self.posteriors.argmax(axis=1), dtype=np.int64)

    @property
    def surest(self) -> FloatArray:
        """The posterior of it, m."""
        return np.asarray(self.posteriors.max(axis=1))


def fused_views(
    scores: Scores, strangeness: FloatArray, count: int, temperature: float, correlation: Correlation
) -> FusedViews | None:
    """Sets of ``count`` views, spread evenly over the turn, from each revolution that has so many pictures.

    Args:
        scores: with an angle for each picture, unless ``count`` is 1.
        strangeness: n, of each picture.
        count: views in a set, 1 or more.
        temperature: of the model's card.
        correlation: of the model's card.

    Returns:
        None if no revolution has so many pictures.
    """
    turns: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, key in enumerate(zip(scores.revolutions, scores.class_names, strict=True)):
        turns[key].append(row)
    whole = [np.asarray(turn, dtype=np.int64) for turn in turns.values() if len(turn) >= count]
    if not whole:
        return None
    rows = np.concatenate([turn[spread(scores.angles_deg[turn], count)] for turn in whole])
    weights = Layout(scores.angles_deg[rows], rows).weights(correlation)
    logs = log_softmax(scores.logits / temperature)
    return FusedViews(
        rows=rows,
        targets=scores.targets[rows[:, 0]],
        bricks=tuple(scores.bricks[row] for row in rows[:, 0]),
        posteriors=np.exp(log_posteriors(logs, rows, weights)),
        strangeness=(weights * strangeness[rows]).sum(axis=1) / weights.sum(axis=1),
        revolutions=len(whole),
    )


def spread(angles_deg: FloatArray, count: int) -> IntArray:
    """For each of n views a set of ``count`` different ones that begins with it, n×count indices.

    The k-th is the nearest to k / count of a turn from the first that is not in the set yet, so n must not be less than
    ``count``. Of equally near ones, the first.
    """
    if len(angles_deg) < count:
        raise ValueError(f"{count} views cannot be taken of {len(angles_deg)} pictures")
    chosen = np.arange(len(angles_deg), dtype=np.int64)[:, None]
    for number in range(1, count):
        wanted_deg = angles_deg + number * 360.0 / count
        apart_deg = np.abs((angles_deg[None] - wanted_deg[:, None] + 180.0) % 360.0 - 180.0).round(6)
        np.put_along_axis(apart_deg, chosen, np.inf, axis=1)
        chosen = np.concatenate([chosen, apart_deg.argmin(axis=1)[:, None]], axis=1)
    return chosen
