"""What the rig writes down stands there afterwards, whole, and through ends of the program of every kind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sorter.ledger import LEDGER_FILE, Ledger, PartRow, open_reader
from sorter.ledger.pictures import PictureFolder
from sorter.types import (
    BinId,
    IncidentId,
    LocationKind,
    Outcome,
    OutcomeKind,
    PartId,
    RejectReason,
    SortPlan,
)
from tests.unit.sorter.ledger.kept import (
    IN_A,
    LOST,
    OTHER,
    PLAN,
    REST,
    SURE,
    UNSEEN,
    UNSURE,
    A,
    B,
    confirmed,
    recorded,
    seen,
)

# A child that writes one part after the other and says what it has done, until it is killed.
WRITER = """
import sys
from pathlib import Path
from sorter.ledger import Ledger
from tests.unit.sorter.ledger.kept import IN_A, PLAN, SURE, A
ledger = Ledger(Path(sys.argv[1]))
ledger.begin_run(PLAN, "tiny")
while True:
    part = ledger.open_part()
    print("opened", part, flush=True)
    ledger.intend(part, SURE, A)
    print("intended", part, flush=True)
    ledger.finish(part, IN_A)
    print("finished", part, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / LEDGER_FILE


def rows(file: Path) -> list[PartRow]:
    with open_reader(file) as reader:
        return list(reader.all_parts())


def test_a_row_says_what_the_part_was_taken_for_and_where_it_went(file: Path) -> None:
    with Ledger(file) as ledger:
        run = ledger.begin_run(PLAN, "tiny")
        recorded(ledger)
        recorded(ledger, UNSURE, confirmed(REST))
        recorded(ledger, UNSEEN, LOST)
    first, second, third = rows(file)
    assert (first.run, first.model, first.plan) == (run, "tiny", 1)
    assert (first.class_name, first.decided_class, first.likeliest, first.probability) == ("3001", "3001", "3001", 0.9)
    assert (first.runner_up, first.runner_up_probability, first.sureness) == ("3002", 0.07, 0.9)
    assert first.posterior == {"3001": 0.9, "3002": 0.07, "3003": 0.03}
    assert (first.colour, first.colour_code, first.is_colour_unsure, first.novelty) == ("Red", 4, False, 0.25)
    assert (first.intended_bin, first.chute_deg, first.view_count) == (A, 10.0, 2)
    assert (first.outcome, first.bin, dict(first.stage_s)) == (
        OutcomeKind.CONFIRMED,
        A,
        {"feed": 0.5, "bound.feed": 0.25},
    )
    assert first.intended_at_s is not None
    assert first.finished_at_s is not None
    assert first.opened_at_s <= first.intended_at_s <= first.finished_at_s
    assert first.opened_at.utcoffset() is not None
    assert (second.class_name, second.likeliest, second.reject_reason) == (None, "3003", RejectReason.UNSURE)
    assert (third.likeliest, third.probability, third.posterior, third.colour) == (None, None, {}, None)
    assert (third.outcome, third.bin, third.reject_reason) == (OutcomeKind.LOST, None, RejectReason.NOTHING_SEEN)


def test_numbers_of_parts_runs_and_incidents_go_on_after_a_restart(file: Path) -> None:
    for number in (1, 2, 3):
        with Ledger(file) as ledger:
            assert ledger.begin_run(PLAN, "tiny") == number
            assert recorded(ledger) == ledger.first_part == number
            assert ledger.open_incident("jam", "look", ()) == number


def test_a_part_that_is_pushed_again_keeps_its_first_time_and_its_last_bin(file: Path) -> None:
    with Ledger(file) as ledger:
        part = ledger.open_part()
        ledger.intend(part, SURE, A)
        with open_reader(file) as reader:
            (before,) = reader.parts().rows
        ledger.intend(part, UNSURE, REST)
        ledger.finish(part, confirmed(REST))
    (row,) = rows(file)
    assert (row.intentions, row.intended_bin, row.class_name) == (2, REST, None)
    assert (row.intended_at, row.intended_at_s) == (before.intended_at, before.intended_at_s)


def test_views_and_the_pictures_names_belong_to_the_part(file: Path, tmp_path: Path) -> None:
    with PictureFolder(tmp_path / "pictures", 10_000_000) as pictures, Ledger(file, pictures=pictures) as ledger:
        ledger.begin_run(PLAN, "tiny")
        part = ledger.open_part()
        ledger.intend(part, SURE, A, views=[seen(0.0), seen(45.0, is_part=False), seen(90.0)])
        ledger.finish(part, IN_A)
        incident = ledger.open_incident("part lost", "look", ["noted"], part=part, picture=seen(0.0).frame)
    with open_reader(file) as reader, PictureFolder(tmp_path / "pictures", 10_000_000) as pictures:
        details = reader.part(part)
        assert details is not None
        assert [view.angle_deg for view in details.views] == [0.0, 45.0, 90.0]
        assert [view.location for view in details.views] == [LocationKind.ONE, LocationKind.EMPTY, LocationKind.ONE]
        assert [view.likeliest for view in details.views] == ["3001", None, "3001"]
        assert details.views[0].sharpness == 0.8
        assert details.pictures == ("parts/1/1-0.jpg", "parts/1/1-2.jpg", "parts/1/1-frame.jpg")
        assert details.incidents == (incident,)
        (row,) = reader.incidents().rows
        assert row.picture == "incidents/1.jpg"
        assert all(pictures.path(name) is not None for name in (*details.pictures, row.picture))


def test_parts_of_doubtful_class_keep_their_pictures_longest(file: Path, tmp_path: Path) -> None:
    with PictureFolder(tmp_path / "pictures", 10_000_000) as pictures, Ledger(file, pictures=pictures) as ledger:
        for decision in (SURE, OTHER, UNSURE):
            part = ledger.open_part()
            ledger.intend(part, decision, A, views=[seen(0.0)])
    kept = {path.name: path.parts[-4] for path in (tmp_path / "pictures").rglob("*-0.jpg")}
    assert kept == {"1-0.jpg": "ordinary", "2-0.jpg": "uncertain", "3-0.jpg": "uncertain"}


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome(OutcomeKind.CONFIRMED, A, {"feed": float("nan")}), "seconds are finite"),
        (Outcome(OutcomeKind.CONFIRMED, None), "is not in bin None"),
        (Outcome(OutcomeKind.CONFIRMED, BinId("")), "is not in bin ''"),
        (Outcome(OutcomeKind.LOST, A), "is not in bin 'a'"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused_and_the_part_stays_under_way(
    file: Path, outcome: Outcome, told: str
) -> None:
    with Ledger(file) as ledger:
        part = ledger.open_part()
        with pytest.raises(ValueError, match=told):
            ledger.finish(part, outcome)
        assert rows(file)[0].outcome is None
        ledger.finish(part, IN_A)
        with pytest.raises(ValueError, match="part 1 is finished already"):
            ledger.finish(part, IN_A)
        with pytest.raises(ValueError, match="part 1 is finished already"):
            ledger.intend(part, SURE, A)
        with pytest.raises(ValueError, match="part 2 was never opened"):
            ledger.finish(PartId(2), IN_A)
        assert ledger.contents()[A].class_counts == {"rejected": 1}


def test_an_intention_that_cannot_be_is_refused(file: Path) -> None:
    with Ledger(file) as ledger:
        part = ledger.open_part()
        with pytest.raises(ValueError, match="without a name"):
            ledger.intend(part, SURE, BinId(""))
        with pytest.raises(ValueError, match="stands at an angle"):
            ledger.intend(part, SURE, A, chute_deg=float("inf"))
        assert rows(file)[0].intended_bin is None


def test_parts_runs_and_incidents_under_way_at_a_kill_are_ended_by_the_next_start_and_it_is_said(file: Path) -> None:
    with Ledger(file) as ledger:
        ledger.begin_run(PLAN, "tiny")
        recorded(ledger)
        looked_at, about_to_be_pushed = ledger.open_part(), ledger.open_part()
        ledger.intend(about_to_be_pushed, SURE, A)
        ledger.open_incident("jam", "look", ["cleared"], part=about_to_be_pushed)
        with open_reader(file) as reader:
            intended_at = reader.parts().rows[0].intended_at
    notes: list[str] = []
    with Ledger(file, on_note=notes.append) as ledger:
        assert recorded(ledger) == 4
    kinds = {row.part: (row.outcome, row.bin) for row in rows(file)}
    assert kinds[looked_at] == (OutcomeKind.STUCK, None)
    assert kinds[about_to_be_pushed] == (OutcomeKind.UNRESOLVED, None)
    assert len(notes) == 3
    assert "part 3 was under way" in notes[1]
    assert "nobody knows whether it fell" in notes[1]
    assert "run 1 was under way" in notes[2]
    with open_reader(file) as reader:
        (run,) = reader.runs().rows
        assert run.was_interrupted
        assert run.ended_at == intended_at  # the last thing that was written of it
        assert (run.totals.parts, run.totals.unresolved, run.totals.stuck) == (3, 1, 1)
        (incident,) = reader.incidents().rows
        assert (incident.closed_at is not None, incident.choice) == (True, None)
    with Ledger(file, on_note=notes.append):
        assert len(notes) == 3


def test_a_run_keeps_the_plans_and_models_that_it_sorted_by(file: Path) -> None:
    other = SortPlan("other", (), reject=REST, overflow=B)
    with Ledger(file) as ledger:
        ledger.use_plan(other)  # outside a run: the next one brings its own
        ledger.begin_run(PLAN, "tiny")
        first = recorded(ledger)
        ledger.use_plan(other)
        ledger.use_model("huge")
        second = recorded(ledger)
        ledger.begin_run(PLAN, "tiny")
        third = recorded(ledger)
        ledger.end_run()
        ledger.end_run()
        outside = recorded(ledger)
    with open_reader(file) as reader:
        plans = {row.plan: row.sort_plan for row in reader.plans().rows}
        made = {row.part: (row.run, row.model, row.plan and plans[row.plan]) for row in reader.all_parts()}
        assert made == {
            first: (1, "tiny", PLAN),
            second: (1, "huge", other),
            third: (2, "tiny", PLAN),
            outside: (None, None, None),
        }
        assert sorted(plans) == [1, 2]
        newest, oldest = reader.runs().rows
        assert (oldest.model, oldest.plan_name, oldest.was_interrupted) == ("huge", "other", False)
        assert newest.ended_at is not None


def test_incidents_tell_how_often_they_happened_and_how_they_ended(file: Path) -> None:
    with Ledger(file) as ledger:
        jam = ledger.open_incident("jam", "It jammed.", ["cleared", "give up"])
        ledger.update_incident(jam, "It jammed again.")
        light = ledger.open_incident("light changed", "Darker.", [])
        ledger.close_incident(jam, "cleared")
        ledger.close_incident(jam, "give up")
        with pytest.raises(ValueError, match="is over"):
            ledger.update_incident(jam, "once more")
        with pytest.raises(ValueError, match="there is no incident 9"):
            ledger.close_incident(IncidentId(9), None)
        with open_reader(file) as reader:
            newest, oldest = reader.incidents().rows
            assert (oldest.times, oldest.message, oldest.choice) == (2, "It jammed again.", "cleared")
            assert oldest.choices == ("cleared", "give up")
            assert (newest.incident, newest.closed_at) == (light, None)
            assert [row.incident for row in reader.incidents(is_open=True).rows] == [light]
            assert [row.incident for row in reader.incidents(kind="jam").rows] == [jam]


def test_a_ledger_that_was_closed_says_so(file: Path) -> None:
    ledger = Ledger(file)
    ledger.close()
    ledger.close()
    with pytest.raises(ValueError, match="was closed"):
        ledger.open_part()


def test_threads_that_write_at_once_lose_nothing(file: Path) -> None:
    with Ledger(file) as ledger:

        def write() -> None:
            for _ in range(10):
                recorded(ledger)

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.contents()[A].class_counts == {"3001": 40}
    assert [row.part for row in rows(file)] == list(range(1, 41))


def killed(file: Path, checkout: Path, lines: int) -> dict[str, list[int]]:
    """What a child said before it was killed after so many lines."""
    command = [sys.executable, "-c", WRITER, str(file)]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=checkout, env=environment) as child:
        assert child.stdout is not None
        said = [child.stdout.readline().split() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        said += [line.split() for line in child.stdout if line.endswith("\n")]
    told: dict[str, list[int]] = {"opened": [], "intended": [], "finished": []}
    for what, part in said:
        told[what].append(int(part))
    return told


def check_after_kill(file: Path, told: dict[str, list[int]]) -> None:
    there = {row.part: row for row in rows(file)}
    assert set(told["opened"]) <= set(there)
    assert all(there[part].intentions for part in told["intended"])
    assert all(there[part].outcome is OutcomeKind.CONFIRMED for part in told["finished"])
    with Ledger(file) as ledger:
        assert ledger.first_part == len(there) + 1
        there = {row.part: row for row in rows(file)}
        assert all(row.outcome is not None for row in there.values())
        assert list(there) == list(range(1, len(there) + 1))
        confirmed_parts = sum(row.outcome is OutcomeKind.CONFIRMED for row in there.values())
        assert ledger.contents()[A].class_counts == {"3001": confirmed_parts}


def test_no_part_that_was_said_to_be_recorded_is_missing_after_kill_9(file: Path, checkout: Path) -> None:
    chance = random.Random(1)
    for _ in range(2):
        check_after_kill(file, killed(file, checkout, chance.randrange(3, 60)))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_at_most_one_row_a_kill_is_left_open_by_fifty_kills(file: Path, checkout: Path) -> None:
    chance = random.Random(2)
    for kills in range(1, 51):
        check_after_kill(file, killed(file, checkout, chance.randrange(3, 40)))
        unsure = [row for row in rows(file) if row.outcome in (OutcomeKind.UNRESOLVED, OutcomeKind.STUCK)]
        assert len(unsure) <= kills
