"""What the twin wrote down, read back: nothing is overlooked, and nothing that cannot be is believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sorter.app.errors import TruthRefused
from sorter.app.truth import FaultTruth, HandTruth, Truth, read_truth


def dropped(part: int, at_s: float, **changes: Any) -> dict[str, Any]:
    event = {"event": "dropped", "at_s": at_s, "part": part, "design": "3001", "class": "3001", "brick": None}
    return {**event, "pose": "up", "is_again": False, **changes}


def written(file: Path, *events: dict[str, Any]) -> Truth:
    file.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return read_truth(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "truth.jsonl"


def test_each_time_that_a_part_is_fed_is_a_journey_of_its_own(file: Path) -> None:
    truth = written(
        file,
        dropped(1, 1.0, brick="3001-red"),
        dropped(2, 1.1, design="3622", **{"class": None}),
        {"event": "landed", "at_s": 1.5, "part": 1},
        {"event": "pushed", "at_s": 2.0, "part": 1},
        {"event": "pushed", "at_s": 2.5, "part": 1},
        {"event": "fell", "at_s": 3.0, "part": 1, "place": "again"},
        {"event": "collision", "at_s": 3.5, "text": "the chute moved"},
        dropped(1, 4.0, is_again=True),
    )
    first, second, third = truth.journeys
    assert (first.part, first.brick, first.landed_s, first.pushed_s) == (1, "3001-red", 1.5, (2.0, 2.5))
    assert (first.fell_s, first.place) == (3.0, "again")
    assert (second.part, second.class_name, second.place) == (2, None, None)
    assert (third.part, third.is_again, third.pushed_s, third.place) == (1, True, (), None)
    assert truth.collisions == ("the chute moved",)


def test_faults_and_hands_are_read_with_their_details(file: Path) -> None:
    truth = written(
        file,
        dropped(1, 1.0),
        {"event": "fault", "at_s": 1.2, "name": "jam", "part": 1},
        {"event": "fault", "at_s": 1.3, "name": "light-fails", "part": None, "light": 0.05},
        {"event": "hand", "at_s": 2.0, "do": "clear chute", "parts": [1]},
        {"event": "fell", "at_s": 2.0, "part": 1, "place": "hand"},
        {"event": "hand", "at_s": 3.0, "do": "empty bins", "bins": ["red"]},
    )
    assert truth.faults == (FaultTruth(1.2, "jam", 1), FaultTruth(1.3, "light-fails", None, {"light": 0.05}))
    assert truth.hands == (
        HandTruth(2.0, "clear chute", (1,)),
        HandTruth(3.0, "empty bins", (), {"bins": ["red"]}),
    )
    assert truth.journeys[0].place == "hand"
    with pytest.raises(TruthRefused, match="line 1: has no 'name'"):
        written(file, {"event": "fault", "at_s": 1.0, "part": 1})


def test_the_hopper_is_over_only_when_nothing_went_back_into_it(file: Path) -> None:
    events = [dropped(1, 1.0), {"event": "empty", "at_s": 2.0}]
    assert not written(file, *events[:1]).is_over("again")
    assert written(file, *events).is_over("again")
    events.append({"event": "fell", "at_s": 3.0, "part": 1, "place": "again"})
    assert not written(file, *events).is_over("again")
    assert written(file, *events).is_over("other bin")
    events.append(dropped(1, 4.0, is_again=True))
    assert not written(file, *events).is_over("other bin")
    events.append({"event": "empty", "at_s": 4.0})
    assert written(file, *events).is_over("again")


def test_a_line_that_is_still_being_written_is_passed_by(file: Path) -> None:
    written(file, dropped(1, 1.0))
    with file.open("a", encoding="utf-8") as lines:
        lines.write('{"event":"land')
    assert len(read_truth(file).journeys) == 1


def test_a_twin_that_has_written_nothing_yet_has_fed_nothing(file: Path) -> None:
    assert read_truth(file) == Truth()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[]", "list indices"),
        ('{"event":"exploded","at_s":1.0}', "knows no event 'exploded'"),
        ('{"event":"landed","at_s":1.0,"part":7}', "tells of a part that is not there"),
        ('{"event":"dropped","at_s":1.0,"part":7}', "has no 'design'"),
        ("nothing", "Expecting value"),
    ],
)
def test_a_line_that_the_twin_cannot_have_meant_is_named(file: Path, line: str, reason: str) -> None:
    file.write_text(json.dumps(dropped(1, 1.0)) + f"\n{line}\n", encoding="utf-8")
    with pytest.raises(TruthRefused, match=f"line 2: .*{reason}"):
        read_truth(file)
