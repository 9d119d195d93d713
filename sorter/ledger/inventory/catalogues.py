"""From the project's design numbers and colours to those of a catalogue, and back. Pure.

Nothing is dropped in silence: what a catalogue has no number for comes back as ``Missing``, and a design number that
this project has not looked up is written as it is and named in the notes.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sorter.ledger.inventory.colours import (
    BRICKLINK_NO_COLOUR,
    COLOURS,
    REBRICKABLE_ANY_COLOUR,
    REBRICKABLE_UNKNOWN,
)
from sorter.ledger.inventory.counting import Inventory, Kind
from sorter.ledger.inventory.part_numbers import PART_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
"""What a part's number looks like in both catalogues, such as ``3626bpb0001``."""


class Lot(NamedTuple):
    """So many of one kind, in a catalogue's own numbers.

    Args:
        number: of the part.
        colour_id: of its colour.
        quantity: how many, at least 1.
        line: of the file that it was read from; None if it was read from none.
    """

    number: str
    colour_id: int
    quantity: int
    line: int | None = None


class Missing(NamedTuple):
    """So many parts that are left out, and why.

    Args:
        what: what has no counterpart, such as ``colour Speckle Black`` or ``colour 9998``.
        quantity: how many parts.
        line: of the file; None if it was read from none.
    """

    what: str
    quantity: int
    line: int | None = None

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        return f"{where}{self.quantity} × {self.what}"


@dataclass(frozen=True)
class Translation:
    """An inventory in a catalogue's numbers.

    Args:
        lots: what can be written, in order of number and colour; no number and colour stand in it twice.
        missing: what cannot.
        notes: what whoever takes the list over should know.
    """

    lots: tuple[Lot, ...]
    missing: tuple[Missing, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """How a catalogue numbers parts and colours.

    Args:
        name: such as ``Rebrickable``.
        numbers: design number to the catalogue's.
        moulds: every further number of the catalogues, to the design number.
        colour_ids: name of a colour to the catalogue's id.
        no_colour_id: for a part whose colour nobody saw.
        other_no_colour_ids: further ids that say so, when they are read.
    """

    name: str
    numbers: Mapping[str, str]
    moulds: Mapping[str, str]
    colour_ids: Mapping[str, int]
    no_colour_id: int
    other_no_colour_ids: frozenset[int] = frozenset()

    def translated(self, inventory: Inventory) -> Translation:
        """The inventory in this catalogue's numbers."""
        lots: Counter[tuple[str, int]] = Counter()
        missing: Counter[str] = Counter()
        designs: Counter[str] = Counter()
        for kind, quantity in inventory.quantities.items():
            colour_id = self.no_colour_id if kind.colour is None else self.colour_ids.get(kind.colour)
            if NUMBER.fullmatch(kind.part) is None:
                missing[f'class "{kind.part}", which is no design number'] += quantity
            elif colour_id is None:
                missing[f'{kind.part} in "{kind.colour}", a colour without a number in {self.name}'] += quantity
            else:
                lots[self._number(kind.part), colour_id] += quantity
                designs[kind.part] += quantity
        return Translation(
            tuple(Lot(number, colour_id, quantity) for (number, colour_id), quantity in sorted(lots.items())),
            tuple(Missing(what, quantity) for what, quantity in sorted(missing.items())),
            tuple(self._notes(designs)),
        )

    def read_back(self, lots: Iterable[Lot]) -> tuple[Inventory, tuple[Missing, ...]]:
        """The inventory of what a file of this catalogue lists, and what has no counterpart here."""
        quantities: Counter[Kind] = Counter()
        missing = []
        names = {colour_id: name for name, colour_id in self.colour_ids.items()}
        for lot in lots:
            if lot.colour_id in names:
                quantities[Kind(self._design(lot.number), names[lot.colour_id])] += lot.quantity
            elif lot.colour_id == self.no_colour_id or lot.colour_id in self.other_no_colour_ids:
                quantities[Kind(self._design(lot.number), None)] += lot.quantity
            else:
                what = f"{lot.number} in colour {lot.colour_id} of {self.name}, which the palette does not have"
                missing.append(Missing(what, lot.quantity, lot.line))
        return Inventory(
            dict(sorted(quantities.items(), key=lambda item: (item[0].part, item[0].colour or "")))
        ), tuple(missing)

    def _number(self, part: str) -> str:
        return self.numbers.get(part, part)

    def _design(self, number: str) -> str:
        return self.moulds.get(number, number)

    def _notes(self, designs: Mapping[str, int]) -> Iterable[str]:
        several = {each.design: each for each in PART_NUMBERS if each.others}
        for part, quantity in sorted(designs.items()):
            design = self._design(part)
            if design in several and (number := self._number(part)) != design:
                others = ", ".join(several[design].others)
                yield (
                    f"{quantity} × {part} are written as {number}: {self.name} keeps moulds of it apart (also "
                    f"{others}), the rig does not"
                )
        strange = sorted(part for part in designs if self._design(part) not in self.numbers)
        if strange:
            yield f"written under the number they have here, which was not looked up: {', '.join(strange)}"


_MOULDS = {
    number: each.design
    for each in PART_NUMBERS
    for number in (each.rebrickable, each.bricklink, *each.others)
    if number != each.design
}

REBRICKABLE = Catalogue(
    "Rebrickable",
    numbers={each.design: each.rebrickable for each in PART_NUMBERS},
    moulds=_MOULDS,
    colour_ids={each.name: each.rebrickable_id for each in COLOURS},
    no_colour_id=REBRICKABLE_ANY_COLOUR,
    other_no_colour_ids=frozenset({REBRICKABLE_UNKNOWN}),
)

BRICKLINK = Catalogue(
    "BrickLink",
    numbers={each.design: each.bricklink for each in PART_NUMBERS},
    moulds=_MOULDS,
    colour_ids={each.name: each.bricklink_id for each in COLOURS},
    no_colour_id=BRICKLINK_NO_COLOUR,
)
