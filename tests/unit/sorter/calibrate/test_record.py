"""Which steps are done, and how the camera sees the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sorter.calibrate import Record, RecordRefused
from sorter.calibrate.record import RECORD_FILE
from sorter.calibrate.view import TableView


def test_what_was_done_is_known_in_the_next_program(tmp_path: Path) -> None:
    record = Record(tmp_path / "state")
    assert record.steps == {}
    record.keep("motors", "turntable turns")
    record.keep("centre", "0.25 mm", seen=(TableView.guessed(320, 240), 320, 240))
    again = Record(tmp_path / "state")
    assert {name: done.result for name, done in again.steps.items()} == {
        "motors": "turntable turns",
        "centre": "0.25 mm",
    }
    view = again.view(320, 240)
    assert view is not None
    assert np.allclose(view.matrix, TableView.guessed(320, 240).matrix)


def test_a_view_serves_frames_of_the_same_shape_and_no_others(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.keep("centre", "", seen=(TableView.guessed(320, 240), 320, 240))
    larger = record.view(640, 480)
    assert larger is not None
    assert larger.centre_px == pytest.approx((320.0, 240.0))
    assert record.view(640, 360) is None


def test_doing_a_step_again_keeps_the_others(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.keep("centre", "first", seen=(TableView.guessed(320, 240), 320, 240))
    record.keep("centre", "second")
    record.keep("chute", "red 40")
    assert [each.result for each in record.steps.values()] == ["second", "red 40"]
    assert record.view(320, 240) is not None
    assert [each.name for each in tmp_path.iterdir()] == [RECORD_FILE]


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2, "steps": {}}', '{"format": 1, "steps": [1]}', "\0"])
def test_a_file_that_is_none_of_ours_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(RecordRefused, match="is none of calibrate's") as caught:
        Record(tmp_path)
    assert "Delete it" in caught.value.remedy
    assert (tmp_path / RECORD_FILE).read_text(encoding="utf-8") == text


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    record = Record(tmp_path / "file" / "state")
    (tmp_path / "file").touch()
    with pytest.raises(RecordRefused, match="cannot be written"):
        record.keep("motors", "")
    with pytest.raises(RecordRefused, match="cannot be read"):
        Record(tmp_path / "file" / "state")


def test_what_could_not_be_written_down_is_known_before_anything_is_done(tmp_path: Path) -> None:
    Record(tmp_path / "not" / "there" / "yet").check_writable()
    record = Record(tmp_path / "file" / "state")
    (tmp_path / "file").touch()
    with pytest.raises(RecordRefused, match=f"{tmp_path}/file is no folder") as caught:
        record.check_writable()
    assert f"See that the folder {tmp_path}/file/state can be written to" in caught.value.remedy
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_view_of_no_size_is_refused(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.keep("centre", "", seen=(TableView.guessed(320, 240), 320, 240))
    text = record.file.read_text(encoding="utf-8")
    record.file.write_text(text.replace('"width_px": 320', '"width_px": 0'), encoding="utf-8")
    with pytest.raises(RecordRefused, match="width_px"):
        Record(tmp_path)
