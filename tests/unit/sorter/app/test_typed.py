"""What an operator types does what it says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from sorter.app.typed import Typed, incident_text, plan_text, status
from sorter.types import AxisStatus, BinId, RigState, Snapshot, SortPlan, SortRule
from tests.operators import ToldRig, incident, snapshot

PLAN = SortPlan("mine", (SortRule(BinId("a"), ("3001",), min_probability=0.9),), BinId("r"), recirculate=BinId("again"))
STUCK = incident(7, "part stuck", "taken", "push again")
ALSO_STUCK = incident(9, "part stuck", "taken", "push again")
IDLE = snapshot(RigState.IDLE)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("start", "start"),
        ("  PAUSE ", "pause"),
        ("resume", "resume"),
        ("stop", "stop"),
        ("estop", "emergency stop"),
        ("!", "emergency stop"),
        ("home", "home"),
        ("home Turntable", "home turntable"),
        ("jog chute -15.5", "jog chute -15.5"),
    ],
)
def test_each_command_reaches_the_rig(line: str, told: str) -> None:
    rig = ToldRig()
    assert Typed(rig, PLAN).do(line, IDLE)
    assert rig.told == [told]


@pytest.mark.parametrize(
    "line",
    [
        *("", "   ", "start now", "stop it", "jog", "jog chute", "jog chute far", "jog chute nan", "jog chute 1 2"),
        *("home turntable chute", "quit now", "taken", "plan /nowhere/rig.toml", "status", "help", "plan", "hm"),
    ],
)
def test_what_is_not_meant_for_the_rig_does_not_reach_it(line: str) -> None:
    rig = ToldRig()
    typed = Typed(rig, PLAN)
    said = typed.do(line, IDLE)
    assert rig.told == []
    assert not typed.wants_to_quit
    assert bool(said) == bool(line.strip())


def test_a_way_out_resolves_the_oldest_incident_that_has_it_or_the_one_that_is_named() -> None:
    rig = ToldRig()
    typed, now = Typed(rig, PLAN), snapshot(RigState.PAUSED, STUCK, ALSO_STUCK)
    typed.do("taken", now)
    typed.do("Push  again 9", now)
    typed.do("taken 8", now)
    assert rig.told == ["resolve 7 taken", "resolve 9 push again"]
    assert "push again, taken" in typed.do("take", now)


def test_what_the_rig_refuses_is_said_and_nothing_ends() -> None:
    rig = ToldRig()
    rig.refuses = {"start"}
    assert Typed(rig, PLAN).do("start", IDLE) == "refused: start is not possible now Wait."


def test_quit_is_for_whoever_runs_the_session() -> None:
    typed = Typed(ToldRig(), PLAN)
    assert typed.do("quit", IDLE)
    assert typed.wants_to_quit


def test_a_plan_is_taken_from_another_rig_toml(tmp_path: Path) -> None:
    file = tmp_path / "other rig.toml"
    file.write_text(
        '[chute]\nkind = "motor"\n[[bins]]\nid = "b"\nchute_deg = 10.0\n[sort]\nname = "other"\nreject = "b"\n'
    )
    rig = ToldRig()
    typed = Typed(rig, PLAN)
    assert 'plan "other"' in typed.do(f"plan {file}", IDLE)
    assert rig.told == ["plan other"]
    assert 'plan "other"' in typed.do("plan", IDLE)


def test_status_and_plan_say_what_a_person_wants_to_know() -> None:
    axes = (AxisStatus("turntable", 45.0, is_homed=True), AxisStatus("chute", 0.0, is_homed=False))
    now = Snapshot(1, 0.0, RigState.FAULT, "the board is silent", axes=axes, incidents=(STUCK,))
    assert status(now).splitlines() == [
        "fault: the board is silent",
        "turntable 45.0 deg",
        "chute not homed",
        "incident 7, part stuck: what happened at part stuck → taken, push again",
    ]
    assert "12 parts" in status(snapshot(RigState.IDLE, parts=12))
    assert incident_text(incident(1, "program error")).endswith("program error")
    assert plan_text(PLAN).splitlines() == ['plan "mine"', "  a: 3001 from 90%", "  r: reject", "  again: recirculate"]
