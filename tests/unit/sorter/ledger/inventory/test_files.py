"""Inventories in files: what is written is read back the same, and a damaged file is named with its line."""

from __future__ import annotations

import contextlib
import csv
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.ledger.inventory import FileFormat, Inventory, InventoryRefused, Kind, as_text, read_inventory
from sorter.ledger.inventory.bricklink import to_bricklink_xml
from sorter.ledger.inventory.catalogues import REBRICKABLE, Lot
from sorter.ledger.inventory.colours import COLOURS

PARTS = st.one_of(
    st.sampled_from(["3001", "32064", "3069b", "3660"]),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True).filter(
        lambda part: part not in REBRICKABLE.moulds
    ),
)
KINDS = st.builds(Kind, PARTS, st.one_of(st.none(), st.sampled_from([each.name for each in COLOURS])))
INVENTORIES = st.dictionaries(KINDS, st.integers(1, 10**6), max_size=20).map(Inventory)


def written(folder: Path, text: str, name: str = "list.txt") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


@settings(deadline=None)
@given(INVENTORIES, st.sampled_from(FileFormat))
def test_what_is_exported_is_read_back_the_same(inventory: Inventory, format_: FileFormat) -> None:
    text, translation = as_text(inventory, format_)
    with tempfile.TemporaryDirectory() as folder:
        read = read_inventory(written(Path(folder), text))
    assert read.inventory == inventory
    assert read.missing == translation.missing == ()
    assert read.lots == len(inventory.quantities)
    assert read.catalogue is format_.catalogue


@settings(deadline=None)
@given(
    st.dictionaries(st.builds(Kind, st.text(max_size=8), st.one_of(st.none(), st.text(max_size=8))), st.integers(1, 99))
)
def test_whatever_classes_and_colours_are_called_every_part_is_written_or_reported(quantities: dict[Kind, int]) -> None:
    inventory = Inventory(quantities)
    for format_ in FileFormat:
        text, translation = as_text(inventory, format_)
        left_out = sum(each.quantity for each in translation.missing)
        with tempfile.TemporaryDirectory() as folder:
            read = read_inventory(written(Path(folder), text))
        assert read.inventory.part_count + left_out == inventory.part_count


def test_rebrickables_columns(tmp_path: Path) -> None:
    text, _ = as_text(Inventory({Kind("3001", "Red"): 7, Kind("3001", "Olive Green"): 2}), FileFormat.REBRICKABLE)
    assert text == "Part,Color,Quantity\r\n3001,4,7\r\n3001,326,2\r\n"
    assert next(iter(csv.DictReader(text.splitlines()))) == {"Part": "3001", "Color": "4", "Quantity": "7"}


def test_bricklinks_elements() -> None:
    text, _ = as_text(Inventory({Kind("3001", "Red"): 7, Kind("3002", None): 1}), FileFormat.BRICKLINK)
    items = [{each.tag: each.text for each in item} for item in ET.fromstring(text)]
    assert items == [
        {"ITEMTYPE": "P", "ITEMID": "3001", "COLOR": "5", "QTY": "7"},
        {"ITEMTYPE": "P", "ITEMID": "3002", "COLOR": "0", "QTY": "1"},
    ]
    assert not text.startswith("<?xml")  # BrickLink refuses a declaration


def test_a_wanted_list_wants_a_least_quantity_and_any_colour_where_none_is_known() -> None:
    text, _ = as_text(Inventory({Kind("3001", "Red"): 7, Kind("3002", None): 1}), FileFormat.BRICKLINK_WANTED)
    items = [{each.tag: each.text for each in item} for item in ET.fromstring(text)]
    assert items == [
        {"ITEMTYPE": "P", "ITEMID": "3001", "COLOR": "5", "MINQTY": "7"},
        {"ITEMTYPE": "P", "ITEMID": "3002", "MINQTY": "1"},
    ]


def test_an_empty_inventory_is_a_file_as_well(tmp_path: Path) -> None:
    for format_ in FileFormat:
        text, _ = as_text(Inventory(), format_)
        assert read_inventory(written(tmp_path, text)).inventory == Inventory()


def test_text_in_xml_is_escaped() -> None:
    text = to_bricklink_xml([Lot("<&ü>", 5, 1)])
    assert text.isascii()
    assert ET.fromstring(text).findtext("ITEM/ITEMID") == "<&ü>"


def test_a_list_of_rebrickable_is_read_with_its_further_columns_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeffIs Spare,Quantity,part,Color\r\nFalse,2,32064a,4\r\n\r\nTrue,1,32064c,4\r\nFalse,3,3001,9999\r\n"
    read = read_inventory(written(tmp_path, text))
    assert read.inventory.quantities == {Kind("32064", "Red"): 3, Kind("3001", None): 3}


