"""The demo's report: its numbers are those of the truth, its intervals are honest, its throughput adds up."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.app.intervals import clustered, wilson
from sorter.app.report import Circumstances, Report, make_report
from sorter.app.throughput import STAGES
from sorter.app.truth import FaultTruth, Truth
from sorter.cli.demo_report import report_text
from sorter.types import OutcomeKind
from tests.ledgers import BINS, CLASSES, PLAN, World


def circumstances(**changes: object) -> Circumstances:
    given_: dict[str, object] = {
        "parts": 10,
        "seed": 1,
        "speed": 10.0,
        "unknown_share": 0.0,
        "model": "tiny",
        "training_bricks": (),
        "photos": None,
        "views": None,
        "machine": {},
    }
    return Circumstances(**{**given_, **changes})  # type: ignore[arg-type]


def reported(world: World, *, started_s: float = 90.0, **changes: object) -> Report:
    truth = Truth(tuple(world.journeys))
    return make_report(truth, world.rows, PLAN, circumstances(**changes), incidents={}, started_s=started_s)


def test_the_tally_is_that_of_the_truth() -> None:
    world = World()
    world.push((1, "3001"), place="bin 3001", said="3001")
    world.push((2, "3002"), place="bin 3001", said="3001")
    world.push((3, "3003"), place="reject")
    world.push((4, None), place="bin 3002", said="3002")
    world.push((5, None), place="reject")
    world.push((6, "3001"), (7, "3001"), place="again")
    world.push((6, "3001"), place="bin 3001", said="3001")
    world.push((7, "3001"), place="beside", said_bin="bin 3001")
    report = reported(world)
    data = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert {key: data[key] for key in ("parts_fed", "known_fed", "unknown_fed", "sorted", "rejected")} == {
        "parts_fed": 7,
        "known_fed": 5,
        "unknown_fed": 2,
        "sorted": 4,
        "rejected": 1,
    }
    assert (data["misrouted"], data["unknown_accepted"], data["unknown_rejected"]) == (1, 1, 1)
    assert (data["recirculated"], data["lost"], data["double_counted"]) == (2, 1, 1)
    assert data["lost_parts"][0]["why"] == "fell beside the bins, and row 8 says bin 3001"
    assert not report.is_sound
    assert data["misrouted_interval"]["count"] == 1
    assert data["misrouted_interval"]["of"] == 3
    assert data["rejected_interval"]["of"] == 4
    assert data["purity"]["bin 3001"]["share"] == pytest.approx(2 / 3)
    assert data["purity"]["bin 3003"]["share"] is None
    assert data["confusion"]["3001"] == {"beside": 1, "bin 3001": 2}
    assert list(data["confusion"])[-1] == "unknown"
    assert [(each["part"], each["bin"], each["taken_for"]) for each in data["wrong"]] == [
        (2, "bin 3001", "3001"),
        (4, "bin 3002", "3002"),
    ]


@given(st.lists(st.tuples(st.sampled_from([*CLASSES, None]), st.sampled_from([*BINS, "beside", None])), max_size=30))
def test_every_part_stands_in_exactly_one_place_of_the_tally(parts: list[tuple[str | None, str | None]]) -> None:
    world = World()
    for number, (name, place) in enumerate(parts, start=1):
        world.push((number, name), place=place)
    data = reported(world).as_dict()
    places = ("sorted", "rejected", "unknown_rejected", "returned_to_hopper", "taken", "missing", "unseen", "astray")
    assert data["lost"] + sum(data[key] for key in places) == data["parts_fed"] == len(parts)
    assert sum(sum(row.values()) for row in data["confusion"].values()) == len(parts)
    json.dumps(data, allow_nan=False)


def test_what_faults_did_is_told_as_numbers_and_as_a_table_and_excuses_what_nobody_could_notice() -> None:
    world = World()
    world.push((1, "3001"), place="beside", said_bin="bin 3001")
    world.push((2, "3002"), place="bin 3002", said_bin=None, kind=OutcomeKind.LOST)
    full = FaultTruth(102.0, "bin-overflow", 1, {"bin": "bin 3001"})
    truth = Truth(tuple(world.journeys), faults=(full,))
    report = make_report(truth, world.rows, PLAN, circumstances(), incidents={"jam": 2}, started_s=90.0)
    data = report.as_dict()
    assert data["faults"] == {
        "bin-overflow": {
            "injected": 1,
            "found": 0,
            "recovered_by_rig": 0,
            "recovered_by_choice": 0,
            "wrong_bin": 1,
            "unnoticed": 1,
        }
    }
    assert (data["astray"], data["missing"], data["lost"], data["double_counted"]) == (1, 1, 0, 0)
    assert report.is_sound
    text = report_text(data)
    assert "bin-overflow         1       0" in text
    assert "bin-overflow: part 1: 3001 (up) fell beside the bins, and row 1 says bin 3001" in text
    assert "unexplained: part 2: 3002 (up) lies in bin 3002, and row 2 says lost" in text


def test_bricks_that_the_model_was_trained_on_are_named_so_that_nobody_believes_the_numbers() -> None:
    world = World()
    world.push((1, "3001"), place="bin 3001", brick="3001-red")
    world.push((2, "3001"), place="bin 3001", brick="3001-blue")
    report = reported(world, training_bricks=("3001-red", "3003-red"))
    assert report.as_dict()["bricks_seen_in_training"] == ["3001-red"]
    assert report.as_dict()["misrouted_interval"]["method"] == "bricks"


def test_throughput_is_that_of_the_rigs_own_clock_and_its_bound_that_of_mechanics() -> None:
    world = World()
    stage_s = {
        **dict.fromkeys(STAGES, 1.0),
        "feed": 25.0,
        **{f"bound.{stage}": 0.5 for stage in STAGES},
        "host": 2.0,
    }
    for number in (1, 2):
        world.push((number, "3001"), place="bin 3001", stage_s=stage_s)
    world.push((3, "3001"), place="again", stage_s=stage_s)
    report = reported(world)
    speed = report.throughput
    # Rows end at 105 and 115 s of the host, the run began at 90 s, and the rig lives ten times as fast.
    assert (speed.parts, speed.seconds) == (2, 250.0)
    assert speed.parts_per_minute == pytest.approx(60 * 2 / 250)
    # The row was opened at 99 s, 2.6 s after the feeder began: 25 s of feeding and 1 s of settling. The part dropped at
    # 97 s, 0.6 s after, and lay still at 98 s.
    assert speed.bound_s["feed"] == pytest.approx(6.0)
    assert speed.bound_s["settle"] == pytest.approx(0.5 + 10.0)
    assert speed.bound == pytest.approx(60 * 2 / (3 * (6.0 + 10.5 + 6 * 0.5)))
    assert speed.bound_share == pytest.approx(speed.parts_per_minute / speed.bound)  # type: ignore[operator]
    assert speed.host_share == pytest.approx(2.0 / 32.0)
    assert speed.stage_s["feed"] == 25.0


def test_a_run_without_a_part_has_a_report_too() -> None:
    data = reported(World()).as_dict()
    assert data["parts_fed"] == 0
    assert data["parts_per_minute"] is None
    assert data["bound_share"] is None
    json.dumps(data, allow_nan=False)


def test_the_interval_is_that_of_wilson() -> None:
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 29 of 29.
    for count, of, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        share = wilson(count, of)
        assert (round(share.low, 4), round(share.high, 4)) == (low, high)
    assert round(wilson(29, 29).low, 4) == 0.8830
    assert (wilson(0, 0).share, wilson(0, 0).low, wilson(0, 0).high) == (None, 0.0, 1.0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=60))
def test_an_interval_over_bricks_is_never_narrower_than_one_over_parts(parts: list[tuple[str, bool]]) -> None:
    share, plain = clustered(parts), wilson(sum(counts for _, counts in parts), len(parts))
    assert share.low <= plain.low <= plain.high <= share.high
    assert 0.0 <= share.low <= share.high <= 1.0


def test_parts_of_one_wrong_brick_say_less_than_wrong_parts_of_many() -> None:
    one_brick = [(f"brick {number}", number == 0) for number in range(10) for _ in range(20)]
    spread = [(f"brick {number}", part < 2) for number in range(10) for part in range(20)]
    assert clustered(one_brick).share == clustered(spread).share == pytest.approx(0.1)
    assert clustered(one_brick).high > clustered(spread).high
    assert math.isclose(clustered(one_brick).high, clustered(one_brick).high)


def test_a_part_that_lay_there_already_cost_the_mechanics_nothing() -> None:
    world = World()
    world.push((1, "3001"), place="bin 3001", stage_s={"feed": 1.0, "settle": 1.0})
    speed = reported(world).throughput
    # It dropped at 97 s and lay still at 98 s, and the feeder was not asked before 98.8 s.
    assert (speed.bound_s["feed"], speed.bound_s["settle"]) == (0.0, 0.0)
