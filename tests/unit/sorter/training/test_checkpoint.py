"""What a network has learnt so far: after anything, kill -9 included, it is there, or it is said that it is not."""

from __future__ import annotations

import csv
import errno
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.training import checkpoint
from sorter.training.arrays import write_arrays
from sorter.training.checkpoint import BEST, LAST, SUMMARY, Progress, Row, load, read, save, save_best
from sorter.training.errors import RunRefused

STATE: dict[str, Any] = {"model/0": np.arange(6, dtype=np.float32).reshape(2, 3), "taken": np.asarray(np.float32(2.0))}
FIRST = Row(1, 1, 1e-3, 1.5, 0.25, 1.75, 0.125, 12.5)
SECOND = Row(2, 1, 5e-4, 0.123456789, 1.0, None, None, 3.0)
numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 10**9)
rows = st.builds(Row, counts, counts, numbers, numbers, numbers, st.none() | numbers, st.none() | numbers, numbers)
progresses = st.builds(
    Progress, counts, counts, numbers, numbers, counts, numbers, st.lists(rows, max_size=3).map(tuple), counts,
    st.booleans(),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(progresses)
def test_a_network_goes_on_exactly_where_it_stood(tmp_path: Path, progress: Progress) -> None:
    save(tmp_path, progress, STATE)
    found = load(tmp_path)
    assert found is not None
    assert found[0] == progress
    assert found[1].keys() == STATE.keys()
    assert all(found[1][name].dtype == each.dtype and (found[1][name] == each).all() for name, each in STATE.items())


def test_a_network_that_was_never_saved_is_new_and_its_best_is_not_there(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    assert read(tmp_path / BEST) is None


def test_the_best_weights_are_kept_beside_the_last_ones(tmp_path: Path) -> None:
    save(tmp_path, Progress(), STATE)
    save_best(tmp_path, {"model/0": np.ones(2)}, 7)
    best = read(tmp_path / BEST)
    assert best is not None
    assert best[0] == {"epoch": 7}
    assert best[1]["model/0"].tolist() == [1.0, 1.0]
    assert load(tmp_path) is not None
    assert {each.name for each in tmp_path.iterdir()} == {LAST, BEST, SUMMARY}


def test_the_loss_of_an_epoch_is_the_mean_over_its_pictures_not_over_its_batches() -> None:
    progress = Progress(epoch=2, rows=(FIRST, SECOND), best_epoch=1)
    for loss, right, count in ((2.0, 8.0, 32), (1.0, 4.0, 32), (9.0, 0.0, 1)):
        progress = progress.with_batch(loss, right, count, 0.5)
    assert (progress.step, progress.seen, progress.seconds) == (3, 65, 1.5)
    assert progress.loss_sum / progress.seen == pytest.approx((64.0 + 32.0 + 9.0) / 65)
    assert progress.right_sum == 12.0
    assert (progress.epoch, progress.rows, progress.best_epoch) == (2, (FIRST, SECOND), 1)


def test_a_new_epoch_begins_with_nothing_counted_and_remembers_the_best() -> None:
    at = Progress(step=9, loss_sum=3.0, right_sum=2.0, seen=9, seconds=4.0)
    one = at.with_epoch(FIRST, is_best=True)
    assert one == Progress(epoch=1, rows=(FIRST,), best_epoch=1)
    assert one.with_epoch(SECOND, is_best=False) == Progress(epoch=2, rows=(FIRST, SECOND), best_epoch=1)
    assert one.with_epoch(SECOND, is_best=True).best_epoch == 2


def test_a_spreadsheet_opens_the_table_of_epochs(tmp_path: Path) -> None:
    save(tmp_path, Progress(epoch=2, rows=(FIRST, SECOND)), STATE)
    with (tmp_path / SUMMARY).open(encoding="utf-8", newline="") as file:
        head, *lines = csv.reader(file)
    assert head == [
        "epoch", "phase", "rate", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds",
    ]  # fmt: skip
    assert head == [each.name for each in fields(Row)]
    assert lines == [
        ["1", "1", "0.001", "1.5", "0.25", "1.75", "0.125", "12.5"],
        ["2", "1", "0.0005", "0.123457", "1", "", "", "3"],
    ]
    save(tmp_path, Progress(), STATE)
    assert (tmp_path / SUMMARY).read_text(encoding="utf-8").count("\n") == 1


def test_a_damaged_file_is_named_with_what_to_do_and_nothing_of_it_is_used(tmp_path: Path) -> None:
    save(tmp_path, Progress(epoch=1, rows=(FIRST,)), STATE)
    whole = (tmp_path / LAST).read_bytes()
    flipped = whole.replace(STATE["model/0"].tobytes(), STATE["model/0"][::-1].tobytes())
    for content in (b"", whole[: len(whole) // 2], whole[:-1], b"x" * 100, flipped):
        (tmp_path / LAST).write_bytes(content)
        with pytest.raises(RunRefused, match="cannot be read") as caught:
            load(tmp_path)
        assert str(tmp_path / LAST) in caught.value.message
        assert "--resume" in caught.value.remedy


def test_a_folder_in_the_place_of_the_file_is_not_taken_for_a_new_network(tmp_path: Path) -> None:
    (tmp_path / LAST).mkdir()
    with pytest.raises(RunRefused, match="directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"rows": None},
        {"rows": [{}]},
        {"rows": [[1]]},
        {"rows": [{**asdict(FIRST), "speed": 1}]},
        {"rows": [], "stage": 3},
        [],
    ],
)
def test_a_file_of_another_version_is_refused(tmp_path: Path, about: Any) -> None:
    write_arrays(tmp_path / LAST, STATE, json.dumps(about))
    with pytest.raises(RunRefused, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize("what", ["last", "best", "summary"])
def test_a_full_disk_is_said_with_what_is_left_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before = Progress(epoch=1, rows=(FIRST,))
    save(tmp_path, before, STATE)
    save_best(tmp_path, STATE, 1)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_whole" if what == "summary" else "write_arrays", full)
    further = Progress(epoch=2, rows=(FIRST, SECOND))
    with pytest.raises(RunRefused, match="No space left on device") as caught:
        save_best(tmp_path, {}, 2) if what == "best" else save(tmp_path, further, STATE)
    assert str(tmp_path) in caught.value.message
    assert "--resume" in caught.value.remedy
    found, best = load(tmp_path), read(tmp_path / BEST)
    assert found is not None
    assert best is not None
    assert found[0] == before or what == "summary"
    assert best[0] == {"epoch": 1}


def test_killed_between_writing_and_renaming_the_network_stands_where_it_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, Progress(epoch=1, rows=(FIRST,)), STATE)
    table = (tmp_path / SUMMARY).read_text(encoding="utf-8")
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, Progress(epoch=2, rows=(FIRST, SECOND)), {"model/0": np.zeros(1)})
    monkeypatch.undo()
    found = load(tmp_path)
    assert found is not None
    assert found[0].epoch == 1
    assert found[1]["model/0"].shape == (2, 3)
    assert (tmp_path / SUMMARY).read_text(encoding="utf-8") == table
