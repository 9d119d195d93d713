"""An inventory's file: which format it has, what is in it, and the text of one to be written."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.ledger.inventory.bricklink import from_bricklink_xml, to_bricklink_xml
from sorter.ledger.inventory.catalogues import BRICKLINK, REBRICKABLE, Catalogue, Missing, Translation
from sorter.ledger.inventory.errors import InventoryRefused
from sorter.ledger.inventory.rebrickable import from_rebrickable_csv, to_rebrickable_csv

if TYPE_CHECKING:
    from pathlib import Path

    from sorter.ledger.inventory.counting import Inventory

_MOST_BYTES = 50_000_000


class FileFormat(enum.StrEnum):
    """What can be written."""

    REBRICKABLE = "rebrickable"  # CSV
    BRICKLINK = "bricklink"  # XML, an inventory: QTY
    BRICKLINK_WANTED = "bricklink-wanted"  # XML, a wanted list: MINQTY

    @property
    def catalogue(self) -> Catalogue:
        """Whose numbers stand in it."""
        return REBRICKABLE if self is FileFormat.REBRICKABLE else BRICKLINK


@dataclass(frozen=True)
class FileRead:
    """What a file holds.

    Args:
        catalogue: whose file it is.
        lots: how many lines or items it has.
        inventory: what it lists, in the project's own numbers and colours.
        missing: what of it the project has no colour for.
    """

    catalogue: Catalogue
    lots: int
    inventory: Inventory
    missing: tuple[Missing, ...]


def as_text(inventory: Inventory, format_: FileFormat) -> tuple[str, Translation]:
    """The text of a file that lists the inventory, and what could not be written."""
    translation = format_.catalogue.translated(inventory)
    if format_ is FileFormat.REBRICKABLE:
        return to_rebrickable_csv(translation.lots), translation
    return to_bricklink_xml(translation.lots, is_wanted=format_ is FileFormat.BRICKLINK_WANTED), translation


def read_inventory(file: Path) -> FileRead:
    """Read a file of Rebrickable (CSV) or BrickLink (XML); which it is its first character says.

    Raises:
        InventoryRefused: it cannot be read, or a line of it is wrong; names the line.
    """
    text = _text(file)
    catalogue, read = (
        (BRICKLINK, from_bricklink_xml) if text.lstrip().startswith("<") else (REBRICKABLE, from_rebrickable_csv)
    )
    lots = read(file, text)
    inventory, missing = catalogue.read_back(lots)
    return FileRead(catalogue, len(lots), inventory, missing)


def _text(file: Path) -> str:
    try:
        if not file.is_file():
            raise InventoryRefused(file, None, "is no file", remedy="Name a CSV of Rebrickable or an XML of BrickLink.")
        if file.stat().st_size > _MOST_BYTES:
            raise InventoryRefused(file, None, f"has more than {_MOST_BYTES:,} bytes; no list of parts has")
        data = file.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise InventoryRefused(file, None, reason, remedy="Check the name and who may read it.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InventoryRefused(file, line, "is not UTF-8; save it as UTF-8") from error
