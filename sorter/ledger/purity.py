"""How pure a bin is: as the network believes, and as somebody has counted. Pure, and never one for the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TAIL = 0.025  # on either side of 95 %
_HALVINGS = 60


@dataclass(frozen=True)
class AuditedPurity:
    """The share of right parts among those that were counted by hand, with its exact 95 % interval.

    The interval is that of Clopper and Pearson (1934): it holds the true share in at least 95 of 100 audits, however
    few parts were counted. ``share`` is None if none were; then the interval is 0 to 1.
    """

    right: int
    counted: int
    share: float | None
    low: float
    high: float


def audited_purity(counted: int, wrong: int) -> AuditedPurity:
    """What an audit of ``counted`` parts, ``wrong`` of them, says of the bin it was drawn from.

    Raises:
        ValueError: a number is below 0, or more are wrong than were counted.
    """
    if not 0 <= wrong <= counted:
        raise ValueError(f"an audit counts 0 or more parts, and at most as many wrong ones, got {wrong} of {counted}")
    right = counted - wrong
    if counted == 0:
        return AuditedPurity(0, 0, None, 0.0, 1.0)
    low = 0.0 if right == 0 else _where(lambda share: _at_most(wrong, counted, 1.0 - share) >= _TAIL)
    high = 1.0 if wrong == 0 else _where(lambda share: _at_most(right, counted, share) < _TAIL)
    return AuditedPurity(right, counted, right / counted, low, high)


def estimated_purity(decided: int, sureness_ppm: int) -> float | None:
    """Mean probability of the classes on record, 0 to 1; None if no part has one."""
    return sureness_ppm / 1e6 / decided if decided else None


def _at_most(count: int, of: int, share: float) -> float:
    """The probability that at most ``count`` of ``of`` happen, each with the probability ``share`` (0 < share < 1)."""
    log_yes, log_no = math.log(share), math.log1p(-share)
    log_of = math.lgamma(of + 1)
    return math.fsum(
        math.exp(log_of - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * log_yes + (of - k) * log_no)
        for k in range(count + 1)
    )


def _where(is_beyond: Callable[[float], bool]) -> float:
    """Where between 0 and 1 something begins to hold that holds from there on."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if is_beyond(middle):
            high = middle
        else:
            low = middle
    return high
