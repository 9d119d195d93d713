"""What is in the bins, as the catalogues know it: design number, colour, how many; out to files and in again.

``counting`` counts parts of the ledger, ``catalogues`` puts the project's numbers and colours into those of Rebrickable
and BrickLink, ``rebrickable`` and ``bricklink`` know their files. What a catalogue has no number for is reported.
"""

from sorter.ledger.inventory.bricklink import to_bricklink_xml
from sorter.ledger.inventory.catalogues import BRICKLINK, REBRICKABLE, Catalogue, Missing, Translation
from sorter.ledger.inventory.counting import Counted, Inventory, Kind, PartSeen, count_parts
from sorter.ledger.inventory.errors import InventoryRefused
from sorter.ledger.inventory.files import FileFormat, FileRead, as_text, read_inventory
from sorter.ledger.inventory.from_ledger import parts_in_bins, parts_of_run
from sorter.ledger.inventory.rebrickable import to_rebrickable_csv

__all__ = [
    "BRICKLINK",
    "REBRICKABLE",
    "Catalogue",
    "Counted",
    "FileFormat",
    "FileRead",
    "Inventory",
    "InventoryRefused",
    "Kind",
    "Missing",
    "PartSeen",
    "Translation",
    "as_text",
    "count_parts",
    "parts_in_bins",
    "parts_of_run",
    "read_inventory",
    "to_bricklink_xml",
    "to_rebrickable_csv",
]
