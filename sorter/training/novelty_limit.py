"""From which novelty on a part is taken for none of the classes, and by which of two scores that is told best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sorter.classify.card import NoveltyCard
from sorter.classify.novelty import energy, entropy
from sorter.training.fusion import Layout, drawn_around, log_softmax
from sorter.training.thresholds import looking_offsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.classify import Correlation
    from sorter.training.fusion import Revolution

    FloatArray = NDArray[np.float64]

KNOWN_REJECTED = 0.05
"""Share of known parts that may be taken for unknown ones."""

_METHODS: tuple[Literal["entropy", "energy"], ...] = ("entropy", "energy")
_PARTS = 2_000  # so many are drawn
_MOST_PARTS_EACH = 24  # of one revolution
_EXACT = 1e-9  # sums of many weights are not exact


@dataclass(frozen=True, eq=False)
class Told:
    """Novelty of d parts, each of several views, and what each part counts (d, with a sum of 1)."""

    novelty: FloatArray
    weights: FloatArray

    def share_above(self, limit: float) -> float:
        """Of the parts, 0 to 1."""
        return min(1.0, float(self.weights[self.novelty > limit].sum()))


def novelty_limit(
    logits: FloatArray,
    temperature: float,
    known: list[Revolution],
    strange: list[Revolution],
    correlation: Correlation,
    *,
    seed: int,
) -> tuple[NoveltyCard | None, tuple[str, ...]]:
    """The least limit above which no more than KNOWN_REJECTED of the known parts are, after a rig's last look.

    Args:
        logits: n×c, of all pictures.
        temperature: of the card.
        known: revolutions of parts that are to be taken for one of the classes, at least one.
        strange: those of parts of no class. Where there are any, the score with the larger area under the ROC curve is
            taken, else the entropy.
        correlation: between views.
        seed: of which views are drawn.

    Returns:
        What the card says, None if neither score tells unknown parts better than chance would; and notes.
    """
    singles = _singles(logits, temperature)
    of_known = _told(singles, known, correlation, seed)
    if not strange:
        note = "no picture shows an unknown part: how many of those the novelty limit finds is not known"
        return _card(0, of_known[0], None), (note,)
    of_strange = _told(singles, strange, correlation, seed)
    areas = [area_under_roc(*pair) for pair in zip(of_known, of_strange, strict=True)]
    best = int(np.argmax(areas))
    if areas[best] <= 0.5:
        note = f"unknown parts look no stranger than known ones (area under ROC {areas[best]:.2f}): no novelty limit"
        return None, (note,)
    return _card(best, of_known[best], of_strange[best]), ()


def area_under_roc(known: Told, strange: Told) -> float:
    """How likely an unknown part is stranger than a known one, 0 to 1; equally strange ones count half."""
    order = np.argsort(known.novelty, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(known.weights[order])])
    sides = [np.searchsorted(known.novelty[order], strange.novelty, side=side) for side in ("left", "right")]
    return float(strange.weights @ (below[sides[0]] + below[sides[1]]) / 2.0)


def _card(method: int, known: Told, strange: Told | None) -> NoveltyCard:
    order = np.argsort(known.novelty, kind="stable")
    from_here_on = np.cumsum(known.weights[order][::-1])[::-1]
    above = np.append(from_here_on[1:], 0.0)
    limit = float(known.novelty[order][np.flatnonzero(above <= KNOWN_REJECTED + _EXACT)[0]])
    return NoveltyCard(
        method=_METHODS[method],
        threshold=limit,
        known_rejected_share=known.share_above(limit),
        unknown_found_share=None if strange is None else strange.share_above(limit),
    )


def _singles(logits: FloatArray, temperature: float) -> tuple[FloatArray, ...]:
    """Of each picture (n) by each of the methods."""
    probabilities = np.exp(log_softmax(logits / temperature))
    return (
        np.array([entropy(row) for row in probabilities]),
        np.array([energy(row, temperature) for row in logits]),
    )


def _told(
    singles: tuple[FloatArray, ...], revolutions: list[Revolution], correlation: Correlation, seed: int
) -> tuple[Told, ...]:
    """The weighted mean of a part's views, as ``sorter.classify.fuse`` has it, by each of the methods."""
    repeats = int(np.clip(_PARTS // len(revolutions), 1, _MOST_PARTS_EACH))
    draws = drawn_around(revolutions, looking_offsets(correlation), repeats, np.random.default_rng([seed, 3]))
    weights = Layout(draws.angles_deg, draws.rows).weights(correlation)
    weights /= weights.sum(axis=1, keepdims=True)
    return tuple(Told((weights * each[draws.rows]).sum(axis=1), draws.weights) for each in singles)
