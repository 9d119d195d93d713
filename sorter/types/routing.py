"""Where a part goes, and what became of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping

PartId = NewType("PartId", int)
RunId = NewType("RunId", int)
IncidentId = NewType("IncidentId", int)
BinId = NewType("BinId", str)


@dataclass(frozen=True)
class SortRule:
    """What goes into one bin: all that is named must hold, and an empty tuple means any.

    Args:
        bin: where it goes.
        classes: design numbers.
        categories: names such as ``Technic``.
        colours: names of LEGO colours.
        min_probability: of the decided class, 0 to 1.
    """

    bin: BinId
    classes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    min_probability: float = 0.0


@dataclass(frozen=True)
class SortPlan:
    """Rules in order, the first that fits wins; and where the rest goes.

    Args:
        name: what the operator calls it.
        rules: in order.
        reject: for parts the rig is not sure of, and parts that no rule fits.
        overflow: instead of a full bin; None stops feeding when no bin is left.
        recirculate: for several parts at once, to be fed again; None uses reject.
    """

    name: str
    rules: tuple[SortRule, ...]
    reject: BinId
    overflow: BinId | None = None
    recirculate: BinId | None = None


class OutcomeKind(enum.StrEnum):
    """What became of a part."""

    CONFIRMED = "confirmed"  # seen to leave the table, and in the chute where a sensor looks there
    LOST = "lost"  # left the table for nowhere that the rig knows
    STUCK = "stuck"  # is still on the table; an operator took it
    UNRESOLVED = "unresolved"  # the rig was interrupted in mid-push and cannot know


@dataclass(frozen=True)
class Outcome:
    """What became of a part; ``bin`` is None where nobody knows; ``stage_s`` maps each stage to its seconds."""

    kind: OutcomeKind
    bin: BinId | None
    stage_s: Mapping[str, float] = field(default_factory=dict)
