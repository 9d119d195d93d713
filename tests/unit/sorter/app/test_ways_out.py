"""What the demo's operator does: every documented way out is taken, and what did not help is not done for ever."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.app.ways_out import LADDERS, way_out
from sorter.cycle.incidents import INCIDENTS, Choice, IncidentKind
from sorter.types.hands import HANDS, TAKE_PARTS

OFFERED = {
    IncidentKind.STEPS_LOST: [(Choice.HOME_AGAIN,), (Choice.NOTED,)],
    IncidentKind.BIN_FULL: [(Choice.EMPTIED,), (Choice.EMPTIED, Choice.NOTED)],
    IncidentKind.DISK_FULL: [(Choice.FREED,), (Choice.RECONNECT,)],
}
"""What incidents offer of which the kind has more ways out than each of them."""


def offers(kind: IncidentKind) -> list[tuple[str, ...]]:
    return [tuple(map(str, each)) for each in OFFERED.get(kind, [tuple(INCIDENTS[kind].choices)])]


def test_every_kind_of_incident_has_a_ladder_of_ways_that_are_documented_for_it() -> None:
    assert set(LADDERS) == set(INCIDENTS)
    for kind, ladder in LADDERS.items():
        for rung in ladder:
            assert rung
            for way in rung:
                assert way.choice in INCIDENTS[kind].choices
                assert set(way.hands) <= set(HANDS)


@pytest.mark.parametrize("kind", [kind for kind in IncidentKind if INCIDENTS[kind].choices])
def test_every_documented_way_out_is_taken_at_some_time(kind: IncidentKind) -> None:
    taken = {
        way_out(kind, choices, times, random.Random(seed)).choice  # type: ignore[union-attr]
        for choices in offers(kind)
        for times in (1, 2, 3)
        for seed in range(20)
    }
    assert taken == set(INCIDENTS[kind].choices)


@given(st.sampled_from(list(IncidentKind)), st.integers(1, 20), st.integers(), st.data())
def test_only_what_is_offered_is_chosen(kind: IncidentKind, times: int, seed: int, data: st.DataObject) -> None:
    choices = data.draw(st.sampled_from(offers(kind)))
    way = way_out(kind, choices, times, random.Random(seed))
    assert way is None if not choices else way is not None and way.choice in choices


def test_what_did_not_help_the_first_time_is_followed_by_the_more_drastic_way() -> None:
    for seed in range(20):
        choices = (Choice.PUSH_AGAIN, Choice.TAKEN)
        way = way_out(IncidentKind.PART_STUCK, choices, 2, random.Random(seed))
        assert way is not None
        assert (way.choice, way.hands) == (Choice.TAKEN, (TAKE_PARTS,))


def test_nobody_says_that_a_part_was_taken_without_taking_it() -> None:
    for ladder in LADDERS.values():
        for way in (way for rung in ladder for way in rung if way.choice in (Choice.TAKEN, Choice.EMPTY)):
            assert TAKE_PARTS in way.hands


def test_an_incident_that_offers_something_else_is_a_mistake_in_the_program() -> None:
    with pytest.raises(ValueError, match="jam offers dance"):
        way_out(IncidentKind.JAM, ("dance",), 1, random.Random(0))
