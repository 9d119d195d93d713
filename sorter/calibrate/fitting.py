"""Least squares for a handful of unknowns, with their uncertainty. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ROUNDS = 60
_STEP = 1e-5  # of an unknown's scale, for the slopes
_DONE = 1e-9  # of the sum of squares


class NoFit(ArithmeticError):  # noqa: N818  (the name says it)
    """Nothing can be fitted."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What fits best.

    Args:
        values: n.
        deviations: n, one standard deviation of each, from what the residuals scatter.
        residual: their root mean square, for as many degrees of freedom as there are.
    """

    values: Floats
    deviations: Floats
    residual: float


def fitted(residuals: Callable[[Floats], Floats], start: Floats, scales: Floats) -> Fit:
    """The values near ``start`` at which the sum of squared residuals is least: Levenberg's and Marquardt's way.

    Args:
        residuals: of n values, m of them, m > n.
        start: n.
        scales: n, how large a change of each is worth speaking of.

    Raises:
        ValueError: there are no more residuals than unknowns.
        NoFit: the start, or what was come to from there, gives numbers that are none.
    """
    values = np.array(start, dtype=np.float64)
    found = residuals(values)
    if len(found) <= len(values):
        raise ValueError(f"{len(found)} residuals do not tell {len(values)} unknowns")
    if not np.isfinite(found).all():
        raise NoFit("the fit's start gives residuals that are no numbers")
    try:
        return _fitted(residuals, values, scales, found)
    except np.linalg.LinAlgError as error:
        raise NoFit(f"the fit leads to numbers that are none: {error}") from error


def _fitted(residuals: Callable[[Floats], Floats], values: Floats, scales: Floats, found: Floats) -> Fit:
    damping, total = 1e-3, float(found @ found)
    slopes = _slopes(residuals, values, scales, found)
    for _ in range(_ROUNDS):
        normal = slopes.T @ slopes
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), -slopes.T @ found)
        tried = values + step * scales
        now = residuals(tried)
        reached = float(now @ now) if np.isfinite(now).all() else np.inf
        if reached >= total:
            damping *= 10.0
            if damping > 1e9:
                break
            continue
        gained, values, found, total = total - reached, tried, now, reached
        damping = max(damping / 10.0, 1e-9)
        slopes = _slopes(residuals, values, scales, found)
        if gained <= _DONE * total:
            break
    variance = total / (len(found) - len(values))
    spread = np.linalg.pinv(slopes.T @ slopes).diagonal()
    return Fit(values, scales * np.sqrt(np.maximum(spread, 0.0) * variance), float(np.sqrt(variance)))


def _slopes(residuals: Callable[[Floats], Floats], values: Floats, scales: Floats, found: Floats) -> Floats:
    """m×n: of each residual, for a change of each value by its scale."""
    columns = []
    for place, scale in enumerate(scales):
        moved = values.copy()
        moved[place] += _STEP * scale
        columns.append((residuals(moved) - found) / _STEP)
    return np.stack(columns, axis=1)