def test_a_list_of_bricklink_is_read_with_spaces_comments_and_further_elements(tmp_path: Path) -> None:
    text = """<?xml version="1.0" encoding="ISO-8859-1"?>
<INVENTORY> <!-- from my shelf -->
  <ITEM><ITEMTYPE> P</ITEMTYPE><ITEMID> 3001 </ITEMID><COLOR>86</COLOR><QTY>2</QTY><CONDITION>U</CONDITION></ITEM>
  <ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>3002</ITEMID><MINQTY>4</MINQTY><REMARKS>für &amp; mit</REMARKS></ITEM>
</INVENTORY>"""
    read = read_inventory(written(tmp_path, text))
    assert read.inventory.quantities == {Kind("3001", "Light Bluish Grey"): 2, Kind("3002", None): 4}


def test_a_colour_that_the_palette_does_not_have_is_reported_with_its_line(tmp_path: Path) -> None:
    read = read_inventory(written(tmp_path, "Part,Color,Quantity\n3001,4,1\n3001,47,5\n"))
    assert read.inventory.part_count == 1
    assert [(each.quantity, each.line) for each in read.missing] == [(5, 3)]
    assert "colour 47" in str(read.missing[0])


ITEM = "<ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>3001</ITEMID><COLOR>5</COLOR><QTY>1</QTY></ITEM>"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "is empty"),
        ("a,b\n", 1, "lacks the columns Part, Color, Quantity"),
        ("Part,Color,Quantity\n3001,4\n", 2, "2 columns"),
        ("Part,Color,Quantity\n3001,4,1\n3001,red,1\n", 3, "'red'"),
        ("Part,Color,Quantity\n3001,4,0\n", 2, "from 1 on"),
        ("Part,Color,Quantity\n3001,4,1.5\n", 2, "from 1 on"),
        ("Part,Color,Quantity\n3001,4,9999999999\n", 2, "from 1 on"),
        ("Part,Color,Quantity\n3001,-2,1\n", 2, "'-2'"),
        ("Part,Color,Quantity\n,4,1\n", 2, "part's number"),
        ('Part,Color,Quantity\n3001,"4,1\n', 2, "is no CSV"),
        ('Part,Color,Quantity\n3001,"4"x,1\n', 2, "is no CSV"),
        ("<INVENTORY>\n<ITEM>\n</INVENTORY>", 3, "mismatched tag"),
        ("<INVENTORY>\n" + ITEM, 2, "no element found"),
        ("<INVENTORY>\n<LOT></LOT></INVENTORY>", 2, "<ITEM> should stand here"),
        ("<ORDER></ORDER>", 1, "<INVENTORY> should stand here"),
        (f"<INVENTORY>\n{ITEM.replace('5', 'red')}</INVENTORY>", 2, "COLOR"),
        (f"<INVENTORY>\n\n{ITEM.replace('>P<', '>M<')}</INVENTORY>", 3, "only parts"),
        (f"<INVENTORY>{ITEM.replace('3001', '')}</INVENTORY>", 1, "ITEMID"),
        (f"<INVENTORY>{ITEM.replace('QTY', 'PRICE')}</INVENTORY>", 1, "QTY or MINQTY"),
        (f"<INVENTORY>{ITEM.replace('COLOR', 'QTY')}</INVENTORY>", 1, "stands twice"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]>\n<INVENTORY></INVENTORY>', 1, "DOCTYPE"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd">\n<INVENTORY></INVENTORY>', 1, "DOCTYPE"),
    ],
)
def test_a_damaged_file_is_refused_with_the_line_and_what_is_wrong(
    tmp_path: Path, text: str, line: int | None, says: str
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(InventoryRefused) as refused:
        read_inventory(file)
    assert refused.value.line == line
    assert says in refused.value.message
    assert str(file) in refused.value.message


def test_what_is_no_text_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"Part,Color,Quantity\n3001,4,1\n\xff\xfe")
    with pytest.raises(InventoryRefused, match="line 3: is not UTF-8"):
        read_inventory(tmp_path / "list.csv")


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "nothing.csv"):
        with pytest.raises(InventoryRefused, match="is no file"):
            read_inventory(file)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_end_the_program(data: bytes) -> None:
    for start in (b"Part,Color,Quantity\n", b"<INVENTORY><ITEM>", b""):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "list"
            file.write_bytes(start + data)
            with contextlib.suppress(InventoryRefused):
                read_inventory(file)
