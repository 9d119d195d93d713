"""The rig does only what the table of states allows, and the docs draw the same table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sorter.cycle import RUN_STATES, TRANSITIONS, NoSuchTransition, RigEvent
from sorter.cycle.states import after
from sorter.errors import CommandRefused
from sorter.types import RigState
from tests.unit.sorter.cycle.docs_tables import table_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("state", RigState)
@pytest.mark.parametrize("event", RigEvent)
def test_every_state_knows_what_follows_from_every_event_or_refuses_it(state: RigState, event: RigEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
        return
    with pytest.raises(NoSuchTransition) as refused:
        after(state, event)
    assert isinstance(refused.value, CommandRefused)
    assert str(state) in refused.value.message
    assert all(str(source) in refused.value.message for source, each in TRANSITIONS if each is event)
    assert refused.value.remedy


def test_the_docs_draw_the_same_table(checkout: Path) -> None:
    drawn = {
        (RigState(source), RigEvent(event)): RigState(target)
        for event, sources, target in table_of(checkout / "docs/cycle.md", "event")
        for source in sources.split(", ")
    }
    assert drawn == dict(TRANSITIONS)


def test_an_emergency_stop_is_possible_everywhere() -> None:
    assert {after(state, RigEvent.EMERGENCY_STOP) for state in RigState} == {RigState.ESTOPPED}


@pytest.mark.parametrize(("latched", "way_out"), [("fault", RigEvent.RECONNECT), ("estopped", RigEvent.RESET)])
def test_only_the_operator_leads_out_of_a_fault_and_a_stop(latched: str, way_out: RigEvent) -> None:
    ways = {
        event for (state, event), target in TRANSITIONS.items() if state == latched and target is not RigState(latched)
    }
    assert ways - {RigEvent.EMERGENCY_STOP} == {way_out}
    assert after(RigState(latched), way_out) is RigState.CONNECTING


def test_no_run_begins_without_homing_after_a_connection() -> None:
    """Every way from CONNECTING into a run leads through HOMING."""
    reached, new = set(), {RigState.CONNECTING}
    while new:
        reached |= new
        new = {
            target
            for (state, event), target in TRANSITIONS.items()
            if state in reached and RigState.HOMING not in (state, target) and event is not RigEvent.READY
        } - reached
    assert not reached & (RUN_STATES | {RigState.IDLE})


def test_every_state_but_capturing_can_be_reached_and_left() -> None:
    reached = {target for (state, _), target in TRANSITIONS.items() if target is not state}
    assert set(RigState) - reached == {RigState.CAPTURING}
    assert {state for (state, _), target in TRANSITIONS.items() if target is not state} == set(RigState)
