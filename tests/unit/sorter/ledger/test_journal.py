"""The journal: what a part's row says survives kills, torn lines and restarts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.ledger import Journal, JournalBusy, JournalRefused, JournalUnwritable, read_rows
from sorter.types import BinId, Decision, Outcome, OutcomeKind, PartColour, PartId, Prediction, RejectReason

RED = PartColour("Red", 4, 2.0, is_unsure=False)
SURE = Decision("3001", None, Prediction(("3001", "3002"), (0.9, 0.1)), 2, RED)
UNSURE = Decision(None, RejectReason.UNSURE, Prediction(("3001", "3002"), (0.4, 0.6)), 8)
UNSEEN = Decision(None, RejectReason.NOTHING_SEEN, None, 0)
CONFIRMED = Outcome(OutcomeKind.CONFIRMED, BinId("a"), {"feed": 0.5, "bound.feed": 0.25})

# A child that writes one part after the other and says which it has finished, until it is killed.
WRITER = """
import sys
from pathlib import Path
from tests.unit.sorter.ledger.test_journal import CONFIRMED, SURE
from sorter.ledger import Journal
from sorter.types import BinId
journal = Journal(Path(sys.argv[1]))
while True:
    part = journal.open_part()
    print("opened", part, flush=True)
    journal.intend(part, SURE, BinId("a"))
    print("intended", part, flush=True)
    journal.finish(part, CONFIRMED)
    print("finished", part, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.jsonl"


def recorded(journal: Journal, decision: Decision = SURE, outcome: Outcome = CONFIRMED) -> PartId:
    part = journal.open_part()
    journal.intend(part, decision, BinId("a"))
    journal.finish(part, outcome)
    return part


def test_a_row_says_what_the_part_was_taken_for_and_where_it_went(file: Path) -> None:
    with Journal(file) as journal:
        recorded(journal)
        recorded(journal, UNSURE)
        recorded(journal, UNSEEN, Outcome(OutcomeKind.LOST, None))
    first, second, third = read_rows(file)
    assert first.intended is not None
    assert first.finished is not None
    assert (first.intended.class_name, first.intended.probability, first.intended.colour) == ("3001", 0.9, "Red")
    assert (first.finished.bin, dict(first.finished.stage_s)) == ("a", {"feed": 0.5, "bound.feed": 0.25})
    assert first.opened.at_s <= first.intended.at_s <= first.finished.at_s
    assert first.opened.at.utcoffset() is not None
    assert second.intended is not None
    assert (second.intended.class_name, second.intended.likeliest, second.intended.views) == (None, "3002", 8)
    assert second.intended.reject_reason is RejectReason.UNSURE
    assert third.intended is not None
    assert (third.intended.likeliest, third.intended.probability) == (None, None)
    assert third.finished is not None
    assert (third.finished.kind, third.finished.bin) == (OutcomeKind.LOST, None)


def test_numbers_of_parts_go_on_after_a_restart(file: Path) -> None:
    for _ in range(3):
        with Journal(file) as journal:
            assert recorded(journal) == journal.first_part
    assert [row.part for row in read_rows(file)] == [1, 2, 3]


def test_a_part_that_was_pushed_twice_keeps_both_intentions(file: Path) -> None:
    with Journal(file) as journal:
        part = journal.open_part()
        journal.intend(part, SURE, BinId("a"))
        journal.intend(part, UNSURE, BinId("reject"))
        journal.finish(part, CONFIRMED)
    (row,) = read_rows(file)
    assert [each.bin for each in row.intentions] == ["a", "reject"]


def test_what_cannot_be_is_refused_and_not_written(file: Path) -> None:
    with Journal(file) as journal:
        part = recorded(journal)
        before = file.read_bytes()
        with pytest.raises(ValueError, match="part 1 is finished already"):
            journal.finish(part, CONFIRMED)
        with pytest.raises(ValueError, match="part 1 is finished already"):
            journal.intend(part, SURE, BinId("a"))
        for never in (PartId(2), PartId(0), PartId(-1)):
            with pytest.raises(ValueError, match=f"part {never} was never opened|greater than"):
                journal.finish(never, CONFIRMED)
        open_part = journal.open_part()
        with pytest.raises(ValueError, match="finite"):
            journal.finish(open_part, Outcome(OutcomeKind.CONFIRMED, BinId("a"), {"feed": float("nan")}))
        journal.finish(open_part, CONFIRMED)
    assert file.read_bytes().startswith(before)
    assert len(read_rows(file)) == 2


def test_parts_under_way_at_a_kill_are_finished_by_the_next_start_and_it_is_said(file: Path) -> None:
    with Journal(file) as journal:
        recorded(journal)
        looked_at, about_to_be_pushed = journal.open_part(), journal.open_part()
        journal.intend(about_to_be_pushed, SURE, BinId("a"))
    notes: list[str] = []
    with Journal(file, on_note=notes.append) as journal:
        assert recorded(journal) == 4
    kinds = {row.part: row.finished and (row.finished.kind, row.finished.bin) for row in read_rows(file)}
    assert kinds[looked_at] == (OutcomeKind.STUCK, None)
    assert kinds[about_to_be_pushed] == (OutcomeKind.UNRESOLVED, None)
    assert len(notes) == 2
    assert "part 3 was under way" in notes[1]
    assert "nobody knows whether it fell" in notes[1]
    with Journal(file, on_note=notes.append):
        assert len(notes) == 2


@given(cut=st.integers(min_value=0, max_value=2000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wherever_the_power_went_off_what_was_whole_is_kept(tmp_path: Path, cut: int) -> None:
    file = tmp_path / f"cut-{cut}.jsonl"
    file.unlink(missing_ok=True)
    with Journal(file) as journal:
        recorded(journal)
        recorded(journal, UNSURE)
    whole = file.read_bytes()
    cut = min(cut, len(whole))
    file.write_bytes(whole[:cut])
    kept = whole[:cut].count(b"\n")
    notes: list[str] = []
    with Journal(file, on_note=notes.append) as journal:
        recorded(journal)
    assert file.read_bytes().startswith(b"".join(whole.splitlines(keepends=True)[:kept]))
    assert all(row.finished is not None for row in read_rows(file))
    is_torn = not whole[:cut].endswith(b"\n") and cut > 0
    assert any("torn off" in each for each in notes) == is_torn


def test_a_torn_line_is_passed_by_by_whoever_only_reads(file: Path) -> None:
    with Journal(file) as journal:
        recorded(journal)
    with file.open("ab") as lines:
        lines.write(b'{"line":"opened","pa')
    assert len(read_rows(file)) == 1


def test_zeros_that_a_loss_of_power_left_at_the_end_are_dropped(file: Path) -> None:
    with Journal(file) as journal:
        recorded(journal)
    with file.open("ab") as lines:
        lines.write(b"\0" * 100)
    notes: list[str] = []
    with Journal(file, on_note=notes.append) as journal:
        assert recorded(journal) == 2
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nothing of ours\n", "Invalid JSON"),
        (b'{"line":"opened","part":1,"at_s":1.0,"at":"2026-01-01T00:00:00Z"}\n', "part 1 was opened already"),
        (b'{"line":"opened","part":1,"at_s":1.0}\n', "opened.at: Field required"),
    ],
)
def test_a_line_in_the_middle_that_is_not_ours_stops_the_rig_and_is_named(file: Path, line: bytes, reason: str) -> None:
    with Journal(file) as journal:
        recorded(journal)
        recorded(journal)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:2], line, *lines[2:]]))
    before = file.read_bytes()
    with pytest.raises(JournalRefused, match=f"line 3: .*{reason}"):
        Journal(file)
    with pytest.raises(JournalRefused, match="line 3"):
        read_rows(file)
    assert file.read_bytes() == before


