"""The menu of bad days is that of the emulated board and the twin's own; what is asked for is understood or refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.emulator import MENU
from sorter.types.faults import ALIASES, FAULTS, fault_named, faults_table, read_faults
from sorter.types.hands import HANDS

OWN = {"mechanical", "supply", "optical"}


def test_every_fault_of_the_board_is_on_the_menu_under_its_own_name():
    assert {each.name for each in FAULTS.values() if each.kind not in OWN} == set(MENU)
    assert set(ALIASES.values()) <= set(FAULTS)
    assert not set(ALIASES) & set(FAULTS)


def test_what_hands_mend_hands_can_do():
    told = [each.mended_by.rpartition("hands: ")[2] for each in FAULTS.values() if "hands: " in each.mended_by]
    assert set(told) <= set(HANDS)


def test_words_are_read_in_their_order():
    assert read_faults(["stuck=0.01,jam", "board-reset=0.002"]) == {
        "stuck": 0.01,
        "jam": FAULTS["jam"].rate,
        "reset-in-midstream": 0.002,
    }
    assert read_faults([]) == read_faults(["", " , "]) == {}
    assert read_faults(["jam=0.5", "jam=0.25"]) == {"jam": 0.25}


def test_all_is_every_fault_and_can_be_scaled():
    everything = read_faults(["all"])
    assert everything == {each.name: each.rate for each in FAULTS.values()}
    assert read_faults(["all=0.5"]) == {name: rate / 2 for name, rate in everything.items()}
    assert max(read_faults(["all=1e9"]).values()) == 1.0
    assert set(read_faults(["all=0"]).values()) == {0.0}
    assert read_faults(["all,jam=0"])["jam"] == 0.0


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("stuk", "did you mean stuck"),
        ("board-rest", "board-reset"),
        ("qqqqqq", "there are double-feed"),
        ("stuck=2", "from 0 to 1"),
        ("stuck=-0.1", "from 0 to 1"),
        ("stuck=often", "no number"),
        ("stuck=", "no number"),
        ("stuck=nan", "from 0 to 1"),
        ("all=inf", "0 or more"),
        ("all=-1", "0 or more"),
        ("=0.5", "names no fault"),
    ],
)
def test_what_is_wrong_is_refused_with_the_nearest_names(word, words):
    with pytest.raises(ValueError, match=words):
        read_faults([f"jam=0.1,{word}"])


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        rates = read_faults([text])
    except ValueError:
        return
    assert all(0.0 <= rate <= 1.0 and fault_named(name).name == name for name, rate in rates.items())


def test_the_table_has_every_fault_on_a_line_that_fits_a_wide_terminal():
    lines = faults_table().splitlines()
    assert len(lines) == 1 + len(FAULTS) + len(ALIASES)
    assert max(map(len, lines)) <= 160
