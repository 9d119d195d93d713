"""Rebrickable's CSV of parts: ``Part,Color,Quantity``, numbers and ids of Rebrickable.

That is what its part lists import and what they export (https://rebrickable.com/help/importing-parts/, and the export
``?format=rbpartscsv`` of any list). Further columns, such as ``Is Spare``, are passed over when it is read.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from sorter.ledger.inventory.catalogues import NUMBER, Lot
from sorter.ledger.inventory.errors import InventoryRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

COLUMNS = ("Part", "Color", "Quantity")

_LONGEST_NUMBER = 9  # digits of a quantity or an id


def to_rebrickable_csv(lots: Iterable[Lot]) -> str:
    """The file's text; lines end as Rebrickable ends them, with CR and LF."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows((lot.number, lot.colour_id, lot.quantity) for lot in lots)
    return text.getvalue()


def from_rebrickable_csv(file: Path, text: str) -> tuple[Lot, ...]:
    """What the file lists.

    Args:
        file: for messages.
        text: of the file.

    Raises:
        InventoryRefused: it is no such file; names the line.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lots: list[Lot] = []
    columns: dict[str, int] | None = None
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if columns is None:
                columns = _columns(file, reader.line_num, row)
            else:
                lots.append(_lot(file, reader.line_num, row, columns))
    except csv.Error as error:
        raise InventoryRefused(file, max(1, reader.line_num), f"is no CSV: {error}") from error
    if columns is None:
        raise InventoryRefused(file, None, f"is empty; its first line is {','.join(COLUMNS)}")
    return tuple(lots)


def _columns(file: Path, line: int, row: Sequence[str]) -> dict[str, int]:
    found = [cell.strip().casefold() for cell in row]
    columns = {name: found.index(name.casefold()) for name in COLUMNS if name.casefold() in found}
    lacking = [name for name in COLUMNS if name not in columns]
    if lacking:
        raise InventoryRefused(file, line, f"lacks the columns {', '.join(lacking)}; got {','.join(row)[:80]!r}")
    return columns


def _lot(file: Path, line: int, row: Sequence[str], columns: dict[str, int]) -> Lot:
    if len(row) <= max(columns.values()):
        raise InventoryRefused(file, line, f"has {len(row)} columns, the first line has more")
    part, colour, quantity = (row[columns[name]].strip() for name in COLUMNS)
    if NUMBER.fullmatch(part) is None:
        raise InventoryRefused(file, line, f"Part is a part's number, got {part[:40]!r}")
    colour_id = whole_number(colour, least=-1)
    if colour_id is None:
        raise InventoryRefused(file, line, f"Color is the number of a colour, got {colour[:40]!r}")
    count = whole_number(quantity, least=1)
    if count is None:
        raise InventoryRefused(file, line, f"Quantity is a whole number from 1 on, got {quantity[:40]!r}")
    return Lot(part, colour_id, count, line)


def whole_number(text: str, *, least: int) -> int | None:
    """The number that the text is; None if it is none, or below ``least``, or absurd."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER):
        return None
    return int(text) if int(text) >= least else None
