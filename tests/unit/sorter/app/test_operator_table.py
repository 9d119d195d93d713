"""The table of what the demo's operator does, in docs/demo.md, leaves no kind of incident out and names no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.app.ways_out import LADDERS
from sorter.cycle.incidents import IncidentKind

if TYPE_CHECKING:
    from pathlib import Path


def test_each_kind_that_has_a_way_out_stands_in_the_table_with_all_its_choices(checkout: Path) -> None:
    text = (checkout / "docs" / "demo.md").read_text(encoding="utf-8")
    section = text.split("### The operator", 1)[1].split("\n### ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")][1:]
    told = {name.strip(): " ".join(cells) for names, *cells in rows for name in names.split(",")}
    assert told.keys() == {str(kind) for kind, ladder in LADDERS.items() if ladder}
    assert LADDERS.keys() == set(IncidentKind)
    for kind, ladder in LADDERS.items():
        for way in (way for rung in ladder[:1] for way in rung):
            assert f"*{way.choice}*" in told[str(kind)], f"{kind}: {way}"