def test_two_rigs_never_write_into_one_journal(file: Path) -> None:
    with Journal(file), pytest.raises(JournalBusy, match="is written by another program"):
        Journal(file)
    Journal(file).close()


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(JournalUnwritable, match="cannot be written"):
        Journal(tmp_path / "state" / "journal.jsonl")


def test_after_a_full_disk_nothing_more_is_written_until_a_new_start(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(file) as journal:
        recorded(journal)
        really_write = os.write

        def write(descriptor: int, line: bytes) -> int:
            if len(line) < 80:
                raise OSError(28, "No space left on device")
            return really_write(descriptor, line[:20])

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", write)
            with pytest.raises(JournalUnwritable, match="No space left"):
                journal.open_part()
        with pytest.raises(JournalUnwritable, match="No space left"):
            journal.open_part()
    with Journal(file) as journal:
        assert recorded(journal) == 2


def test_no_part_that_was_said_to_be_recorded_is_missing_after_kill_9(file: Path, checkout: Path) -> None:
    file.parent.mkdir()
    command = [sys.executable, "-c", WRITER, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=checkout) as child:
        assert child.stdout is not None
        said = [child.stdout.readline().split() for _ in range(40)]
        child.send_signal(signal.SIGKILL)
        said += [line.split() for line in child.stdout if line.endswith("\n")]
    told: dict[str, list[int]] = {}
    for what, part in said:
        told.setdefault(what, []).append(int(part))
    rows = {row.part: row for row in read_rows(file)}
    assert set(told["opened"]) <= set(rows)
    assert all(rows[part].intended is not None for part in told["intended"])
    assert all(rows[part].finished is not None for part in told["finished"])
    with Journal(file) as journal:
        assert journal.first_part > max(told["opened"])
    rows = {row.part: row for row in read_rows(file)}
    assert all(row.finished is not None for row in rows.values())
    assert list(rows) == list(range(1, len(rows) + 1))


def test_the_journal_is_plain_lines_that_other_programs_can_read(file: Path) -> None:
    with Journal(file) as journal:
        recorded(journal)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["line"] for line in lines] == ["opened", "intended", "finished"]
    assert {line["part"] for line in lines} == {1}
