"""``sorter inventory``: what a ledger holds, in files that Rebrickable and BrickLink take."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from sorter.cli.exit_codes import ExitCode
from sorter.ledger import Ledger
from tests.cli_ledgers import Commands, commands, decided, filled, sort_part

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["commands", "filled"]


def exported(commands: Commands, out: Path, *options: object) -> dict[str, object]:
    said = commands("inventory", "export", "--out", out, *options, "--json")
    assert said.code == ExitCode.OK, said.err
    return dict(said.data)


def test_what_is_in_the_bins_now_as_rebrickable_takes_it(commands: Commands, tmp_path: Path) -> None:
    data = exported(commands, tmp_path / "list.csv", "--format", "rebrickable")
    rows = list(csv.reader((tmp_path / "list.csv").read_text().splitlines()))
    assert rows == [["Part", "Color", "Quantity"], ["3001", "4", "1"], ["3001", "320", "1"], ["32064c", "9999", "1"]]
    assert (data["parts"], data["lots"], data["unsure_colours"], data["unseen_colours"], data["rejected"]) == (
        3,
        3,
        1,
        1,
        1,
    )
    assert data["bins"] == {
        "bricks": [
            {"part": "3001", "colour": "Dark Red", "quantity": 1},
            {"part": "3001", "colour": "Red", "quantity": 1},
        ],
        "rest": [{"part": "32064", "colour": None, "quantity": 1}],
    }


def test_one_bin_as_bricklink_takes_it(commands: Commands, tmp_path: Path) -> None:
    exported(commands, tmp_path / "list.xml", "--format", "bricklink", "--bin", "bricks")
    items = [{each.tag: each.text for each in item} for item in ET.parse(tmp_path / "list.xml").getroot()]
    assert items == [
        {"ITEMTYPE": "P", "ITEMID": "3001", "COLOR": "5", "QTY": "1"},
        {"ITEMTYPE": "P", "ITEMID": "3001", "COLOR": "59", "QTY": "1"},
    ]


def test_a_run_holds_what_was_taken_out_of_the_bins_since(commands: Commands, tmp_path: Path) -> None:
    first = exported(commands, tmp_path / "list.csv", "--format", "rebrickable", "--run", 1)
    assert (first["parts"], first["not_in_a_bin"]) == (3, 0)
    second = exported(commands, tmp_path / "list.csv", "--format", "rebrickable", "--run", 2)
    assert (second["parts"], second["rejected"], second["not_in_a_bin"]) == (1, 1, 2)


def test_a_correction_counts(commands: Commands, tmp_path: Path) -> None:
    commands("parts", "correct", 2, "--class", "3002")
    exported(commands, tmp_path / "list.csv", "--format", "rebrickable", "--bin", "bricks")
    assert "3002,4,1" in (tmp_path / "list.csv").read_text()


def test_what_was_exported_is_read_again(commands: Commands, tmp_path: Path) -> None:
    for format_ in ("rebrickable", "bricklink", "bricklink-wanted"):
        exported(commands, tmp_path / "list", "--format", format_)
        data = commands("inventory", "check", tmp_path / "list", "--json", is_located=False).data
        assert data["kinds"] == [
            {"part": "3001", "colour": "Dark Red", "quantity": 1},
            {"part": "3001", "colour": "Red", "quantity": 1},
            {"part": "32064", "colour": None, "quantity": 1},
        ]


def test_parts_that_no_catalogue_has_are_named_and_the_exit_code_tells(commands: Commands, tmp_path: Path) -> None:
    with Ledger(commands.file) as ledger:
        sort_part(ledger, decided("3001", colour="Speckle Black"), "bricks")
        sort_part(ledger, decided("a whole wheel"), "bricks")
    said = commands("inventory", "export", "--format", "rebrickable", "--out", tmp_path / "list.csv")
    assert said.code == ExitCode.FINDINGS
    assert 'left out: 1 × 3001 in "Speckle Black"' in said.out
    assert "a whole wheel" in said.out
    assert "3001,4,1" in (tmp_path / "list.csv").read_text()


def test_the_report_tells_what_a_person_should_know(commands: Commands, tmp_path: Path) -> None:
    text = commands("inventory", "export", "--format", "rebrickable", "--out", tmp_path / "list.csv").out
    assert "1 part of a colour that was a close call" in text
    assert "1 part without a class" in text
    assert "32064a, 32064b" in text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--run", "1", "--bin", "rest"], "one of --run and --bin"),
        (["--run", "9"], "there is no run 9"),
        (["--bin", "rset"], "there is no bin 'rset'"),
    ],
)
def test_wrong_words_write_no_file(commands: Commands, tmp_path: Path, options: list[str], says: str) -> None:
    said = commands("inventory", "export", "--format", "rebrickable", "--out", tmp_path / "list.csv", *options)
    assert said.code == ExitCode.USAGE
    assert says in said.err
    assert not (tmp_path / "list.csv").exists()


def test_a_folder_that_is_not_there_is_said_before_anything_is_read(commands: Commands, tmp_path: Path) -> None:
    said = commands("inventory", "export", "--format", "bricklink", "--out", tmp_path / "no" / "list.xml")
    assert said.code == ExitCode.USAGE
    assert "there is no folder" in said.err


def test_a_damaged_list_ends_with_3_and_its_line(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Part,Color,Quantity\n3001,4,many\n")
    said = commands("inventory", "check", tmp_path / "list.csv", "--json", is_located=False)
    assert said.code == ExitCode.BAD_INPUT
    assert said.data["error"]["line"] == 2
    assert "line 2" in said.err


def test_a_list_with_a_colour_that_is_not_known_ends_with_5(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Part,Color,Quantity\n3001,4,2\n3001,47,3\n")
    said = commands("inventory", "check", tmp_path / "list.csv", is_located=False)
    assert said.code == ExitCode.FINDINGS
    assert "left out: line 3: 3 × 3001 in colour 47" in said.out


def test_formats_are_those_that_the_inventory_writes() -> None:
    from sorter.cli.inventory import Format
    from sorter.ledger.inventory import FileFormat

    assert {each.value for each in Format} == {each.value for each in FileFormat}
