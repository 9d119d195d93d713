"""The demo's operator: it does what a person would, ends when the hopper is empty in truth, never waits for ever."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from sorter.app.attendant import Attendant
from sorter.app.errors import DemoStuck, TwinFailed
from sorter.types import RigState
from tests.operators import ToldRig, incident, snapshot

EMPTY = incident(1, "hopper empty", "refilled")


def alive() -> None:
    """The twin's process is there."""


class Attended:
    """An attendant at a rig that only remembers."""

    def __init__(self, folder: Path) -> None:
        self.rig = ToldRig()
        self.truth = folder / "truth.jsonl"
        self.attendant = Attendant(self.rig, self.truth, recirculate="again", speed=10.0, check_twin=alive)

    def is_empty(self) -> None:
        self.truth.write_text(json.dumps({"event": "empty", "at_s": 1.0}) + "\n")


@pytest.fixture
def attended(tmp_path: Path) -> Attended:
    return Attended(tmp_path)


def test_it_homes_starts_and_ends_once_the_hopper_is_empty_in_truth(attended: Attended) -> None:
    attend, rig = attended.attendant.attend, attended.rig
    for state in (RigState.OFFLINE, RigState.CONNECTING, RigState.UNHOMED, RigState.HOMING, RigState.IDLE):
        assert not attend(snapshot(state))
    assert rig.told == ["home", "start"]
    assert attended.attendant.started_s == pytest.approx(time.monotonic(), abs=5.0)
    assert not attend(snapshot(RigState.RUNNING, parts=1))
    attended.is_empty()
    assert not attend(snapshot(RigState.PAUSED, EMPTY))
    assert not attend(snapshot(RigState.PAUSED, EMPTY))
    assert rig.told == ["home", "start", "stop"]
    assert not attend(snapshot(RigState.STOPPING))
    assert attend(snapshot(RigState.IDLE))
    assert attended.attendant.incidents == {"hopper empty": 1}


def test_a_hopper_that_only_seems_empty_is_fed_from_again(attended: Attended) -> None:
    assert not attended.attendant.attend(snapshot(RigState.PAUSED, EMPTY))
    assert attended.rig.told == ["resolve 1 refilled"]


def test_every_incident_is_counted_once_and_left_by_its_first_way_out(attended: Attended) -> None:
    stuck, lost = incident(2, "part stuck", "taken", "push again"), incident(3, "part lost", "noted")
    for _ in range(2):
        attended.attendant.attend(snapshot(RigState.PAUSED, stuck, lost, incident(4, "program error")))
    assert attended.rig.told == ["resolve 2 taken", "resolve 3 noted"] * 2
    assert attended.attendant.incidents == {"part stuck": 1, "part lost": 1, "program error": 1}


def test_after_a_fault_it_homes_and_goes_on(attended: Attended) -> None:
    attend = attended.attendant.attend
    attend(snapshot(RigState.IDLE))
    fault = incident(5, "camera lost", "reconnect")
    for now in (snapshot(RigState.FAULT, fault), snapshot(RigState.UNHOMED), snapshot(RigState.IDLE)):
        assert not attend(now)
    assert attended.rig.told == ["start", "resolve 5 reconnect", "home", "start"]


def test_a_rig_that_fails_again_and_again_is_given_up(attended: Attended) -> None:
    def fail() -> None:
        for number in range(100):
            attended.attendant.attend(snapshot(RigState.FAULT, incident(number, "board lost", "reconnect")))

    with pytest.raises(DemoStuck, match="failed more than"):
        fail()


def test_a_rig_on_which_nothing_happens_is_given_up(attended: Attended, monkeypatch: pytest.MonkeyPatch) -> None:
    attended.attendant.attend(snapshot(RigState.HOMING))
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s + 1000.0)
    with pytest.raises(DemoStuck, match=r"nothing has happened for .* while the rig is homing"):
        attended.attendant.attend(snapshot(RigState.HOMING))


def test_leaving_finishes_the_part_under_way(attended: Attended) -> None:
    attend, rig = attended.attendant.attend, attended.rig
    attended.attendant.leave()
    assert not attend(snapshot(RigState.RUNNING))
    assert not attend(snapshot(RigState.STOPPING))
    assert rig.told == ["stop"]
    assert attend(snapshot(RigState.IDLE))


def test_a_command_that_comes_too_late_is_tried_again(attended: Attended) -> None:
    attended.rig.refuses = {"home"}
    assert not attended.attendant.attend(snapshot(RigState.UNHOMED))
    attended.rig.refuses = set()
    assert not attended.attendant.attend(snapshot(RigState.UNHOMED))
    assert attended.rig.told == ["home"]


def test_a_twin_that_is_gone_ends_the_demo(tmp_path: Path) -> None:
    def gone() -> None:
        raise TwinFailed("ended in the middle (exit code 1)", "why")

    attendant = Attendant(ToldRig(), tmp_path / "truth", recirculate=None, speed=1.0, check_twin=gone)
    with pytest.raises(TwinFailed, match="why"):
        attendant.attend(snapshot(RigState.RUNNING))
