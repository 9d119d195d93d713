"""The demo's operator: it does what a person would, ends when the hopper is empty in truth, never waits for ever."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sorter.app.attendant import Attendant
from sorter.app.errors import DemoStuck, TwinFailed
from sorter.app.ways_out import LADDERS, MOST_IN_A_ROW
from sorter.cycle.incidents import INCIDENTS, IncidentKind
from sorter.types import (
    BinId,
    BinStatus,
    Decision,
    Outcome,
    OutcomeKind,
    PartId,
    PartSummary,
    RejectReason,
    RigState,
    Snapshot,
)
from sorter.types.hands import HandAnswer, HandRequest
from tests.operators import ToldRig, incident, snapshot

EMPTY = incident(1, "hopper empty", "refilled")


def alive() -> None:
    """The twin's process is there."""


class Rig(ToldRig):
    """That can also be told that bins were emptied."""

    def empty_bins(self, names: list[BinId]) -> None:
        self._take("emptied", *names)

    def recount(self) -> None:
        self._take("recount")


class Hands:
    """Hands that write into the list of what the rig is told."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.lying: tuple[int, ...] = (7,)

    def do(self, request: HandRequest) -> HandAnswer:
        self._rig.told.append(" ".join([f"[{request.do}]", *(request.bins or ())]))
        return HandAnswer(request.do, 1.0, parts=self.lying if request.do == "take parts" else None)


class Attended:
    """An attendant at a rig that only remembers."""

    def __init__(self, folder: Path, *, seed: int = 0, makes_rounds: bool = False) -> None:
        self.rig = Rig()
        self.hands = Hands(self.rig)
        self.truth = folder / "truth.jsonl"
        self.attendant = Attendant(
            self.rig,
            self.truth,
            recirculate="again",
            speed=10.0,
            check_twin=alive,
            hands=self.hands,  # type: ignore[arg-type]
            makes_rounds=makes_rounds,
            seed=seed,
        )

    def is_empty(self) -> None:
        self.truth.write_text(json.dumps({"event": "empty", "at_s": 1.0}) + "\n")


@pytest.fixture
def attended(tmp_path: Path) -> Attended:
    return Attended(tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(s=time.monotonic())
    monkeypatch.setattr(time, "monotonic", lambda: now.s)
    return now


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


def test_a_hopper_that_only_seems_empty_is_fed_from_again_and_then_somebody_looks_for_parts(attended: Attended) -> None:
    attended.attendant.attend(snapshot(RigState.PAUSED, EMPTY))
    assert attended.rig.told == ["resolve 1 refilled"]
    attended.attendant.attend(snapshot(RigState.PAUSED, incident(2, "hopper empty", "refilled")))
    assert attended.rig.told[1:] == ["[take parts]", "[clear chute]", "resolve 2 refilled"]


def test_every_incident_is_counted_and_answered_once(attended: Attended) -> None:
    jam, lost = incident(2, "jam", "cleared"), incident(3, "part lost", "noted")
    for _ in range(2):
        attended.attendant.attend(snapshot(RigState.PAUSED, jam, lost))
    assert attended.rig.told == ["[clear chute]", "resolve 2 cleared", "resolve 3 noted"]
    assert attended.attendant.incidents == {"jam": 1, "part lost": 1}


def test_an_answer_that_had_no_effect_is_given_again_after_a_while(attended: Attended, clock: SimpleNamespace) -> None:
    lost = incident(3, "part lost", "noted")
    attended.attendant.attend(snapshot(RigState.RUNNING, lost))
    clock.s += 5.0
    attended.attendant.attend(snapshot(RigState.RUNNING, lost))
    assert attended.rig.told == ["resolve 3 noted"] * 2


@pytest.mark.parametrize("kind", [kind for kind in IncidentKind if INCIDENTS[kind].choices])
@pytest.mark.parametrize("seed", range(3))
def test_of_every_kind_of_incident_it_takes_a_documented_way_out(tmp_path: Path, kind: IncidentKind, seed: int) -> None:
    attended = Attended(tmp_path, seed=seed)
    choices = tuple(map(str, INCIDENTS[kind].choices))
    ways = []
    for number in range(1, len(LADDERS[kind]) + 1):
        attended.rig.told.clear()
        attended.attendant.attend(snapshot(RigState.PAUSED, incident(number, kind, *choices)))
        *hands, resolved = attended.rig.told
        ways.append((tuple(each.strip("[]") for each in hands), resolved.removeprefix(f"resolve {number} ")))
    for rung, way in zip(LADDERS[kind], ways, strict=True):
        assert way in [(each.hands, str(each.choice)) for each in rung]


@pytest.mark.parametrize("kind", [kind for kind in IncidentKind if INCIDENTS[kind].choices])
def test_what_comes_again_and_again_is_given_up_with_what_was_tried(tmp_path: Path, kind: IncidentKind) -> None:
    attended = Attended(tmp_path)
    choices = tuple(map(str, INCIDENTS[kind].choices))
    for number in range(1, MOST_IN_A_ROW + 1):
        attended.attendant.attend(snapshot(RigState.PAUSED, incident(number, kind, *choices)))
    with pytest.raises(DemoStuck, match=f"{kind} came 9 times .* Tried: .*{LADDERS[kind][-1][-1].choice}"):
        attended.attendant.attend(snapshot(RigState.PAUSED, incident(99, kind, *choices)))


def test_what_comes_often_while_parts_are_sorted_is_no_reason_to_give_up(attended: Attended) -> None:
    for number in range(1, 50):
        jam = incident(number, "jam", "cleared")
        assert not attended.attendant.attend(replace(snapshot(RigState.PAUSED, jam), recent_parts=(confirmed(number),)))
    assert attended.attendant.incidents == {"jam": 49}


def test_a_mistake_in_the_program_ends_the_demo(attended: Attended) -> None:
    with pytest.raises(DemoStuck, match="what happened at program error"):
        attended.attendant.attend(snapshot(RigState.FAULT, incident(4, "program error")))


def test_after_a_fault_it_homes_and_goes_on(attended: Attended) -> None:
    attend = attended.attendant.attend
    attend(snapshot(RigState.IDLE))
    fault = incident(5, "motor power cut", "reconnect")
    for now in (snapshot(RigState.FAULT, fault), snapshot(RigState.UNHOMED), snapshot(RigState.IDLE)):
        assert not attend(now)
    told = [each for each in attended.rig.told if each != "[take parts]"]
    assert told == ["start", "[restore power]", "resolve 5 reconnect", "home", "start"]


def test_it_homes_though_there_is_something_left_to_note(attended: Attended) -> None:
    noted = incident(6, "part lost", "noted")
    attended.attendant.attend(snapshot(RigState.UNHOMED, noted))
    attended.attendant.attend(snapshot(RigState.UNHOMED))
    assert attended.rig.told == ["resolve 6 noted", "home"]


def test_where_nothing_can_be_connected_somebody_looks_at_cable_camera_and_supply(
    attended: Attended, clock: SimpleNamespace
) -> None:
    for _ in range(7):
        attended.attendant.attend(snapshot(RigState.OFFLINE, reason="no answer"))
        clock.s += 1.0
    assert attended.rig.told == ["[plug in]", "[mend camera]", "[restore power]"] * 2


def test_a_rig_on_which_nothing_happens_is_given_up(attended: Attended, clock: SimpleNamespace) -> None:
    attended.attendant.attend(snapshot(RigState.HOMING))
    clock.s += 1000.0
    with pytest.raises(DemoStuck, match=r"nothing has happened for .* while the rig is homing"):
        attended.attendant.attend(snapshot(RigState.HOMING))


def test_where_a_part_is_said_to_lie_and_none_does_somebody_mends_the_light_and_wipes_the_lens(
    attended: Attended,
) -> None:
    attended.hands.lying = ()
    attended.attendant.attend(snapshot(RigState.PAUSED, incident(3, "part stuck", "taken")))
    assert attended.rig.told == ["[take parts]", "[mend light]", "[wipe lens]", "resolve 3 taken"]
    attended.rig.told.clear()
    for number in (4, 5):
        attended.attendant.attend(snapshot(RigState.PAUSED, incident(number, "part stuck", "push again", "taken")))
    told = [each for each in attended.rig.told if each.startswith("resolve")]
    assert told == ["resolve 4 push again", "resolve 5 taken"]


def confirmed(number: int) -> PartSummary:
    outcome = Outcome(OutcomeKind.CONFIRMED, BinId("a"))
    return PartSummary(PartId(number), Decision(None, RejectReason.UNSURE, None, 2), BinId("a"), outcome)


def filled(run_parts: int, *counts: int) -> Snapshot:
    bins = tuple(
        BinStatus(BinId(name), name, count, 10, {}, None)
        for name, count in zip(("a", "b", "again"), counts, strict=True)
    )
    return Snapshot(1, 0.0, RigState.RUNNING, bins=bins, recent_parts=(confirmed(run_parts),))


def test_where_things_go_wrong_somebody_empties_bins_and_wipes_the_lens_now_and_then(tmp_path: Path) -> None:
    attended = Attended(tmp_path, makes_rounds=True)
    for parts in range(1, 61):
        attended.attendant.attend(filled(parts, 3, 0, 2))
    assert attended.rig.told == ["[wipe lens]", "[empty bins]", "emptied a"]


def test_of_full_bins_those_are_emptied_that_are_full(tmp_path: Path) -> None:
    for seed in range(20):
        attended = Attended(tmp_path, seed=seed)
        full = filled(5, 9, 2, 0)
        asked = incident(3, "bin full", "emptied")
        attended.attendant.attend(Snapshot(1, 0.0, RigState.PAUSED, bins=full.bins, incidents=(asked,)))
        assert attended.rig.told == ["[empty bins] a", "resolve 3 emptied"]


def test_leaving_finishes_the_part_under_way(attended: Attended) -> None:
    attend, rig = attended.attendant.attend, attended.rig
    attended.attendant.leave()
    assert not attend(snapshot(RigState.RUNNING))
    assert not attend(snapshot(RigState.STOPPING))
    assert rig.told == ["stop"]
    assert attend(snapshot(RigState.IDLE))


def test_a_command_that_comes_too_late_is_tried_again(attended: Attended) -> None:
    attended.rig.refuses = {"home", "resolve"}
    noted = incident(6, "part lost", "noted")
    assert not attended.attendant.attend(snapshot(RigState.UNHOMED))
    assert not attended.attendant.attend(snapshot(RigState.RUNNING, noted))
    attended.rig.refuses = set()
    assert not attended.attendant.attend(snapshot(RigState.RUNNING, noted))
    assert not attended.attendant.attend(snapshot(RigState.UNHOMED))
    assert attended.rig.told == ["resolve 6 noted", "home"]


def test_a_twin_that_is_gone_ends_the_demo(tmp_path: Path) -> None:
    def gone() -> None:
        raise TwinFailed("ended in the middle (exit code 1)", "why")

    attendant = Attendant(Rig(), tmp_path / "truth", recirculate=None, speed=1.0, check_twin=gone)
    with pytest.raises(TwinFailed, match="why"):
        attendant.attend(snapshot(RigState.RUNNING))
