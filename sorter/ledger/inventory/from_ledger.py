"""Which parts of the ledger an inventory is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.ledger.inventory.counting import PartSeen
from sorter.ledger.part_list import PartFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sorter.ledger.reader import LedgerReader
    from sorter.ledger.rows import PartRow
    from sorter.types import BinId, RunId

_AT_ONCE = 1000


def parts_in_bins(reader: LedgerReader, bin: BinId | None = None) -> Iterator[PartSeen]:  # noqa: A002
    """What lies in a bin since it was emptied, or in all of them (None)."""
    for each in reader.bins():
        if bin in (None, each.bin):
            yield from _parts(reader, PartFilter(bin=each.bin, is_in_bin=True))


def parts_of_run(reader: LedgerReader, run: RunId) -> Iterator[PartSeen]:
    """All parts of a run, wherever they are by now."""
    yield from _parts(reader, PartFilter(run=run))


def _parts(reader: LedgerReader, wanted: PartFilter) -> Iterator[PartSeen]:
    after: int | None = None
    while True:
        page = reader.parts(wanted, after=after, limit=_AT_ONCE)
        yield from (_seen(row) for row in page.rows)
        if page.next is None:
            return
        after = page.next


def _seen(row: PartRow) -> PartSeen:
    return PartSeen(
        row.class_name,
        row.colour,
        is_colour_unsure=bool(row.is_colour_unsure),
        bin=row.bin,
        is_suspect=row.suspect_reason is not None,
    )
