"""An inventory in the numbers of Rebrickable and BrickLink: nothing lost, nothing wrongly named, nothing silent."""

from __future__ import annotations

import pytest

from sorter.ledger.inventory import BRICKLINK, REBRICKABLE, Catalogue, Inventory, Kind, PartSeen, count_parts
from sorter.ledger.inventory.colours import COLOURS
from sorter.ledger.inventory.part_numbers import PART_NUMBERS
from sorter.vision.palette import PALETTE


def test_every_colour_that_the_camera_can_name_is_known_to_both_catalogues() -> None:
    assert {(each.name, each.ldraw_code) for each in PALETTE} == {(each.name, each.ldraw_code) for each in COLOURS}


def test_no_two_colours_share_a_number() -> None:
    for catalogue in (REBRICKABLE, BRICKLINK):
        ids = list(catalogue.colour_ids.values())
        assert len(set(ids)) == len(ids) == len(COLOURS)
        assert catalogue.no_colour_id not in ids


def test_colours_that_rebrickable_numbers_otherwise_than_ldraw() -> None:
    others = {each.name: each.rebrickable_id for each in COLOURS if each.rebrickable_id != each.ldraw_code}
    assert others == {"Yellowish Green": 158, "Olive Green": 326, "Coral": 1050}


def test_no_two_designs_are_written_under_one_number() -> None:
    for numbers in ([each.rebrickable for each in PART_NUMBERS], [each.bricklink for each in PART_NUMBERS]):
        assert len(set(numbers)) == len(numbers)


def test_every_class_of_the_shipped_model_was_looked_up() -> None:
    from sorter.classify.card import OTHER, read_card
    from sorter.resources import models_dir

    labels = {label for folder in models_dir().iterdir() if folder.is_dir() for label in read_card(folder).labels}
    assert labels - {OTHER} <= {each.design for each in PART_NUMBERS}


def test_moulds_that_the_rig_does_not_tell_apart_are_said() -> None:
    inventory = Inventory({Kind("32064", "Red"): 5, Kind("32064", "Blue"): 2})
    in_rebrickable, in_bricklink = REBRICKABLE.translated(inventory), BRICKLINK.translated(inventory)
    assert {lot.number for lot in in_rebrickable.lots} == {"32064c"}
    assert {lot.number for lot in in_bricklink.lots} == {"32064"}
    assert any("7 × 32064" in note and "32064a, 32064b" in note for note in in_rebrickable.notes)
    assert in_bricklink.notes == ()


def test_a_design_that_nobody_looked_up_is_written_and_named() -> None:
    translation = REBRICKABLE.translated(Inventory({Kind("3713", "Red"): 4}))
    assert [(lot.number, lot.quantity) for lot in translation.lots] == [("3713", 4)]
    assert any("3713" in note for note in translation.notes)


@pytest.mark.parametrize("catalogue", [REBRICKABLE, BRICKLINK], ids=lambda each: each.name)
def test_what_a_catalogue_has_no_number_for_is_reported_with_its_quantity(catalogue: Catalogue) -> None:
    inventory = Inventory({Kind("3001", "Speckle Black"): 3, Kind("2 x 4 & more", "Red"): 2, Kind("3001", "Red"): 1})
    translation = catalogue.translated(inventory)
    assert [(lot.number, lot.quantity) for lot in translation.lots] == [("3001", 1)]
    assert sum(each.quantity for each in translation.missing) == 5
    assert any("Speckle Black" in str(each) for each in translation.missing)
    assert any("2 x 4 & more" in str(each) for each in translation.missing)


def test_a_part_whose_colour_nobody_saw_counts_as_of_no_colour() -> None:
    inventory = Inventory({Kind("3001", None): 2})
    assert [lot.colour_id for lot in REBRICKABLE.translated(inventory).lots] == [9999]
    assert [lot.colour_id for lot in BRICKLINK.translated(inventory).lots] == [0]


def test_parts_are_counted_where_they_are_and_the_rest_is_told() -> None:
    stock = count_parts(
        [
            PartSeen("3001", "Red", is_colour_unsure=False, bin="a", quantity=3),
            PartSeen("3001", "Red", is_colour_unsure=True, bin="b"),
            PartSeen("3001", "Red", is_colour_unsure=True, bin="b"),
            PartSeen("3002", None, is_colour_unsure=False, bin="b"),
            PartSeen(None, "Red", is_colour_unsure=False, bin="reject", quantity=4),
            PartSeen("3001", "Red", is_colour_unsure=False, bin=None, quantity=5),
        ]
    )
    assert stock.whole.quantities == {Kind("3001", "Red"): 5, Kind("3002", None): 1}
    assert stock.bins["a"].quantities == {Kind("3001", "Red"): 3}
    assert (stock.unsure_colours, stock.unseen_colours, stock.rejected, stock.not_in_a_bin) == (2, 1, 4, 5)


def test_a_quantity_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Inventory({Kind("3001", "Red"): 0})
