"""BrickLink's XML of parts, as an inventory or as a wanted list.

Elements as BrickLink's help describes them: https://www.bricklink.com/help.asp?helpID=2567 (all uses), ``helpID=198``
(inventories: ITEMTYPE, ITEMID, COLOR and QTY must be there) and ``helpID=207`` (wanted lists: MINQTY in place of QTY,
and COLOR may be left out). An XML declaration is not allowed, so everything is ASCII. When a file is read, further
elements are passed over. A document type is refused, and with it every entity that could be defined or fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat
from xml.sax.saxutils import escape

from sorter.ledger.inventory.catalogues import BRICKLINK, NUMBER, Lot
from sorter.ledger.inventory.errors import InventoryRefused
from sorter.ledger.inventory.rebrickable import whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PART = "P"  # of ITEMTYPE: a part, not a set, a minifigure, a book or gear


def to_bricklink_xml(lots: Iterable[Lot], *, is_wanted: bool = False) -> str:
    """The file's text.

    Args:
        lots: in BrickLink's numbers.
        is_wanted: as a wanted list: MINQTY, and no COLOR where any will do; else as an inventory.
    """
    return "".join(["<INVENTORY>\n", *(_item(lot, is_wanted=is_wanted) for lot in lots), "</INVENTORY>\n"])


def _item(lot: Lot, *, is_wanted: bool) -> str:
    elements = [("ITEMTYPE", PART), ("ITEMID", lot.number), ("COLOR", str(lot.colour_id))]
    if is_wanted and lot.colour_id == BRICKLINK.no_colour_id:
        elements.pop()
    elements.append(("MINQTY" if is_wanted else "QTY", str(lot.quantity)))
    inside = "".join(f"    <{name}>{_escaped(value)}</{name}>\n" for name, value in elements)
    return f"  <ITEM>\n{inside}  </ITEM>\n"


def _escaped(text: str) -> str:
    return escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")


def from_bricklink_xml(file: Path, text: str) -> tuple[Lot, ...]:
    """What the file lists; sets, minifigures and the like in it are not parts and are refused.

    Args:
        file: for messages.
        text: of the file.

    Raises:
        InventoryRefused: it is no such file; names the line.
    """
    return tuple(_lot(file, line, item) for line, item in _Items(file).of(text))


class _Items:
    """Finds the items of a file: of each its line, and the text of its elements."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: list[str] = []
        self._item: dict[str, str] = {}
        self._line = 0
        self._found: list[tuple[int, dict[str, str]]] = []
        self._parser = expat.ParserCreate("UTF-8")  # whatever the file says of itself: it was decoded already
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def of(self, text: str) -> Iterator[tuple[int, dict[str, str]]]:
        try:
            self._parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            reason = f"is not well-formed XML: {expat.ErrorString(error.code)}"
            raise InventoryRefused(self._file, error.lineno, reason) from error
        yield from self._found

    def _doctype(self, *_: object) -> None:
        raise self._refused("has a DOCTYPE, which no list of BrickLink has")

    def _begin(self, name: str, _attributes: dict[str, str]) -> None:
        expected = ("INVENTORY", "ITEM")
        depth = len(self._open)
        if depth < len(expected) and name != expected[depth]:
            raise self._refused(f"<{expected[depth]}> should stand here, not <{name[:40]}>")
        if depth == 1:
            self._item, self._line = {}, self._parser.CurrentLineNumber
        elif depth == len(expected):
            if name in self._item:
                raise self._refused(f"<{name[:40]}> stands twice in one <ITEM>")
            self._item[name] = ""
        self._open.append(name)

    def _text(self, text: str) -> None:
        if len(self._open) == 3:  # INVENTORY, ITEM, and the element that the text is of
            self._item[self._open[-1]] += text

    def _end(self, _name: str) -> None:
        self._open.pop()
        if len(self._open) == 1:
            self._found.append((self._line, {name: text.strip() for name, text in self._item.items()}))

    def _refused(self, reason: str) -> InventoryRefused:
        return InventoryRefused(self._file, self._parser.CurrentLineNumber, reason)


def _lot(file: Path, line: int, item: dict[str, str]) -> Lot:
    kind = item.get("ITEMTYPE", "")
    if kind.upper() != PART:
        raise InventoryRefused(file, line, f"ITEMTYPE is P, a part, got {kind[:40]!r}; only parts are counted here")
    number = item.get("ITEMID", "")
    if NUMBER.fullmatch(number) is None:
        raise InventoryRefused(file, line, f"ITEMID is a part's number, got {number[:40]!r}")
    colour = item.get("COLOR", str(BRICKLINK.no_colour_id))
    colour_id = whole_number(colour, least=0)
    if colour_id is None:
        raise InventoryRefused(file, line, f"COLOR is the number of a colour, got {colour[:40]!r}")
    quantity = item.get("QTY") or item.get("MINQTY") or ""
    count = whole_number(quantity, least=1)
    if count is None:
        raise InventoryRefused(file, line, f"QTY or MINQTY is a whole number from 1 on, got {quantity[:40]!r}")
    return Lot(number, colour_id, count, line)
