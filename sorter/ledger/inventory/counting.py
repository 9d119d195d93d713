"""Parts counted: which design, in which colour, how many, in which bin. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Kind(NamedTuple):
    """What is counted together.

    Args:
        part: the class: a design number such as ``3001``.
        colour: name of the LEGO colour as LDraw has it; None where nobody saw it.
    """

    part: str
    colour: str | None


@dataclass(frozen=True)
class Inventory:
    """How many there are of each kind; no kind stands in it with less than one."""

    quantities: Mapping[Kind, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse quantities that are none."""
        wrong = {kind: quantity for kind, quantity in self.quantities.items() if quantity < 1}
        if wrong:
            raise ValueError(f"quantities are at least 1, got {wrong}")

    @property
    def part_count(self) -> int:
        """All parts."""
        return sum(self.quantities.values())


class PartSeen(NamedTuple):
    """So many parts of the ledger that are the same for an inventory.

    Args:
        part: their class; None if they were rejected.
        colour: name of their colour; None where it was not seen.
        is_colour_unsure: two colours fitted about equally well.
        bin: where they are; None if they are nowhere that the rig knows.
        is_suspect: it may have fallen elsewhere than the ledger says.
        quantity: how many.
    """

    part: str | None
    colour: str | None
    is_colour_unsure: bool
    bin: str | None
    is_suspect: bool = False
    quantity: int = 1


@dataclass(frozen=True)
class Counted:
    """What was counted, and what was not.

    Args:
        bins: what is in each bin.
        unsure_colours: so many of those counted are of a colour that was a close call; they count as the likelier one.
        unseen_colours: so many of those counted have no colour.
        suspects: so many of those counted may have fallen elsewhere.
        rejected: parts without a class; no catalogue has a number for them, so they are in no inventory.
        not_in_a_bin: parts that were lost, taken from the table, or of which nobody knows yet; they are not counted.
    """

    bins: Mapping[str, Inventory]
    unsure_colours: int = 0
    unseen_colours: int = 0
    suspects: int = 0
    rejected: int = 0
    not_in_a_bin: int = 0

    @property
    def whole(self) -> Inventory:
        """All bins together."""
        total: Counter[Kind] = Counter()
        for inventory in self.bins.values():
            total.update(inventory.quantities)
        return Inventory(dict(sorted(total.items(), key=_order)))


def count_parts(parts: Iterable[PartSeen]) -> Counted:
    """Count what is in bins and has a class; the rest is numbers."""
    bins: dict[str, Counter[Kind]] = {}
    unsure = unseen = suspects = rejected = nowhere = 0
    for seen in parts:
        if seen.bin is None:
            nowhere += seen.quantity
        elif seen.part is None:
            rejected += seen.quantity
        else:
            bins.setdefault(seen.bin, Counter())[Kind(seen.part, seen.colour)] += seen.quantity
            unseen += seen.quantity * (seen.colour is None)
            suspects += seen.quantity * seen.is_suspect
            unsure += seen.quantity * (seen.colour is not None and seen.is_colour_unsure)
    return Counted(
        {name: Inventory(dict(sorted(counts.items(), key=_order))) for name, counts in sorted(bins.items())},
        unsure_colours=unsure,
        unseen_colours=unseen,
        suspects=suspects,
        rejected=rejected,
        not_in_a_bin=nowhere,
    )


def _order(item: tuple[Kind, int]) -> tuple[str, str]:
    return item[0].part, item[0].colour or ""
