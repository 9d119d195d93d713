"""How sure a share is: 95 % intervals, also where parts are not independent of each other. Pure."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

_Z = 1.959964  # 97.5 % of a normal distribution lie below it
_RESAMPLES = 2000
_TAIL = 2.5  # per cent on either side
_LEAST_BRICKS = 2


@dataclass(frozen=True)
class Share:
    """``count`` of ``of``, and the 95 % interval of that share; ``share`` is None of nothing.

    ``method`` is ``wilson`` where parts are independent, ``bricks`` where whole bricks were drawn with replacement.
    """

    count: int
    of: int
    share: float | None
    low: float
    high: float
    method: Literal["wilson", "bricks"]

    def as_dict(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def wilson(count: int, of: int) -> Share:
    """The interval of Wilson (1927) for ``count`` of ``of`` independent parts; 0 to 1 of nothing."""
    if of == 0:
        return Share(0, 0, None, 0.0, 1.0, "wilson")
    share = count / of
    spread = _Z * math.sqrt(share * (1.0 - share) / of + _Z * _Z / (4.0 * of * of))
    middle = share + _Z * _Z / (2.0 * of)
    scale = 1.0 + _Z * _Z / of
    low = 0.0 if count == 0 else (middle - spread) / scale
    high = 1.0 if count == of else (middle + spread) / scale
    return Share(count, of, share, low, high, "wilson")


def clustered(parts: Iterable[tuple[str, bool]], *, seed: int = 0) -> Share:
    """The interval for parts of which several are one brick: whole bricks are drawn with replacement.

    It is never narrower than that of independent parts, which is what is left where no brick, or only one, has any.

    Args:
        parts: of each the brick, and whether it counts.
        seed: of the drawing.
    """
    counts: dict[str, list[int]] = {}
    for brick, is_counted in parts:
        of_brick = counts.setdefault(brick, [0, 0])
        of_brick[0] += is_counted
        of_brick[1] += 1
    table = np.array([counts[brick] for brick in sorted(counts)], dtype=np.int64).reshape(-1, 2)
    plain = wilson(int(table[:, 0].sum()), int(table[:, 1].sum()))
    if len(table) < _LEAST_BRICKS:
        return plain
    drawn = np.random.default_rng(seed).integers(0, len(table), (_RESAMPLES, len(table)))
    sums = table[drawn].sum(axis=1)
    low, high = np.percentile(sums[:, 0] / sums[:, 1], [_TAIL, 100.0 - _TAIL])
    return Share(plain.count, plain.of, plain.share, min(plain.low, float(low)), max(plain.high, float(high)), "bricks")
