"""docs/ledger.md says of every error and table what it is."""

from __future__ import annotations

from pathlib import Path

import sorter.ledger
from sorter.ledger import LedgerError
from sorter.ledger.schema import metadata


def test_every_error_and_every_table_is_explained(checkout: Path) -> None:
    text = (checkout / "docs" / "ledger.md").read_text(encoding="utf-8")
    errors = {name for name in sorter.ledger.__all__ if isinstance(getattr(sorter.ledger, name), type)}
    errors = {name for name in errors if issubclass(getattr(sorter.ledger, name), LedgerError)} - {"LedgerError"}
    assert len(errors) == 9
    assert not [name for name in errors if f"| `{name}` |" not in text]
    first_cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    tables = {name.strip().strip("`") for cell in first_cells for name in cell.split(",")}
    assert not [table.name for table in metadata.sorted_tables if table.name not in tables]
