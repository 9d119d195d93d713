"""How sure to be: from parts whose class is known to the posteriors that keep misroutes at a rate.

A rig looks, fuses, and stops at the first view after which a posterior clears its threshold. So parts are looked at in
the same way here, and what they would have been taken for is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.classify import most_helpful_angle
from sorter.classify.card import OTHER, ThresholdCard
from sorter.training.fusion import Layout, bricks_of, drawn_around, log_posteriors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.classify import Correlation
    from sorter.training.fusion import Revolution

    FloatArray = NDArray[np.float64]
    BoolArray = NDArray[np.bool_]

RATES = (0.005, 0.01, 0.02, 0.05)
"""Misroute rates for which a posterior is sought."""

VIEWS = 8  # a rig's view budget unless told otherwise
_PARTS = 5_000  # so many are looked at
_MOST_PARTS_EACH = 24  # of one revolution
_PRIOR_BRICKS = 3.0  # so many count as the posteriors themselves claim, beside those that were measured
_FEW_BRICKS = 20
_EXACT = 1e-9  # sums of many weights are not exact
_LITTLE = 0.5  # of the parts; a threshold that fewer reach is worth a note


@dataclass(frozen=True, eq=False)
class Looks:
    """What d parts are taken for after each of k looks.

    Args:
        sure: d×k, posterior of the likeliest class; -inf where that is no class but OTHER.
        is_right: d×k.
        weights: d, with a sum of 1.
        bricks: how many there are.
    """

    sure: FloatArray
    is_right: BoolArray
    weights: FloatArray
    bricks: int


@dataclass(frozen=True, eq=False)
class Misroutes:
    """What would happen at each posterior that was seen, from the highest down.

    Args:
        posteriors: m.
        accepted: m, share of the parts that reach it.
        wrong: m, share of those that are wrong.
        doubt: m, as ``wrong``, with a few bricks more of which as many are wrong as their posteriors say. Without them
            a handful of bricks, all right by luck, would allow anything.
    """

    posteriors: FloatArray
    accepted: FloatArray
    wrong: FloatArray
    doubt: FloatArray

    @property
    def rates(self) -> FloatArray:
        """What each posterior can stand for: m misroute rates."""
        return np.maximum(self.wrong, self.doubt)


def looking_offsets(correlation: Correlation) -> FloatArray:
    """Angles (deg) from the first view to each that a rig takes after it, of VIEWS even ones; the first is 0."""
    seen, left = [0.0], [number * 360.0 / VIEWS for number in range(1, VIEWS)]
    while left:
        seen.append(most_helpful_angle(seen, left, correlation))
        left.remove(seen[-1])
    return np.array(seen)


def look(
    logs: FloatArray,
    labels: tuple[str, ...],
    revolutions: list[Revolution],
    correlation: Correlation,
    *,
    seed: int,
) -> Looks:
    """Look at parts of these revolutions as a rig would, up to VIEWS times.

    Args:
        logs: n×c, log probabilities of all pictures.
        labels: c.
        revolutions: at least one, of known classes.
        correlation: between views.
        seed: of which views are drawn.
    """
    repeats = int(np.clip(_PARTS // len(revolutions), 1, _MOST_PARTS_EACH))
    draws = drawn_around(revolutions, looking_offsets(correlation), repeats, np.random.default_rng([seed, 2]))
    sure, is_right = [], []
    is_other = np.array([label == OTHER for label in labels])
    for count in range(1, VIEWS + 1):
        so_far = draws.first(count)
        weights = Layout(so_far.angles_deg, so_far.rows).weights(correlation)
        posteriors = np.exp(log_posteriors(logs, so_far.rows, weights))
        likeliest = posteriors.argmax(axis=1)
        sure.append(np.where(is_other[likeliest], -np.inf, np.minimum(posteriors.max(axis=1), 1.0)))
        is_right.append(likeliest == draws.targets)
    return Looks(np.stack(sure, axis=1), np.stack(is_right, axis=1), draws.weights, bricks_of(revolutions))


def misroutes(looks: Looks) -> Misroutes:
    """What each threshold would do: a part is decided by the first look at or above it."""
    before = np.maximum.accumulate(looks.sure, axis=1)[:, :-1]
    before = np.concatenate([np.full((len(before), 1), -np.inf), before], axis=1)
    # Look k decides for all thresholds from above the surest look before it up to its own posterior.
    decides = looks.sure > before
    low, high = before[decides], looks.sure[decides]
    weights = np.broadcast_to(looks.weights[:, None], decides.shape)[decides]
    posteriors = np.unique(high)[::-1]

    def at_each(values: FloatArray) -> FloatArray:
        return np.maximum(_sum_from(high, values, posteriors) - _sum_from(low, values, posteriors), 0.0)

    accepted = at_each(weights)
    wrong = at_each(weights * ~looks.is_right[decides]) / accepted
    claimed = at_each(weights * (1.0 - high)) / accepted
    bricks = looks.bricks * accepted
    doubt = (bricks * wrong + _PRIOR_BRICKS * claimed) / (bricks + _PRIOR_BRICKS)
    return Misroutes(posteriors, accepted, wrong, doubt)


def thresholds_of(looks: Looks) -> tuple[tuple[ThresholdCard, ...], tuple[str, ...]]:
    """For each of RATES the lowest posterior that keeps it, as far as there is one; one threshold at least.

    Returns:
        Thresholds as a card wants them, and what has to be said about them.
    """
    found = misroutes(looks)
    if not len(found.posteriors):
        note = f"no part is taken for any class but {OTHER}: the one threshold is 1 and promises nothing"
        return (ThresholdCard(misroute_rate=1.0, posterior=1.0),), (note,)
    cards, notes, missed = [], [], []
    for rate in RATES:
        fitting = np.flatnonzero(found.rates <= rate + _EXACT)
        if not fitting.size:
            missed.append(_percent(rate))
            continue
        last = int(fitting[-1])
        cards.append(ThresholdCard(misroute_rate=rate, posterior=float(found.posteriors[last])))
        if found.accepted[last] < _LITTLE:
            share = _percent(found.accepted[last])
            notes.append(f"a misroute rate of {_percent(rate)} rejects all but {share} of the parts as unsure")
    if not cards:
        card, accepted = _best_there_is(found, looks.bricks)
        cards.append(card)
        notes.append(
            f"no posterior keeps misroutes at {_percent(RATES[-1])}: the one threshold stands for "
            f"{_percent(card.misroute_rate)} and accepts {_percent(accepted)} of the parts"
        )
    elif missed:
        notes.append(f"no posterior keeps misroutes at {' or '.join(missed)}: the model does not offer it")
    if looks.bricks < _FEW_BRICKS:
        notes.append(
            f"the thresholds rest on no more than {looks.bricks} bricks, which is coarse: "
            f"{_FEW_BRICKS} and more are better"
        )
    return tuple(cards), tuple(notes)


def _best_there_is(found: Misroutes, bricks: int) -> tuple[ThresholdCard, float]:
    """The threshold of the lowest rate, rounded up, and the share of parts that it accepts: a brick's at least, if any
    threshold does.
    """
    is_worth_it = found.accepted * bricks >= 1.0 - _EXACT
    rates = np.where(is_worth_it, found.rates, np.inf) if is_worth_it.any() else found.rates
    best = int(np.flatnonzero(rates <= rates.min() + _EXACT)[-1])
    rate = min(1.0, float(np.ceil(rates[best] * 1000.0) / 1000.0))
    return ThresholdCard(misroute_rate=rate, posterior=float(found.posteriors[best])), float(found.accepted[best])


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g} %" if share < 0.995 else "100 %"


def _sum_from(places: FloatArray, values: FloatArray, thresholds: FloatArray) -> FloatArray:
    """For each threshold the sum of the values whose places are at or above it."""
    order = np.argsort(places, kind="stable")
    above = np.append(np.cumsum(values[order][::-1])[::-1], 0.0)
    return np.asarray(above[np.searchsorted(places[order], thresholds, side="left")])
