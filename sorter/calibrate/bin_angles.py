"""The chute's angles for the bins: evenly spread, and far enough apart. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TURN_DEG = 360.0


def spread(count: int, limits_deg: tuple[float, float] | None, *, is_round: bool) -> tuple[float, ...]:
    """Angles for ``count`` bins, ascending, as far from each other as they can be.

    Args:
        count: at least 1.
        limits_deg: of the chute; the first bin is at the lowest. None: it turns without end, and the first is at 0.
        is_round: after a whole turn the chute is back at the same bin.
    """
    if count < 1:
        raise ValueError(f"bins to spread are 1 or more, got {count}")
    lowest_deg, highest_deg = limits_deg or (0.0, _TURN_DEG)
    span_deg = highest_deg - lowest_deg
    step_deg = span_deg / (count - 1) if count > 1 else span_deg
    if is_round:
        step_deg = min(step_deg, _TURN_DEG / count)
    return tuple(min(lowest_deg + step_deg * place, highest_deg) for place in range(count))


def apart_deg(one_deg: float, other_deg: float, *, is_round: bool) -> float:
    """How far two of the chute's angles are apart."""
    if not is_round:
        return abs(one_deg - other_deg)
    return abs((one_deg - other_deg + _TURN_DEG / 2) % _TURN_DEG - _TURN_DEG / 2)


def too_near(angle_deg: float, others: Mapping[str, float], *, is_round: bool, least_deg: float) -> str | None:
    """The bin that is nearer to ``angle_deg`` than ``least_deg``, or None."""
    near = {name: apart_deg(angle_deg, other, is_round=is_round) for name, other in others.items()}
    nearest = min(near, key=lambda name: near[name], default=None)
    return nearest if nearest is not None and near[nearest] < least_deg else None
