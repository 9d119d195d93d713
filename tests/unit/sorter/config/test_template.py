"""What `sorter config init` writes is a whole file that is fit to sort, and names every key that there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sorter.config import read_sorting_config
from sorter.config.keys import Table, tables
from sorter.config.template import OVERFLOW, RECIRCULATE, REJECT, rig_file
from sorter.errors import ConfigError

LABELS = ("3001", "3002", "3003")
ROW = re.compile(r"(#?)([a-z0-9_]+) = (.*)")


def sections(text: str) -> dict[str, list[str]]:
    """The lines below each comment that introduces a table, up to the next such comment."""
    found: dict[str, list[str]] = {}
    rows: list[str] = []
    for row in text.splitlines():
        match = re.match(r'# (\[+[a-z._]+\]+(?:, kind = "[a-z]+")?):', row)
        if match:
            rows = found.setdefault(match[1], [])
        rows.append(row)
    return found


def title(table: Table) -> str:
    return table.header + (f', kind = "{table.kind}"' if table.kind is not None else "")


def test_the_file_is_fit_to_sort_and_has_a_bin_for_each_class(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(rig_file(LABELS), encoding="utf-8")
    config = read_sorting_config(file)
    assert [each.id for each in config.bins] == [*LABELS, REJECT, OVERFLOW, RECIRCULATE]
    assert config.sort is not None
    assert [(rule.bin, rule.classes) for rule in config.sort.rules] == [(name, (name,)) for name in LABELS]
    assert (config.sort.reject, config.sort.overflow, config.sort.recirculate) == (REJECT, OVERFLOW, RECIRCULATE)
    assert config.sensors.all == {}


@pytest.mark.parametrize("table", tables(), ids=title)
def test_every_key_of_every_table_stands_in_it_with_its_meaning(table: Table) -> None:
    rows = sections(rig_file(LABELS))[title(table)]
    text = " ".join(row.removeprefix("#").strip() for row in rows)
    assert table.meaning in text
    for key in table.keys:
        (stated,) = [match for row in rows if (match := ROW.fullmatch(row)) and match[2] == key.name][:1]
        assert stated[3]
        assert f"{key.meaning} ({key.values}; " in text


@pytest.mark.parametrize("table", [table for table in tables() if table.keys], ids=title)
def test_every_key_that_is_left_out_can_be_put_in_as_it_stands(tmp_path: Path, table: Table) -> None:
    rows = sections(rig_file(LABELS))[title(table)]
    names = {key.name for key in table.keys}
    stated = [row.removeprefix("#") for row in rows if (match := ROW.fullmatch(row)) and match[2] in names]
    assert len(stated) >= len(names)
    for row in stated:
        if table.header != "[[bins]]" or "chute_deg" not in row:
            tomllib.loads(row)
    whole = list(dict.fromkeys(row.split(" = ")[0] for row in stated))
    first = [next(row for row in stated if row.split(" = ")[0] == name) for name in whole]
    file = tmp_path / "rig.toml"
    file.write_text("\n".join([table.header, *first]) + "\n", encoding="utf-8")
    try:
        read_sorting_config(file)
    except ConfigError as error:  # of all keys together some do not go together, but each is known and of its kind
        told = " ".join(each.text for each in error.problems)
        assert "is not a key" not in told
        assert "input should" not in told


def test_every_line_fits_the_page_and_ends_without_blanks() -> None:
    rows = rig_file(LABELS).splitlines()
    assert max(map(len, rows)) <= 120
    assert all(row == row.rstrip() for row in rows)


def test_many_bins_still_fit_and_too_many_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(rig_file([f"class {place}" for place in range(150)]), encoding="utf-8")
    assert len(read_sorting_config(file).bins) == 153
    with pytest.raises(ValueError, match="203 bins do not fit"):
        rig_file([f"class {place}" for place in range(200)])
